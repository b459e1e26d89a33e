//! What a server says of namespaces with random labels, asked with `dryRun: All`.
//!
//! Each is created: taken where we find nothing wrong, else refused with what we say of each label.
//!
//! The seed is printed and replayed by `HOLDFAST_SEED`; `HOLDFAST_SOAK=1` asks for many more.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::is_soak;
use holdfast_pod_security::labels::{
    AUDIT, AUDIT_VERSION, ENFORCE, ENFORCE_VERSION, LabelError, Policy, WARN, WARN_VERSION,
};
use holdfast_testkit::ControlPlane;
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::json;

use super::{AT_ONCE, SEED, seed_of_this_run};

type Labels = BTreeMap<&'static str, String>;

const LEVELS: [&str; 8] = ["privileged", "baseline", "restricted", "restricted", "Baseline", "strict", "", "v1.25"];
const VERSIONS: [&str; 16] = [
    "latest",
    "v1.25",
    "v1.0",
    "v1.35",
    "v1.99",
    "v1.4294967296",
    "v1.9223372036854775807",
    "v1.9223372036854775808",
    "v1.025",
    "v1.00",
    "1.25",
    "v1.25.1",
    "v2.0",
    "V1.25",
    "Latest",
    "",
];

#[tokio::test]
async fn a_server_takes_the_labels_that_we_take_and_says_of_others_what_we_say() -> Result<()> {
    let seed = seed_of_this_run()?;
    say(&format!("pod security, labels: {SEED}={seed}"));
    compare(seed).await.with_context(|| format!("to repeat it: {SEED}={seed}"))
}

async fn compare(seed: u64) -> Result<()> {
    let plane = ControlPlane::builder().without_controllers().without_audit().start().await?;
    let client = plane.admin();
    let mut rng = Rng::with_seed(seed);
    let sets: Vec<Labels> = (0..if is_soak() { 2_000 } else { 300 }).map(|_| draw(&mut rng)).collect();
    let answers = stream::iter(&sets).map(|labels| create(&client, labels)).buffered(AT_ONCE);
    let answers: Vec<Option<String>> = answers.try_collect().await?;
    let mut differing = Vec::new();
    for (labels, theirs) in sets.iter().zip(&answers) {
        let ours = refusal(labels);
        if ours != *theirs {
            differing.push(format!("ours {ours:?}, theirs {theirs:?} of {labels:?}"));
        }
    }
    let refused = answers.iter().flatten().count();
    say(&format!("pod security, labels: {} sets, {refused} refused, {} differ", sets.len(), differing.len()));
    ensure!(differing.is_empty(), "{differing:#?}");
    ensure!(sets.len() / 5 < refused && refused < sets.len() * 4 / 5, "one-sided");
    Ok(())
}

fn draw(rng: &mut Rng) -> Labels {
    let mut labels = Labels::new();
    for (level, version) in [(ENFORCE, ENFORCE_VERSION), (AUDIT, AUDIT_VERSION), (WARN, WARN_VERSION)] {
        if rng.bool() {
            labels.insert(level, pick(rng, &LEVELS, 4));
        }
        if rng.bool() {
            labels.insert(version, pick(rng, &VERSIONS, 7));
        }
    }
    labels
}

/// Mostly one of those that are right, which come first.
fn pick(rng: &mut Rng, values: &[&str], right: usize) -> String {
    let known = if rng.u8(..4) == 0 { values.len() } else { right };
    values[rng.usize(..known)].to_owned()
}

/// What the server says when it refuses them.
async fn create(client: &Client, labels: &Labels) -> Result<Option<String>> {
    let namespaces: Api<Namespace> = Api::all(client.clone());
    let namespace = serde_json::from_value(json!({"metadata": {"name": "n", "labels": labels}}))?;
    let only_asked = PostParams { dry_run: true, ..PostParams::default() };
    match namespaces.create(&only_asked, &namespace).await {
        Ok(_) => Ok(None),
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(Some(status.message)),
        Err(error) => Err(error.into()),
    }
}

/// The same, of ours.
fn refusal(labels: &Labels) -> Option<String> {
    let (_, errors) = Policy::of(|key| labels.get(key).map(String::as_str), Policy::PRIVILEGED);
    let told: Vec<String> = errors.iter().map(LabelError::to_string).collect();
    match &told[..] {
        [] => None,
        [one] => Some(format!(r#"Namespace "n" is invalid: {one}"#)),
        several => Some(format!(r#"Namespace "n" is invalid: [{}]"#, several.join(", "))),
    }
}
