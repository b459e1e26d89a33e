//! The whole judgement of what was read: every namespace by the rules that the controller uses, and what only files
//! have by rules of their own.

use std::collections::BTreeMap;

use holdfast_model::{Cluster, Repository};
use jiff::Timestamp;

use crate::drain::outlook::{Outlook, outlook};
use crate::{Finding, Policies, RuleId, Severity, plan_namespace, rules};

/// What was judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audit {
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// How often each rule was asked, and what it said.
    pub tally: Tally,
    /// What files tell of draining every node.
    pub outlook: Outlook,
}

/// How often each rule held, and how often it failed with each severity. What is excepted counts as not applicable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    held: BTreeMap<RuleId, usize>,
    failed: BTreeMap<(RuleId, Severity), usize>,
}

/// Judges a cluster and what only its files have.
#[must_use]
pub fn audit(cluster: &Cluster, repository: &Repository, policies: &Policies, now: Timestamp) -> Audit {
    let mut audit = Audit { outlook: outlook(cluster, repository, policies.nodes()), ..Audit::default() };
    for view in cluster.namespace_names().filter_map(|name| cluster.namespace(name)) {
        let plan = plan_namespace(view, policies, now);
        audit.tally.hold(&plan.held);
        audit.findings.extend(plan.findings);
    }
    let judgement = rules::judge_files(cluster, repository, policies, now);
    audit.tally.hold(&judgement.held);
    audit.findings.extend(judgement.findings);
    audit.finish()
}

impl Audit {
    /// Joins another, of another cluster of the same checkout.
    pub fn join(&mut self, other: Self) {
        self.findings.extend(other.findings);
        self.findings.sort_by(Finding::order);
        self.outlook.join(other.outlook);
        for (rule, count) in other.tally.held {
            self.tally.add_held(rule, count);
        }
        for ((rule, severity), count) in other.tally.failed {
            self.tally.add_failed(rule, severity, count);
        }
    }

    /// Keeps only what these rules say.
    pub fn retain(&mut self, keep: impl Fn(RuleId) -> bool) {
        self.findings.retain(|finding| keep(finding.rule));
        self.tally.held.retain(|rule, _| keep(*rule));
        self.tally.failed.retain(|(rule, _), _| keep(*rule));
    }

    fn finish(mut self) -> Self {
        self.findings.sort_by(Finding::order);
        for finding in self.findings.iter().filter(|finding| finding.excepted.is_none()) {
            self.tally.add_failed(finding.rule, finding.severity, 1);
        }
        self
    }
}

impl Tally {
    fn hold(&mut self, held: &rules::Held) {
        held.iter().for_each(|(rule, count)| self.add_held(rule, count));
    }

    /// Counts objects of which a rule said that nothing is wrong.
    pub fn add_held(&mut self, rule: RuleId, count: usize) {
        *self.held.entry(rule).or_default() += count;
    }

    /// Counts findings of a rule.
    pub fn add_failed(&mut self, rule: RuleId, severity: Severity, count: usize) {
        *self.failed.entry((rule, severity)).or_default() += count;
    }

    /// How often each rule held.
    pub fn held(&self) -> impl Iterator<Item = (RuleId, usize)> {
        self.held.iter().map(|(rule, count)| (*rule, *count))
    }

    /// How often each rule failed, by severity.
    pub fn failed(&self) -> impl Iterator<Item = (RuleId, Severity, usize)> {
        self.failed.iter().map(|((rule, severity), count)| (*rule, *severity, *count))
    }
}
