//! What a person reads with nothing but kubectl and a scrape: the sample cluster, full of the mistakes of real ones.
//!
//! 1. In Report mode `kubectl get` and `describe` of the policy say how many workloads are fine, what would be done, what is wrong
//!    and how to mend it, worst first, and in whose HelmRelease or Kustomization. Every rule that the sample is meant to
//!    break is there, as often as it is meant to, and no other.
//! 2. Events say the same where people look: on the workload, on the budget, on the owner that Flux reconciles.
//! 3. `/metrics` counts it; `/livez` and `/readyz` answer in words.
//! 4. In Enforce mode the missing budgets are there, each announced on its workload, and what isn't ours stays as wrong as it was.
//! 5. The log is JSON, its messages are constant, and no token is in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DisruptionPolicy, DisruptionPolicyStatus};
use holdfast_e2e::{Cluster, Kubectl, checkout, sample};
use holdfast_testkit::{ControllerProcess, Manifests, eventually};
use kube::{Api, Client};
use serde_json::{Value, json};

/// So long may 130 pods take to run, and everything about them to be said.
const PATIENCE: Duration = Duration::from_secs(180);
const POLICY: &str = "everything";

/// What is wrong in the sample whatever we do, by rule.
const THEIRS: [(&str, u32); 14] = [
    ("budget-loose", 1),
    ("budget-matches-nothing", 1),
    ("budget-not-synced", 4),
    ("budget-selects-all", 1),
    ("budget-selects-daemonset", 2),
    ("budget-selects-job", 1),
    ("budget-without-controller", 1),
    ("budgets-overlap", 4),
    ("drain-blocked", 9),
    ("drain-blocked-when-unready", 9),
    ("hpa-below-min-available", 1),
    ("quorum-even", 1),
    ("selector-shared", 3),
    ("singleton", 25),
];
/// Budgets that are missing, which an Enforce policy makes.
const MISSING: u32 = 25;

struct Story {
    cluster: Cluster,
    client: Client,
    controller: ControllerProcess,
    kubectl: Kubectl,
}

#[tokio::test]
async fn a_person_finds_out_what_is_wrong_and_where_to_mend_it() -> Result<()> {
    let cluster = Cluster::start().await?;
    let client = cluster.admin();
    let loaded = sample::load(&client, &checkout().join("e2e/samples/cluster")).await?;
    ensure!(80 <= loaded.workloads() && 8 <= loaded.count("Namespace"), "a small sample: {loaded:?}");
    let controller = cluster.controller().await?;
    let kubectl = Kubectl::of(&cluster.plane).await?;
    let story = Story { cluster, client, controller, kubectl };
    story.govern("Report").await?;
    story.the_report_says_what_is_wrong().await?;
    story.events_say_it_where_people_look().await?;
    story.figures_and_probes_answer().await?;
    story.govern("Enforce").await?;
    story.enforcing_mends_what_is_missing().await?;
    story.the_log_is_for_machines_and_keeps_secrets().await
}

impl Story {
    async fn govern(&self, mode: &str) -> Result<()> {
        let policy = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy",
            "metadata": { "name": POLICY }, "spec": { "mode": mode },
        });
        Manifests::parse(&policy.to_string())?.apply(&self.client, "e2e").await.map(drop)
    }

    async fn the_report_says_what_is_wrong(&self) -> Result<()> {
        let status = self.told(MISSING).await?;
        let worst = &status.worst;
        ensure!(worst.len() == 20, "{} of the worst", worst.len());
        ensure!(worst.iter().all(|finding| ["critical", "high"].contains(&&*finding.severity)), "{worst:#?}");
        let row = "everything Report 82 32 0 24 62 True 32 of 82 workloads are fine, 25 budgets missing, 24 left to others, \
                   62 findings (reports only: set mode: Enforce to write budgets)";
        self.prints(&["get", "dpol"], &["NAME MODE MATCHED COMPLIANT MANAGED YIELDED FINDINGS READY MESSAGE AGE", row])
            .await?;
        self.prints(
            &["describe", "dpol", POLICY],
            &[
                "Message: minAvailable: 1 over 1 pod allows no eviction; remove the budget, or run two replicas or more: over a \
                 single one it protects nothing and blocks every drain Name: plex Namespace: media Owner: HelmRelease \
                 media/plex Rule: drain-blocked Severity: critical",
                "Message: maxUnavailable: 0 over 2 pods allows no eviction; write maxUnavailable: 1 instead Name: \
                 oauth2-proxy Namespace: network Owner: HelmRelease network/oauth2-proxy",
                "none of them can be evicted; keep one budget for each pod and remove the others Name: grafana-ha \
                 Namespace: monitoring Owner: Kustomization flux-system/monitoring-apps Rule: budgets-overlap",
                "Type: Ready",
            ],
        )
        .await
    }

    async fn events_say_it_where_people_look(&self) -> Result<()> {
        let plex = "Warning DrainBlocked $ PodDisruptionBudget media/plex: minAvailable: 1 over 1 pod allows no eviction; \
                    remove the budget, or run two replicas or more";
        for object in ["Deployment/plex", "PodDisruptionBudget/plex", "HelmRelease/plex"] {
            self.announces("media", object, plex).await?;
        }
        // Written by hand beside a HelmRelease: its Kustomization is what a person edits.
        let sonarr =
            "Warning DrainBlocked $ PodDisruptionBudget media/sonarr: minAvailable: 100% over 1 pod allows no eviction";
        self.announces("flux-system", "Kustomization/media-apps", sonarr).await?;
        let navidrome = "Warning BudgetMissing $ Deployment media/navidrome: 3 replicas and no disruption budget: nothing keeps drains \
                         from taking all of them at once; write a PodDisruptionBudget with maxUnavailable: 1";
        for object in ["Deployment/navidrome", "HelmRelease/navidrome"] {
            self.announces("media", object, navidrome).await?;
        }
        let zookeeper = "Warning QuorumEven $ StatefulSet databases/zookeeper: 2 voters: losing either stops the quorum, so no \
                         budget can make a drain safe; run 3 replicas, or 1";
        self.announces("databases", "StatefulSet/zookeeper", zookeeper).await?;
        let miniflux = "Warning SelectorShared $ Deployment default/miniflux: its selector also covers pods of Job miniflux-migrate";
        self.announces("default", "HelmRelease/miniflux", miniflux).await?;
        let traefik = "Warning BudgetSelectsDaemonset $ PodDisruptionBudget network/traefik: it covers pods of DaemonSet traefik, \
                       which has no scale";
        self.announces("network", "HelmRelease/traefik", traefik).await?;
        let karma = "Warning DrainBlockedWhenUnready $ PodDisruptionBudget monitoring/karma: 2 of its pods are not ready and may \
                     block a drain now; set unhealthyPodEvictionPolicy: AlwaysAllow where the values ask for the budget, or \
                     patch spec.unhealthyPodEvictionPolicy with a post-renderer when the chart takes none";
        self.announces("monitoring", "Deployment/karma", karma).await?;
        self.prints(
            &["describe", "helmrelease", "plex", "-n", "media"],
            &[
                "Warning DrainBlocked",
                "holdfast.dev/controller PodDisruptionBudget media/plex: minAvailable: 1 over 1 pod",
            ],
        )
        .await
    }

    async fn figures_and_probes_answer(&self) -> Result<()> {
        let metrics = self.controller.metrics().await?;
        for (rule, count) in with_missing(MISSING) {
            let counted = metrics.sum("holdfast_findings", &[("rule", &rule)]);
            ensure!(counted == Some(f64::from(count)), "holdfast_findings of {rule}: {counted:?}, not {count}");
        }
        let workloads = |state: &str| metrics.sum("holdfast_workloads", &[("state", state)]);
        for (state, count) in
            [("missing", 25.0), ("managed", 0.0), ("yielded", 24.0), ("singleton", 25.0), ("excepted", 1.0)]
        {
            ensure!(
                workloads(state) == Some(count),
                "holdfast_workloads of {state}: {:?}, not {count}",
                workloads(state)
            );
        }
        ensure!(metrics.sum("holdfast_leader", &[]) == Some(1.0), "it leads, and doesn't say so");
        ensure!(self.controller.livez().await? == (200, "live\n".to_owned()));
        ensure!(self.controller.readyz().await? == (200, "[+]view ok\n[+]leader ok\nready\n".to_owned()));
        Ok(())
    }

    async fn enforcing_mends_what_is_missing(&self) -> Result<()> {
        self.told(0).await?;
        let row = "everything Enforce 82 57 25 24 37 True 57 of 82 workloads are fine, 25 budgets managed, 24 left to others, \
                   37 findings (enforced)";
        self.prints(&["get", "disruptionpolicies"], &[row]).await?;
        let made = "Normal BudgetCreated $ disruption budget navidrome-deployment with maxUnavailable: 1, by DisruptionPolicy \
                    everything";
        self.announces("media", "Deployment/navidrome", made).await?;
        self.prints(&["get", "pdb", "-n", "media"], &["navidrome-deployment N/A 1 1", "plex 1 N/A 0"]).await?;
        let budget = ["describe", "pdb", "navidrome-deployment", "-n", "media"];
        self.prints(&budget, &["Max unavailable: 1", "Allowed disruptions: 1", "Current: 3"]).await
    }

    async fn the_log_is_for_machines_and_keeps_secrets(&self) -> Result<()> {
        let (log, sources) = (self.controller.log()?, sources(&checkout().join("crates"))?);
        ensure!(30 < log.lines().count(), "hardly a log: {log}");
        for line in log.lines() {
            let line: Value = serde_json::from_str(line).with_context(|| format!("not JSON: {line}"))?;
            let text =
                |field: &str| line[field].as_str().map(str::to_owned).with_context(|| format!("no {field}: {line}"));
            let (target, message) = (text("target")?, text("message")?);
            text("timestamp")?;
            text("level")?;
            let constant = sources.contains(&format!("\"{message}\""));
            ensure!(!target.starts_with("holdfast") || constant, "a message that isn't constant: {line}");
        }
        let identity = fs::read_to_string(self.cluster.account().await?)?;
        let issued: Vec<&str> = identity.split(['"', ' ', '\n']).filter(|word| word.starts_with("eyJ")).collect();
        ensure!(!issued.is_empty(), "the account has no token");
        // Every token begins with the same header, so this finds those issued before, too.
        ensure!(!log.contains("eyJ") && !log.contains("Bearer"), "a token is in the log");
        Ok(())
    }

    /// Waits until the status counts what the sample is meant to break.
    async fn told(&self, missing: u32) -> Result<DisruptionPolicyStatus> {
        let policies: Api<DisruptionPolicy> = Api::all(self.client.clone());
        eventually("the status to count every mistake", PATIENCE, async || {
            let policy = policies.get(POLICY).await?;
            let status = policy.status.context("no status")?;
            ensure!(status.observed_generation == policy.metadata.generation, "not judged yet");
            let expected = with_missing(missing);
            ensure!(status.findings == expected, "found {:#?}\nexpected {expected:#?}", status.findings);
            Ok(status)
        })
        .await
    }

    /// Waits until kubectl prints these sentences; spaces and lines don't matter.
    async fn prints(&self, arguments: &[&str], expected: &[&str]) -> Result<()> {
        eventually(&format!("kubectl {} to answer", arguments.join(" ")), PATIENCE, async || {
            let printed = self.kubectl.run(arguments.iter().copied()).await?;
            let words = in_one_line(&printed);
            for sentence in expected {
                ensure!(words.contains(sentence), "{sentence:?} isn't in\n{printed}");
            }
            Ok(())
        })
        .await
    }

    /// Waits for an event on the object; `$` stands for the object.
    async fn announces(&self, namespace: &str, object: &str, event: &str) -> Result<()> {
        self.prints(&["events", "-n", namespace, "--for", object], &[&event.replace('$', object)]).await
    }
}

fn with_missing(missing: u32) -> BTreeMap<String, u32> {
    let missing = (0 < missing).then_some(("budget-missing", missing));
    THEIRS.into_iter().chain(missing).map(|(rule, count)| (rule.to_owned(), count)).collect()
}

fn in_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// All of our source, in which a constant message stands as it is.
fn sources(folder: &Path) -> Result<String> {
    let mut text = String::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            text.push_str(&sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            text.push_str(&fs::read_to_string(&path)?);
        }
    }
    Ok(text)
}
