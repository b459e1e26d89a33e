//! Everything that goes on in a cluster, at random and all the time: workloads, autoscalers, budgets of others, policies,
//! exceptions, namespaces, Flux objects, definitions.
//!
//! The seed decides which operations follow one another. There are several lanes, each with its own namespaces, and one
//! for policies and definitions; within a lane the sequence is always the same, how lanes and the controller interleave
//! is the machine's doing. Nothing here judges: what should have come of it is asked of a fresh start ([`crate::FreshStart`]).

mod governance;
mod step;
mod tenancy;
mod workload;

use std::env;
use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use fastrand::Rng;
use futures::future::try_join_all;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use kube::Client;
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

pub use step::{Operation, Tally};

use governance::Governance;
use tenancy::Tenancy;

/// How many lanes of namespaces there are.
const LANES: usize = 4;
/// So many requests at a time while everything is made at the beginning.
const AT_ONCE: usize = 16;
/// The seed of a run that is to be repeated.
const SEED: &str = "HOLDFAST_SEED";

/// How much there is and how fast it changes.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Namespaces; a multiple of four.
    pub namespaces: usize,
    /// Workloads in each.
    pub workloads: usize,
    /// Of so many workloads one has pods.
    pub running: usize,
    /// The time from one operation to the next, of each lane of namespaces.
    pub pace: Duration,
    /// The time from one operation to the next of the administrator.
    pub governing: Duration,
}

/// The changes of one run.
pub struct Churn {
    seed: u64,
    lanes: Vec<(Lane, Duration)>,
}

enum Lane {
    Tenancy(Tenancy),
    Governance(Governance),
}

impl Churn {
    /// As the seed in the environment wants it, else at random.
    pub fn of_this_run(size: Size) -> Result<Self> {
        let seed = match env::var(SEED) {
            Ok(seed) => seed.parse().with_context(|| format!("{SEED}={seed} is no number"))?,
            Err(_) => fastrand::u64(..),
        };
        Ok(Self::new(seed, size))
    }

    /// As this seed wants it.
    #[must_use]
    pub fn new(seed: u64, size: Size) -> Self {
        let mut rng = Rng::with_seed(seed);
        let homes = size.namespaces / LANES;
        let mut lanes: Vec<_> = (0..LANES)
            .map(|at| {
                let tenancy = Tenancy::new(rng.fork(), at * homes, homes, size.workloads, size.running);
                (Lane::Tenancy(tenancy), size.pace)
            })
            .collect();
        lanes.push((Lane::Governance(Governance::new(rng.fork())), size.governing));
        Self { seed, lanes }
    }

    /// What repeats this run.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// How this run is repeated, for people.
    #[must_use]
    pub fn replay(&self) -> String {
        format!("{SEED}={}", self.seed)
    }

    /// Makes what there is at the beginning.
    pub async fn begin(&mut self, client: &Client) -> Result<()> {
        let operations: Vec<Operation> = self.lanes.iter_mut().flat_map(|(lane, _)| lane.beginning()).collect();
        let performed =
            stream::iter(operations).map(|operation| async move { Tally::default().perform(client, &operation).await });
        performed.buffer_unordered(AT_ONCE).try_collect().await
    }

    /// Goes on until told to stop; each lane ends what it has begun.
    pub async fn run(self, client: &Client, stop: watch::Receiver<bool>) -> Result<Tally> {
        let lanes = self.lanes.into_iter().map(|(lane, pace)| lane.run(client, pace, stop.clone()));
        let mut total = Tally::default();
        try_join_all(lanes).await?.into_iter().for_each(|tally| total.add(tally));
        Ok(total)
    }

    /// The first operations of each lane, without doing any.
    #[must_use]
    pub fn rehearse(mut self, count: usize) -> Vec<Vec<Operation>> {
        let operations = |lane: &mut Lane| (0..count).map(|_| lane.next()).collect();
        self.lanes.iter_mut().map(|(lane, _)| operations(lane)).collect()
    }
}

impl Lane {
    fn beginning(&mut self) -> Vec<Operation> {
        match self {
            Self::Tenancy(tenancy) => tenancy.beginning(),
            Self::Governance(governance) => governance.beginning(),
        }
    }

    fn next(&mut self) -> Operation {
        match self {
            Self::Tenancy(tenancy) => tenancy.next(),
            Self::Governance(governance) => governance.next(),
        }
    }

    async fn run(mut self, client: &Client, pace: Duration, mut stop: watch::Receiver<bool>) -> Result<Tally> {
        let mut tally = Tally::default();
        let mut ticks = interval(pace);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return Ok(tally),
                _ = ticks.tick() => {}
            }
            tally.perform(client, &self.next()).await?;
        }
    }
}

/// Tells the person who runs it, also while the test goes on.
pub fn say(line: &str) {
    // A closed stderr must not fail a test.
    let _ = writeln!(std::io::stderr(), "{line}");
}
