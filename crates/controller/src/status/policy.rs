//! The status of a DisruptionPolicy, and whether it has to be written.

use holdfast_api::{
    Change, ConditionType, DisruptionPolicy, DisruptionPolicyStatus, FindingStatus, Lifecycle, Mode, Wanted,
    merge_conditions,
};
use holdfast_model::Text;
use holdfast_policy::{Finding, RuleId};
use kube::core::ObjectMeta;
use serde_json::{Value, json};

use super::board::Total;
use super::writer::Circumstances;
use crate::view::{Facts, Known, requested_at};

/// The kind.
const KIND: &str = "DisruptionPolicy";

/// The apply that makes the status what it should be; none when it is that already.
pub(super) fn due(
    name: &Text,
    known: &Known<DisruptionPolicy>,
    total: &Total,
    facts: &Facts,
    circumstances: &Circumstances,
) -> Option<Value> {
    match known {
        Known::Decoded { raw, settings } => {
            let conditions = match settings {
                Ok(_) => conditions(raw, total, facts, circumstances),
                Err(error) => invalid(error),
            };
            let observed = raw.status.clone().unwrap_or_default();
            let wanted = status(&raw.metadata, &observed, conditions, total, circumstances);
            (wanted != observed).then(|| apply(KIND, name, &wanted))
        }
        // Its metadata isn't known, so whether this is told already isn't either: the same apply changes nothing.
        Known::Unreadable { told: true, .. } => None,
        Known::Unreadable { error, .. } => Some(unreadable(KIND, name, error, circumstances)),
    }
}

fn status(
    meta: &ObjectMeta,
    observed: &DisruptionPolicyStatus,
    conditions: Vec<Wanted>,
    total: &Total,
    circumstances: &Circumstances,
) -> DisruptionPolicyStatus {
    let (conditions, _): (_, Change) =
        merge_conditions(&observed.conditions, &conditions, meta.generation, circumstances.now);
    // While nothing can be decided the last numbers stand.
    let numbers = if circumstances.stale.is_some() { observed.clone() } else { numbers(total) };
    DisruptionPolicyStatus {
        observed_generation: meta.generation,
        last_handled_reconcile_at: requested_at(meta).cloned().or_else(|| observed.last_handled_reconcile_at.clone()),
        conditions,
        ..numbers
    }
}

fn numbers(total: &Total) -> DisruptionPolicyStatus {
    let tally = &total.tally;
    DisruptionPolicyStatus {
        matched: tally.matched,
        compliant: tally.compliant,
        managed: tally.managed,
        yielded: tally.yielded,
        overruled: tally.overruled,
        findings: tally.findings.iter().map(|(rule, count)| (rule.id().to_owned(), *count)).collect(),
        findings_total: tally.total,
        worst: total.worst.iter().map(finding).collect(),
        ..DisruptionPolicyStatus::default()
    }
}

pub(super) fn finding(finding: &Finding) -> FindingStatus {
    FindingStatus {
        rule: finding.rule.id().to_owned(),
        severity: finding.severity.as_str().to_owned(),
        kind: finding.subject.kind.to_owned(),
        namespace: finding.subject.namespace.to_string(),
        name: finding.subject.name.to_string(),
        owner: finding.owner.as_ref().map(ToString::to_string),
        message: finding.sentence(),
        excepted: finding.excepted.as_ref().map(ToString::to_string),
    }
}

fn conditions(raw: &DisruptionPolicy, total: &Total, facts: &Facts, circumstances: &Circumstances) -> Vec<Wanted> {
    if let Some(why) = &circumstances.stale {
        return stale(why);
    }
    let mut conditions = vec![(ConditionType::Ready, true, Lifecycle::Succeeded, summary(raw, total, facts))];
    if !circumstances.lacking.is_empty() && raw.spec.mode == Mode::Enforce {
        let message = format!(
            "runs as Report: not permitted to {}; bind the ClusterRole budgets (Helm value concerns.budgets)",
            circumstances.lacking.join(", ")
        );
        conditions.push((ConditionType::NotPermitted, true, Lifecycle::NotPermitted, message));
    }
    if let Some(pending) = circumstances.braked.filter(|_| raw.spec.mode == Mode::Enforce) {
        let message = format!("{pending} withdrawals wait for a second look: no change of a policy explains them");
        conditions.push((ConditionType::BrakeEngaged, true, Lifecycle::MassWithdrawal, message));
    }
    if let Some(frozen) = circumstances.frozen.as_ref().filter(|_| raw.spec.mode == Mode::Enforce) {
        let message = format!("{} withdrawals wait for the end of an upgrade: {}", frozen.pending, frozen.upgrader);
        conditions.push((ConditionType::FreezeEngaged, true, Lifecycle::UpgradeInProgress, message));
    }
    conditions
}

/// What a person wants to know first.
fn summary(raw: &DisruptionPolicy, total: &Total, facts: &Facts) -> String {
    let tally = &total.tally;
    if tally.matched == 0 {
        return selects_nothing(raw, tally.overruled, facts);
    }
    let missing = tally.findings.get(&RuleId::BudgetMissing).copied().unwrap_or(0);
    let (budgets, mode) = match raw.spec.mode {
        // What there is of ours while it only reports is about to go: that it would make some is what a person asks.
        Mode::Report => (format!("{missing} budgets missing"), "reports only: set mode: Enforce to write budgets"),
        Mode::Enforce if missing == 0 => (format!("{} budgets managed", tally.managed), "enforced"),
        Mode::Enforce => (format!("{} budgets managed, {missing} missing", tally.managed), "enforced"),
    };
    format!(
        "{} of {} workloads are fine, {budgets}, {} left to others, {} findings ({mode})",
        tally.compliant, tally.matched, tally.yielded, tally.total
    )
}

fn selects_nothing(raw: &DisruptionPolicy, overruled: u32, facts: &Facts) -> String {
    if 0 < overruled {
        return format!(
            "decides for no workload: {overruled} that it selects are decided by a policy before it (priority, then name)"
        );
    }
    let (namespaces, all) = facts.policies.namespaces_of(raw, &facts.cluster);
    if namespaces == 0 {
        return format!("selects nothing: namespaceSelector matches none of {all} namespaces");
    }
    format!(
        "selects nothing: none of the workloads in {namespaces} of {all} namespaces matches workloadSelector and kinds"
    )
}

/// The status of a policy that doesn't decode.
pub(super) fn unreadable(kind: &str, name: &Text, error: &str, circumstances: &Circumstances) -> Value {
    let wanted = [
        (ConditionType::Ready, false, Lifecycle::InvalidSpec, format!("can't be read: {error}")),
        (
            ConditionType::Stalled,
            true,
            Lifecycle::InvalidSpec,
            "what it made stays as it is; correct the field, or update Holdfast if the resource has a newer form"
                .to_owned(),
        ),
    ];
    let (conditions, _) = merge_conditions(&[], &wanted, None, circumstances.now);
    apply(kind, name, &json!({ "conditions": conditions }))
}

/// The conditions of a policy whose spec makes no sense.
pub(super) fn invalid(error: &str) -> Vec<Wanted> {
    vec![
        (ConditionType::Ready, false, Lifecycle::InvalidSpec, error.to_owned()),
        (ConditionType::Stalled, true, Lifecycle::InvalidSpec, "waits for a change of the spec".to_owned()),
    ]
}

/// The conditions while nothing can be decided.
pub(super) fn stale(why: &str) -> Vec<Wanted> {
    let message = format!("nothing is decided until the view is in step again: {why}");
    vec![
        (ConditionType::Ready, false, Lifecycle::ViewStale, message.clone()),
        (ConditionType::Reconciling, true, Lifecycle::ViewStale, message),
    ]
}

/// The apply of a status.
pub(super) fn apply(kind: &str, name: &Text, status: &impl serde::Serialize) -> Value {
    json!({
        "apiVersion": format!("{}/v1alpha1", holdfast_api::GROUP),
        "kind": kind,
        "metadata": { "name": name.as_str() },
        "status": status,
    })
}
