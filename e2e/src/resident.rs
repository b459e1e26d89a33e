//! How much memory a process really uses, as the kernel counts it.

use std::fs;

use anyhow::{Context as _, Result};

/// Resident bytes of a process (`VmRSS`).
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn resident(process: u32) -> Result<u64> {
    let file = format!("/proc/{process}/status");
    let status = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
    let kibibytes: u64 = line.trim().trim_end_matches(" kB").parse().with_context(|| format!("VmRSS:{line}"))?;
    Ok(kibibytes * 1024)
}
