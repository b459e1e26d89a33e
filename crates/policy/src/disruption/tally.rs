//! What a plan comes to in numbers, for statuses and metrics.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::{Text, WorkloadRef};

use super::{Decision, NamespacePlan, Outcome};
use crate::{Domain, Finding, PolicyRef, RuleId, pod_security};

/// What a policy comes to in a namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Workloads it decides for.
    pub matched: u32,
    /// Of these, how many have nothing to mend, neither themselves nor in a budget that covers them.
    pub compliant: u32,
    /// Budgets of ours that serve them.
    pub managed: u32,
    /// Workloads left to somebody else's budget or operator.
    pub yielded: u32,
    /// Workloads it selects too, but another policy decides for.
    pub overruled: u32,
    /// Findings by rule, those excepted not among them.
    pub findings: BTreeMap<RuleId, u32>,
    /// Findings that want mending.
    pub total: u32,
}

/// How a workload stands, as metrics count it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum WorkloadState {
    /// It has a budget of ours.
    Managed,
    /// It should have a budget and has none.
    Missing,
    /// It is left to somebody else's budget or operator.
    Yielded,
    /// It is excepted from having a budget.
    Excepted,
    /// It has one replica at most.
    Singleton,
    /// It has no replicas.
    ScaledToZero,
    /// No budget can be made for it.
    Unable,
    /// It waits until something can be read.
    Held,
    /// No policy selects it.
    NotSelected,
}

impl WorkloadState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Managed,
        Self::Missing,
        Self::Yielded,
        Self::Excepted,
        Self::Singleton,
        Self::ScaledToZero,
        Self::Unable,
        Self::Held,
        Self::NotSelected,
    ];

    /// As it is written in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Managed => "managed",
            Self::Missing => "missing",
            Self::Yielded => "yielded",
            Self::Excepted => "excepted",
            Self::Singleton => "singleton",
            Self::ScaledToZero => "scaled-to-zero",
            Self::Unable => "unable",
            Self::Held => "held",
            Self::NotSelected => "not-selected",
        }
    }
}

impl Outcome {
    /// How the workload stands.
    #[must_use]
    pub fn state(&self) -> WorkloadState {
        match &self.decision {
            Decision::Budget(_) if self.serving.is_some() => WorkloadState::Managed,
            Decision::Budget(_) => WorkloadState::Missing,
            Decision::Yielded(_) | Decision::OperatorOwned(_) => WorkloadState::Yielded,
            Decision::Excepted(_) => WorkloadState::Excepted,
            Decision::Singleton => WorkloadState::Singleton,
            Decision::ScaledToZero => WorkloadState::ScaledToZero,
            Decision::CustomOwned(_)
            | Decision::SelectorInvalid(_)
            | Decision::SelectorShared(_)
            | Decision::Confined(_)
            | Decision::QuorumPair => WorkloadState::Unable,
            Decision::Held(_) => WorkloadState::Held,
            Decision::NotSelected => WorkloadState::NotSelected,
        }
    }
}

impl NamespacePlan {
    /// What each policy comes to here. What is judged without any policy is nobody's.
    #[must_use]
    pub fn tallies(&self) -> BTreeMap<PolicyRef, Tally> {
        let mut tallies: BTreeMap<PolicyRef, Tally> = BTreeMap::new();
        // What Pod Security would have of a workload is told of its namespace.
        let is_meant = |finding: &&Finding| finding.counts() && finding.rule.rule().domain != Domain::PodSecurity;
        let wanting = self.findings.iter().filter(is_meant);
        let wanting: BTreeSet<&WorkloadRef> = wanting.flat_map(|finding| &finding.workloads).collect();
        for outcome in &self.outcomes {
            for policy in &outcome.overruled {
                tallies.entry(PolicyRef::disruption(policy.clone())).or_default().overruled += 1;
            }
            if outcome.state() != WorkloadState::NotSelected {
                let policy = PolicyRef::disruption(outcome.policy.clone().unwrap_or_default());
                let tally = tallies.entry(policy).or_default();
                tally.add(outcome, wanting.contains(&outcome.workload));
            }
        }
        for finding in self.findings.iter().filter(|finding| finding.excepted.is_none()) {
            let nobody = || PolicyRef::disruption(Text::default());
            let tally = tallies.entry(finding.policy.clone().unwrap_or_else(nobody)).or_default();
            *tally.findings.entry(finding.rule).or_default() += 1;
            tally.total += u32::from(finding.counts());
        }
        if let Some(level) = &self.level {
            self.tally_level(level, &mut tallies);
        }
        tallies
    }

    fn tally_level(&self, level: &pod_security::Outcome, tallies: &mut BTreeMap<PolicyRef, Tally>) {
        for policy in &level.overruled {
            tallies.entry(PolicyRef::security(policy.clone())).or_default().overruled += 1;
        }
        let Some(policy) = &level.policy else { return };
        let tally = tallies.entry(PolicyRef::security(policy.clone())).or_default();
        let wants = tally.total != 0;
        tally.matched += 1;
        tally.compliant += u32::from(!wants);
        tally.managed += u32::from(level.managed);
        tally.yielded += u32::from(level.yielded);
    }
}

impl Tally {
    /// Adds what the same policy comes to in another namespace.
    pub fn merge(&mut self, other: &Self) {
        self.matched += other.matched;
        self.compliant += other.compliant;
        self.managed += other.managed;
        self.yielded += other.yielded;
        self.overruled += other.overruled;
        self.total += other.total;
        for (rule, count) in &other.findings {
            *self.findings.entry(*rule).or_default() += count;
        }
    }

    fn add(&mut self, outcome: &Outcome, wanting: bool) {
        self.matched += 1;
        self.compliant += u32::from(!wanting);
        self.managed += u32::from(outcome.serving.is_some());
        self.yielded += u32::from(outcome.decision.is_yielded());
    }
}
