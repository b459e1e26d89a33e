//! `kill -9` at random moments while everything changes, and the budgets end as if nothing had happened.
//!
//! 1. 500 workloads in 20 namespaces and four policies; a controller makes the budgets. From then on everything that
//!    [`holdfast_e2e::churn`] does to them, all the time.
//! 2. A controller is started and killed at a random moment, 8 times (50 with `HOLDFAST_SOAK=1`): while it starts, while it
//!    carries out its first plan, later. Twice of eight it is the leader of two: the other takes over, and is killed too.
//! 3. The changes end. Another controller brings it to an end: nothing is left to write, every budget is the one that a fresh
//!    start would make, none is there twice ([`FreshStart`]).
//! 4. One more is started, and writes no budget at all.
//!
//! The seed is printed; `HOLDFAST_SEED` repeats the operations and the moments. How they meet is the machine's doing.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use holdfast_e2e::churn::{Churn, Size, say};
use holdfast_e2e::{Cluster, FreshStart, PATIENCE, ServiceAccount, checkout, is_soak};
use holdfast_testkit::audit::Mark;
use holdfast_testkit::{AuditEvent, ControlPlane, ControllerProcess, Manifests, eventually};
use jiff::{SignedDuration, Timestamp};
use kube::Client;
use serde_json::json;
use tokio::sync::watch;

const BUDGETS: &str = "poddisruptionbudgets.policy";
const LEASES: &str = "leases.coordination.k8s.io";
const REVIEWS: &str = "selfsubjectaccessreviews.authorization.k8s.io";
/// A kill this soon after a write fell into a burst of them.
const BURST: SignedDuration = SignedDuration::from_millis(250);
/// One kill in so many begins a round with two candidates, which are both killed.
const PAIR: usize = 8;
/// Of a namespace with everything in it, and of everything that the last changes began.
const SETTLING: Duration = Duration::from_secs(300);

struct Effort {
    size: Size,
    kills: usize,
}

impl Effort {
    fn of_this_run() -> Self {
        let size = |running, pace| Size {
            namespaces: 20,
            workloads: 25,
            running,
            pace: Duration::from_millis(pace),
            governing: Duration::from_millis(1500),
        };
        match is_soak() {
            true => Self { size: size(2, 150), kills: 50 },
            false => Self { size: size(10, 150), kills: 8 },
        }
    }
}

#[test]
fn a_seed_repeats_its_operations_and_another_has_others() {
    let size = Effort::of_this_run().size;
    let operations = |seed| Churn::new(seed, size).rehearse(2_000);
    assert_eq!(operations(7), operations(7));
    assert_ne!(operations(7), operations(8));
}

#[tokio::test]
async fn killed_at_any_moment_it_ends_with_the_budgets_of_a_fresh_start() -> Result<()> {
    let Effort { size, kills } = Effort::of_this_run();
    let churn = Churn::of_this_run(size)?;
    let replay = churn.replay();
    say(&format!("kills: {replay}"));
    story(churn, kills).await.with_context(|| format!("to repeat it: {replay}"))
}

async fn story(mut churn: Churn, kills: usize) -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::builder().nodes(3).api_server_argument("--event-ttl=2m").start().await?;
    let cluster = Cluster::on(plane).await?;
    Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "churn").await?;
    cluster.install(&json!({})).await?;
    let client = cluster.admin();
    churn.begin(&client).await?;

    let mut victims = Victims::new(&cluster, churn.seed());
    let first = victims.start("holdfast-0", false).await?;
    let ours = everything_is_done(&client).await.map_err(|error| first.explain(error))?;
    say(&format!("kills: {ours} budgets at the beginning, after {:.0?}", started.elapsed()));
    first.kill()?;

    let (stop, stopped) = watch::channel(false);
    let killing = async {
        victims.kill(kills).await?;
        Ok(stop.send(true)?)
    };
    let (tally, ()) = tokio::try_join!(churn.run(&client, stopped), killing)?;
    let (operations, refused) = (&tally.operations, &tally.refused);
    say(&format!(
        "kills: {} operations after {:.0?}: {operations:?}; refused: {refused:?}",
        tally.total(),
        started.elapsed()
    ));
    victims.report()?;

    // The Lease may still be that of the dead.
    let last = victims.start("holdfast-0", false).await?;
    let ours = everything_is_done(&client).await.map_err(|error| last.explain(error))?;
    say(&format!("kills: {ours} budgets at the end, after {:.0?}", started.elapsed()));
    ensure!(0 < ours, "there is nothing that could be wrong");
    last.terminate(PATIENCE).await?;
    let mark = cluster.plane.audit().mark()?;
    let fresh = victims.start("holdfast-0", true).await?;
    leads_and_decides(&cluster, &fresh, mark).await?;
    let written: Vec<_> = writes_of_budgets(&cluster, mark)?;
    ensure!(written.is_empty(), "the fresh start wrote {written:#?}");
    fresh.terminate(PATIENCE).await?;
    Ok(())
}

async fn everything_is_done(client: &Client) -> Result<usize> {
    eventually("every budget to be that of a fresh start", SETTLING, async || {
        let now = FreshStart::of(client).await?;
        now.finds_everything_done()?;
        Ok(now.ours())
    })
    .await
}

/// Until it leads, knows what it may do, and has renewed its Lease twice since: its first writes would be out by then.
async fn leads_and_decides(cluster: &Cluster, controller: &ControllerProcess, mark: Mark) -> Result<()> {
    let count = |resource: &str| -> Result<usize> {
        let ours = cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?;
        Ok(ours.iter().filter(|event| event.is_about(resource) && event.succeeded()).count())
    };
    let renewed = eventually("the fresh start to decide", PATIENCE, async || {
        let metrics = controller.metrics().await?;
        ensure!(metrics.sum("holdfast_leader", &[]) == Some(1.0), "it doesn't lead");
        ensure!(0.0 < metrics.sum("holdfast_workloads", &[]).unwrap_or_default(), "it has decided nothing");
        // One for each verb on budgets.
        ensure!(3 <= count(REVIEWS)?, "it doesn't know what it may do");
        count(LEASES)
    })
    .await?;
    eventually("two renewals of the Lease", PATIENCE, async || {
        ensure!(renewed + 2 <= count(LEASES)?, "{renewed}");
        Ok(())
    })
    .await
}

fn writes_of_budgets(cluster: &Cluster, mark: Mark) -> Result<Vec<AuditEvent>> {
    let written = cluster.plane.audit().writes_by(ServiceAccount::USER, mark)?.into_iter();
    Ok(written.filter(|event| event.is_about(BUDGETS)).collect())
}

/// Controllers that are killed, one after the other.
struct Victims<'a> {
    cluster: &'a Cluster,
    rng: Rng,
    dead: Vec<Death>,
}

/// When one was killed.
struct Death {
    how: String,
    born: Timestamp,
    killed: Timestamp,
}

/// From when the time to the kill runs.
#[derive(Clone, Copy, Debug)]
enum Since {
    Start,
    Ready,
    Leading,
}

impl<'a> Victims<'a> {
    fn new(cluster: &'a Cluster, seed: u64) -> Self {
        Self { cluster, rng: Rng::with_seed(seed ^ 0x6b69_6c6c), dead: Vec::new() }
    }

    async fn kill(&mut self, count: usize) -> Result<()> {
        while self.dead.len() < count {
            if self.dead.len() % PAIR == 2 && self.dead.len() + 2 <= count {
                self.a_leader_and_its_heir().await?;
            } else {
                self.one_alone().await?;
            }
        }
        Ok(())
    }

    /// A third while it starts, a third during what it does first, a third later.
    async fn one_alone(&mut self) -> Result<()> {
        let (since, most) = [(Since::Start, 600), (Since::Ready, 600), (Since::Ready, 3_000)][self.rng.usize(..3)];
        let delay = Duration::from_millis(self.rng.u64(..most));
        let born = Timestamp::now();
        let controller = self.start("holdfast-0", false).await?;
        if !matches!(since, Since::Start) {
            controller.ready(PATIENCE).await?;
        }
        self.end(&controller, born, since, delay).await
    }

    /// Under one name, as a Pod of a StatefulSet would come back: the Lease of the dead isn't its own all the same.
    async fn a_leader_and_its_heir(&mut self) -> Result<()> {
        let delays = [(); 2].map(|()| Duration::from_millis(self.rng.u64(..2_500)));
        let born = Timestamp::now();
        let leader = self.start("holdfast-0", true).await?;
        leads(&leader).await?;
        let heir = self.start("holdfast-0", true).await?;
        heir.ready(PATIENCE).await?;
        self.end(&leader, born, Since::Leading, delays[0]).await?;
        let born = Timestamp::now();
        leads(&heir).await?;
        self.end(&heir, born, Since::Leading, delays[1]).await
    }

    async fn start(&self, pod: &str, elect: bool) -> Result<ControllerProcess> {
        let builder = self.cluster.controller_builder().await?.log_level("info");
        // What the churn takes back at once isn't a mistake that needs ten minutes.
        let builder = builder.argument(format!("--pod={pod}")).argument("--brake-delay=2s");
        if elect { builder.start() } else { builder.without_leader_election().start() }
    }

    async fn end(
        &mut self,
        controller: &ControllerProcess,
        born: Timestamp,
        since: Since,
        delay: Duration,
    ) -> Result<()> {
        // Not to wait for anything: the moment is what the seed says.
        tokio::time::sleep(delay).await;
        ensure!(controller.ended()?.is_none(), "it ended before it was killed: {}", controller.log()?);
        let killed = Timestamp::now();
        controller.kill()?;
        self.dead.push(Death { how: format!("{since:?} + {} ms", delay.as_millis()), born, killed });
        Ok(())
    }

    /// What each had written when it was killed; fails if none was killed while it wrote.
    fn report(&self) -> Result<()> {
        let written = self.cluster.plane.audit().events()?.into_iter();
        let written: Vec<_> = written
            .filter(|event| event.user == ServiceAccount::USER && event.is_write() && event.is_about(BUDGETS))
            .collect();
        let mut bursts = 0;
        for (at, Death { how, born, killed }) in self.dead.iter().enumerate() {
            let count =
                |from: Timestamp| written.iter().filter(|event| from <= event.at && event.at <= *killed).count();
            let (all, last) = (count(*born), count(*killed - BURST));
            let open = written.iter().filter(|event| event.at <= *killed && *killed <= event.done).count();
            say(&format!(
                "kill {}: {how}: {all} budgets written, {last} in the last {BURST:#}, {open} unanswered",
                at + 1
            ));
            bursts += usize::from(0 < last);
        }
        ensure!(0 < bursts, "not one kill fell into a burst of writes");
        Ok(())
    }
}

async fn leads(controller: &ControllerProcess) -> Result<()> {
    controller.ready(PATIENCE).await?;
    controller.leads(PATIENCE).await
}
