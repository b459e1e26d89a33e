//! Whatever fails while a server is initialised: it happens once, and its end is that people get in, or that everybody knows
//! that they don't.
//!
//! Each round begins with a blank server (OpenBao) that nobody has claimed, and the real controller under the chart's account.
//! Every request to the server and to the API server passes where it can be held.
//!
//! 1. The controller is killed (`kill -9`) at requests spread over the whole initialisation, before each or after it took
//!    effect, and started again: with its spool, or in another pod without.
//! 2. The server is killed: while it initialises itself, right after, while the administrator's role is made.
//! 3. The request arrives when its controller is dead and the next has looked; the answer is lost; the API server refuses (409),
//!    fails (500), does what it is asked and doesn't say so; the Lease is lost while the server answers.
//! 4. Two controllers, with the Lease and without; the leader is killed, and comes back behind another.
//!
//! The end of each round is held against the servers: complete, people log in, no root token lives, and the shares open it; else
//! `InitOutcomeUnknown`, `InitAbandoned` (it is blank) or `AdminNotProven` (the shares are its keys). No server got more than one
//! request for an initialisation, and no status ever said `Ready` before it was complete.
//!
//! 12 kills; 100 with `HOLDFAST_SOAK=1`. The seed of the moments is printed; `HOLDFAST_SEED` repeats them.

mod controllers;
mod crossing;
mod end;
mod faults;
mod lane;
mod rivals;
mod servers;
mod watchman;

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use futures::future::try_join_all;
use holdfast_e2e::churn::say;
use holdfast_e2e::is_soak;

use crate::stage;
use controllers::{Point, measure, points};
use end::End;
use lane::{Ground, Lane};
use servers::Blow;

/// Of each wait. On a machine that builds meanwhile a round takes half a minute.
const DEADLINE: Duration = Duration::from_secs(300);
/// Where the controller is killed, one round after the other in each.
const CONTROLLERS: [&str; 3] = ["killed-one", "killed-two", "killed-three"];
const SERVERS: &str = "killed-server";
const FAULTS: &str = "faults";
const RIVALS: &str = "rivals";

struct Effort {
    controllers: usize,
    servers: usize,
    seed: u64,
}

impl Effort {
    fn of_this_run() -> Result<Self> {
        let seed = match std::env::var("HOLDFAST_SEED") {
            Ok(seed) => seed.parse().with_context(|| format!("HOLDFAST_SEED={seed} is no number"))?,
            Err(_) => fastrand::u64(..),
        };
        let (controllers, servers) = if is_soak() { (72, 28) } else { (9, 3) };
        Ok(Self { controllers, servers, seed })
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_fails_it_happens_once_and_its_end_is_known() -> Result<()> {
    let effort = Effort::of_this_run()?;
    say(&format!("init kills: HOLDFAST_SEED={}", effort.seed));
    Box::pin(story(&effort)).await.with_context(|| format!("to repeat it: HOLDFAST_SEED={}", effort.seed))
}

async fn story(effort: &Effort) -> Result<()> {
    let namespaces: Vec<&str> = CONTROLLERS.into_iter().chain([SERVERS, FAULTS, RIVALS]).collect();
    let ground = Ground::new(stage::cluster(&namespaces).await?).await?;
    let first = Lane::prepare(&ground, CONTROLLERS[0]).await?;
    let course = Box::pin(measure(&first)).await.context("undisturbed")?;
    say(&format!("init kills: {course:?}"));
    let mut rng = Rng::with_seed(effort.seed);
    let points = points(&course, effort.controllers, &mut rng);
    let blows = servers::blows(effort.servers, &mut rng);
    let (controllers, servers, (), ()) = tokio::try_join!(
        Box::pin(controllers(&ground, first, &points)),
        Box::pin(servers(&ground, blows)),
        Box::pin(faults(&ground)),
        Box::pin(rivals(&ground)),
    )?;
    tally("controller", &controllers)?;
    tally("server", &servers)
}

/// Each lane has every third of the points.
async fn controllers(ground: &Ground, first: Lane<'_>, points: &[Point]) -> Result<Vec<(End, bool)>> {
    let of = |lane: usize| points.iter().skip(lane).step_by(CONTROLLERS.len()).copied().collect::<Vec<_>>();
    let others = (1..CONTROLLERS.len()).map(async |lane| {
        let place = Lane::prepare(ground, CONTROLLERS[lane]).await?;
        rounds(&place, "controller", of(lane), controllers::kill).await
    });
    let first = rounds(&first, "controller", of(0), controllers::kill);
    let (first, others) = tokio::try_join!(first, try_join_all(others))?;
    Ok(others.into_iter().flatten().chain(first).collect())
}

async fn servers(ground: &Ground, blows: Vec<Blow>) -> Result<Vec<(End, bool)>> {
    rounds(&Lane::prepare(ground, SERVERS).await?, "server", blows, servers::kill).await
}

/// One round after the other. Returns how each ended, and whether it was killed before its end.
async fn rounds<P: Copy + Debug>(
    lane: &Lane<'_>,
    what: &str,
    points: Vec<P>,
    kill: impl AsyncFn(&Lane<'_>, P) -> Result<(End, bool)>,
) -> Result<Vec<(End, bool)>> {
    let mut ends = Vec::new();
    for point in points {
        let end = Box::pin(kill(lane, point)).await;
        let end = end.with_context(|| format!("{}, the {what} killed at {point:?}", lane.namespace))?;
        say(&format!("init kills: the {what} at {point:?}: {end:?}"));
        ends.push(end);
    }
    Ok(ends)
}

async fn faults(ground: &Ground) -> Result<()> {
    let lane = Lane::prepare(ground, FAULTS).await?;
    controllers::request_arrives_late(&lane).await.context("the request arrives late")?;
    faults::answer_lost(&lane).await.context("the answer is lost")?;
    rivals::nobody_elects(&lane).await.context("two without an election")?;
    faults::secrets_fail(&lane).await.context("Secrets fail")
}

async fn rivals(ground: &Ground) -> Result<()> {
    let lane = Lane::prepare(ground, RIVALS).await?;
    rivals::lease_lost(&lane).await.context("the Lease is lost")?;
    rivals::leader_killed(&lane).await.context("the leader is killed")
}

/// Tells how they ended; most must have been killed before the end, else nothing was tried.
fn tally(what: &str, ends: &[(End, bool)]) -> Result<()> {
    let mut counts = BTreeMap::<End, usize>::new();
    ends.iter().for_each(|(end, _)| *counts.entry(*end).or_default() += 1);
    let killed = ends.iter().filter(|(_, killed)| *killed).count();
    say(&format!(
        "init kills: of {} times the {what} was killed {killed} times before the end: {counts:?}",
        ends.len()
    ));
    ensure!(ends.len() < 2 * killed, "only {killed} of {} were killed before the end", ends.len());
    ensure!(counts.contains_key(&End::Complete) && 1 < counts.len(), "always the same end: {counts:?}");
    Ok(())
}
