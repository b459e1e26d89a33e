//! What is known of every namespace, as small as it can be told: tallies, the worst findings, what was announced.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_api::{NAMESPACES, NamespaceLevel, NamespaceState};
use holdfast_model::Text;
use holdfast_pod_security::Level;
use holdfast_policy::disruption::{NamespacePlan, Outcome, Tally, WorkloadState, Write};
use holdfast_policy::pod_security::level;
use holdfast_policy::{Finding, PolicyKind, PolicyRef, RuleId, Severity, Subject};
use kube::Resource;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::events::Events;
use crate::view::{Generations, generation};

/// How many of the worst findings a status shows.
pub(super) const WORST: usize = 20;

/// The state of everything that is told.
pub(crate) struct Board {
    inner: Mutex<Inner>,
    events: Arc<Events>,
    changed: Notify,
}

#[derive(Default)]
struct Inner {
    namespaces: BTreeMap<Text, Report>,
    /// Withdrawals that the brake holds.
    braked: Option<usize>,
    /// Withdrawals that wait for an upgrade.
    frozen: Option<Frozen>,
    /// Withdrawals of labels that the brake holds.
    braked_levels: Option<usize>,
    /// How namespaces stand, by policy.
    levels: BTreeMap<Text, Levels>,
    /// The policies that the reports stand on: those about budgets, and those about levels.
    judged: [Generations; 2],
}

/// What is told of a namespace.
#[derive(Debug, Default)]
struct Report {
    tallies: BTreeMap<PolicyRef, Tally>,
    worst: BTreeMap<PolicyRef, Vec<Finding>>,
    findings: BTreeMap<(RuleId, Severity), usize>,
    states: BTreeMap<WorkloadState, usize>,
    excepted: BTreeMap<Text, u32>,
    owned: usize,
    level: Option<Level>,
    /// In order.
    announced: Vec<(RuleId, Subject)>,
}

/// Withdrawals that wait for the end of an upgrade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Frozen {
    /// How many.
    pub(crate) pending: usize,
    /// Who carries the upgrade out.
    pub(crate) upgrader: String,
}

/// Of how many namespaces a status says what stands in the way.
const EXPLAINED: usize = 50;

/// How the namespaces of a policy stand.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// Those under way first, at most as many as a status names.
    pub(super) namespaces: Vec<NamespaceLevel>,
    /// How many are watched before they are raised.
    pub(super) soaking: u32,
    /// How many meet which level, as the strictest.
    pub(super) levels: BTreeMap<String, u32>,
}

impl Levels {
    pub(crate) fn of(mut namespaces: Vec<NamespaceLevel>) -> Self {
        namespaces.sort_by(|a, b| (a.state, &a.name).cmp(&(b.state, &b.name)));
        let soaking = namespaces.iter().filter(|entry| entry.state == NamespaceState::Soaking).count();
        let mut levels = BTreeMap::new();
        for met in namespaces.iter().filter_map(|entry| entry.level) {
            *levels.entry(level(met).to_string()).or_default() += 1;
        }
        namespaces.truncate(NAMESPACES);
        // A status stays small enough to be written often.
        namespaces.iter_mut().skip(EXPLAINED).for_each(|entry| entry.in_the_way.clear());
        Self { namespaces, soaking: u32::try_from(soaking).unwrap_or(u32::MAX), levels }
    }
}

/// What was done about a budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Act {
    Created,
    Updated,
    Withdrawn,
}

impl Act {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated => "updated",
            Self::Withdrawn => "withdrawn",
        }
    }
}

/// What a policy comes to in all namespaces together.
#[derive(Debug, Default)]
pub(crate) struct Total {
    pub(crate) tally: Tally,
    /// The worst findings, at most [`WORST`].
    pub(crate) worst: Vec<Finding>,
}

impl Board {
    pub(crate) fn new(events: Arc<Events>) -> Self {
        Self { inner: Mutex::default(), events, changed: Notify::new() }
    }

    /// Takes a plan's results in and announces what is new; returns the writes.
    pub(crate) fn report(&self, plan: NamespacePlan, leads: bool) -> Vec<Write> {
        let mut report = Report::of(&plan);
        let mut inner = self.inner.lock();
        let before = inner.namespaces.get(&plan.namespace);
        if leads {
            let known = before.map_or(&[][..], |before| &before.announced);
            self.announce(&plan, &report.announced, known);
        } else {
            // Whoever leads announces; on taking over what is wrong then is told once more, under the same name.
            report.announced = Vec::new();
        }
        inner.namespaces.insert(plan.namespace, report);
        plan.writes
    }

    fn announce(&self, plan: &NamespacePlan, now: &[(RuleId, Subject)], before: &[(RuleId, Subject)]) {
        let is_new = |finding: &&Finding| {
            let key = (finding.rule, finding.subject.clone());
            now.binary_search(&key).is_ok() && before.binary_search(&key).is_err()
        };
        for finding in plan.findings.iter().filter(is_new) {
            self.events.found(finding, &plan.outcomes);
        }
    }

    /// A budget was written: told on its workload.
    pub(crate) fn acted(&self, act: Act, write: &Write) {
        self.events.wrote(act, write);
    }

    /// How many withdrawals the brake holds, if it holds.
    pub(crate) fn brake(&self, pending: Option<usize>) {
        let before = std::mem::replace(&mut self.inner.lock().braked, pending);
        match (before, pending) {
            (None, Some(pending)) => {
                tracing::warn!(pending, "withdrawals wait: too many at once without a policy change");
            }
            (Some(_), None) => tracing::info!("withdrawals go on"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if before != pending {
            self.changed();
        }
    }

    /// How many withdrawals the brake holds.
    pub(super) fn braked(&self) -> Option<usize> {
        self.inner.lock().braked
    }

    /// Whether the brake holds anything.
    pub(crate) fn is_braked(&self) -> bool {
        self.braked().is_some()
    }

    /// How many withdrawals of labels the brake holds, if it holds.
    pub(crate) fn brake_levels(&self, pending: Option<usize>) {
        let before = std::mem::replace(&mut self.inner.lock().braked_levels, pending);
        if before.is_none() && pending.is_some() {
            tracing::warn!(pending, "withdrawals of labels wait: too many at once without a policy change");
        }
        if before != pending {
            self.changed();
        }
    }

    /// How many withdrawals of labels the brake holds.
    pub(crate) fn braked_levels(&self) -> Option<usize> {
        self.inner.lock().braked_levels
    }

    /// How namespaces stand, by the name of their policy.
    pub(crate) fn levels_are(&self, levels: BTreeMap<Text, Levels>) {
        let mut inner = self.inner.lock();
        if inner.levels != levels {
            inner.levels = levels;
            drop(inner);
            self.changed();
        }
    }

    /// How the namespaces of a policy stand.
    pub(super) fn levels_of(&self, policy: &Text) -> Levels {
        self.inner.lock().levels.get(policy).cloned().unwrap_or_default()
    }

    /// What waits for the end of an upgrade, if anything does.
    pub(crate) fn freeze(&self, frozen: Option<Frozen>) {
        let before = std::mem::replace(&mut self.inner.lock().frozen, frozen.clone());
        match (&before, &frozen) {
            (None, Some(frozen)) => {
                tracing::info!(pending = frozen.pending, upgrade = frozen.upgrader, "withdrawals wait for an upgrade");
            }
            (Some(_), None) => tracing::info!("withdrawals wait for no upgrade any more"),
            (None, None) | (Some(_), Some(_)) => {}
        }
        if before != frozen {
            self.changed();
        }
    }

    /// What waits for the end of an upgrade.
    pub(crate) fn frozen(&self) -> Option<Frozen> {
        self.inner.lock().frozen.clone()
    }

    /// A pass by these policies has come to its end.
    pub(crate) fn judged(&self, policies: [Generations; 2]) {
        self.inner.lock().judged = policies;
    }

    /// Whether the numbers stand on this very form of the policy.
    pub(crate) fn has_judged(&self, kind: PolicyKind, policy: &impl Resource<DynamicType = ()>) -> bool {
        let name = Text::from(policy.meta().name.as_deref().unwrap_or_default());
        let [disruption, security] = &self.inner.lock().judged;
        let judged = match kind {
            PolicyKind::Disruption => disruption,
            PolicyKind::Security => security,
        };
        judged.get(&name) == Some(&generation(policy))
    }

    /// How many namespaces meet which level, as the strictest.
    pub(crate) fn levels(&self) -> BTreeMap<Level, usize> {
        let inner = self.inner.lock();
        let mut levels = BTreeMap::new();
        for level in inner.namespaces.values().filter_map(|report| report.level) {
            *levels.entry(level).or_default() += 1;
        }
        levels
    }

    /// Statuses may have to be written.
    pub(crate) fn changed(&self) {
        self.changed.notify_one();
    }

    pub(super) async fn wait(&self) {
        self.changed.notified().await;
    }

    /// A namespace is gone.
    pub(crate) fn forget(&self, namespace: &Text) {
        self.inner.lock().namespaces.remove(namespace);
    }

    /// Forgets the namespaces that aren't there; returns which.
    pub(crate) fn forget_others(&self, is_there: impl Fn(&Text) -> bool) -> Vec<Text> {
        let mut inner = self.inner.lock();
        let gone: Vec<Text> = inner.namespaces.keys().filter(|name| !is_there(name)).cloned().collect();
        gone.iter().for_each(|name| drop(inner.namespaces.remove(name)));
        gone
    }

    /// Budgets of ours in the whole cluster.
    pub(crate) fn owned(&self) -> usize {
        self.inner.lock().namespaces.values().map(|report| report.owned).sum()
    }

    /// What a policy comes to.
    pub(crate) fn total(&self, policy: &PolicyRef) -> Total {
        let inner = self.inner.lock();
        let mut tally = Tally::default();
        let mut worst: Vec<&Finding> = Vec::new();
        for report in inner.namespaces.values() {
            if let Some(here) = report.tallies.get(policy) {
                tally.merge(here);
            }
            worst.extend(report.worst.get(policy).into_iter().flatten());
        }
        worst.sort_unstable_by(|a, b| a.order(b));
        Total { tally, worst: worst.into_iter().take(WORST).cloned().collect() }
    }

    /// How many findings an exception covers.
    pub(super) fn excepted(&self, namespace: &Text, exception: &Text) -> u32 {
        let inner = self.inner.lock();
        inner.namespaces.get(namespace).and_then(|report| report.excepted.get(exception)).copied().unwrap_or(0)
    }

    /// Findings by rule and severity, those excepted not among them.
    pub(crate) fn findings(&self) -> BTreeMap<(RuleId, Severity), usize> {
        self.sum(|report| &report.findings)
    }

    /// Workloads by how they stand.
    pub(crate) fn states(&self) -> BTreeMap<WorkloadState, usize> {
        self.sum(|report| &report.states)
    }

    fn sum<K: Ord + Copy>(&self, numbers: impl Fn(&Report) -> &BTreeMap<K, usize>) -> BTreeMap<K, usize> {
        let inner = self.inner.lock();
        let mut sum = BTreeMap::new();
        for (key, count) in inner.namespaces.values().flat_map(numbers) {
            *sum.entry(*key).or_default() += count;
        }
        sum
    }
}

impl Report {
    fn of(plan: &NamespacePlan) -> Self {
        let level = plan.level.as_ref().and_then(|level| level.level);
        let mut report = Self { tallies: plan.tallies(), owned: plan.owned, level, ..Self::default() };
        for outcome in &plan.outcomes {
            *report.states.entry(outcome.state()).or_default() += 1;
        }
        for finding in &plan.findings {
            report.add(finding, &plan.outcomes);
        }
        report.announced.sort_unstable();
        report.announced.dedup();
        report.announced.shrink_to_fit();
        report
    }

    fn add(&mut self, finding: &Finding, outcomes: &[Outcome]) {
        // Without a policy there is no status to show it.
        if let Some(policy) = &finding.policy {
            let worst = self.worst.entry(policy.clone()).or_default();
            if worst.len() < WORST {
                worst.push(finding.clone());
            }
        }
        if let Some(exception) = finding.excepted.as_ref().and_then(|excepted| excepted.by.clone()) {
            *self.excepted.entry(exception).or_default() += 1;
        }
        if finding.excepted.is_none() {
            *self.findings.entry((finding.rule, finding.severity)).or_default() += 1;
        }
        // What is being written right now needs nobody's attention.
        let being_written = finding.rule == RuleId::BudgetMissing
            && outcomes.iter().any(|outcome| outcome.wanted.is_some() && finding.workloads.contains(&outcome.workload));
        if finding.counts() && Severity::Low < finding.severity && !being_written {
            self.announced.push((finding.rule, finding.subject.clone()));
        }
    }
}
