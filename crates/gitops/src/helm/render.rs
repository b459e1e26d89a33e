//! Renders a chart with Helm itself, where both are at hand.
//!
//! A chart is looked for in the checkout, in the folders that were named, and in Helm's cache; never on the network.
//! Helm gets so long and may print so much; what it says when it fails is told, in one line.

use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use thiserror::Error;

use super::{HelmOptions, Release};
use crate::checkout::Tree;
use crate::raw::unpacked;
use crate::yaml::{self, Limits};
use crate::{FileId, Node};

/// How long a chart may take to render; the largest take two seconds.
const PATIENCE: Duration = Duration::from_secs(20);

/// How much a chart may print; the largest bundles of CRDs have five megabytes.
const MOST_OUTPUT: u64 = 32 << 20;

/// How much of Helm's complaint is shown.
const MOST_COMPLAINT: usize = 300;

/// Why a chart wasn't rendered.
#[derive(Debug, Error)]
pub(super) enum RenderError {
    /// Helm refused.
    #[error("its chart doesn't render with these values: {}", one_line(.0))]
    Refused(String),
    /// It took too long.
    #[error("its chart took more than {} seconds to render", PATIENCE.as_secs())]
    TimedOut,
    /// It printed too much.
    #[error("its chart renders to more than {} megabytes", MOST_OUTPUT >> 20)]
    TooMuch,
    /// What it printed is no YAML.
    #[error("its chart renders to something that is no YAML: {0}")]
    NoYaml(String),
}

/// What Helm made of a release.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) manifests: Vec<Node>,
    /// Whether the chart has a schema, against which Helm held the values.
    pub(super) by_schema: bool,
}

/// The manifests of a release; none when Helm or the chart isn't at hand.
pub(super) fn render(
    tree: &Tree,
    release: &Release<'_>,
    options: &HelmOptions,
) -> Result<Option<Rendered>, RenderError> {
    let Some(chart) = find(tree, release, options) else { return Ok(None) };
    let Some(child) = start(&chart, release, options) else { return Ok(None) };
    let printed = run(child, release)?;
    let parsed = yaml::parse(FileId::NONE, &printed, &Limits::default());
    match parsed.error {
        Some(error) => Err(RenderError::NoYaml(error.to_string())),
        None => Ok(Some(Rendered {
            manifests: parsed.documents.iter().flat_map(unpacked).map(placeless).collect(),
            by_schema: chart.join("values.schema.json").is_file(),
        })),
    }
}

/// What is printed stands in no file.
fn placeless(node: &Node) -> Node {
    Node::from_json(&node.to_json(), crate::Origin::NONE)
}

fn find(tree: &Tree, release: &Release<'_>, options: &HelmOptions) -> Option<PathBuf> {
    let chart = release.chart.as_ref()?;
    let in_files = chart.folder.as_ref().map(|folder| tree.root().join(&**folder));
    if let Some(folder) = in_files.filter(|folder| is_chart(folder)) {
        return Some(folder);
    }
    let name = &*chart.name;
    let versioned = chart.version.as_ref().map(|version| format!("{name}-{}", version.trim_start_matches('v')));
    let exact = chart.version.as_ref().map(|version| format!("{name}-{version}"));
    let stems = || versioned.iter().chain(&exact);
    let folders = options.charts.iter().flat_map(|folder| {
        let unpacked = stems().map(|stem| folder.join(stem)).chain([folder.join(name)]);
        let packed = stems().map(|stem| folder.join(format!("{stem}.tgz")));
        unpacked.filter(|path| is_chart(path)).chain(packed.filter(|path| path.is_file())).collect::<Vec<_>>()
    });
    let cached =
        options.cache.iter().flat_map(|cache| stems().map(|stem| cache.join("repository").join(format!("{stem}.tgz"))));
    folders.chain(cached.filter(|path| path.is_file())).next()
}

fn is_chart(folder: &Path) -> bool {
    folder.join("Chart.yaml").is_file()
}

/// Starts Helm; none when it isn't installed.
fn start(chart: &Path, release: &Release<'_>, options: &HelmOptions) -> Option<Child> {
    Command::new(&options.program)
        .arg("template")
        .arg(&*release.name)
        .arg(chart)
        .args(["--namespace", &release.namespace, "--values", "-", "--no-hooks"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .ok()
}

/// Feeds and drains all three pipes at once, so that none can block the others, and waits no longer than patience allows.
fn run(mut child: Child, release: &Release<'_>) -> Result<Vec<u8>, RenderError> {
    let values = release.values.to_json().to_string();
    let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    thread::spawn(move || stdin.map(|mut stdin| stdin.write_all(values.as_bytes())));
    let (done, finished) = mpsc::channel();
    thread::spawn(move || {
        let mut printed = Vec::new();
        let read = stdout.map(|stdout| stdout.take(MOST_OUTPUT + 1).read_to_end(&mut printed));
        // Nobody listens any more when patience was over first.
        let _ = done.send(if read.is_some_and(|read| read.is_ok()) { printed } else { Vec::new() });
    });
    let complaint = thread::spawn(move || {
        let mut text = Vec::new();
        let read = stderr.map(|stderr| stderr.take(1 << 16).read_to_end(&mut text));
        if read.is_some_and(|read| read.is_ok()) { String::from_utf8_lossy(&text).into_owned() } else { String::new() }
    });
    let printed = finished.recv_timeout(PATIENCE);
    let too_much = printed.as_ref().is_ok_and(|printed| MOST_OUTPUT < printed.len() as u64);
    if printed.is_err() || too_much {
        // It may have ended in the meantime.
        let _ = child.kill();
    }
    let succeeded = child.wait().is_ok_and(|status| status.success());
    match printed {
        Err(_) => Err(RenderError::TimedOut),
        Ok(_) if too_much => Err(RenderError::TooMuch),
        Ok(printed) if succeeded => Ok(printed),
        Ok(_) => Err(RenderError::Refused(complaint.join().unwrap_or_default())),
    }
}

fn one_line(text: &str) -> String {
    // Advice for whoever called it.
    let text = text.trim_end().trim_end_matches("Use --debug flag to render out invalid YAML");
    let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
    joined.trim_start_matches("Error: ").chars().take(MOST_COMPLAINT).collect()
}

#[cfg(test)]
mod tests;
