//! Namespaces get to the level that they meet, and nothing breaks on the way.
//!
//! On a cluster that enforces nothing by default:
//! 1. Report changes nothing, and says what each namespace meets: templates that run nothing count.
//! 2. Enforce: warned of at once, enforced after the soak, each at its own level; everything is rolled out anew, and no pod is
//!    refused. What isn't met is said.
//! 3. A label that kustomize-controller writes is left alone; the finding names the Kustomization.
//! 4. The controller is killed in the middle of a soak: what was watched counts on, what nobody watched doesn't.
//! 5. A quiet minute afterwards: nothing is written.
//! 6. A workload that violates the level comes: the finding is critical, nothing is raised there any more.
//! 7. A label of ours that a person takes away stays away.
//! 8. The account can do nothing else: no other label, no lower level, no spec of a policy.
//! 9. Thirty namespaces are no longer selected: the brake holds. The policy goes: all labels go, and it doesn't hang.
//!
//! The sample of a homelab, with a node exporter, a storage driver and a hardened cert-manager:
//! 10. Each namespace ends where a person would put it, everything is rolled out anew, and no pod is refused.
//!
//! On a cluster that enforces restricted by default and exempts a namespace:
//! 11. A label whose withdrawal would tighten stays, the exempt namespace is left alone.
//!
//! On one that enforces baseline by default, as Talos does: that is found out.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{
    NamespaceLevel, NamespaceSecurityPolicy, NamespaceSecurityPolicyStatus, NamespaceState, SecurityLevel,
};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Cluster, Kubectl, NAMESPACE, PATIENCE, ServiceAccount, checkout, deployment, sample, set};
use holdfast_testkit::{AuditEvent, ControlPlane, ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::apps::v1::{DaemonSet, Deployment};
use k8s_openapi::api::core::v1::{Event, Namespace};
use k8s_openapi::api::events::v1::Event as NewEvent;
use kube::api::{Api, ListParams, Patch, PatchParams};
use kube::{Client, Config};
use serde_json::{Value, json};

const PREFIX: &str = "pod-security.kubernetes.io/";
const SOAK: Duration = Duration::from_secs(20);

struct Story {
    cluster: Cluster,
    controller: ControllerProcess,
    kubectl: Kubectl,
    admin: Client,
}

#[tokio::test]
async fn namespaces_end_at_the_level_that_they_meet() -> Result<()> {
    let mut story = Story::begin(ControlPlane::builder().nodes(3).start().await?, &[]).await?;
    story.furnish().await?;
    story.report_changes_nothing().await?;
    story.each_ends_at_its_level().await?;
    story.what_git_writes_is_left_alone().await?;
    story.a_soak_survives_a_kill().await?;
    story.then_nothing_is_written().await?;
    story.what_is_refused_is_told().await?;
    story.what_a_person_takes_away_stays_away().await?;
    story.the_account_can_do_nothing_else().await?;
    story.a_mass_withdrawal_waits().await?;
    story.the_policy_goes_and_all_labels_with_it().await?;
    story.end().await
}

#[tokio::test]
async fn the_sample_of_a_homelab_ends_where_a_person_would_put_it() -> Result<()> {
    let story = Story::begin(ControlPlane::builder().nodes(3).start().await?, &[]).await?;
    sample::load(&story.admin, &checkout().join("e2e/samples/cluster")).await?;
    story.govern(json!({ "mode": "Enforce", "soak": "10s" })).await?;
    let baseline = ["databases", "default", "games", "home-automation", "media", "network", "security"];
    for name in baseline {
        story.labels(name, &[("enforce", "baseline")]).await?;
    }
    story.labels("cert-manager", &[("enforce", "restricted")]).await?;
    story
        .status("what stands in the way is told", |status| {
            for (name, who) in [("monitoring", "DaemonSet node-exporter"), ("storage", "DaemonSet csi-driver-nfs-node")]
            {
                let told = entry(status, name)?;
                let message = told.message.as_deref().unwrap_or_default();
                let begins = format!("{who} violates baseline: ");
                ensure!(told.state == NamespaceState::BelowFloor && message.starts_with(&begins), "{told:?}");
            }
            Ok(())
        })
        .await?;
    for name in ["monitoring", "storage", "kube-system", "flux-system"] {
        let labels = story.labels_of(name).await?;
        ensure!(labels.is_empty(), "{name}: {labels:?}");
    }
    for name in baseline.into_iter().chain(["cert-manager", "monitoring", "storage"]) {
        story.kubectl.run(["rollout", "restart", "deployment,daemonset", "-n", name]).await?;
    }
    story.everything_is_made_anew().await?;
    story.nothing_is_refused().await?;
    story.end().await
}

#[tokio::test]
async fn what_holds_without_a_label_is_found_out_and_never_made_stricter() -> Result<()> {
    let plane = |default: &'static str| async move {
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), configuration(default))?;
        let argument = format!("--admission-control-config-file={}", file.path().display());
        let plane = ControlPlane::builder().nodes(1).api_server_argument(argument).start().await?;
        anyhow::Ok((plane, file))
    };
    let (strict, _file) = plane("restricted").await?;
    let story = Story::begin(strict, &[]).await?;
    story.a_label_that_would_tighten_stays().await?;
    story.end().await?;
    let (talos, _file) = plane("baseline").await?;
    let story = Story::begin(talos, &[]).await?;
    story.the_default_is_found_out().await?;
    story.end().await
}

fn configuration(default: &str) -> String {
    json!({
        "apiVersion": "apiserver.config.k8s.io/v1", "kind": "AdmissionConfiguration",
        "plugins": [{ "name": "PodSecurity", "configuration": {
            "apiVersion": "pod-security.admission.config.k8s.io/v1", "kind": "PodSecurityConfiguration",
            "defaults": { "enforce": default, "enforce-version": "latest" },
            "exemptions": { "namespaces": ["kube-system", "set-apart"] },
        } }],
    })
    .to_string()
}

/// A Deployment whose pods meet restricted.
fn hardened(namespace: &str, name: &str) -> Value {
    let spec = json!({
        "terminationGracePeriodSeconds": 0,
        "securityContext": { "runAsNonRoot": true, "seccompProfile": { "type": "RuntimeDefault" } },
        "containers": [{ "name": "main", "image": "example.com/app:1",
            "securityContext": { "allowPrivilegeEscalation": false, "capabilities": { "drop": ["ALL"] } } }],
    });
    set(deployment(namespace, name, 2), "/spec/template/spec", spec)
}

/// The same with pods that meet nothing.
fn privileged(namespace: &str, name: &str, replicas: u32) -> Value {
    set(deployment(namespace, name, replicas), "/spec/template/spec/hostNetwork", true.into())
}

impl Story {
    async fn begin(plane: ControlPlane, arguments: &[&str]) -> Result<Self> {
        let cluster = Cluster::on(plane).await?;
        Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "e2e").await?;
        cluster.install(&json!({ "concerns": { "podSecurityEnforce": true } })).await?;
        let (kubectl, admin) = (Kubectl::of(&cluster.plane).await?, cluster.admin());
        let mut builder = cluster.controller_builder().await?;
        for argument in arguments {
            builder = builder.argument(*argument);
        }
        let controller = builder.start()?;
        controller.ready(PATIENCE).await?;
        Ok(Self { cluster, controller, kubectl, admin })
    }

    async fn end(self) -> Result<()> {
        ensure!(self.controller.ended()?.is_none());
        self.controller.terminate(PATIENCE).await?;
        Ok(())
    }

    async fn furnish(&self) -> Result<()> {
        for name in ["shop", "hard", "agents", "asleep", "empty", "git", "operated"] {
            self.namespace(name, json!({ "team": "a" })).await?;
        }
        self.apply(deployment("shop", "web", 3)).await?;
        self.apply(hardened("hard", "web")).await?;
        self.apply(privileged("agents", "agent", 2)).await?;
        self.apply(hardened("asleep", "web")).await?;
        self.apply(privileged("asleep", "old", 0)).await?;
        self.apply(hardened("git", "web")).await?;
        self.apply(hardened("operated", "web")).await?;
        let bare = hardened("operated", "x").pointer("/spec/template/spec").cloned().unwrap_or_default();
        self.apply(json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "namespace": "operated", "name": "bare" }, "spec": bare }))
            .await?;
        let kustomization = json!({
            "apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
            "metadata": { "namespace": "git", "name": "apps" },
            "spec": { "interval": "1h", "path": "./apps", "prune": true, "sourceRef": { "kind": "GitRepository", "name": "home" } },
        });
        self.apply(kustomization).await?;
        let owned = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": "git", "labels": {
            format!("{PREFIX}enforce"): "privileged",
            "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "git",
        } } });
        Manifests::parse(&owned.to_string())?.apply(&self.admin, "kustomize-controller").await?;
        for name in ["shop", "hard", "agents", "asleep", "git"] {
            self.kubectl.run(["rollout", "status", "deployment", "-n", name, "--timeout=60s"]).await?;
        }
        Ok(())
    }

    async fn report_changes_nothing(&self) -> Result<()> {
        let mark = self.cluster.plane.audit().mark()?;
        self.govern(json!({ "mode": "Report" })).await?;
        self.status("each judged", |status| {
            let levels = [("shop", SecurityLevel::Baseline), ("hard", SecurityLevel::Restricted)];
            let none = [("agents", SecurityLevel::Privileged), ("asleep", SecurityLevel::Privileged)];
            for (name, level) in levels.into_iter().chain(none) {
                ensure!(entry(status, name)?.level == Some(level), "{name}: {:?}", entry(status, name)?);
            }
            ensure!(entry(status, "empty")?.state == NamespaceState::Empty, "{:?}", entry(status, "empty")?);
            ensure!(entry(status, "kube-system")?.state == NamespaceState::Exempt);
            ensure!(entry(status, NAMESPACE)?.state == NamespaceState::Exempt, "our own");
            let asleep = entry(status, "asleep")?;
            let said = "Deployment old violates baseline: host namespaces (hostNetwork=true)";
            ensure!(asleep.message.as_deref() == Some(said), "{asleep:?}");
            ensure!(asleep.in_the_way.iter().any(|way| way.path == "spec.template.spec.hostNetwork"), "{asleep:?}");
            ensure!(status.server_version.as_deref() == Some("v1.35"), "{:?}", status.server_version);
            Ok(())
        })
        .await?;
        let written = self.cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?;
        let of_namespaces: Vec<&AuditEvent> = written.iter().filter(|event| event.is_about("namespaces")).collect();
        ensure!(of_namespaces.is_empty(), "{of_namespaces:#?}");
        Ok(())
    }

    /// Everything is rolled out anew after each raise; not one pod is refused.
    async fn each_ends_at_its_level(&self) -> Result<()> {
        let mark = self.cluster.plane.audit().mark()?;
        self.govern(json!({ "mode": "Enforce" })).await?;
        for (name, level) in [("shop", "baseline"), ("hard", "restricted"), ("operated", "baseline")] {
            self.labels(name, &[("warn", level), ("audit", level), ("warn-version", "latest")]).await?;
        }
        self.status("a soak is told", |status| {
            let hard = entry(status, "hard")?;
            ensure!(hard.state == NamespaceState::Soaking && hard.soaked.is_some(), "{hard:?}");
            ensure!(hard.target == Some(SecurityLevel::Restricted), "{hard:?}");
            Ok(())
        })
        .await?;
        for (name, level) in [("shop", "baseline"), ("hard", "restricted"), ("operated", "baseline")] {
            self.labels(name, &[("enforce", level), ("enforce-version", "v1.35")]).await?;
            self.restart(name).await?;
        }
        for name in ["agents", "asleep", "empty", "kube-system"] {
            let labels = self.labels_of(name).await?;
            ensure!(labels.is_empty(), "{name}: {labels:?}");
        }
        self.nothing_is_refused().await?;
        let events = self.cluster.plane.audit().since(mark)?;
        let ours = events.iter().filter(|event| event.user == ServiceAccount::USER && event.is_about("namespaces"));
        let (rehearsed, written): (Vec<&AuditEvent>, Vec<&AuditEvent>) = ours.partition(|event| event.is_dry_run());
        // Each namespace is written twice and rehearsed once; what holds without a label is asked with two rehearsals.
        ensure!(written.len() == 6, "{written:#?}");
        ensure!((3..=5).contains(&rehearsed.len()), "{rehearsed:#?}");
        let events: Api<NewEvent> = Api::namespaced(self.admin.clone(), "default");
        eventually("an event about a raise", PATIENCE, async || {
            let events = events.list(&ListParams::default()).await?;
            ensure!(events.iter().any(|event| event.reason.as_deref() == Some("LevelRaised")));
            Ok(())
        })
        .await
    }

    async fn what_git_writes_is_left_alone(&self) -> Result<()> {
        self.status("it is left alone", |status| {
            let git = entry(status, "git")?;
            ensure!(git.state == NamespaceState::Yielded, "{git:?}");
            let finding = status.worst.iter().find(|finding| finding.rule == "level-owned-elsewhere");
            let finding = finding.context("no finding")?;
            ensure!(finding.owner.as_deref() == Some("Kustomization git/apps"), "{finding:?}");
            ensure!(finding.message.contains("which belongs to kustomize-controller"), "{finding:?}");
            Ok(())
        })
        .await?;
        ensure!(self.labels_of("git").await?.get("enforce").is_some_and(|level| level == "privileged"));
        Ok(())
    }

    async fn a_soak_survives_a_kill(&mut self) -> Result<()> {
        self.namespace("late", json!({})).await?;
        self.apply(deployment("late", "web", 1)).await?;
        self.labels("late", &[("warn", "baseline")]).await?;
        let soaked = |status: &NamespaceSecurityPolicyStatus| {
            let soaked = entry(status, "late")?.soaked.clone().unwrap_or_default();
            soaked.parse::<SignedDuration>().with_context(|| format!("{soaked:?} is no time"))
        };
        let half = |status: &NamespaceSecurityPolicyStatus| {
            ensure!(SOAK / 2 <= soaked(status)?.unsigned_abs(), "{:#}", soaked(status)?);
            Ok(())
        };
        self.status("half of the soak", half).await?;
        self.controller.kill()?;
        // What was written last counts, perhaps more than was seen.
        let left = SOAK.as_secs_f64() - soaked(&self.status_now().await?)?.as_secs_f64();
        let died = Timestamp::now();
        tokio::time::sleep(Duration::from_secs(5)).await;
        self.controller = self.cluster.controller().await?;
        self.controller.leads(PATIENCE).await?;
        let watch = self.cluster.plane.stopwatch([self.controller.id()]);
        let leads = watch.began();
        self.labels("late", &[("enforce", "baseline")]).await?;
        let raised = Timestamp::now();
        let (down, rest) = (leads.duration_since(died).as_secs_f64(), raised.duration_since(leads).as_secs_f64());
        say(&format!(
            "killed {left:.0} s before the end of a soak of {SOAK:?}, away for {down:.1} s, raised {rest:.1} s after it led again"
        ));
        ensure!(left - 3.0 < rest, "the time in which nobody watched counts: {rest} s, and {left} s were left");
        let most = watch.allows(SignedDuration::try_from(SOAK)? - SignedDuration::from_secs(2))?;
        ensure!(rest < most.as_secs_f64(), "what was watched is forgotten: {rest} s");
        Ok(())
    }

    async fn then_nothing_is_written(&self) -> Result<()> {
        self.status("all is settled", |status| {
            ensure!(status.soaking == 0, "{} soak", status.soaking);
            ensure!(status.managed == 4, "{} managed", status.managed);
            Ok(())
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(2)).await;
        let mark = self.cluster.plane.audit().mark()?;
        tokio::time::sleep(Duration::from_secs(15)).await;
        let written = self.cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?;
        let written: Vec<&AuditEvent> =
            written.iter().filter(|event| !event.is_about("leases.coordination.k8s.io")).collect();
        ensure!(written.is_empty(), "{written:#?}");
        Ok(())
    }

    async fn what_is_refused_is_told(&self) -> Result<()> {
        self.apply(privileged("shop", "bad", 1)).await?;
        self.status("a refusal is told", |status| {
            let shop = entry(status, "shop")?;
            ensure!(shop.state == NamespaceState::Broken, "{shop:?}");
            let worst = status.worst.first().context("nothing is wrong")?;
            ensure!((worst.rule.as_str(), worst.severity.as_str()) == ("level-broke-pods", "critical"), "{worst:?}");
            ensure!(worst.message.contains("violates PodSecurity \"baseline:v1.35\": host namespaces"), "{worst:?}");
            Ok(())
        })
        .await?;
        self.labels("shop", &[("enforce", "baseline")]).await?;
        self.kubectl.run(["delete", "deployment", "bad", "-n", "shop"]).await?;
        Ok(())
    }

    async fn what_a_person_takes_away_stays_away(&self) -> Result<()> {
        let label = format!("{PREFIX}enforce-");
        self.kubectl.run(["label", "namespace", "hard", &label]).await?;
        self.status("it is yielded", |status| {
            let hard = entry(status, "hard")?;
            ensure!(hard.state == NamespaceState::Yielded, "{hard:?}");
            Ok(())
        })
        .await?;
        tokio::time::sleep(Duration::from_secs(3)).await;
        let labels = self.labels_of("hard").await?;
        ensure!(!labels.contains_key("enforce") && labels.contains_key("warn"), "{labels:?}");
        Ok(())
    }

    /// What the admission policy of the chart lets the account do.
    async fn the_account_can_do_nothing_else(&self) -> Result<()> {
        let options = kube::config::KubeConfigOptions::default();
        let kubeconfig = kube::config::Kubeconfig::read_from(self.cluster.account().await?)?;
        let account = Client::try_from(Config::from_custom_kubeconfig(kubeconfig, &options).await?)?;
        let namespaces: Api<Namespace> = Api::all(account.clone());
        let tries = [
            (json!({ "metadata": { "labels": { "another": "x" } } }), "changes labels of Pod Security and no others"),
            (json!({ "metadata": { "labels": { "team": null } } }), "and no others"),
            (json!({ "metadata": { "labels": { format!("{PREFIX}enforce"): "privileged" } } }), "never lowers a level"),
            (json!({ "metadata": { "labels": { format!("{PREFIX}enforce-version"): "v1.20" } } }), "older version"),
            (json!({ "metadata": { "annotations": { "team": "x" } } }), "and nothing else"),
        ];
        for (patch, said) in tries {
            let answer = namespaces.patch("shop", &PatchParams::default(), &Patch::Merge(&patch)).await;
            let Err(kube::Error::Api(status)) = answer else { anyhow::bail!("{patch} is allowed") };
            ensure!(status.message.contains(said), "{patch}: {}", status.message);
        }
        let raise = json!({ "metadata": { "labels": { format!("{PREFIX}enforce"): "restricted" } } });
        let rehearsed = PatchParams { dry_run: true, ..PatchParams::default() };
        namespaces.patch("shop", &rehearsed, &Patch::Merge(&raise)).await.context("a raise")?;
        let policies: Api<NamespaceSecurityPolicy> = Api::all(account);
        let patch = json!({ "spec": { "floor": "privileged" } });
        let answer = policies.patch("levels", &PatchParams::default(), &Patch::Merge(&patch)).await;
        let Err(kube::Error::Api(status)) = answer else { anyhow::bail!("{patch} is allowed") };
        ensure!(status.message.contains("changes no spec"), "{}", status.message);
        Ok(())
    }

    async fn a_mass_withdrawal_waits(&self) -> Result<()> {
        for number in 0..30 {
            let name = format!("many-{number}");
            self.namespace(&name, json!({ "many": "yes" })).await?;
            self.apply(deployment(&name, "web", 1)).await?;
        }
        for number in 0..30 {
            self.labels(&format!("many-{number}"), &[("warn", "baseline")]).await?;
        }
        self.kubectl.run(["label", "namespaces", "-l", "many", "levels=no"]).await?;
        self.status("the brake holds", |status| {
            let engaged = status.conditions.iter().find(|condition| condition.type_ == "BrakeEngaged");
            ensure!(engaged.is_some_and(|it| it.reason == "MassWithdrawal"), "{:?}", status.conditions);
            Ok(())
        })
        .await?;
        let held = self.controller.metrics().await?.sum("holdfast_brake_engaged", &[("concern", "pod-security")]);
        ensure!(held == Some(1.0), "{held:?}");
        self.labels("many-7", &[("warn", "baseline")]).await?;
        self.kubectl.run(["label", "namespaces", "-l", "many", "levels-"]).await?;
        self.status("the brake lets go", |status| {
            ensure!(!status.conditions.iter().any(|condition| condition.type_ == "BrakeEngaged"));
            Ok(())
        })
        .await
    }

    async fn the_policy_goes_and_all_labels_with_it(&self) -> Result<()> {
        self.kubectl.run(["delete", "namespacesecuritypolicy", "levels", "--timeout=60s"]).await?;
        let namespaces: Api<Namespace> = Api::all(self.admin.clone());
        for namespace in namespaces.list(&ListParams::default()).await? {
            let name = namespace.metadata.name.unwrap_or_default();
            let labels = security_labels(namespace.metadata.labels);
            let expected: &[&str] = if name == "git" { &["enforce"] } else { &[] };
            ensure!(labels.keys().eq(expected), "{name}: {labels:?}");
        }
        Ok(())
    }

    async fn a_label_that_would_tighten_stays(&self) -> Result<()> {
        let enforce = format!("{PREFIX}enforce");
        for name in ["shop", "set-apart"] {
            self.namespace(name, json!({ enforce.as_str(): "baseline" })).await?;
            self.apply(deployment(name, "web", 1)).await?;
            self.kubectl.run(["rollout", "status", "deployment", "-n", name, "--timeout=60s"]).await?;
            self.kubectl.run(["label", "namespace", name, &format!("{enforce}-")]).await?;
        }
        self.govern(json!({ "mode": "Enforce", "soak": "0s", "ceiling": "baseline" })).await?;
        self.labels("shop", &[("enforce", "baseline")]).await?;
        self.status("the exempt one is told", |status| {
            let apart = entry(status, "set-apart")?;
            let said = "exempt by the configuration of the API server";
            ensure!(apart.state == NamespaceState::Exempt && apart.message.as_deref() == Some(said), "{apart:?}");
            Ok(())
        })
        .await?;
        self.govern(json!({ "mode": "Report" })).await?;
        self.status("it stays", |status| {
            let said = "our enforce label stays: what holds without it might refuse pods";
            let shop = entry(status, "shop")?;
            ensure!(shop.message.as_deref() == Some(said), "{shop:?}");
            Ok(())
        })
        .await?;
        let labels = self.labels_of("shop").await?;
        ensure!(labels.keys().eq(["enforce", "enforce-version"]), "{labels:?}");
        self.restart("shop").await?;
        self.nothing_is_refused().await
    }

    async fn the_default_is_found_out(&self) -> Result<()> {
        let enforce = format!("{PREFIX}enforce");
        self.namespace("agents", json!({ enforce.as_str(): "privileged" })).await?;
        self.apply(privileged("agents", "agent", 1)).await?;
        self.kubectl.run(["rollout", "status", "deployment", "-n", "agents", "--timeout=60s"]).await?;
        self.kubectl.run(["label", "namespace", "agents", &format!("{enforce}-")]).await?;
        self.govern(json!({ "mode": "Enforce", "soak": "0s" })).await?;
        self.status("the default", |status| {
            ensure!(status.cluster_default == Some(SecurityLevel::Baseline), "{:?}", status.cluster_default);
            Ok(())
        })
        .await?;
        let labels = self.labels_of("agents").await?;
        ensure!(labels.is_empty(), "{labels:?}");
        Ok(())
    }

    async fn govern(&self, spec: Value) -> Result<()> {
        let mut policy = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "NamespaceSecurityPolicy", "metadata": { "name": "levels" },
            "spec": { "ceiling": "restricted", "soak": "20s", "namespaceSelector": {
                "matchExpressions": [{ "key": "levels", "operator": "NotIn", "values": ["no"] }] } },
        });
        for (field, value) in spec.as_object().into_iter().flatten() {
            policy = set(policy, &format!("/spec/{field}"), value.clone());
        }
        self.apply(policy).await
    }

    async fn namespace(&self, name: &str, labels: Value) -> Result<()> {
        let metadata = json!({ "name": name, "labels": labels });
        self.apply(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata })).await
    }

    async fn apply(&self, object: Value) -> Result<()> {
        Manifests::parse(&object.to_string())?.apply(&self.admin, "e2e").await?;
        Ok(())
    }

    async fn restart(&self, namespace: &str) -> Result<()> {
        self.kubectl.run(["rollout", "restart", "deployment", "-n", namespace]).await?;
        self.kubectl.run(["rollout", "status", "deployment", "-n", namespace, "--timeout=60s"]).await?;
        Ok(())
    }

    /// Of every Deployment and DaemonSet that has pods there is one by its newest template.
    async fn everything_is_made_anew(&self) -> Result<()> {
        let deployments: Api<Deployment> = Api::all(self.admin.clone());
        let daemons: Api<DaemonSet> = Api::all(self.admin.clone());
        eventually("new pods of everything", PATIENCE * 2, async || {
            for deployment in deployments.list(&ListParams::default()).await? {
                let wanted = deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1);
                let status = deployment.status.as_ref();
                let is_seen = status.and_then(|status| status.observed_generation) == deployment.metadata.generation;
                let made = status.and_then(|status| status.updated_replicas).unwrap_or(0);
                ensure!(is_seen && (wanted == 0 || 0 < made), "Deployment {:?}", deployment.metadata.name);
            }
            for daemon in daemons.list(&ListParams::default()).await? {
                let status = daemon.status.unwrap_or_default();
                let is_seen = status.observed_generation == daemon.metadata.generation;
                let made = status.updated_number_scheduled.unwrap_or(0);
                ensure!(
                    is_seen && (status.desired_number_scheduled == 0 || 0 < made),
                    "DaemonSet {:?}",
                    daemon.metadata.name
                );
            }
            Ok(())
        })
        .await
    }

    async fn nothing_is_refused(&self) -> Result<()> {
        let events: Api<Event> = Api::all(self.admin.clone());
        let mut refused = events.list(&ListParams::default().fields("reason=FailedCreate")).await?.items;
        // A StatefulSet that is rolled out in haste finds its claim made already, says so, and tries again.
        refused.retain(|event| event.message.as_deref().is_none_or(|said| !said.contains("failed to create PVC")));
        ensure!(refused.is_empty(), "{:#?}", refused.iter().map(|event| &event.message).collect::<Vec<_>>());
        Ok(())
    }

    async fn labels(&self, name: &str, expected: &[(&str, &str)]) -> Result<()> {
        eventually(&format!("{expected:?} on {name}"), PATIENCE + SOAK, async || {
            let labels = self.labels_of(name).await?;
            ensure!(
                expected.iter().all(|(label, value)| labels.get(*label).is_some_and(|it| it == value)),
                "{labels:?}"
            );
            Ok(())
        })
        .await
    }

    async fn labels_of(&self, name: &str) -> Result<BTreeMap<String, String>> {
        let namespaces: Api<Namespace> = Api::all(self.admin.clone());
        Ok(security_labels(namespaces.get(name).await?.metadata.labels))
    }

    async fn status(&self, what: &str, check: impl Fn(&NamespaceSecurityPolicyStatus) -> Result<()>) -> Result<()> {
        let told = eventually(what, PATIENCE, async || check(&self.status_now().await?)).await;
        told.map_err(|error| self.controller.explain(error))
    }

    async fn status_now(&self) -> Result<NamespaceSecurityPolicyStatus> {
        let policies: Api<NamespaceSecurityPolicy> = Api::all(self.admin.clone());
        Ok(policies.get("levels").await?.status.unwrap_or_default())
    }
}

/// Those of Pod Security, without what they all begin with.
fn security_labels(labels: Option<BTreeMap<String, String>>) -> BTreeMap<String, String> {
    let labels = labels.unwrap_or_default().into_iter();
    labels.filter_map(|(label, value)| Some((label.strip_prefix(PREFIX)?.to_owned(), value))).collect()
}

fn entry<'a>(status: &'a NamespaceSecurityPolicyStatus, name: &str) -> Result<&'a NamespaceLevel> {
    status.namespaces.iter().find(|entry| entry.name == name).with_context(|| format!("nothing is said of {name}"))
}
