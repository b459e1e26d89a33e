//! The fixtures of the Pod Security Standards: thousands of pods that upstream says pass or fail, never copied to here.
//!
//! A Go module, and Go itself keeps it: fetched once into its module cache under its own lock, and compared with the sum
//! that `e2e/pod-security/go.sum` records. So there is nothing for our cache to keep.

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use super::{Found, Origin, go, output_in};
use crate::cache::Cache;

const VERSION: &str = "v0.37.2";

/// Where the sum of the module lies in a checkout.
const MODULE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../e2e/pod-security");

pub(super) fn find(cache: &Cache) -> Result<Found> {
    let go = go::find(cache)?;
    let module = format!("k8s.io/pod-security-admission@{VERSION}");
    let told = output_in(MODULE, &go.path, &["mod", "download", "-json", &module])?;
    let told: serde_json::Value = serde_json::from_str(&told).context("what Go says of the module")?;
    let folder = told["Dir"].as_str().context("Go names no folder of the module")?;
    Ok(Found {
        path: PathBuf::from(folder).join("test/testdata"),
        version: VERSION.to_owned(),
        origin: Origin::ModuleCache,
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    #[test]
    fn the_version_is_the_one_whose_sum_is_recorded() {
        for file in ["go.mod", "go.sum"] {
            let text = fs::read_to_string(Path::new(MODULE).join(file)).expect("a file of the checkout");
            assert!(text.contains(&format!("k8s.io/pod-security-admission {VERSION}")), "{file}");
        }
    }
}
