//! The answer is lost on its way; the API server refuses, fails, or does what it is asked and doesn't say so.

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::fault_proxy::{Answer, Fault, Rule, Which};

use super::crossing::{Awaited, How};
use super::end::End;
use super::lane::Lane;
use crate::init::CLAIM;
use crate::init::people::KEYS;

/// The server did it, and nobody heard.
pub(super) async fn answer_lost(lane: &Lane<'_>) -> Result<()> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    lane.crossing.lay(Awaited::Init, How::Lose);
    let end = lane.ends(lane.controller(spool.path())?, spool.path(), watchman).await?;
    ensure!(lane.crossing.struck(), "no answer was lost");
    ensure!(end == End::OutcomeUnknown, "{end:?}");
    Ok(())
}

/// 409, 500, and what is done without an answer: to the claim when it is made and each time it is written, and to the keys.
pub(super) async fn secrets_fail(lane: &Lane<'_>) -> Result<()> {
    let refused = |answer: Answer| (Fault::Answer(answer), 2);
    for (what, (fault, times)) in [
        ("409", refused(Answer::conflict())),
        ("500", refused(Answer::broken())),
        ("no answer", (Fault::Unanswered, 1)),
    ] {
        Box::pin(secret_fails(lane, &fault, times)).await.with_context(|| what)?;
    }
    Ok(())
}

async fn secret_fails(lane: &Lane<'_>, fault: &Fault, times: usize) -> Result<()> {
    let (watchman, spool) = (lane.begin().await?, tempfile::tempdir()?);
    let writes = |name: &str| Which::writes().of("secrets").named(name);
    // A create tells no name: the first is the trial of the keys' Secret, then comes the claim, then the keys. A write of the
    // keys is tried once before.
    let rules = [
        Rule::new(Which::writes().of("secrets").named(""), fault.clone()).after(1).times(times),
        Rule::new(writes(KEYS), fault.clone()).after(1).times(times),
        Rule::new(writes(CLAIM), fault.clone()).times(times),
    ];
    let rules = rules.map(|rule| lane.proxy.inject(rule));
    let end = lane.ends(lane.controller(spool.path())?, spool.path(), watchman).await?;
    ensure!(end == End::Complete, "{end:?}");
    let struck = rules.map(|rule| rule.lift());
    ensure!(struck == [times; 3], "the faults struck {struck:?} times, not {times} each");
    Ok(())
}
