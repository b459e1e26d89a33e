//! A drain ends as `holdfast_policy::drain` forecast it.
//!
//! 1. Every scenario of the table gets a namespace and nodes of its own, `NAME-a` and more; its pods want its nodes and no
//!    others, so that many of them play at the same time.
//! 2. When the disruption controller has counted everything, all is listed once and `NAME-a` of each is forecast.
//! 3. `kubectl drain NAME-a` for real, or a drain by one that asks each pod once only, or (with `HOLDFAST_SOAK=1`, since a busy
//!    machine takes of its time) that gives up after a time. It ends well where that was forecast; else it is stuck, after a time in
//!    which several more waves could have gone, on exactly the pods that were named as blockers.
//! 4. As many pods wait for a place as were forecast to find none.
//!
//! Beside them nodes are upgraded one batch after the other, as `holdfast drain --sequence` said they would ([`upgrade`]).
//!
//! What pods are taken for the same (replicas of which one goes first by chance) is said by the scenario.

mod scenario;
mod table;
mod upgrade;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use futures::future::try_join_all;
use futures::stream::{self, StreamExt as _, TryStreamExt as _};
use holdfast_e2e::churn::say;
use holdfast_e2e::drainer;
use holdfast_e2e::{Kubectl, Listing, PATIENCE, everything_is_counted};
use holdfast_model::Text;
use holdfast_policy::drain::{NodeForecast, Verdict, Why, forecast};
use holdfast_testkit::{ControlPlane, eventually};
use jiff::Timestamp;
use kube::Client;
use tokio::time::timeout;

use scenario::{Ends, Scenario};

/// kubectl asks again after five seconds: five more waves could have gone.
const STUCK: &str = "--timeout=30s";
const PATIENT: &str = "--timeout=180s";
/// kubectl's time-out doesn't end its waiting for a budget that isn't observed: each answer asks for ten seconds, ten times.
const ENDED: Duration = Duration::from_secs(50);
/// So many play at the same time: with all of them at once the control plane is what everything waits for.
const AT_ONCE: usize = 24;

#[tokio::test]
async fn a_drain_ends_as_it_was_forecast() -> Result<()> {
    let started = Instant::now();
    let plane = ControlPlane::builder().nodes(1).without_audit().start().await?;
    let client = plane.admin();
    let kubectl = Kubectl::of(&plane).await?;
    let (scenarios, upgrades) = (table::scenarios(), table::upgrades::upgrades());
    let all = || scenarios.iter().chain(upgrades.iter().map(|upgrade| &upgrade.scenario));
    let names: BTreeSet<_> = all().map(|scenario| scenario.name).collect();
    ensure!(names.len() == all().count(), "two have the same name");
    stream::iter(all()).map(Ok).try_for_each_concurrent(AT_ONCE, |scenario| scenario.set_up(&client)).await?;
    everything_is_counted(&client, "node-0").await?;
    say(&format!("drains: {} scenarios are set up after {:.0?}", names.len(), started.elapsed()));

    let cluster = Listing::of(&client).await?.cluster;
    let told = try_join_all(upgrades.iter().map(|upgrade| upgrade.told(&plane))).await?;
    say(&format!("drains: all is forecast after {:.0?}", started.elapsed()));
    let played = scenarios.iter().map(async |scenario| {
        let node = Text::from(scenario.node("a"));
        let forecast = forecast(&cluster, scenario.by.drainer(), Timestamp::now()).node(&node).cloned();
        let forecast = forecast.context("the node isn't known")?;
        play(&client, &kubectl, scenario, &forecast).await.with_context(|| format!("it was forecast: {forecast:#?}"))
    });
    let rolled = upgrades.iter().zip(&told).map(async |(upgrade, told)| upgrade.play(&client, told).await);
    let ends: Vec<_> = stream::iter(played).buffered(AT_ONCE).collect().await;
    let rolled: Vec<_> = stream::iter(rolled).buffered(AT_ONCE).collect().await;
    let mut wrong = Vec::new();
    for (scenario, end) in all().zip(ends.into_iter().chain(rolled)) {
        match end {
            Ok(end) => say(&format!("drains: {}: {end}", scenario.name)),
            Err(error) => {
                say(&format!("drains: {}: WRONG: {error:#}", scenario.name));
                wrong.push(scenario.name);
            }
        }
    }
    say(&format!(
        "drains: {} of {} as forecast after {:.0?}",
        names.len() - wrong.len(),
        names.len(),
        started.elapsed()
    ));
    ensure!(wrong.is_empty(), "{} did not end as forecast: {wrong:?}", wrong.len());
    Ok(())
}

/// Drains the node; what it came to, in words.
async fn play(client: &Client, kubectl: &Kubectl, scenario: &Scenario, forecast: &NodeForecast) -> Result<String> {
    let node = scenario.node("a");
    let before = scenario.pods_on(client, &node).await?;
    let named: Vec<String> = forecast.blockers.iter().map(|blocker| blocker.pod.name.to_string()).collect();
    let began = Instant::now();
    let drained = drain(client, kubectl, scenario, forecast.verdict).await;
    let took = began.elapsed();
    let there = scenario.pods_on(client, &node).await?;
    let left: Vec<_> =
        there.into_iter().filter(|pod| pod.is_drained && before.iter().any(|b| b.name == pod.name)).collect();
    let left_names: Vec<String> = left.iter().map(|pod| pod.name.clone()).collect();
    let said = drained.as_ref().err().map(|error| format!("{error:#}")).unwrap_or_default();
    match scenario.ends {
        Ends::Well => ensure!(drained.is_ok(), "the drain should have ended well: {said}"),
        Ends::Stuck(count) => {
            ensure!(drained.is_err() && left.len() == count, "{count} should be left, {left_names:?} are: {said}");
        }
    }
    let expected_to_end = forecast.verdict != Verdict::Blocks;
    ensure!(drained.is_ok() == expected_to_end, "kubectl: {said}; left: {left_names:?}");
    let of = |names: &[String]| -> Result<Vec<String>> {
        let app = |name: &String| {
            let pod = before.iter().find(|pod| pod.name == *name).with_context(|| format!("{name} wasn't there"))?;
            Ok(if scenario.alike { pod.app.clone() } else { name.clone() })
        };
        let mut found = names.iter().map(app).collect::<Result<Vec<_>>>()?;
        found.sort();
        Ok(found)
    };
    ensure!(of(&named)? == of(&left_names)?, "named {named:?}, left {left_names:?}: {said}");
    let homeless = homeless(client, scenario, forecast).await?;
    let told = match expected_to_end {
        true => format!("ended well after {took:.0?} ({} waves)", forecast.waves),
        false => format!("stuck after {took:.0?} on {left_names:?}"),
    };
    Ok(format!("{told}, {homeless} without a place, all told after {:.0?}", began.elapsed()))
}

/// Whoever drains, does; the error says who or what stays.
async fn drain(client: &Client, kubectl: &Kubectl, scenario: &Scenario, forecast: Verdict) -> Result<()> {
    let node = scenario.node("a");
    if let Some(asks) = scenario.by.asks() {
        scenario.cordon(client, &["a"]).await?;
        let ended = drainer::drain(client, scenario.name, &node, asks).await?;
        ensure!(ended.left.is_empty(), "{:?}", ended.left);
        return Ok(());
    }
    let limit = if forecast == Verdict::Blocks { STUCK } else { PATIENT };
    let arguments = ["drain", &node, "--ignore-daemonsets", "--delete-emptydir-data", "--force", limit];
    let drained = match forecast {
        Verdict::Blocks => timeout(ENDED, kubectl.run(arguments)).await.unwrap_or_else(|_| bail!("it still asks")),
        Verdict::Clean | Verdict::Interrupts => kubectl.run(arguments).await,
    };
    drained.map(drop)
}

/// As many pods find no place as was forecast, when that can be told.
async fn homeless(client: &Client, scenario: &Scenario, forecast: &NodeForecast) -> Result<usize> {
    let placeless = forecast.interruptions.iter().filter(|interruption| match interruption.why {
        Why::NoPlace(_) => true,
        Why::LastReady
        | Why::Bare
        | Why::Job
        | Why::PlacementUnknown
        | Why::WaitsForPredecessor
        | Why::OperatorGivesWay(_)
        | Why::StartUnknown(_) => false,
    });
    let expected = placeless.count();
    let unknown = forecast.interruptions.iter().any(|interruption| interruption.why == Why::PlacementUnknown);
    if unknown {
        return Ok(0);
    }
    eventually(&format!("{expected} pods without a place"), PATIENCE.max(Duration::from_secs(20)), async || {
        let found = scenario.unplaced(client).await?;
        ensure!(found == expected, "{found} have none");
        Ok(found)
    })
    .await
}
