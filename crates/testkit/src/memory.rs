//! How much memory a process has, as the kernel counts it.

use std::fs;

use anyhow::{Context as _, Result};

/// In bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Memory {
    /// What it has now.
    pub resident: u64,
    /// The most that it ever had.
    pub peak: u64,
}

impl Memory {
    /// Of this process. Linux only, as there is no such file elsewhere.
    pub(crate) fn of(process: u32) -> Result<Self> {
        let file = format!("/proc/{process}/status");
        let status = fs::read_to_string(&file).with_context(|| format!("reading {file}"))?;
        Self::parse(&status).with_context(|| format!("no memory in {file}: {status}"))
    }

    fn parse(status: &str) -> Option<Self> {
        let bytes = |field: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(field))?;
            let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
            Some(kibibytes * 1024)
        };
        Some(Self { resident: bytes("VmRSS:")?, peak: bytes("VmHWM:")? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_knows_its_own() {
        let memory = Memory::of(std::process::id()).unwrap();
        assert!(1024 * 1024 < memory.resident && memory.resident <= memory.peak, "{memory:?}");
    }

    #[test]
    fn the_kernel_counts_in_kibibytes() {
        let status = "Name:\tholdfast\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\n";
        assert_eq!(Memory::parse(status), Some(Memory { resident: 10 << 20, peak: 20 << 20 }));
        assert_eq!(Memory::parse("Name:\tzombie\n"), None);
    }
}
