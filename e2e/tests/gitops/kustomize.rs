//! Kustomize itself and ours build the same overlays to the same objects, in the same order, and refuse the same ones.
//!
//! 1. Overlays that are made up from a seed, of everything that Kustomize does and we do too.
//! 2. Each is built by both; what the real one prints is read as Kubernetes reads it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};
use holdfast_gitops::kustomize::{Build, Overlay, build};
use holdfast_gitops::yaml::{self, Dialect, Limits};
use holdfast_gitops::{FileId, Node};
use holdfast_testkit::Tool;
use serde_json::Value;

use crate::corpus;
use crate::on_disk::OnDisk;

/// The overlays that are compared: at least five hundred of them.
const SEEDS: std::ops::Range<u64> = 0..800;

/// Fewer that build would compare too little.
const LEAST_THAT_BUILD: usize = 500;

/// What came of the real one.
enum Real {
    Built(Vec<Value>),
    Refused(String),
}

#[test]
fn made_up_overlays_build_to_the_same_objects() -> Result<()> {
    let kustomize = Tool::Kustomize.find()?.path;
    let folder = tempfile::tempdir()?;
    let (mut built, mut wrong) = (0, Vec::new());
    for seed in SEEDS {
        let root = folder.path().join(seed.to_string());
        write(&root, seed)?;
        let real = real(&kustomize, &root)?;
        let ours = build("overlay", &OnDisk::new(root), &Overlay::none());
        built += usize::from(matches!(real, Real::Built(_)));
        wrong.extend(compare(&real, &ours).map(|why| format!("seed {seed}: {why}")));
    }
    assert!(wrong.is_empty(), "{} of {} disagree:\n{}", wrong.len(), SEEDS.end, wrong.join("\n"));
    assert!(LEAST_THAT_BUILD <= built, "only {built} overlays build");
    Ok(())
}

fn write(root: &Path, seed: u64) -> Result<()> {
    for (path, text) in corpus::case(seed) {
        let file = root.join(path);
        fs::create_dir_all(file.parent().context("a file in a folder")?)?;
        fs::write(file, text)?;
    }
    Ok(())
}

fn real(kustomize: &Path, root: &Path) -> Result<Real> {
    let mut command = Command::new(kustomize);
    command.args(["build", "--load-restrictor", "LoadRestrictionsNone"]).arg(root.join("overlay"));
    let output = command.output().context("running kustomize")?;
    if !output.status.success() {
        return Ok(Real::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    let file = FileId::new(0).context("a number for the output")?;
    let parsed = yaml::parse_as(Dialect::Kubernetes, file, &output.stdout, &Limits::default());
    anyhow::ensure!(parsed.error.is_none(), "kustomize prints what can't be read: {:?}", parsed.error);
    Ok(Real::Built(parsed.documents.iter().map(Node::to_json).collect()))
}

/// Why both don't agree.
fn compare(real: &Real, ours: &Build) -> Option<String> {
    let refuses: Vec<String> =
        ours.problems.iter().filter(|problem| problem.kind.refuses()).map(ToString::to_string).collect();
    match (real, refuses.is_empty()) {
        (Real::Refused(_), false) => None,
        (Real::Refused(why), true) => Some(format!("only kustomize refuses: {}", tail(why))),
        (Real::Built(_), false) => Some(format!("only ours refuses: {}", refuses.join("; "))),
        (Real::Built(theirs), true) => {
            let ours: Vec<Value> = ours.objects.iter().map(Node::to_json).collect();
            (*theirs != ours).then(|| difference(theirs, &ours))
        }
    }
}

fn tail(text: &str) -> &str {
    let from = text.char_indices().rev().nth(300).map_or(0, |(at, _)| at);
    &text[from..]
}

/// The first object that differs.
fn difference(theirs: &[Value], ours: &[Value]) -> String {
    let first = theirs.iter().zip(ours).find(|(theirs, ours)| theirs != ours);
    match first {
        Some((theirs, ours)) => format!("kustomize makes\n  {theirs}\nours\n  {ours}"),
        None => format!("kustomize makes {} objects, ours {}", theirs.len(), ours.len()),
    }
}
