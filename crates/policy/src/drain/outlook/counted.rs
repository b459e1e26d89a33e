//! What a budget allows when all is well, from the replicas of what it covers: by the rules of the disruption controller, and
//! then those of the eviction subresource.

use std::collections::BTreeSet;

use holdfast_model::amount::Amount;
use holdfast_model::facts::{Budget, BudgetStatus, Limit};
use holdfast_model::{PodOwner, WorkloadKind, WorkloadRef};

use super::Unsure;
use crate::disruption::Bounds;
use crate::eviction::expected::{self, Pods};
use crate::eviction::{self, Objection};
use crate::survey::Survey;

/// What a budget allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Count {
    /// So many evictions at once, one at least.
    Allows(u32),
    /// None, and why.
    Refuses(Objection),
    /// It can't be told.
    Unsure(Unsure),
}

impl Count {
    /// Whether it lets somebody go.
    pub(super) fn lets_go(&self) -> bool {
        match self {
            Self::Allows(_) => true,
            Self::Refuses(_) | Self::Unsure(_) => false,
        }
    }
}

/// Whose pods a budget covers.
#[derive(Debug, Default)]
struct Covered {
    /// Pods that the scale of their workloads tells.
    scaled: u32,
    /// Pods of nobody.
    bare: u32,
    /// Those who have no scale and are always there.
    without_scale: Option<WorkloadRef>,
    /// Those whose pods come and go.
    jobs: Option<WorkloadRef>,
    /// Others, of whose pods only they know how many there are.
    others: Option<String>,
}

/// What a budget allows, when every pod that should be there is Ready.
pub(super) fn count(survey: &Survey<'_>, budget: &Budget) -> Count {
    let covered = Covered::of(survey, budget);
    let answer = covered.ask(budget);
    // Pods beside those that are known can only add to what an integer keeps.
    match (answer, counts_pods(budget)) {
        (Ok(allowed), true) => Count::Allows(allowed),
        (Err(objection), true) => covered.more().map_or(Count::Refuses(objection), Count::Unsure),
        (Ok(allowed), false) => covered.breaks_it().unwrap_or(Count::Allows(allowed)),
        (Err(objection), false) => Count::Refuses(objection),
    }
}

/// Whether its limit is an integer `minAvailable`, for which any pod counts.
fn counts_pods(budget: &Budget) -> bool {
    match budget.limit {
        Ok(Limit::MinAvailable(Amount::Pods(_))) => true,
        Ok(Limit::MinAvailable(Amount::Share(_)) | Limit::MaxUnavailable(_)) | Err(_) => false,
    }
}

impl Covered {
    fn of(survey: &Survey<'_>, budget: &Budget) -> Self {
        let mut covered = Self::default();
        let mut known: BTreeSet<&WorkloadRef> = BTreeSet::new();
        for group in budget.selection.selector().map(|selector| survey.covered(selector)).unwrap_or_default() {
            match &group.maker {
                PodOwner::Workload(id) => match id.kind {
                    WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet => {
                        let workload = survey.view.workload(id).filter(|_| known.insert(id));
                        let asked = workload.map_or(0, |workload| Bounds::of(workload, survey.view).asked);
                        covered.scaled = covered.scaled.saturating_add(asked);
                    }
                    WorkloadKind::DaemonSet => covered.without_scale = Some(id.clone()),
                    WorkloadKind::Job | WorkloadKind::CronJob => covered.jobs = Some(id.clone()),
                },
                PodOwner::Nobody => {
                    let running = group.pods.iter().filter(|(_, pod)| !pod.phase.is_finished()).count();
                    covered.bare = covered.bare.saturating_add(u32::try_from(running).unwrap_or(u32::MAX));
                }
                PodOwner::Custom(owner) | PodOwner::Unknown(owner) => covered.others = Some(owner.to_string()),
                PodOwner::Node(name) => covered.others = Some(format!("Node {name}")),
            }
        }
        covered
    }

    /// What the budget comes to with the pods that are known, and what it then answers.
    fn ask(&self, budget: &Budget) -> Result<u32, Objection> {
        let all = self.scaled.saturating_add(self.bare);
        let status = expected::status(budget, Pods { all, ready: all, scale: Some(self.scaled) });
        let status = status.unwrap_or_else(|| unsynced(budget, "it can't be counted"));
        eviction::ask(budget, &status, true)?;
        Ok(u32::try_from(status.allowed).unwrap_or(0))
    }

    /// Who may add pods to those that are known.
    fn more(&self) -> Option<Unsure> {
        let scaleless = self.without_scale.as_ref().or(self.jobs.as_ref()).map(ToString::to_string);
        scaleless.or_else(|| self.others.clone()).map(Unsure::Uncounted)
    }

    /// Who keeps the disruption controller from counting at all.
    fn breaks_it(&self) -> Option<Count> {
        if let Some(id) = &self.without_scale {
            let why = format!("{id} has no scale by which its pods are counted");
            return Some(Count::Refuses(Objection::SyncFailed(why.into())));
        }
        let jobs = self.jobs.clone().map(Unsure::JobPods);
        jobs.or_else(|| self.others.clone().map(Unsure::Uncounted)).map(Count::Unsure)
    }
}

/// A status that allows nothing, since it can't be counted.
fn unsynced(budget: &Budget, why: &str) -> BudgetStatus {
    let generation = budget.status.generation;
    BudgetStatus { observed: Some(generation), generation, sync_failed: Some(why.into()), ..BudgetStatus::default() }
}
