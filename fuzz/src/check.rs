//! What must hold for any input: nothing panics, plans are a function of the facts, no plan wants two budgets over one
//! pod, resources survive being written and read again, and what was taken in can be forgotten.

use std::collections::BTreeSet;

use holdfast_api::{
    DisruptionPolicy, DrainReadiness, NamespaceSecurityPolicy, PolicyException, VaultTransitUnseal, merge_conditions,
};
use holdfast_controller::Feed;
use holdfast_controller::access::Source;
use holdfast_model::{Cluster, Kind, Labels, NamespaceView};
use holdfast_policy::NamespacePlan;
use holdfast_policy::disruption::Write;
use holdfast_policy::drain::gate;
use holdfast_policy::pod_security;
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::checkout;
use crate::input::{self, Line};

/// The present: within the years that the seeds speak of.
const NOW: i64 = 1_780_000_000;

/// Feeds an input, and decides on it.
///
/// # Panics
/// When something doesn't hold: that is what is looked for.
pub fn check(bytes: &[u8]) {
    if checkout::is_checkout(bytes) {
        return checkout::check(bytes);
    }
    let mut feed = Feed::default();
    for line in input::parse(bytes) {
        take(&mut feed, line);
    }
    let now = Timestamp::from_second(NOW).unwrap_or_default();
    let plans = feed.plans(now);
    assert_eq!(feed.plans(now), plans, "the same facts give the same plans");
    plans.iter().for_each(|plan| check_plan(plan, feed.cluster()));
    feed.forget();
    assert!(*feed.cluster() == Cluster::default() && feed.policies() == 0, "what is gone is forgotten");
}

fn take(feed: &mut Feed, line: Line<'_>) {
    match line {
        Line::Object(source, payload) => {
            let line = [br#"{"type":"ADDED","object":"#, payload, b"}"].concat();
            feed.event(source, &line);
            check_resource(source, payload);
        }
        Line::Event(source, payload) => feed.event(source, payload),
        // The client hands text over, and refuses what isn't.
        Line::Page(source, payload) => drop(str::from_utf8(payload).map(|text| feed.page(source, text))),
        Line::Refusal(payload) => drop(Feed::refusal(payload)),
    }
}

fn check_plan(plan: &NamespacePlan, cluster: &Cluster) {
    drop(plan.tallies());
    for finding in &plan.findings {
        assert!(!finding.sentence().is_empty(), "{finding:?} says nothing");
    }
    for write in &plan.writes {
        match write {
            Write::Create(wanted) | Write::Update { wanted, .. } => drop(as_json(&wanted.manifest())),
            Write::Withdraw { .. } => {}
        }
    }
    if let Some(view) = cluster.namespace(&plan.namespace) {
        pods_and_templates(view).into_iter().for_each(|labels| check_budgets_over(labels, plan, view));
    }
}

fn check_budgets_over(labels: &Labels, plan: &NamespacePlan, view: NamespaceView<'_>) {
    let wanted = plan.outcomes.iter().filter_map(|outcome| outcome.wanted.as_ref());
    let ours: Vec<_> = wanted.filter(|wanted| wanted.selector.matches(labels)).map(|wanted| &wanted.key).collect();
    let theirs = view.budgets().filter(|(_, budget)| !budget.is_held() && budget.selection.matches(labels));
    let theirs: Vec<_> = theirs.map(|(name, _)| name).collect();
    assert!(ours.is_empty() || ours.len() + theirs.len() == 1, "{ours:?} and {theirs:?} over {labels:?}");
}

/// The labels of every pod of a namespace and of every pod that may be made there.
fn pods_and_templates(view: NamespaceView<'_>) -> Vec<&Labels> {
    let templates = view.workloads().map(|workload| &workload.template);
    let all = templates.chain(view.pods().map(|(_, pod)| &pod.labels));
    let mut known = BTreeSet::new();
    all.filter(|labels| known.insert(format!("{labels:?}"))).collect()
}

fn check_resource(source: Source, payload: &[u8]) {
    match source {
        Source::DisruptionPolicy => check_survives::<DisruptionPolicy>(payload, |policy| {
            let status = policy.status.unwrap_or_default();
            drop(merge_conditions(&status.conditions, &[], policy.metadata.generation, Timestamp::UNIX_EPOCH));
        }),
        Source::NamespaceSecurityPolicy => check_survives::<NamespaceSecurityPolicy>(payload, |policy| {
            drop(pod_security::Settings::try_from(&policy));
            let entries = policy.status.unwrap_or_default().namespaces;
            entries.iter().for_each(|entry| drop(pod_security::Progress::restore(entry)));
        }),
        Source::PolicyException => check_survives::<PolicyException>(payload, |exception| {
            let status = exception.status.unwrap_or_default();
            drop(merge_conditions(&status.conditions, &[], exception.metadata.generation, Timestamp::UNIX_EPOCH));
        }),
        Source::DrainReadiness => check_survives::<DrainReadiness>(payload, |readiness| {
            drop(gate::Settings::try_from(&readiness.spec));
        }),
        Source::Facts(Kind::VaultTransitUnseal) => check_survives::<VaultTransitUnseal>(payload, drop),
        Source::Facts(_) => {}
    }
}

/// What was read once is read again from what is written of it.
fn check_survives<K: DeserializeOwned + Serialize>(payload: &[u8], look: impl FnOnce(K)) {
    let Ok(resource) = serde_json::from_slice::<K>(payload) else { return };
    let written = as_json(&resource);
    look(resource);
    let again: Result<K, _> = serde_json::from_str(&written);
    let again = again.map(|resource| as_json(&resource)).map_err(|error| error.to_string());
    assert_eq!(again, Ok(written), "what is written is read as it was");
}

fn as_json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_else(|error| panic!("what was decoded can't be written: {error}"))
}
