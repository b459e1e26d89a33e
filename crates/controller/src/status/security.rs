//! The status of a NamespaceSecurityPolicy, and whether it has to be written.

use holdfast_api::{
    ConditionType, Lifecycle, Mode, NamespaceSecurityPolicy, NamespaceSecurityPolicyStatus, Wanted, merge_conditions,
};
use holdfast_model::Text;
use holdfast_policy::pod_security::raw_level;
use serde_json::Value;

use super::board::{Levels, Total};
use super::policy::{apply, finding, invalid, stale, unreadable};
use super::writer::Circumstances;
use crate::view::{Facts, Known, requested_at};

/// The kind.
const KIND: &str = "NamespaceSecurityPolicy";

/// The apply that makes the status what it should be; none when it is that already.
pub(super) fn due(
    name: &Text,
    known: &Known<NamespaceSecurityPolicy>,
    total: &Total,
    levels: &Levels,
    facts: &Facts,
    circumstances: &Circumstances,
) -> Option<Value> {
    match known {
        Known::Decoded { raw, settings } => {
            let conditions = match settings {
                Ok(_) => conditions(raw, total, levels, facts, circumstances),
                Err(error) => invalid(error),
            };
            let observed = raw.status.clone().unwrap_or_default();
            let (conditions, _) =
                merge_conditions(&observed.conditions, &conditions, raw.metadata.generation, circumstances.now);
            // While nothing can be decided the last numbers stand, and what they remember.
            let numbers = if circumstances.stale.is_some() || settings.is_err() {
                observed.clone()
            } else {
                numbers(total, levels, facts)
            };
            let handled = requested_at(&raw.metadata).cloned();
            let wanted = NamespaceSecurityPolicyStatus {
                observed_generation: raw.metadata.generation,
                last_handled_reconcile_at: handled.or_else(|| observed.last_handled_reconcile_at.clone()),
                conditions,
                ..numbers
            };
            (wanted != observed).then(|| apply(KIND, name, &wanted))
        }
        // Its metadata isn't known, so whether this is told already isn't either: the same apply changes nothing.
        Known::Unreadable { told: true, .. } => None,
        Known::Unreadable { error, .. } => Some(unreadable(KIND, name, error, circumstances)),
    }
}

fn numbers(total: &Total, levels: &Levels, facts: &Facts) -> NamespaceSecurityPolicyStatus {
    let (tally, server) = (&total.tally, facts.policies.server());
    NamespaceSecurityPolicyStatus {
        server_version: server.minor.map(|minor| format!("v1.{minor}")),
        cluster_default: server.default.map(raw_level),
        matched: tally.matched,
        compliant: tally.compliant,
        managed: tally.managed,
        yielded: tally.yielded,
        overruled: tally.overruled,
        soaking: levels.soaking,
        levels: levels.levels.clone(),
        findings: tally.findings.iter().map(|(rule, count)| (rule.id().to_owned(), *count)).collect(),
        findings_total: tally.total,
        worst: total.worst.iter().map(finding).collect(),
        namespaces: levels.namespaces.clone(),
        ..NamespaceSecurityPolicyStatus::default()
    }
}

fn conditions(
    raw: &NamespaceSecurityPolicy,
    total: &Total,
    levels: &Levels,
    facts: &Facts,
    circumstances: &Circumstances,
) -> Vec<Wanted> {
    if let Some(why) = &circumstances.stale {
        return stale(why);
    }
    let mut conditions = vec![(ConditionType::Ready, true, Lifecycle::Succeeded, summary(raw, total, levels, facts))];
    if raw.spec.mode != Mode::Enforce {
        return conditions;
    }
    if !circumstances.lacking_labels.is_empty() {
        let message = format!(
            "runs as Report: not permitted to {}; bind the ClusterRole pod-security-enforce (Helm value concerns.podSecurityEnforce)",
            circumstances.lacking_labels.join(", ")
        );
        conditions.push((ConditionType::NotPermitted, true, Lifecycle::NotPermitted, message));
    }
    if let Some(pending) = circumstances.braked_levels {
        let message = format!(
            "the labels of {pending} namespaces stay for now: no change of a policy explains why they should go"
        );
        conditions.push((ConditionType::BrakeEngaged, true, Lifecycle::MassWithdrawal, message));
    }
    conditions
}

/// What a person wants to know first.
fn summary(raw: &NamespaceSecurityPolicy, total: &Total, levels: &Levels, facts: &Facts) -> String {
    let tally = &total.tally;
    if tally.matched == 0 {
        return match tally.overruled {
            0 => {
                let all = facts.cluster.namespace_names().count();
                format!("selects nothing: namespaceSelector matches none of {all} namespaces")
            }
            overruled => format!(
                "decides for no namespace: {overruled} that it selects are decided by a policy before it (priority, then name)"
            ),
        };
    }
    let mode = match raw.spec.mode {
        Mode::Report => "reports only: set mode: Enforce to write labels".to_owned(),
        Mode::Enforce => format!("{} enforced by us, {} watched before they are raised", tally.managed, levels.soaking),
    };
    format!("{} of {} namespaces are fine, {} findings ({mode})", tally.compliant, tally.matched, tally.total)
}
