//! The status of the DrainReadiness, and whether it has to be written.

use holdfast_api::{
    BlockerStatus, CLUSTER, ConditionType, DrainReadiness, DrainReadinessStatus, Lifecycle, NodeStatus, UpgradeStatus,
    Wanted, merge_conditions,
};
use holdfast_model::PodOwner;
use holdfast_policy::drain::Verdict;
use holdfast_policy::drain::gate::{Judgement, Reading, Standing};
use holdfast_policy::upgrade::Shown;
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use crate::view::{KnownReadiness, requested_at};

/// How many nodes and blockers a status shows.
const MOST_NODES: usize = 100;
const MOST_BLOCKERS: usize = 50;
/// How many nodes of an upgrade it shows, and how much of what that waits for.
const MOST_OF_UPGRADE: usize = 20;
/// The longest name and phase of an upgrade: what carries it out may write anything.
const LONGEST: usize = 253;

/// What is to be told.
#[derive(Debug, Clone)]
pub(crate) enum Outlook {
    /// The forecast, what the gate makes of it, and the upgrade that is under way; unless `settled`, one may be that isn't
    /// known yet.
    Seen { reading: Reading, judgement: Judgement, upgrade: Option<Box<Shown>>, settled: bool },
    /// Nothing can be told, and why.
    Stale(String),
}

/// The apply that makes the status what it should be; none when it is that already.
pub(crate) fn due(known: &KnownReadiness, outlook: &Outlook, now: Timestamp) -> Option<Value> {
    match known {
        KnownReadiness::Decoded { raw, settings } => {
            let observed = raw.status.clone().unwrap_or_default();
            let wanted = status(raw, &observed, settings.as_ref().err(), outlook, now);
            (wanted != observed).then(|| apply(&wanted))
        }
        KnownReadiness::Unreadable { error } => {
            let wanted = invalid(&format!("can't be read: {error}"));
            let (conditions, _) = merge_conditions(&[], &wanted, None, now);
            Some(apply(&json!({ "conditions": conditions, "drainable": false })))
        }
    }
}

fn status(
    raw: &DrainReadiness,
    observed: &DrainReadinessStatus,
    error: Option<&String>,
    outlook: &Outlook,
    now: Timestamp,
) -> DrainReadinessStatus {
    let (wanted, numbers) = match (error, outlook) {
        (Some(error), _) => (invalid(error), DrainReadinessStatus::default()),
        // While nothing can be told the last numbers stand, but nobody may begin by them.
        (None, Outlook::Stale(why)) => (stale(why), DrainReadinessStatus { drainable: false, ..observed.clone() }),
        (None, Outlook::Seen { reading, judgement, upgrade, settled }) => {
            let upgrade = match upgrade {
                Some(shown) => Some(self::upgrade(shown, observed.upgrade.as_ref())),
                None => observed.upgrade.clone().filter(|_| !settled),
            };
            let conditions = conditions(reading, *judgement).into_iter().chain(upgrade.as_ref().and_then(stalled));
            (conditions.collect(), DrainReadinessStatus { upgrade, ..numbers(reading, *judgement) })
        }
    };
    let generation = raw.metadata.generation;
    let (conditions, _) = merge_conditions(&observed.conditions, &wanted, generation, now);
    DrainReadinessStatus {
        observed_generation: generation,
        last_handled_reconcile_at: requested_at(&raw.metadata)
            .cloned()
            .or_else(|| observed.last_handled_reconcile_at.clone()),
        conditions,
        ..numbers
    }
}

fn invalid(error: &str) -> Vec<Wanted> {
    vec![
        (ConditionType::Ready, false, Lifecycle::InvalidSpec, error.to_owned()),
        (ConditionType::Stalled, true, Lifecycle::InvalidSpec, "waits for a change of the spec".to_owned()),
        (ConditionType::Drainable, false, Lifecycle::InvalidSpec, error.to_owned()),
    ]
}

fn stale(why: &str) -> Vec<Wanted> {
    let message = format!("not known until the view is in step again: {why}");
    vec![
        (ConditionType::Ready, false, Lifecycle::ViewStale, message.clone()),
        (ConditionType::Reconciling, true, Lifecycle::ViewStale, message.clone()),
        (ConditionType::Drainable, false, Lifecycle::ViewStale, message),
    ]
}

fn conditions(reading: &Reading, judgement: Judgement) -> Vec<Wanted> {
    let reason = match (judgement.drainable, judgement.settling) {
        (true, _) => Lifecycle::NothingBlocks,
        (false, true) => Lifecycle::Settling,
        (false, false) => Lifecycle::Blocked,
    };
    vec![
        (ConditionType::Ready, true, Lifecycle::Succeeded, "judged by the view as it is".to_owned()),
        (ConditionType::Drainable, judgement.drainable, reason, sentence(reading, judgement)),
    ]
}

/// The answer in a line.
fn sentence(reading: &Reading, judgement: Judgement) -> String {
    let nodes = reading.nodes.len();
    let blocked = reading.count(Verdict::Blocks);
    if let Some(object) = reading.unreadable.first() {
        return format!("not known: {object} can't be read");
    }
    if nodes == 0 {
        return "there is no node that counts".to_owned();
    }
    let first = reading.waits_for().next().map(who);
    let others = reading.waits_for().count().saturating_sub(1);
    let more = if 0 < others { format!(" and {others} more") } else { String::new() };
    match (first, judgement.drainable) {
        (None, true) => format!("all {nodes} nodes can be drained"),
        (None, false) => format!("all {nodes} nodes can be drained; opens when that stays so for ten seconds"),
        (Some(who), true) => format!("all {nodes} nodes can be drained as soon as more is ready: {who}{more} waits"),
        (Some(who), false) => format!("{blocked} of {nodes} nodes can't be drained: {who}{more}"),
    }
}

fn who(standing: &Standing) -> String {
    let Standing { node, blocker, .. } = standing;
    format!("{} on {node} ({})", blocker.pod, blocker.by())
}

fn numbers(reading: &Reading, judgement: Judgement) -> DrainReadinessStatus {
    let count = |verdict| u32::try_from(reading.count(verdict)).unwrap_or(u32::MAX);
    DrainReadinessStatus {
        drainable: judgement.drainable,
        nodes_total: u32::try_from(reading.nodes.len()).unwrap_or(u32::MAX),
        clean: count(Verdict::Clean),
        interrupts: count(Verdict::Interrupts),
        blocked: count(Verdict::Blocks),
        nodes: reading.nodes.iter().take(MOST_NODES).map(|(name, verdict)| node(reading, name, *verdict)).collect(),
        blockers_total: u32::try_from(reading.blockers.len()).unwrap_or(u32::MAX),
        blockers: reading.blockers.iter().take(MOST_BLOCKERS).map(blocker).collect(),
        ..DrainReadinessStatus::default()
    }
}

fn node(reading: &Reading, name: &holdfast_model::Text, verdict: Verdict) -> NodeStatus {
    let felt = reading.felt.iter().find(|(node, _)| node == name).map(|(_, felt)| felt.clone());
    NodeStatus { name: name.to_string(), verdict: verdict.as_str().to_owned(), message: felt }
}

fn blocker(standing: &Standing) -> BlockerStatus {
    let blocker = &standing.blocker;
    let workload = match &blocker.owner {
        PodOwner::Workload(id) => Some(id.to_string()),
        PodOwner::Custom(owner) | PodOwner::Unknown(owner) => Some(owner.to_string()),
        PodOwner::Node(_) | PodOwner::Nobody => None,
    };
    BlockerStatus {
        node: standing.node.to_string(),
        namespace: blocker.pod.namespace.to_string(),
        pod: blocker.pod.name.to_string(),
        budgets: blocker.budgets.iter().map(ToString::to_string).collect(),
        vault_transit_unseal: blocker.unseal().map(ToString::to_string),
        workload,
        owner: blocker.flux.as_ref().map(ToString::to_string),
        lasting: blocker.lasting.as_str().to_owned(),
        reason: blocker.cause.reason().to_owned(),
        message: format!("{}; {}", blocker.message(), blocker.remedy),
        accepted: standing.accepted.clone(),
    }
}

/// What nothing waits for any longer.
fn stalled(upgrade: &UpgradeStatus) -> Option<Wanted> {
    let name = if upgrade.name.is_empty() { "(any)" } else { &upgrade.name };
    let message = format!(
        "{} {name} hasn't moved for six hours: budgets are withdrawn again as if it weren't there",
        upgrade.kind
    );
    (!upgrade.frozen).then_some((ConditionType::UpgradeStalled, true, Lifecycle::NoMovement, message))
}

fn upgrade(shown: &Shown, observed: Option<&UpgradeStatus>) -> UpgradeStatus {
    let upgrade = UpgradeStatus {
        kind: shown.upgrader.kind.as_str().to_owned(),
        name: cut(&shown.upgrader.key.to_string()),
        phase: cut(&shown.phase),
        nodes: shown.nodes.iter().take(MOST_OF_UPGRADE).map(|node| cut(node)).collect(),
        since: Some(Time(shown.since)),
        waits_for: shown.waits_for.iter().take(MOST_OF_UPGRADE).cloned().collect(),
        frozen: shown.frozen,
        message: shown.unknown.map(str::to_owned),
    };
    // Whoever told it first knows best since when: another replica may have seen it a moment later.
    let same = |known: &&UpgradeStatus| {
        known.kind == upgrade.kind && known.name == upgrade.name && known.nodes == upgrade.nodes
    };
    let since = observed.filter(same).and_then(|known| known.since.clone());
    UpgradeStatus { since: since.or_else(|| upgrade.since.clone()), ..upgrade }
}

fn cut(text: &str) -> String {
    text.chars().take(LONGEST).collect()
}

/// The object that is made when there is none.
pub(crate) fn first() -> DrainReadiness {
    let mut made = DrainReadiness::new(CLUSTER, holdfast_api::DrainReadinessSpec::default());
    let (key, value) = holdfast_model::shapes::MANAGED_BY;
    made.metadata.labels = Some([(key.to_owned(), value.to_owned())].into());
    made
}

fn apply(status: &impl serde::Serialize) -> Value {
    json!({
        "apiVersion": format!("{}/v1alpha1", holdfast_api::GROUP),
        "kind": "DrainReadiness",
        "metadata": { "name": CLUSTER },
        "status": status,
    })
}

#[cfg(test)]
mod tests;
