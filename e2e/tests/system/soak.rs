//! One controller under churn for an hour (`HOLDFAST_SOAK=1`; `HOLDFAST_SOAK_MINUTES` says otherwise; 25 seconds in CI).
//!
//! 1. Workloads in a number that stays about the same, and everything that [`holdfast_e2e::churn`] does to them, all the time.
//! 2. Every few seconds a look: alive, the same process, resident memory, what the view holds, what was requested. A line for
//!    each five minutes.
//! 3. At the end: memory within 5 % of that after ten minutes, medians of a few minutes each (in runs of 20 minutes and more);
//!    no line in the log at `warn` and no error counted but those that are explained; nothing waits.
//! 4. The changes end: every budget is the one that a fresh start would make ([`FreshStart`]).

mod explained;
mod sample;

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use holdfast_e2e::churn::{Churn, Size, say};
use holdfast_e2e::{Cluster, FreshStart, PATIENCE, checkout, is_soak};
use holdfast_testkit::{ControlPlane, ControllerProcess, Manifests, eventually};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use sample::{Sample, Samples};

/// Of everything that the last changes began.
const SETTLING: Duration = Duration::from_secs(300);

struct Effort {
    size: Size,
    duration: Duration,
    /// The time from one look to the next.
    look: Duration,
}

impl Effort {
    fn of_this_run() -> Result<Self> {
        let size = |workloads, pace, governing| Size {
            namespaces: 12,
            workloads,
            running: 1,
            pace: Duration::from_millis(pace),
            governing: Duration::from_millis(governing),
        };
        if !is_soak() {
            let second = Duration::from_secs(1);
            return Ok(Self { size: size(8, 120, 1_000), duration: 25 * second, look: second });
        }
        let minutes = match std::env::var("HOLDFAST_SOAK_MINUTES") {
            Ok(minutes) => minutes.parse().with_context(|| format!("HOLDFAST_SOAK_MINUTES={minutes} is no number"))?,
            Err(_) => 60,
        };
        Ok(Self {
            size: size(25, 500, 15_000),
            duration: Duration::from_secs(60 * minutes),
            look: Duration::from_secs(10),
        })
    }
}

#[tokio::test]
async fn an_hour_of_churn_leaves_no_trace() -> Result<()> {
    let effort = Effort::of_this_run()?;
    let churn = Churn::of_this_run(effort.size)?;
    let replay = churn.replay();
    say(&format!("soak: {replay}"));
    story(churn, &effort).await.with_context(|| format!("to repeat it: {replay}"))
}

async fn story(mut churn: Churn, effort: &Effort) -> Result<()> {
    // Neither audit log nor events may fill the disk in an hour.
    let plane = ControlPlane::builder().nodes(3).without_audit().api_server_argument("--event-ttl=1m").start().await?;
    let cluster = Cluster::on(plane).await?;
    Manifests::read(&checkout().join("e2e/crds"))?.apply(&cluster.admin(), "churn").await?;
    cluster.install(&json!({})).await?;
    let client = cluster.admin();
    churn.begin(&client).await?;
    // What the churn takes back at once isn't a mistake that needs ten minutes.
    let builder = cluster.controller_builder().await?.log_level("info").argument("--brake-delay=5s");
    let controller = builder.start()?;
    controller.ready(PATIENCE).await?;

    let (stop, stopped) = watch::channel(false);
    let watching = async {
        let samples = look_after(&controller, effort).await?;
        stop.send(true)?;
        Ok(samples)
    };
    let (tally, samples) = tokio::try_join!(churn.run(&client, stopped), watching)?;
    say(&format!("soak: {} operations: {:?}; refused: {:?}", tally.total(), tally.operations, tally.refused));

    let ours = eventually("every budget to be that of a fresh start", SETTLING, async || {
        let now = FreshStart::of(&client).await?;
        now.finds_everything_done()?;
        Ok(now.ours())
    })
    .await?;
    ensure!(0 < ours, "there is nothing that could be wrong");
    nothing_waits(&controller).await?;
    say(&format!("soak: {ours} budgets at the end"));
    let log = explained::log(&controller.log()?)?;
    let counters = explained::counters(&controller.metrics().await?)?;
    log.iter().chain(&counters).for_each(|(what, count)| say(&format!("soak: explained, {count} times: {what}")));
    samples.remain_level()?;
    ensure!(controller.terminate(PATIENCE).await?.success(), "it ended with an error");
    Ok(())
}

/// Looks until the time is over. The process must be the one that was started, with all its tasks.
async fn look_after(controller: &ControllerProcess, effort: &Effort) -> Result<Samples> {
    let (started, mut looks) = (Instant::now(), interval(effort.look));
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut samples, mut read) = (Samples::default(), 0);
    while started.elapsed() < effort.duration {
        looks.tick().await;
        if let Some(status) = controller.ended()? {
            bail!("it ended with {status}: {}", controller.log()?);
        }
        let (code, said) = controller.livez().await?;
        ensure!(code == 200, "/livez: {said}");
        let log = controller.log()?;
        let whole = log.rfind('\n').map_or(0, |end| end + 1);
        // Nobody waits for an hour to learn what was wrong after a minute.
        explained::log(&log[read..whole])?;
        read = whole;
        samples.take(Sample::of(controller, started.elapsed()).await?);
    }
    samples.tell_the_rest();
    Ok(samples)
}

async fn nothing_waits(controller: &ControllerProcess) -> Result<()> {
    eventually("nothing to wait", PATIENCE, async || {
        let metrics = controller.metrics().await?;
        for name in ["holdfast_write_queue", "workqueue_depth", "holdfast_brake_engaged", "holdfast_view_stale"] {
            ensure!(metrics.sum(name, &[]) == Some(0.0), "{name} is {:?}", metrics.sum(name, &[]));
        }
        Ok(())
    })
    .await
}
