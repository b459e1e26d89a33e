//! cargo-deny: on the PATH, else built into the cache, which only `cargo xtask tools` asks for.

use std::path::PathBuf;
use std::process::Command;

use anyhow::Result;

use super::{Found, Origin, on_path, output_of, run};
use crate::cache::{Cache, Recipe};

const VERSION: &str = "0.20.2";

const RECIPE: Recipe<'static> = Recipe {
    name: "cargo-deny",
    version: VERSION,
    program: "bin/cargo-deny",
    check: &["--version"],
    announcement: "built with cargo, three to five minutes",
};

pub(super) fn find(cache: &Cache) -> Result<Found> {
    if let Some(found) = present(cache) {
        return Ok(found);
    }
    let folder = cache.provide(&RECIPE, |folder| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let target = tempfile::tempdir()?;
        run(Command::new(cargo)
            .args(["install", "--locked", "--quiet", "--no-track", "--version", VERSION, "cargo-deny", "--root"])
            .arg(folder)
            .env("CARGO_TARGET_DIR", target.path()))
    })?;
    Ok(cached(folder))
}

pub(super) fn present(cache: &Cache) -> Option<Found> {
    on_the_path().or_else(|| cache.kept(&RECIPE).map(cached))
}

fn on_the_path() -> Option<Found> {
    let path = on_path("cargo-deny")?;
    let version = output_of(&path, &["--version"]).ok()?;
    Some(Found { path, version, origin: Origin::Path })
}

fn cached(folder: PathBuf) -> Found {
    Found { path: folder.join(RECIPE.program), version: VERSION.to_owned(), origin: Origin::Cache }
}
