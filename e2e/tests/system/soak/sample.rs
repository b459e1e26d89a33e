//! What a look at the controller showed, the table of all looks, and whether memory stays level.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::churn::say;
use holdfast_testkit::{ControllerProcess, Metrics};

/// One line of the table is about so long.
const LINE: Duration = Duration::from_secs(5 * 60);
/// By then everything has been seen once.
const WARM: Duration = Duration::from_secs(10 * 60);
/// Shorter runs say nothing about memory over time.
const SHORTEST: Duration = Duration::from_secs(20 * 60);
/// How much more there may be at the end.
const GROWTH: f64 = 0.05;

/// What one look showed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sample {
    at: Duration,
    resident: u64,
    objects: f64,
    managed: f64,
    requests: f64,
    writes: f64,
    failed: f64,
}

impl Sample {
    pub(super) async fn of(controller: &ControllerProcess, at: Duration) -> Result<Self> {
        let metrics = controller.metrics().await?;
        let writes = sum(&metrics, "holdfast_writes_total", &[])?;
        Ok(Self {
            at,
            resident: controller.usage()?.resident,
            objects: sum(&metrics, "holdfast_view_objects", &[])?,
            managed: sum(&metrics, "holdfast_workloads", &[("state", "managed")])?,
            requests: sum(&metrics, "rest_client_requests_total", &[])?,
            writes,
            failed: writes - sum(&metrics, "holdfast_writes_total", &[("result", "ok")])?,
        })
    }
}

fn sum(metrics: &Metrics, name: &str, labels: &[(&str, &str)]) -> Result<f64> {
    metrics.sum(name, labels).with_context(|| format!("no {name} with {labels:?}"))
}

/// From when and for how long memory is looked at, and again for as long before the end.
struct Windows {
    from: Duration,
    length: Duration,
    end: Duration,
}

/// All looks, in their order.
#[derive(Debug, Default)]
pub(super) struct Samples {
    all: Vec<Sample>,
    /// How many of them were told.
    told: usize,
}

impl Samples {
    /// Takes one in, and tells of those before it when five minutes are full.
    pub(super) fn take(&mut self, sample: Sample) {
        let begun = self.all.get(self.told).map_or(sample.at, |first| first.at);
        if LINE <= sample.at.saturating_sub(begun) {
            self.tell_the_rest();
        }
        self.all.push(sample);
    }

    /// A line about those that weren't told of yet.
    pub(super) fn tell_the_rest(&mut self) {
        let rest = &self.all[self.told..];
        let (Some(first), Some(last)) = (rest.first(), rest.last()) else { return };
        if self.told == 0 {
            say("soak: minutes      RSS KiB (least, median, most)   objects  managed  requests  writes  failed");
        }
        let mut resident: Vec<u64> = rest.iter().map(|sample| sample.resident / 1024).collect();
        resident.sort_unstable();
        let (least, most) = (resident[0], resident[resident.len() - 1]);
        let objects = median(rest.iter().map(|sample| sample.objects));
        let managed = median(rest.iter().map(|sample| sample.managed));
        say(&format!(
            "soak: {:>5.1} - {:>5.1} {least:>9} {:>9} {most:>9} {objects:>9} {managed:>8} {:>9} {:>7} {:>7}",
            first.at.as_secs_f64() / 60.0,
            last.at.as_secs_f64() / 60.0,
            median(resident.iter().map(|resident| *resident as f64)),
            last.requests - first.requests,
            last.writes - first.writes,
            last.failed - first.failed,
        ));
        self.told = self.all.len();
    }

    /// Tells how memory at the end compares with that after ten minutes, where the run is long enough for that; fails when
    /// it grew.
    pub(super) fn remain_level(&self) -> Result<()> {
        let Windows { from, length, end } = self.windows()?;
        let (warm, last) = self.medians()?;
        let minutes = |time: Duration| time.as_secs_f64() / 60.0;
        let growth = last / warm - 1.0;
        say(&format!(
            "soak: resident {:.0} KiB from minute {:.1} on, {:.0} KiB at the end (medians over {:.1} minutes): {:+.1} %",
            warm / 1024.0,
            minutes(from),
            last / 1024.0,
            minutes(length),
            100.0 * growth,
        ));
        ensure!(end < SHORTEST || growth <= GROWTH, "memory grew by {:.1} %", 100.0 * growth);
        Ok(())
    }

    /// Resident bytes once it was warm, and at the end.
    fn medians(&self) -> Result<(f64, f64)> {
        let Windows { from, length, end } = self.windows()?;
        Ok((self.median(from, from + length)?, self.median(end.saturating_sub(length), end)?))
    }

    /// A short run shows its first and its last third after a sixth of the time.
    fn windows(&self) -> Result<Windows> {
        let end = self.all.last().context("nobody looked")?.at;
        let (from, length) = if end < SHORTEST { (end / 6, end / 3) } else { (WARM, LINE) };
        Ok(Windows { from, length, end })
    }

    fn median(&self, from: Duration, to: Duration) -> Result<f64> {
        let within: Vec<f64> =
            self.all.iter().filter(|s| from <= s.at && s.at <= to).map(|s| s.resident as f64).collect();
        ensure!(!within.is_empty(), "nobody looked from {from:?} to {to:?}");
        Ok(median(within))
    }
}

fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = numbers.into_iter().collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or_default()
}

#[test]
fn memory_that_grows_is_seen_however_slowly_and_a_peak_is_not() -> Result<()> {
    let looks = |resident: fn(u64) -> u64| {
        let look = |second: u64| Sample {
            at: Duration::from_secs(second),
            resident: resident(second),
            objects: 1.0,
            managed: 1.0,
            requests: 0.0,
            writes: 0.0,
            failed: 0.0,
        };
        Samples { all: (0..=3600).step_by(10).map(look).collect(), told: 0 }
    };
    let growth = |samples: Samples| samples.medians().map(|(warm, last)| last / warm - 1.0);
    assert!(growth(looks(|_| 20_000_000))? <= GROWTH);
    assert!(growth(looks(|second| if second % 3500 < 60 { 30_000_000 } else { 20_000_000 }))? <= GROWTH);
    // 2 % in ten minutes.
    assert!(GROWTH < growth(looks(|second| 20_000_000 + second * 667))?);
    Ok(())
}
