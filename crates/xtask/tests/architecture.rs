//! The house: which crate may reach what, and how its files look.
//!
//! Walks the normal dependencies that cargo resolves, so a feature that one member turns on for another counts too.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, PackageId};

/// A crate, and what it must not reach by any path. `kube` is the crate with the client; `kube-core` has only types.
const NEVER: &[(&str, &[&str])] = &[
    ("holdfast-model", &["kube", "kube-client", "tokio", "hyper", "reqwest", "holdfast-api", "holdfast-policy"]),
    ("holdfast-api", &["kube", "kube-client", "tokio", "hyper", "reqwest", "holdfast-model", "holdfast-policy"]),
    ("holdfast-policy", &["kube", "kube-client", "tokio", "hyper", "reqwest", "holdfast-controller"]),
    (
        "holdfast-report",
        &["kube", "kube-client", "tokio", "hyper", "reqwest", "holdfast-gitops", "holdfast-controller"],
    ),
    (
        "holdfast-gitops",
        &["kube", "kube-client", "tokio", "hyper", "reqwest", "holdfast-policy", "holdfast-controller"],
    ),
    ("holdfast-pod-security", &["k8s-openapi", "kube-core", "tokio", "hyper", "reqwest", "holdfast-model"]),
    (
        "holdfast-runtime",
        &[
            "clap",
            "anyhow",
            "holdfast-api",
            "holdfast-model",
            "holdfast-pod-security",
            "holdfast-policy",
            "holdfast-gitops",
            "holdfast-report",
            "holdfast-controller",
            "holdfast-vault",
            "holdfast-testkit",
        ],
    ),
    ("holdfast-controller", &["clap", "anyhow", "holdfast-vault", "holdfast-testkit"]),
    (
        "holdfast-vault",
        &[
            "clap",
            "anyhow",
            "holdfast-model",
            "holdfast-pod-security",
            "holdfast-policy",
            "holdfast-gitops",
            "holdfast-report",
            "holdfast-controller",
            "holdfast-testkit",
        ],
    ),
    ("holdfast", &["holdfast-testkit", "holdfast-e2e", "rcgen"]),
];

/// Members that may reach whatever they like, as nothing that is shipped depends on them.
const FREE: &[&str] = &["holdfast-testkit", "holdfast-e2e", "holdfast-fuzz", "xtask"];

/// One TLS stack for everything, and one YAML reader.
const NOWHERE: &[&str] = &["openssl", "openssl-sys", "native-tls", "aws-lc-rs", "serde_yaml", "chrono-tz"];

/// Longer files say why in their header.
const LONG: usize = 600;

#[test]
fn no_crate_reaches_what_its_row_forbids() {
    let metadata = metadata();
    let mut broken = Vec::new();
    for package in metadata.workspace_packages() {
        let name = package.name.as_str();
        let Some((_, forbidden)) = NEVER.iter().find(|(row, _)| *row == name) else {
            if !FREE.contains(&name) {
                broken.push(format!("{name} has no row"));
            }
            continue;
        };
        let reached = reached(&metadata, name);
        broken.extend(
            forbidden.iter().filter(|other| reached.contains(**other)).map(|other| format!("{name} reaches {other}")),
        );
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

#[test]
fn the_standards_for_pods_need_serde_only() {
    let metadata = metadata();
    let package = metadata.packages.iter().find(|package| package.name.as_str() == "holdfast-pod-security");
    let dependencies = &package.expect("the package").dependencies;
    let normal = dependencies.iter().filter(|dependency| dependency.kind == DependencyKind::Normal);
    assert_eq!(normal.map(|dependency| dependency.name.as_str()).collect::<Vec<_>>(), ["serde"]);
}

#[test]
fn nothing_uses_a_second_stack() {
    let lock = read(&root().join("Cargo.lock"));
    let names: BTreeSet<&str> = lock.lines().filter_map(|line| line.strip_prefix("name = ")).collect();
    assert!(names.contains("\"rustls\""), "the lock file has another form");
    let found: Vec<_> = NOWHERE.iter().filter(|name| names.contains(format!("{name:?}").as_str())).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn only_the_binary_and_the_tools_use_anyhow() {
    let allowed = ["holdfast", "xtask", "holdfast-testkit", "holdfast-e2e"];
    for package in metadata().workspace_packages() {
        let uses = package
            .dependencies
            .iter()
            .any(|dependency| dependency.name == "anyhow" && dependency.kind == DependencyKind::Normal);
        assert!(!uses || allowed.contains(&package.name.as_str()), "{} uses anyhow", package.name);
    }
}

#[test]
fn every_module_says_why_it_exists() {
    let silent: Vec<_> = sources().into_iter().filter(|file| !read(file).starts_with("//!")).collect();
    assert!(silent.is_empty(), "without //!: {silent:?}");
}

#[test]
fn no_module_file_is_called_mod_or_by_a_name_that_says_nothing() {
    let empty = ["mod", "utils", "util", "common", "helpers", "helper", "types", "misc"];
    let named = |file: &PathBuf| file.file_stem().is_some_and(|stem| empty.iter().any(|name| stem == *name));
    let found: Vec<_> = sources().into_iter().filter(named).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn files_are_short() {
    let lengths = sources().into_iter().filter(|file| !is_test(file)).map(|file| (read(&file).lines().count(), file));
    let long: Vec<_> = lengths.filter(|(lines, _)| LONG < *lines).collect();
    assert!(long.is_empty(), "{long:?}");
    let main = read(&root().join("crates/holdfast/src/main.rs"));
    assert!(main.lines().count() < 60, "main.rs is a table of contents");
}

/// For this platform only: on a fresh machine the packages of others were never fetched.
fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .other_options(["--offline".to_owned(), "--filter-platform".to_owned(), platform()])
        .exec()
        .expect("cargo metadata")
}

fn platform() -> String {
    let rustc = std::process::Command::new("rustc").arg("-vV").output().expect("rustc, which built this");
    let told = String::from_utf8(rustc.stdout).expect("text");
    told.lines().find_map(|line| line.strip_prefix("host: ")).expect("rustc names its host").to_owned()
}

/// The names of all packages that a member reaches through normal dependencies.
fn reached(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let resolve = metadata.resolve.as_ref().expect("cargo metadata resolves");
    let edges: BTreeMap<&PackageId, Vec<&PackageId>> = resolve
        .nodes
        .iter()
        .map(|node| {
            let normal = |dependency: &&cargo_metadata::NodeDep| {
                dependency.dep_kinds.iter().any(|kind| kind.kind == DependencyKind::Normal)
            };
            (&node.id, node.deps.iter().filter(normal).map(|dependency| &dependency.pkg).collect())
        })
        .collect();
    let start = metadata.packages.iter().find(|package| package.name.as_str() == name);
    let mut waiting = vec![&start.unwrap_or_else(|| panic!("no package {name}")).id];
    let mut seen = BTreeSet::new();
    while let Some(id) = waiting.pop() {
        for next in &edges[id] {
            if seen.insert(*next) {
                waiting.push(next);
            }
        }
    }
    seen.into_iter().map(|id| metadata[id].name.to_string()).collect()
}

fn sources() -> Vec<PathBuf> {
    let mut waiting = vec![root().join("crates"), root().join("e2e")];
    let mut found = Vec::new();
    while let Some(folder) = waiting.pop() {
        for entry in fs::read_dir(&folder).expect("a folder of the checkout") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
                waiting.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn is_test(file: &Path) -> bool {
    file.components().any(|part| part.as_os_str() == "tests") || file.ends_with("tests.rs")
}

fn read(file: &Path) -> String {
    fs::read_to_string(file).expect("a source file")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).expect("the checkout").to_owned()
}
