//! What `holdfast_policy::eviction` says of a pod is what the eviction subresource answers.
//!
//! 1. Any status: an API server alone, where nobody corrects what is written. Pods in every phase, owned by anything, ready or
//!    not, some on their way out; budgets of every form with statuses that no controller would write. Every pod is asked
//!    for with `dryRun: All`: the code, and of a refusal the budget, the reason and its numbers.
//! 2. Real controllers: workloads of every kind and budgets over them. When the disruption controller has counted everything,
//!    the same questions; and what is worked out of each budget from pods and workloads is what it wrote.
//!
//! The seed is printed and replayed by `HOLDFAST_SEED`; `HOLDFAST_SOAK=1` asks for many more.

mod budgets;
mod homes;
mod statuses;

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use fastrand::Rng;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use holdfast_e2e::churn::say;
use holdfast_e2e::{Comparison, Listing, everything_is_counted, is_soak};
use holdfast_model::facts::{Budget, BudgetStatus};
use holdfast_model::{Cluster, NamespaceView, ObjectKey};
use holdfast_policy::drain;
use holdfast_testkit::{ControlPlane, Manifests, eventually};
use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::Client;
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use serde_json::json;

use homes::Home;
use statuses::Situation;

const SEED: &str = "HOLDFAST_SEED";
/// How the names of the namespaces begin.
const PREFIX: &str = "evict-";
const NAMESPACES_AT_ONCE: usize = 8;
/// Of thousands of pods on two processors.
const SETTLING: Duration = Duration::from_secs(900);

/// How many pods are asked for.
struct Effort {
    any_status: usize,
    real: usize,
}

impl Effort {
    fn of_this_run() -> Self {
        match is_soak() {
            true => Self { any_status: 15_000, real: 5_000 },
            false => Self { any_status: 1_000, real: 150 },
        }
    }
}

fn seed_of_this_run() -> Result<u64> {
    match std::env::var(SEED) {
        Ok(seed) => seed.parse().with_context(|| format!("{SEED}={seed} is no number")),
        Err(_) => Ok(fastrand::u64(..)),
    }
}

#[tokio::test]
async fn whatever_the_status_the_answer_is_that_of_the_server() -> Result<()> {
    let seed = seed_of_this_run()?;
    say(&format!("evictions, any status: {SEED}={seed}"));
    any_status(seed).await.with_context(|| format!("to repeat it: {SEED}={seed}"))
}

async fn any_status(seed: u64) -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::builder().without_controllers().without_audit().start().await?;
    let client = plane.admin();
    let situations = statuses::draw(&mut Rng::with_seed(seed), PREFIX, Effort::of_this_run().any_status);
    let made = stream::iter(&situations).map(|situation| situation.make(&client));
    made.buffer_unordered(NAMESPACES_AT_ONCE).try_collect::<()>().await?;
    say(&format!("evictions, any status: {} namespaces after {:.0?}", situations.len(), started.elapsed()));
    a_negative_count_can_not_be_written(&client, &situations).await?;
    let listing = Listing::of(&client).await?;
    let comparison = Comparison::of(&client, &listing.cluster, PREFIX).await?;
    say(&format!("evictions, any status: {comparison} after {:.0?}", started.elapsed()));
    ensure!(Effort::of_this_run().any_status <= comparison.total(), "too few");
    ensure!(listing.is_as_in(&Listing::of(&client).await?), "something changed meanwhile");
    agree(&comparison)
}

/// So `Objection::Negative` is for what an older server stored.
async fn a_negative_count_can_not_be_written(client: &Client, situations: &[Situation]) -> Result<()> {
    let with_budget = situations.iter().find_map(|situation| Some((&situation.namespace, situation.a_budget()?)));
    let (namespace, budget) = with_budget.context("no budget at all")?;
    let budgets: Api<PodDisruptionBudget> = Api::namespaced(client.clone(), namespace);
    let negative = Patch::Merge(json!({ "status": { "disruptionsAllowed": -1 } }));
    match budgets.patch_status(budget, &PatchParams::default(), &negative).await {
        Err(kube::Error::Api(status)) if status.code == 422 => Ok(()),
        answer => anyhow::bail!("{answer:?}"),
    }
}

#[tokio::test]
async fn what_real_controllers_count_is_what_is_worked_out() -> Result<()> {
    let seed = seed_of_this_run()?;
    say(&format!("evictions, real controllers: {SEED}={seed}"));
    real_controllers(seed).await.with_context(|| format!("to repeat it: {SEED}={seed}"))
}

async fn real_controllers(seed: u64) -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::builder().nodes(homes::NODES).without_audit().start().await?;
    let client = plane.admin();
    Manifests::parse(homes::DEFINITIONS)?.apply(&client, "evictions").await?;
    let homes = homes::draw(&mut Rng::with_seed(seed), PREFIX, Effort::of_this_run().real);
    let made = stream::iter(&homes).map(|home| home.make(&client));
    made.buffer_unordered(NAMESPACES_AT_ONCE).try_collect::<()>().await?;
    all_run(&client, &homes).await?;
    let sick = stream::iter(&homes).map(|home| sicken(&client, home));
    sick.buffer_unordered(NAMESPACES_AT_ONCE).try_collect::<()>().await?;
    say(&format!("evictions, real controllers: everything runs after {:.0?}", started.elapsed()));

    let (listing, comparison) = eventually("a look during which nothing changes", SETTLING, async || {
        everything_is_counted(&client, "node-0").await?;
        let listing = Listing::of(&client).await?;
        let comparison = Comparison::of(&client, &listing.cluster, PREFIX).await?;
        ensure!(listing.is_as_in(&Listing::of(&client).await?), "something changed meanwhile");
        Ok((listing, comparison))
    })
    .await?;
    say(&format!("evictions, real controllers: {comparison} after {:.0?}", started.elapsed()));
    ensure!(Effort::of_this_run().real <= comparison.total(), "too few");
    agree(&comparison)?;
    statuses_agree(&listing.cluster)
}

fn agree(comparison: &Comparison) -> Result<()> {
    let differing = &comparison.disagreements;
    ensure!(differing.is_empty(), "{} disagreements: {differing:#?}", differing.len());
    Ok(())
}

/// Waits until as many pods are there as were wanted, and each runs or has ended.
async fn all_run(client: &Client, homes: &[Home]) -> Result<()> {
    let wanted: usize = homes.iter().map(|home| home.pods).sum();
    let pods: Api<Pod> = Api::all(client.clone());
    eventually(&format!("{wanted} pods"), SETTLING, async || {
        let found = pods.list(&ListParams::default()).await?;
        let phase = |pod: &Pod| pod.status.as_ref().and_then(|status| status.phase.clone()).unwrap_or_default();
        let waiting = found.iter().filter(|pod| phase(pod) == "Pending").count();
        ensure!(found.items.len() == wanted && waiting == 0, "{} pods, {waiting} pending", found.items.len());
        Ok(())
    })
    .await
}

/// Some pods stop being ready, as a fresh look at random would find them.
async fn sicken(client: &Client, home: &Home) -> Result<()> {
    let pods: Api<Pod> = Api::namespaced(client.clone(), &home.namespace);
    let ends = json!([{ "type": "Ready", "status": "False" }, { "type": "ContainersReady", "status": "False" }]);
    let patch = Patch::Strategic(json!({ "status": { "conditions": ends } }));
    let found = pods.list(&ListParams::default()).await?.items;
    let names = found.into_iter().filter_map(|pod| pod.metadata.name);
    for name in names.enumerate().filter(|(at, _)| home.is_sick(*at)).map(|(_, name)| name) {
        pods.patch_status(&name, &PatchParams::default(), &patch).await?;
    }
    Ok(())
}

/// Of every budget that we say we can count, the numbers are those that the disruption controller wrote. When a pod changes, the
/// controller counts only one of the budgets over it, chosen arbitrarily: what it says of the others may be out of date
/// for ever, so they are only told.
fn statuses_agree(cluster: &Cluster) -> Result<()> {
    let (mut worked_out, mut left_out, mut stale, mut differing) = (0, 0, 0, Vec::new());
    for (key, ours) in drain::counted(cluster).into_iter().filter(|(key, _)| key.namespace.starts_with(PREFIX)) {
        let view = cluster.namespace(&key.namespace).context("no namespace")?;
        let budget = view.budget(&key.name).context("no budget")?;
        let Some(ours) = ours else {
            left_out += 1;
            continue;
        };
        worked_out += 1;
        let (ours, theirs) = (told(&ours), told(&budget.status));
        if ours != theirs && shares_a_pod(view, &key, budget) {
            stale += 1;
        } else if ours != theirs {
            differing.push(format!("{key}: ours {ours}, the controller's {theirs}"));
        }
    }
    say(&format!(
        "evictions, real controllers: {worked_out} budgets worked out, {} differ; {stale} of those that share pods are stale; \
         {left_out} left out",
        differing.len()
    ));
    ensure!(differing.is_empty(), "{} statuses differ: {differing:#?}", differing.len());
    ensure!(left_out < 2 * worked_out && 4 * stale < worked_out, "too few are worked out to say anything");
    Ok(())
}

fn shares_a_pod(view: NamespaceView<'_>, key: &ObjectKey, budget: &Budget) -> bool {
    let mut covered = view.pods().filter(|(_, pod)| budget.selection.matches(&pod.labels));
    covered
        .any(|(_, pod)| view.budgets().any(|(name, other)| *name != key.name && other.selection.matches(&pod.labels)))
}

fn told(status: &BudgetStatus) -> String {
    let BudgetStatus { healthy, desired, expected, allowed, sync_failed, .. } = status;
    format!("healthy {healthy}, desired {desired}, expected {expected}, allowed {allowed}, failed {sync_failed:?}")
}

/// Creates an object, which must be of this kind.
async fn create<K>(api: &Api<K>, object: serde_json::Value) -> Result<K>
where
    K: Clone + std::fmt::Debug + k8s_openapi::serde::Serialize + k8s_openapi::serde::de::DeserializeOwned,
{
    let typed = serde_json::from_value(object.clone())?;
    api.create(&PostParams::default(), &typed).await.with_context(|| object.to_string())
}
