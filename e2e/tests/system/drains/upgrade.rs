//! An upgrade of a scenario's nodes, as `holdfast drain --sequence` says beforehand how it goes: cordon, drain, uncordon, next.
//!
//! Compared node by node: whether its drain ends, who stays, how many pods go; and, since which of two nodes of a batch lets its
//! pod go first is chance, batch by batch how many pods find no place until the nodes are back.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use holdfast_e2e::drainer::{Asks, Ended, drain};
use holdfast_e2e::{PATIENCE, everything_is_counted};
use holdfast_testkit::controller::holdfast_binary;
use holdfast_testkit::{ControlPlane, eventually};
use kube::Client;
use serde_json::Value;
use tokio::process::Command;

use super::scenario::{Ends, Scenario};

/// How long a drain goes on that was forecast to be stuck: replacements are ready at once, so many more waves could have gone.
const STUCK: Asks = Asks::For(Duration::from_secs(8));
/// Longer than the two minutes for which the disruption controller counts a pod of a StatefulSet as gone whose end it missed.
const PATIENT: Asks = Asks::For(Duration::from_secs(180));

/// An upgrade.
pub(super) struct Upgrade {
    pub(super) scenario: Scenario,
    /// Its nodes.
    pub(super) order: &'static [&'static str],
    pub(super) parallelism: usize,
    /// How many pods are on the later nodes is the scheduler's choice.
    pub(super) chance: bool,
}

/// What is said of a node.
pub(super) struct Told {
    node: String,
    blocks: bool,
    pods: usize,
    blockers: Vec<String>,
    homeless: usize,
}

impl Upgrade {
    /// What `holdfast drain --sequence` says.
    pub(super) async fn told(&self, plane: &ControlPlane) -> Result<Vec<Told>> {
        let mut command = Command::new(holdfast_binary()?);
        command.args(["drain", "--sequence", "--format=json", &format!("--parallelism={}", self.parallelism)]);
        command
            .arg("--kubeconfig")
            .arg(plane.kubeconfig())
            .args(self.order.iter().map(|node| self.scenario.node(node)));
        let output = command.kill_on_drop(true).output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        let report: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("it says {said}"))?;
        let told: Vec<Told> = report["nodes"].as_array().context("no nodes")?.iter().map(Told::of).collect();
        let blocked = told.iter().any(|told| told.blocks);
        ensure!(output.status.code() == Some(i32::from(blocked)), "{}: {report}", output.status);
        Ok(told)
    }

    /// Goes through with it; what it came to, in words.
    pub(super) async fn play(&self, client: &Client, told: &[Told]) -> Result<String> {
        let began = Instant::now();
        let mut done = 0;
        for batch in self.order.chunks(self.parallelism) {
            let told = told.get(done..).unwrap_or_default();
            ensure!(!told.is_empty(), "{batch:?} are left out, though all before them ended well");
            let told = &told[..batch.len().min(told.len())];
            let names: Vec<String> = batch.iter().map(|node| self.scenario.node(node)).collect();
            let of_batch: Vec<&str> = told.iter().map(|told| &*told.node).collect();
            ensure!(of_batch == names, "{of_batch:?} are told in place of {names:?}");
            let left = self.play_batch(client, batch, told).await.with_context(|| format!("nodes {batch:?}"))?;
            done += batch.len();
            if 0 < left {
                ensure!(self.scenario.ends == Ends::Stuck(left), "{left} are left at {batch:?}");
                return Ok(format!("stuck at {batch:?} after {:.0?}", began.elapsed()));
            }
        }
        ensure!(self.scenario.ends == Ends::Well && done == told.len(), "all {done} nodes are done");
        Ok(format!("{done} nodes done after {:.0?}", began.elapsed()))
    }

    /// How many pods stay.
    async fn play_batch(&self, client: &Client, batch: &[&str], told: &[Told]) -> Result<usize> {
        let scenario = &self.scenario;
        let running = scenario.pods_there(client).await?;
        scenario.cordon(client, batch).await?;
        let asks = if told.iter().any(|told| told.blocks) { STUCK } else { PATIENT };
        let drains = told.iter().map(|told| drain(client, scenario.name, &told.node, asks));
        let ended: Vec<Ended> = try_join_all(drains).await?;
        self.compare(told, &ended)?;
        let left: usize = ended.iter().map(|ended| ended.left.len()).sum();
        let homeless: usize = told.iter().map(|told| told.homeless).sum();
        eventually(&format!("{homeless} pods without a place"), PATIENCE, async || {
            let found = scenario.unplaced(client).await?;
            ensure!(found == homeless, "{found} have none");
            Ok(())
        })
        .await?;
        if left == 0 {
            if homeless == 0 {
                // Before the nodes are open again: a replacement that is made late would go back to one of them.
                scenario.all_placed(client, running).await?;
            }
            scenario.cordon(client, &[]).await?;
            scenario.all_ready(client, running).await?;
            everything_is_counted(client, "node-0").await?;
        }
        Ok(left)
    }

    fn compare(&self, told: &[Told], ended: &[Ended]) -> Result<()> {
        let stay = |ended: &Ended| ended.left.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>();
        for (told, ended) in told.iter().zip(ended) {
            let node = &told.node;
            // Which of two nodes lets its pod go first is chance, where they go one by one.
            if !self.scenario.alike {
                ensure!(told.blockers == stay(ended), "{node}: {:?} are named, but: {ended:?}", told.blockers);
            }
            let asked = ended.gone.len() + ended.left.len();
            ensure!(self.chance || told.pods == asked, "{node}: {} pods are told, but: {ended:?}", told.pods);
        }
        let named: usize = told.iter().map(|told| told.blockers.len()).sum();
        let left: usize = ended.iter().map(|ended| stay(ended).len()).sum();
        ensure!(named == left, "{named} are named, but: {ended:?}");
        Ok(())
    }
}

impl Told {
    fn of(node: &Value) -> Self {
        let list = |field: &str| node[field].as_array().into_iter().flatten();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut blockers: Vec<String> = list("blockers").map(|blocker| text(&blocker["pod"])).collect();
        blockers.sort();
        Self {
            node: text(&node["name"]),
            blocks: node["verdict"] == "Blocks",
            pods: node["pods"].as_u64().and_then(|pods| pods.try_into().ok()).unwrap_or(usize::MAX),
            blockers,
            homeless: list("interruptions").filter(|felt| felt["reason"] == "NoPlace").count(),
        }
    }
}
