//! `kill -9` of the server: while it initialises itself, right after, and while the administrator's role is made. The
//! controller goes on.

use std::time::Duration;

use anyhow::{Result, ensure};
use fastrand::Rng;
use holdfast_testkit::eventually;

use super::DEADLINE;
use super::crossing::{Awaited, How, Then};
use super::end::End;
use super::lane::Lane;

/// An initialisation takes about so long, on a machine with other things to do.
const INIT: Duration = Duration::from_millis(1500);

/// When it is killed.
#[derive(Clone, Copy, Debug)]
pub(super) enum Blow {
    /// So long after it got a request.
    During(Awaited, Duration),
    /// After it answered one. What then becomes of the answer.
    After(Awaited, Then),
}

/// The two that matter most, then in turn: while it initialises itself, and one for each request that follows.
pub(super) fn blows(count: usize, rng: &mut Rng) -> Vec<Blow> {
    let first = [Then::Cut, Then::Pass].map(|then| Blow::After(Awaited::Init, then));
    let random = (0..count.saturating_sub(2)).map(|index| {
        // It is asked three or four times before, and about thirty times in all.
        let later = Awaited::After(4 + rng.usize(0..26));
        match index % 4 {
            0 | 2 => Blow::During(Awaited::Init, INIT.mul_f64(rng.f64())),
            1 => Blow::During(later, INIT.mul_f64(rng.f64() / 20.0)),
            _ => Blow::After(later, if rng.bool() { Then::Cut } else { Then::Pass }),
        }
    });
    first.into_iter().chain(random).collect()
}

pub(super) async fn kill(lane: &Lane<'_>, blow: Blow) -> Result<(End, bool)> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    let (awaited, how) = match blow {
        Blow::During(awaited, _) => (awaited, How::Pass),
        Blow::After(awaited, _) => (awaited, How::After),
    };
    lane.crossing.lay(awaited, how);
    let controller = lane.controller(spool.path())?;
    let killed = eventually("the request that is waited for", DEADLINE, async || {
        if lane.crossing.struck() {
            return Ok(true);
        }
        ensure!(End::of(&lane.status().await?) == Some(End::Complete), "not yet");
        Ok(false)
    })
    .await
    .map_err(|error| controller.explain(error))?;
    match blow {
        // When the blow falls is the point of it; nothing is waited for.
        Blow::During(_, after) => tokio::time::sleep(after).await,
        Blow::After(..) => {}
    }
    lane.kill_server()?;
    match blow {
        Blow::During(..) => {}
        Blow::After(_, then) => lane.crossing.lift(then),
    }
    Ok((lane.ends(controller, spool.path(), watchman).await?, killed))
}
