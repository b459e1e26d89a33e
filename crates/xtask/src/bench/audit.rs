//! What an audit of a checkout costs, against reading and parsing the same files and doing nothing with them.
//!
//! Checkouts of several sizes are made up, each app with the files that this audience has for one. The binary that ships
//! judges them all and writes its report as JSON; the baseline is this program, which reads and parses the same files by
//! the same reader, as parallel. Both are processes of their own, in turn; what each used the kernel says at its end.

mod made_up;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_gitops::FileId;
use holdfast_gitops::yaml::{self, Limits};
use rayon::prelude::*;
use wait4::Wait4 as _;

use super::report::{Figure, Report, percentile};

#[derive(Debug, clap::Args)]
pub(super) struct Audit {
    /// How many YAML files the checkouts have.
    #[arg(long, value_delimiter = ',', default_values_t = [200, 2_000, 20_000])]
    files: Vec<usize>,
    /// How often each is judged and read.
    #[arg(long, default_value_t = 11)]
    rounds: usize,
    /// A real checkout to be judged besides.
    #[arg(long, value_name = "PATH")]
    checkout: Vec<PathBuf>,
    /// Only reads and parses what is there, as the baseline does.
    #[arg(long, hide = true, value_name = "PATH")]
    parse: Option<PathBuf>,
}

/// What one process used.
#[derive(Clone, Copy)]
struct Cost {
    wall: Duration,
    processor: Duration,
    peak: u64,
}

impl Audit {
    /// True when this process is the baseline, and has done its work.
    pub(super) fn is_baseline(&self) -> Result<bool> {
        let Some(folder) = &self.parse else { return Ok(false) };
        let read = files_below(folder)?.par_iter().map(|file| parse(file)).collect::<Result<Vec<_>>>()?;
        ensure!(!read.is_empty(), "there is no YAML in {}", folder.display());
        Ok(true)
    }

    pub(super) fn run(&self, binary: &Path) -> Result<Report> {
        let headings = [
            "checkout",
            "files",
            "MiB",
            "audit ms, median",
            "parse ms",
            "audit / parse",
            "audit processor ms",
            "parse processor ms",
            "audit / parse, processor",
            "audit peak MiB",
            "parse peak MiB",
            "bytes of memory per byte",
            "parse bytes of memory per byte",
        ];
        let mut report = Report::new("audit", &headings);
        for count in &self.files {
            let folder = tempfile::tempdir()?;
            made_up::write(folder.path(), *count)?;
            self.measure(&mut report, "made up", folder.path(), binary)?;
        }
        for path in &self.checkout {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            self.measure(&mut report, &name.unwrap_or_else(|| ".".to_owned()), path, binary)?;
        }
        Ok(report)
    }

    fn measure(&self, report: &mut Report, name: &str, folder: &Path, binary: &Path) -> Result<()> {
        let files = files_below(folder)?;
        let bytes: u64 = files.iter().map(|file| Ok(std::fs::metadata(file)?.len())).sum::<Result<u64>>()?;
        eprintln!("{} files, {} rounds.", files.len(), self.rounds);
        let (mut audits, mut parses) = (Vec::new(), Vec::new());
        for _ in 0..self.rounds {
            audits.push(cost(Command::new(binary).arg("audit").arg(folder).args(["--format", "json"]))?);
            let baseline = std::env::current_exe()?;
            parses.push(cost(Command::new(baseline).args(["bench", "audit", "--parse"]).arg(folder))?);
        }
        let of = |costs: &[Cost], which: fn(&Cost) -> Duration| {
            percentile(&costs.iter().map(which).collect::<Vec<_>>(), 50).as_secs_f64()
        };
        let (audit, parse) = (of(&audits, |cost| cost.wall), of(&parses, |cost| cost.wall));
        let (audit_used, parse_used) = (of(&audits, |cost| cost.processor), of(&parses, |cost| cost.processor));
        let peak = |costs: &[Cost]| costs.iter().map(|cost| cost.peak).max().unwrap_or_default();
        let (audit_peak, parse_peak) = (peak(&audits), peak(&parses));
        report.row([
            Figure::name(name),
            Figure::count(files.len()),
            Figure::mebibytes(bytes),
            Figure::Number(1000.0 * audit, 1),
            Figure::Number(1000.0 * parse, 1),
            Figure::Number(audit / parse, 2),
            Figure::Number(1000.0 * audit_used, 1),
            Figure::Number(1000.0 * parse_used, 1),
            Figure::Number(audit_used / parse_used, 2),
            Figure::mebibytes(audit_peak),
            Figure::mebibytes(parse_peak),
            Figure::Number(audit_peak as f64 / bytes as f64, 2),
            Figure::Number(parse_peak as f64 / bytes as f64, 2),
        ]);
        Ok(())
    }
}

fn cost(command: &mut Command) -> Result<Cost> {
    let begun = Instant::now();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let ended = child.wait4()?;
    let wall = begun.elapsed();
    ensure!(ended.status.success(), "{command:?} ended with {}", ended.status);
    let used = ended.rusage;
    Ok(Cost { wall, processor: used.utime + used.stime, peak: used.maxrss })
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))? {
            let (path, kind) = entry.and_then(|entry| Ok((entry.path(), entry.file_type()?)))?;
            if kind.is_dir() && !path.ends_with(".git") {
                open.push(path);
            } else if kind.is_file() && path.extension().is_some_and(|end| end == "yaml" || end == "yml") {
                found.push(path);
            }
        }
    }
    Ok(found)
}

/// Broken files and templates too, up to where they break.
fn parse(file: &Path) -> Result<yaml::Parsed> {
    Ok(yaml::parse(FileId::NONE, &std::fs::read(file)?, &Limits::default()))
}
