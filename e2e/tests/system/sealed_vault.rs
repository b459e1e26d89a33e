//! A Vault that would stay sealed stands in the way of a drain, as its VaultTransitUnseal tells; on a real cluster.
//!
//! The Vault controller doesn't run: the test writes the status, as it would.
//!
//! 1. A StatefulSet has a pod on a node, and nobody has judged its VaultTransitUnseal: the gate opens all the same, and the node
//!    says that it is felt.
//! 2. `WouldStart` becomes False: the gate closes at once, and names resource, pod, cause and remedy; so do `kubectl get drain` and
//!    `holdfast drain`, which fails.
//! 3. What is accepted by the resource's name is shown and not waited for; without that it is closed again.
//! 4. The spec changes and nobody judges it anew: what is told of the old one counts as unknown, and the gate opens.
//! 5. False again, then True: it opens, not before ten seconds of calm. `holdfast drain` succeeds.
//! 6. False once more, and the resource is deleted: it is forgotten.
//!
//! Nothing but the DrainReadiness is written, and no Secret is read.

use std::process::Output;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DrainReadiness, DrainReadinessStatus, VaultTransitUnseal};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Cluster, Kubectl, ServiceAccount, Tenant};
use holdfast_testkit::controller::holdfast_binary;
use holdfast_testkit::{ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::process::Command;

const PATIENCE: Duration = Duration::from_secs(180);
const NAME: &str = "sealed";
const READINESS: &str = "drainreadinesses.holdfast.dev";
const UNSEAL: &str = "vaulttransitunseals.holdfast.dev";
/// The aim is one second; a debug build gets the rest.
const AT_ONCE: SignedDuration = SignedDuration::from_secs(3);
const CALM: SignedDuration = SignedDuration::from_secs(10);

struct Story {
    cluster: Cluster,
    tenant: Tenant,
    kubectl: Kubectl,
    unseals: Api<VaultTransitUnseal>,
}

#[tokio::test]
async fn a_vault_that_would_stay_sealed_stands_in_the_way_of_a_drain() -> Result<()> {
    let cluster = Cluster::start().await?;
    let kubectl = Kubectl::of(&cluster.plane).await?;
    let controller = cluster.controller().await?;
    let tenant = Tenant::move_in(cluster.admin(), NAME).await?;
    let unseals = Api::namespaced(tenant.client.clone(), NAME);
    let story = Story { cluster, tenant, kubectl, unseals };
    story.tenant.apply(stateful_set()).await?;
    let node = story.node_of("vault-0").await?;
    story.tenant.apply(unseal("https://a.example.net:8200")).await?;
    story.opens().await?;
    story.is_felt(&node).await?;

    story.closes_with(&node, &controller).await?;
    story.is_told_on_a_laptop(&node).await?;

    story.accept(json!([{ "namespace": NAME, "name": "bank", "reason": "A is being restored" }])).await?;
    story.opens().await?;
    let blocker = story.status().await?.blockers.pop().context("it isn't shown any more")?;
    ensure!(blocker.accepted.as_deref() == Some("A is being restored"), "{blocker:?}");
    story.accept(json!([])).await?;
    story.closed().await?;

    story.tenant.apply(unseal("https://b.example.net:8200")).await?;
    story.opens().await?;
    story.is_felt(&node).await?;

    story.judge(false).await?;
    story.closed().await?;
    let (judged, told) = (Timestamp::now(), story.judge(true).await?);
    ensure!(told.metadata.generation == Some(2), "{:?}", told.metadata.generation);
    let status = story.opens().await?;
    let took = Timestamp::now().duration_since(judged);
    ensure!(CALM <= took, "without calm it opened after {took:#}");
    ensure!(status.blockers.is_empty() && status.blocked == 0, "{status:?}");
    let Output { status, stdout, .. } = story.holdfast_drain(&[]).await?;
    ensure!(status.success(), "{status}: {}", String::from_utf8_lossy(&stdout));

    story.judge(false).await?;
    story.closed().await?;
    story.unseals.delete("bank", &DeleteParams::default()).await?;
    story.opens().await?;
    ensure!(controller.ended()?.is_none(), "the controller ended");
    story.nothing_else_was_touched()
}

impl Story {
    async fn status(&self) -> Result<DrainReadinessStatus> {
        let api: Api<DrainReadiness> = Api::all(self.tenant.client.clone());
        api.get("cluster").await?.status.context("no status yet")
    }

    async fn node_of(&self, pod: &str) -> Result<String> {
        let pods: Api<Pod> = Api::namespaced(self.tenant.client.clone(), NAME);
        eventually("the pod to run on a node", PATIENCE, async || {
            let (spec, status) = (pods.get(pod).await?.spec, pods.get(pod).await?.status);
            ensure!(status.and_then(|status| status.phase).as_deref() == Some("Running"), "it doesn't run");
            spec.and_then(|spec| spec.node_name).context("on no node")
        })
        .await
    }

    async fn opens(&self) -> Result<DrainReadinessStatus> {
        eventually("the gate to open", PATIENCE, async || {
            let status = self.status().await?;
            ensure!(status.drainable, "{:?} {:?}", status.conditions, status.blockers);
            Ok(status)
        })
        .await
    }

    async fn closed(&self) -> Result<DrainReadinessStatus> {
        eventually("the gate to close", PATIENCE, async || {
            let status = self.status().await?;
            ensure!(!status.drainable && !status.blockers.is_empty(), "it is open");
            Ok(status)
        })
        .await
    }

    /// What isn't known doesn't stand in the way, and isn't passed over.
    async fn is_felt(&self, node: &str) -> Result<()> {
        eventually("the node to say that it isn't known", PATIENCE, async || {
            let status = self.status().await?;
            let told = status.nodes.iter().find(|told| told.name == node).context("the node isn't shown")?;
            ensure!(told.verdict == "Interrupts" && status.blockers.is_empty(), "{told:?}");
            ensure!(told.message.as_deref().is_some_and(|message| message.contains("StartUnknown")), "{told:?}");
            Ok(())
        })
        .await
    }

    /// Writes the status that the Vault controller would write of the resource as it is.
    async fn judge(&self, would_start: bool) -> Result<VaultTransitUnseal> {
        let generation = self.unseals.get("bank").await?.metadata.generation;
        let (status, reason, message) = match would_start {
            true => ("True", "Rehearsed", "the rehearsal passed"),
            false => ("False", "TokenDead", "the transit server doesn't know the token."),
        };
        let condition = json!({
            "type": "WouldStart", "status": status, "reason": reason, "message": message,
            "observedGeneration": generation, "lastTransitionTime": "2026-11-26T08:00:00Z",
        });
        let diagnosis = json!({ "cause": reason, "message": message, "remedy": "Write a new token into the Secret." });
        let diagnosis = if would_start { Value::Null } else { diagnosis };
        let status = json!({ "observedGeneration": generation, "conditions": [condition], "diagnosis": diagnosis });
        let patch = Patch::Merge(json!({ "status": status }));
        Ok(self.unseals.patch_status("bank", &PatchParams::default(), &patch).await?)
    }

    async fn closes_with(&self, node: &str, controller: &ControllerProcess) -> Result<()> {
        let (mark, watch) = (self.cluster.plane.audit().mark()?, self.cluster.plane.stopwatch([controller.id()]));
        self.judge(false).await?;
        let status = self.closed().await?;
        let blocker = status.blockers.first().context("nobody stands in the way")?;
        ensure!(blocker.vault_transit_unseal.as_deref() == Some("bank") && blocker.budgets.is_empty(), "{blocker:?}");
        ensure!((blocker.node.as_str(), blocker.pod.as_str()) == (node, "vault-0"), "{blocker:?}");
        ensure!(blocker.lasting == "Structural" && blocker.reason == "WouldNotStart", "{blocker:?}");
        ensure!(
            blocker.message
                == "started again it would stay sealed (TokenDead): the transit server doesn't know the token; write a new token into the Secret",
            "{blocker:?}"
        );
        ensure!((status.blocked, status.blockers_total) == (1, 1), "{status:?}");
        // The log has a write only after its answer, which may have been acted on by then.
        let took = eventually("both writes in the audit log", PATIENCE, async || {
            let events = self.cluster.plane.audit().since(mark)?;
            let judged = events.iter().find(|event| event.is_about(UNSEAL) && event.is_write());
            let closed = events.iter().find(|event| event.is_about(READINESS) && event.is_write());
            Ok(closed.context("no write")?.done.duration_since(judged.context("no verdict")?.done))
        })
        .await?;
        say(&format!("sealed vault: the gate closed {took:#} after it was known"));
        ensure!(took < watch.allows(AT_ONCE)?, "it took {took:#}");
        let line = self.kubectl.run(["get", "drain"]).await?;
        let said = format!("sealed/vault-0 on {node} (VaultTransitUnseal bank: TokenDead)");
        ensure!(line.contains("false") && line.contains(&said), "kubectl get says\n{line}");
        Ok(())
    }

    async fn is_told_on_a_laptop(&self, node: &str) -> Result<()> {
        let Output { status, stdout, stderr } = self.holdfast_drain(&["--color=never"]).await?;
        let told = String::from_utf8_lossy(&stdout);
        ensure!(status.code() == Some(1), "{status}: {told}{}", String::from_utf8_lossy(&stderr));
        ensure!(
            told.contains("VaultTransitUnseal sealed/bank, for good: started again it would stay sealed"),
            "{told}"
        );
        ensure!(told.contains(&format!("sealed/vault-0 (StatefulSet vault) leaves {node}")), "{told}");
        ensure!(told.contains("→ write a new token into the Secret"), "{told}");
        let Output { stdout, .. } = self.holdfast_drain(&["--format=json", node]).await?;
        let told: Value = serde_json::from_slice(&stdout)?;
        let blocker = &told["nodes"][0]["blockers"][0];
        ensure!(blocker["vaultTransitUnseal"] == "bank" && blocker["reason"] == "WouldNotStart", "{told}");
        Ok(())
    }

    async fn holdfast_drain(&self, arguments: &[&str]) -> Result<Output> {
        let mut command = Command::new(holdfast_binary()?);
        command.arg("drain").args(arguments).arg("--kubeconfig").arg(self.cluster.plane.kubeconfig());
        Ok(command.kill_on_drop(true).output().await?)
    }

    async fn accept(&self, accept: Value) -> Result<()> {
        let gate = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "DrainReadiness", "metadata": { "name": "cluster" },
            "spec": { "accept": accept },
        });
        Manifests::parse(&gate.to_string())?.apply(&self.tenant.client, "e2e").await.map(drop)
    }

    fn nothing_else_was_touched(&self) -> Result<()> {
        let events = self.cluster.plane.audit().events()?;
        let ours = events.iter().filter(|event| event.user == ServiceAccount::USER);
        let wrong = ours.clone().find(|event| event.is_about("secrets") || event.is_about(UNSEAL) && event.is_write());
        ensure!(wrong.is_none(), "{wrong:?}");
        ensure!(ours.clone().any(|event| event.is_about(UNSEAL)), "nobody looked");
        Ok(())
    }
}

fn stateful_set() -> Value {
    let labels = json!({ "app": "vault" });
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "vault" },
        "spec": {
            "replicas": 1, "serviceName": "vault", "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "terminationGracePeriodSeconds": 0, "containers": [{ "name": "vault", "image": "example.com/vault:1" }] },
            },
        },
    })
}

fn unseal(address: &str) -> Value {
    json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": { "name": "bank" },
        "spec": {
            "target": { "statefulSetRef": { "name": "vault" } },
            "seal": { "transit": {
                "address": address, "key": "vault",
                "auth": { "tokenRef": { "name": "a-token", "key": "token" } },
            } },
            "token": { "secretRef": { "name": "vault-token", "key": "token" } },
        },
    })
}
