//! Helm: version 4 on the PATH, else the pinned version built with Go. Helm 3 applies differently and isn't taken.

use anyhow::Result;

use super::{Found, Origin, go_install, on_path, output_of};
use crate::cache::{Cache, Recipe};

const VERSION: &str = "v4.3.1";

pub(super) fn find(cache: &Cache) -> Result<Found> {
    match present() {
        Some(found) => Ok(found),
        None => make(cache),
    }
}

fn present() -> Option<Found> {
    let path = on_path("helm")?;
    let version = output_of(&path, &["version", "--template", "{{.Version}}"]).ok()?;
    version.starts_with("v4.").then_some(Found { path, version, origin: Origin::Path })
}

fn make(cache: &Cache) -> Result<Found> {
    let recipe = Recipe {
        name: "helm",
        version: VERSION,
        program: "bin/helm",
        check: &["version"],
        announcement: "built with Go, about a minute",
    };
    let folder =
        cache.provide(&recipe, |folder| go_install(cache, &format!("helm.sh/helm/v4/cmd/helm@{VERSION}"), folder))?;
    Ok(Found { path: folder.join(recipe.program), version: VERSION.to_owned(), origin: Origin::Cache })
}
