//! What a person sees of a tenant: its budgets with what the disruption controller makes of them, and what the policy's
//! status says. One line each, so that an expectation reads as a note and a failure shows both.

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DisruptionPolicyStatus, FindingStatus};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use kube::ResourceExt as _;
use kube::api::ListParams;

use crate::tenant::{CANARY, Tenant};

/// The lines, and the budgets of ours behind them.
#[derive(Debug)]
pub(crate) struct Picture {
    lines: Vec<String>,
    ours: Vec<PodDisruptionBudget>,
}

impl Picture {
    /// Looks at a tenant; an error while what is seen is unfinished: a budget that isn't computed, a status that doesn't
    /// count the budgets that are there, a canary without its budget.
    pub(crate) async fn of(tenant: &Tenant) -> Result<Self> {
        let budgets = tenant.budgets().list(&ListParams::default()).await?.items;
        let (ours, theirs): (Vec<_>, Vec<_>) = budgets.into_iter().partition(is_ours);
        let mut lines: Vec<String> = theirs.iter().map(|budget| format!("{} (theirs)", budget.name_any())).collect();
        if let Some(policy) = tenant.policy().await? {
            let status = policy.status.context("the policy has no status yet")?;
            ensure!(status.observed_generation == policy.metadata.generation, "not judged yet: {status:?}");
            let managed = usize::try_from(status.managed)?;
            ensure!(managed == ours.len(), "the status knows {managed} budgets of {}: {status:?}", ours.len());
            lines.extend(lines_of(&status));
        }
        let ours: Vec<_> = ours.into_iter().filter(|budget| !is_canary(&budget.name_any())).collect();
        for budget in &ours {
            lines.push(line_of(budget)?);
        }
        lines.sort();
        Ok(Self { lines, ours })
    }

    /// What was seen, sorted.
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// Whether there is exactly one line for each that is expected. Of what a finding says, after the colon, an
    /// expectation may give only the words that matter.
    pub(crate) fn is(&self, expected: &[&str]) -> bool {
        let mut left: Vec<&String> = self.lines.iter().collect();
        let found = expected.iter().all(|wanted| {
            let at = left.iter().position(|line| says(line, wanted));
            at.map(|at| left.swap_remove(at)).is_some()
        });
        found && left.is_empty()
    }

    /// The budgets of ours that the lines tell of.
    pub(crate) fn ours(&self) -> &[PodDisruptionBudget] {
        &self.ours
    }
}

fn says(line: &str, wanted: &str) -> bool {
    let parts = (line.split_once(": "), wanted.split_once(": "));
    match parts {
        (Some((subject, words)), Some((meant, fragment))) => subject == meant && words.contains(fragment),
        (Some(_) | None, Some(_) | None) => line == wanted,
    }
}

/// Whether our field manager made it, whatever its labels say.
fn is_ours(budget: &PodDisruptionBudget) -> bool {
    budget.managed_fields().iter().any(|entry| entry.manager.as_deref() == Some("holdfast/disruption"))
}

fn is_canary(name: &str) -> bool {
    name.starts_with(CANARY)
}

fn line_of(budget: &PodDisruptionBudget) -> Result<String> {
    let (spec, status) = (budget.spec.clone().unwrap_or_default(), budget.status.clone().unwrap_or_default());
    let name = budget.name_any();
    ensure!(status.observed_generation == budget.metadata.generation, "{name} isn't computed: {status:?}");
    let keep = spec.min_available.map(|amount| format!("minAvailable {}", text(&amount)));
    let out = spec.max_unavailable.map(|amount| format!("maxUnavailable {}", text(&amount)));
    let limit = keep.into_iter().chain(out).collect::<Vec<_>>().join(" and ");
    let unhealthy = spec.unhealthy_pod_eviction_policy.unwrap_or_default();
    let (allowed, expected) = (status.disruptions_allowed, status.expected_pods);
    Ok(format!("{name}: {limit}, {unhealthy}; {allowed} of {expected} may go"))
}

fn text(amount: &IntOrString) -> String {
    match amount {
        IntOrString::Int(count) => count.to_string(),
        IntOrString::String(text) => text.clone(),
    }
}

fn lines_of(status: &DisruptionPolicyStatus) -> Vec<String> {
    // Where pods land is the scheduler's doing and no row of any table.
    let shown = |finding: &&FindingStatus| !is_canary(&finding.name) && finding.rule != "replicas-on-one-node";
    let findings = status.worst.iter().filter(shown).map(line_of_finding);
    let yielded = (0 < status.yielded).then(|| format!("{} yielded", status.yielded));
    let overruled = (0 < status.overruled).then(|| format!("{} overruled", status.overruled));
    findings.chain(yielded).chain(overruled).collect()
}

/// Without the remedy, which follows the semicolon.
fn line_of_finding(finding: &FindingStatus) -> String {
    let FindingStatus { rule, severity, kind, name, message, .. } = finding;
    let wrong = message.split(';').next().unwrap_or_default();
    match &finding.excepted {
        Some(excepted) => format!("{rule} on {kind} {name}, excepted by {excepted}"),
        None => format!("{rule} ({severity}) on {kind} {name}: {wrong}"),
    }
}
