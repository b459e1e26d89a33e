//! What a process uses, as the kernel counts it. Linux only: elsewhere asking is an error, not a zero.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// What a process uses at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Bytes of memory that are resident, its program's own pages among them.
    pub resident: u64,
    /// The most that ever were.
    pub peak: u64,
    /// Bytes that only this process has: without what is mapped from files.
    pub anonymous: u64,
    /// Processor time since it began, in steps of ten milliseconds.
    pub processor: Duration,
}

impl Usage {
    /// Of the process with this number.
    pub fn of(process: u32) -> Result<Self> {
        let read = |file: &str| {
            let path = format!("/proc/{process}/{file}");
            fs::read_to_string(&path).with_context(|| format!("reading {path}"))
        };
        Self::parse(&read("status")?, &read("stat")?)
    }

    fn parse(status: &str, stat: &str) -> Result<Self> {
        let kilobytes = |field: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
            let number = line.and_then(|line| line.split_whitespace().next());
            let number = number.with_context(|| format!("no {field} in the status of a process: {status}"))?;
            Ok::<u64, anyhow::Error>(number.parse::<u64>()? * 1024)
        };
        Ok(Self {
            resident: kilobytes("VmRSS")?,
            peak: kilobytes("VmHWM")?,
            anonymous: kilobytes("RssAnon")?,
            processor: processor(stat)?,
        })
    }
}

/// The sum of user and system time. Linux counts both in hundredths of a second for programs (`USER_HZ`), whatever the
/// kernel's own clock; the name before them may hold blanks and parentheses.
fn processor(stat: &str) -> Result<Duration> {
    let (_, fields) = stat.rsplit_once(')').context("a stat file without a name")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    let ticks =
        |index: usize| -> Result<u64> { Ok(fields.get(index).context("a stat file that is too short")?.parse()?) };
    Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "Name:\tholdfast\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nRssAnon:\t    4096 kB\n";
    const STAT: &str = "42 (a (bad) name) S 1 42 42 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 3 0 1 1 1";

    #[test]
    fn memory_is_told_in_bytes_and_time_in_seconds() {
        let usage = Usage::parse(STATUS, STAT).unwrap();
        assert_eq!((usage.resident, usage.peak, usage.anonymous), (10 << 20, 20 << 20, 4 << 20));
        assert_eq!(usage.processor, Duration::from_secs(3));
    }

    #[test]
    fn what_is_missing_is_an_error_and_not_a_zero() {
        assert!(Usage::parse("Name:\tholdfast\n", STAT).unwrap_err().to_string().contains("no VmRSS"));
        assert!(Usage::parse(STATUS, "42 (name) S 1").is_err());
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn our_own_process_uses_something() {
        let usage = Usage::of(std::process::id()).unwrap();
        assert!(0 < usage.anonymous && usage.anonymous < usage.resident && usage.resident <= usage.peak, "{usage:?}");
    }
}
