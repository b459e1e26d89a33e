//! Kustomize: always the pinned version, because results change between releases and ours are those of one.

use anyhow::Result;

use super::{Found, Origin, go_install};
use crate::cache::{Cache, Recipe};

const VERSION: &str = "v5.8.0";

pub(super) fn find(cache: &Cache) -> Result<Found> {
    let recipe = Recipe {
        name: "kustomize",
        version: VERSION,
        program: "bin/kustomize",
        check: &["version"],
        announcement: "built with Go, about a minute",
    };
    let package = format!("sigs.k8s.io/kustomize/kustomize/v5@{VERSION}");
    let folder = cache.provide(&recipe, |folder| go_install(cache, &package, folder))?;
    Ok(Found { path: folder.join(recipe.program), version: VERSION.to_owned(), origin: Origin::Cache })
}
