//! `kill -9` of the controller: before one of its requests gets anywhere, or after it took effect and before it is answered.
//! Then it is started again, with its spool as the next container of its pod, or without as another pod.

use anyhow::{Result, anyhow, ensure};
use fastrand::Rng;
use holdfast_testkit::fault_proxy::{Fault, Injected, Rule, Which};
use holdfast_testkit::{eventually, give_up};
use tempfile::TempDir;

use super::DEADLINE;
use super::crossing::{Awaited, Crossing, How, Then};
use super::end::End;
use super::lane::Lane;

/// A request that is held before it gets anywhere is never passed on: whoever sent it is dead by then.
const NEVER: std::time::Duration = std::time::Duration::from_secs(3600);

/// Where it is killed, and what is left to the next.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    at: At,
    side: Side,
    spool: Spool,
}

#[derive(Clone, Copy, Debug)]
enum At {
    /// At the request that initialises.
    Init,
    /// At the login of the administrator.
    Login,
    /// At a request to the server, after so many.
    Server(usize),
    /// At a request to the API server, after so many.
    Cluster(usize),
}

#[derive(Clone, Copy, Debug)]
enum Side {
    Before,
    After,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spool {
    Kept,
    Lost,
}

/// How many requests there are: to the server, to the API server. From shortly before it is claimed until it is complete.
#[derive(Clone, Debug)]
pub(super) struct Course {
    server: std::ops::Range<usize>,
    cluster: std::ops::Range<usize>,
}

/// What is waited for.
enum Ambush<'a> {
    Server(&'a Crossing),
    Before(Injected),
    After(Injected),
}

impl Ambush<'_> {
    fn struck(&self) -> bool {
        match self {
            Self::Server(crossing) => crossing.struck(),
            Self::Before(rule) => rule.struck() != 0,
            Self::After(rule) => rule.unanswered() != 0,
        }
    }
}

/// An initialisation that nobody disturbs: how many requests it takes.
pub(super) async fn measure(lane: &Lane<'_>) -> Result<Course> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    let mark = lane.proxy.mark();
    let asked = || lane.proxy.since(mark).count(&Which::calls());
    lane.crossing.lay(Awaited::Init, How::Before);
    let controller = lane.controller(spool.path())?;
    struck(lane, &Ambush::Server(&lane.crossing)).await.map_err(|error| controller.explain(error))?;
    let (server, cluster) = (lane.crossing.asked(), asked());
    lane.crossing.lift(Then::Pass);
    eventually("an undisturbed end", DEADLINE, async || {
        ensure!(End::of(&lane.status().await?) == Some(End::Complete), "not yet");
        Ok(())
    })
    .await
    .map_err(|error| controller.explain(error))?;
    let ended = (lane.crossing.asked(), asked());
    let end = lane.ends(controller, spool.path(), watchman).await?;
    ensure!(end == End::Complete, "undisturbed it ended as {end:?}");
    Ok(Course { server: server.saturating_sub(3)..ended.0, cluster: cluster.saturating_sub(8)..ended.1 })
}

/// The six that matter most, and others spread over all of it.
pub(super) fn points(course: &Course, count: usize, rng: &mut Rng) -> Vec<Point> {
    let spools = [Spool::Kept, Spool::Lost];
    let init = spools.into_iter().flat_map(|spool| {
        let at = |at, side| Point { at, side, spool };
        [at(At::Init, Side::Before), at(At::Init, Side::After), at(At::Login, Side::Before)]
    });
    let spread = count.saturating_sub(6);
    let others = (0..spread).map(|index| {
        let (side, spool) = (if index % 4 < 2 { Side::Before } else { Side::After }, spools[index % 2]);
        // Two of three at the API server, where most of it happens.
        let server = index % 3 == 0;
        let range = if server { &course.server } else { &course.cluster };
        let (from, to) = (range.len() * index / spread, range.len() * (index + 1) / spread);
        let spared = range.start + from + rng.usize(0..(to - from).max(1));
        Point { at: if server { At::Server(spared) } else { At::Cluster(spared) }, side, spool }
    });
    init.chain(others).collect()
}

pub(super) async fn kill(lane: &Lane<'_>, point: Point) -> Result<(End, bool)> {
    let (watchman, first) = (lane.begin().await?, tempfile::tempdir()?);
    let ambush = lay(lane, point);
    let controller = lane.controller(first.path())?;
    let killed = struck(lane, &ambush).await.map_err(|error| controller.explain(error))?;
    controller.kill()?;
    drop(ambush);
    lane.crossing.lift(Then::Cut);
    let spool = match point.spool {
        Spool::Kept => first,
        Spool::Lost => another(lane, first).await?,
    };
    let end = lane.ends(lane.controller(spool.path())?, spool.path(), watchman).await?;
    Ok((end, killed))
}

/// Nobody knows of another pod that its spool is gone but by the time.
async fn another(lane: &Lane<'_>, lost: TempDir) -> Result<TempDir> {
    lost.close()?;
    lane.time_goes_by().await?;
    Ok(tempfile::tempdir()?)
}

fn lay<'a>(lane: &'a Lane<'_>, point: Point) -> Ambush<'a> {
    let how = match point.side {
        Side::Before => How::Before,
        Side::After => How::After,
    };
    match (point.at, point.side) {
        (At::Init, _) => lane.crossing.lay(Awaited::Init, how),
        (At::Login, _) => lane.crossing.lay(Awaited::Login, how),
        (At::Server(spared), _) => lane.crossing.lay(Awaited::After(spared), how),
        (At::Cluster(spared), Side::Before) => {
            let rule = Rule::new(Which::calls(), Fault::Delay(NEVER)).after(spared).times(1);
            return Ambush::Before(lane.proxy.inject(rule));
        }
        (At::Cluster(spared), Side::After) => {
            let rule = Rule::new(Which::calls(), Fault::Unanswered).after(spared).times(1);
            return Ambush::After(lane.proxy.inject(rule));
        }
    }
    Ambush::Server(&lane.crossing)
}

/// Waits until the request came, or all is through without it.
async fn struck(lane: &Lane<'_>, ambush: &Ambush<'_>) -> Result<bool> {
    eventually("the request that is waited for", DEADLINE, async || {
        if ambush.struck() {
            return Ok(true);
        }
        let status = lane.status().await?;
        ensure!(End::of(&status) == Some(End::Complete), "{:?}", status.next_step);
        Ok(false)
    })
    .await
}

/// The controller is dead, its request isn't: it arrives after the next has looked, and told what it saw.
pub(super) async fn request_arrives_late(lane: &Lane<'_>) -> Result<()> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    lane.crossing.lay(Awaited::Init, How::Before);
    let first = lane.controller(spool.path())?;
    struck(lane, &Ambush::Server(&lane.crossing)).await.map_err(|error| first.explain(error))?;
    first.kill()?;
    let second = lane.controller(spool.path())?;
    told(lane, End::Abandoned).await.map_err(|error| second.explain(error))?;
    lane.crossing.lift(Then::Pass);
    eventually("the request to arrive", DEADLINE, async || {
        ensure!(lane.crossing.inits() != 0, "it didn't");
        Ok(())
    })
    .await?;
    told(lane, End::OutcomeUnknown).await.map_err(|error| second.explain(error))?;
    lane.ends(second, spool.path(), watchman).await.map(drop)
}

/// Waits until it ends so; an end before that which isn't this one may pass, but not as complete.
async fn told(lane: &Lane<'_>, wanted: End) -> Result<()> {
    eventually(&format!("{wanted:?} to be told"), DEADLINE, async || {
        let end = End::of(&lane.status().await?);
        match end {
            Some(End::Complete) => Err(give_up(anyhow!("it is told as complete"))),
            Some(end) if end == wanted => Ok(()),
            Some(End::OutcomeUnknown | End::Abandoned | End::AdminNotProven) | None => Err(anyhow!("{end:?}")),
        }
    })
    .await
}
