//! The control plane's programs: from `$KUBEBUILDER_ASSETS` when all four are there, else one multi-call binary built
//! from the pinned Go module `e2e/controlplane`, with a link for each program it can be.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Found, Origin, go, output_of, run};
use crate::cache::{Cache, Recipe, fingerprint};

/// The version of Kubernetes that the Go module pins.
pub const VERSION: &str = "v1.35.4";

/// Its minor release.
pub(super) const MINOR: u32 = 35;

/// What the folder must hold to be a control plane.
const PROGRAMS: [&str; 4] = ["etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler"];

/// Where the Go module lies in a checkout.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/controlplane");

/// Without these the components would call themselves v0.0.0, and clients would disbelieve them.
const BUILD_FLAGS: [&str; 3] = [
    "-trimpath",
    "-ldflags",
    "-s -w -X k8s.io/component-base/version.gitVersion=v1.35.4 -X k8s.io/component-base/version.gitMajor=1 \
     -X k8s.io/component-base/version.gitMinor=35",
];

pub(super) fn find(cache: &Cache) -> Result<Found> {
    match from_environment() {
        Some(found) => Ok(found),
        None => make(cache),
    }
}

/// The kubectl that comes with the control plane.
pub(super) fn kubectl(cache: &Cache) -> Result<Found> {
    let built = make(cache)?;
    Ok(Found { path: built.path.join("kubectl"), ..built })
}

fn from_environment() -> Option<Found> {
    let folder = PathBuf::from(std::env::var_os("KUBEBUILDER_ASSETS")?);
    if !PROGRAMS.iter().all(|program| folder.join(program).is_file()) {
        return None;
    }
    let version = output_of(&folder.join("kube-apiserver"), &["--version"]).ok()?;
    Some(Found { path: folder, version, origin: Origin::Environment })
}

fn make(cache: &Cache) -> Result<Found> {
    let version = version_of(Path::new(MODULE))?;
    let recipe = Recipe {
        name: "controlplane",
        version: &version,
        program: "controlplane",
        check: &["kube-apiserver", "--version"],
        announcement: "etcd and Kubernetes, built with Go, four to eight minutes on two cores, only this once",
    };
    let folder = cache.provide(&recipe, |folder| build(cache, folder))?;
    Ok(Found { path: folder, version: VERSION.to_owned(), origin: Origin::Cache })
}

/// The version of Kubernetes, and a digest of everything else that decides the binary.
fn version_of(module: &Path) -> Result<String> {
    let read =
        |name: &str| fs::read(module.join(name)).with_context(|| format!("reading {name} in {}", module.display()));
    let flags = BUILD_FLAGS.join(" ");
    let digest = fingerprint(&[&read("go.mod")?, &read("go.sum")?, &read("main.go")?, flags.as_bytes()]);
    Ok(format!("{VERSION}-{}", &digest[..12]))
}

fn build(cache: &Cache, folder: &Path) -> Result<()> {
    let go = go::find(cache)?;
    let binary = folder.join("controlplane");
    run(Command::new(go.path).arg("build").args(BUILD_FLAGS).arg("-o").arg(&binary).arg(".").current_dir(MODULE))?;
    for program in PROGRAMS.into_iter().chain(["kubectl"]) {
        symlink("controlplane", folder.join(program))?;
    }
    Ok(())
}
