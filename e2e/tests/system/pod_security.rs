//! The Pod Security Standards are what upstream and a real API server say they are.
//!
//! 1. [`fixtures`]: every pod that upstream wrote to pass or fail a level of a version does, for the reason that its file
//!    is named after, and the changes that we name make each that fails pass.
//! 2. [`refusals`]: whether a server takes a random pod into a namespace, and its message letter by letter.
//! 3. [`labels`]: whether a server takes random labels of a namespace, and its message letter by letter.
//! 4. [`policies`]: what a server warns of by the policies that we write.

mod fixtures;
mod labels;
mod policies;
mod refusals;

#[path = "../../../crates/pod-security/tests/random/cure.rs"]
mod cure;
#[path = "../../../crates/pod-security/tests/random/pods.rs"]
mod pods;

use anyhow::{Context as _, Result};
use holdfast_pod_security::Version;
use holdfast_testkit::tools::KUBERNETES_VERSION;

const SEED: &str = "HOLDFAST_SEED";
/// How many requests are under way.
const AT_ONCE: usize = 16;

fn seed_of_this_run() -> Result<u64> {
    match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED}={seed} is no number")),
        Err(_) => Ok(fastrand::u64(..)),
    }
}

/// What the server means by `latest`, and by every version that is newer.
fn version_of_the_server() -> Result<Version> {
    let (minor, _) = KUBERNETES_VERSION.rsplit_once('.').context("no patch release")?;
    Ok(minor.parse()?)
}
