//! HashiCorp Vault: built from the pinned Go module `e2e/vault`, since no package index carries the program.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Found, Origin, go, run};
use crate::cache::{Cache, Recipe, fingerprint};

/// The version that the Go module pins.
pub const VERSION: &str = "1.21.2";

/// Where the Go module lies in a checkout.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/vault");

/// `minimal` leaves out the databases and clouds, which halves the build. Storage raft and inmem, and the mounts approle,
/// cert, jwt, oidc, userpass, kv, pki, ssh and transit stay.
const BUILD_FLAGS: [&str; 5] = ["-tags", "minimal", "-trimpath", "-ldflags", "-s -w"];

pub(super) fn find(cache: &Cache) -> Result<Found> {
    let version = version_of(Path::new(MODULE))?;
    let recipe = Recipe {
        name: "vault",
        version: &version,
        program: "vault",
        check: &["version"],
        announcement: "built with Go, four to eight minutes on two cores and 4 GB meanwhile, only this once",
    };
    let folder = cache.provide(&recipe, |folder| build(cache, folder))?;
    Ok(Found { path: folder.join(recipe.program), version: format!("v{VERSION}"), origin: Origin::Cache })
}

/// The version of Vault, and a digest of everything else that decides the binary.
fn version_of(module: &Path) -> Result<String> {
    let read =
        |name: &str| fs::read(module.join(name)).with_context(|| format!("reading {name} in {}", module.display()));
    let flags = BUILD_FLAGS.join(" ");
    let digest = fingerprint(&[&read("go.mod")?, &read("go.sum")?, &read("main.go")?, flags.as_bytes()]);
    Ok(format!("v{VERSION}-{}", &digest[..12]))
}

fn build(cache: &Cache, folder: &Path) -> Result<()> {
    let go = go::find(cache)?;
    // What is compiled here is compiled for nothing else, so it isn't left in the person's own cache of builds.
    let builds = folder.join("builds");
    run(Command::new(go.path)
        .arg("build")
        .args(BUILD_FLAGS)
        .arg("-o")
        .arg(folder.join("vault"))
        .arg(".")
        .env("CGO_ENABLED", "0")
        .env("GOCACHE", &builds)
        .current_dir(MODULE))?;
    fs::remove_dir_all(builds).context("removing what was compiled on the way")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_the_one_that_the_module_pins() {
        let module = fs::read_to_string(Path::new(MODULE).join("go.mod")).expect("a file of the checkout");
        assert!(module.contains(&format!("github.com/hashicorp/vault v{VERSION}\n")));
    }
}
