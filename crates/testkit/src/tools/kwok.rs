//! KWOK, the fake kubelets: always the pinned version, because its stage language changes between releases.

use anyhow::Result;

use super::{Found, Origin, go_install};
use crate::cache::{Cache, Recipe};

const VERSION: &str = "v0.8.0";

pub(super) fn find(cache: &Cache) -> Result<Found> {
    let recipe = Recipe {
        name: "kwok",
        version: VERSION,
        program: "bin/kwok",
        check: &["--version"],
        announcement: "built with Go, one to two minutes",
    };
    let folder =
        cache.provide(&recipe, |folder| go_install(cache, &format!("sigs.k8s.io/kwok/cmd/kwok@{VERSION}"), folder))?;
    Ok(Found { path: folder.join(recipe.program), version: VERSION.to_owned(), origin: Origin::Cache })
}
