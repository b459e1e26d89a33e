//! What rules look at: a budget with all it covers, a workload with its outcome.

use std::borrow::Cow;

use holdfast_model::amount::Amount;
use holdfast_model::facts::{Budget, Limit, Pod, Workload};
use holdfast_model::{Kind, PodOwner, Text, WorkloadKind, WorkloadRef};
use jiff::Timestamp;

use crate::disruption::{Bounds, Outcome};
use crate::survey::{Group, Survey};

/// A budget and all it covers.
#[derive(Debug)]
pub struct BudgetCase<'a> {
    /// Its namespace.
    pub survey: &'a Survey<'a>,
    /// Its name.
    pub name: &'a Text,
    /// The budget.
    pub budget: &'a Budget,
    /// The pods and templates it covers.
    pub covered: Vec<&'a Group<'a>>,
    /// The workloads with a scale among those that made them.
    pub workloads: Vec<Covered<'a>>,
    /// The present.
    pub now: Timestamp,
}

/// A workload that a budget covers.
#[derive(Clone, Copy, Debug)]
pub struct Covered<'a> {
    /// The workload.
    pub workload: &'a Workload,
    /// Between how many replicas it may have.
    pub bounds: Bounds,
}

/// A workload that can have a budget, and what was decided for it.
#[derive(Debug)]
pub struct WorkloadCase<'a> {
    /// Its namespace.
    pub survey: &'a Survey<'a>,
    /// The workload.
    pub workload: &'a Workload,
    /// What was decided.
    pub outcome: &'a Outcome,
    /// How many nodes the cluster has, as far as files say it.
    pub nodes: Option<u32>,
}

impl<'a> BudgetCase<'a> {
    pub(super) fn new(survey: &'a Survey<'a>, name: &'a Text, budget: &'a Budget, now: Timestamp) -> Self {
        let covered = budget.selection.selector().map(|selector| survey.covered(selector)).unwrap_or_default();
        let mut workloads: Vec<Covered<'a>> = Vec::new();
        for workload in covered.iter().filter_map(|group| scaled(survey, &group.maker)) {
            if workloads.iter().all(|known| known.workload.id != workload.id) {
                workloads.push(Covered { workload, bounds: Bounds::of(workload, survey.view) });
            }
        }
        Self { survey, name, budget, covered, workloads, now }
    }

    /// All pods it covers that are there.
    pub fn pods(&self) -> impl Iterator<Item = &'a Pod> {
        self.covered.iter().flat_map(|group| group.pods.iter().map(|(_, pod)| *pod))
    }

    /// How many pods should be healthy, by `replicas` of each workload; none when pods are covered whose number only
    /// their own controller knows.
    ///
    /// An integer `minAvailable` counts every pod, the others the scale of each workload
    /// (`kubernetes/pkg/controller/disruption/disruption.go`, `getExpectedPodCount`).
    pub fn expected(&self, replicas: impl Fn(Bounds) -> u32) -> Option<u32> {
        let scaled = self.workloads.iter().map(|covered| replicas(covered.bounds)).fold(0, u32::saturating_add);
        let others = self.covered.iter().filter(|group| scaled_kind(&group.maker).is_none());
        if self.counts_pods() {
            // A finished pod is expected, but never healthy.
            let running = |group: &Group<'_>| group.pods.iter().filter(|(_, pod)| !pod.phase.is_finished()).count();
            let pods: usize = others.map(|group| running(group)).sum();
            return Some(scaled.saturating_add(u32::try_from(pods).unwrap_or(u32::MAX)));
        }
        let computable = others.into_iter().all(|group| match group.maker {
            PodOwner::Nobody => true,
            PodOwner::Workload(_) | PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Unknown(_) => {
                group.pods.is_empty()
            }
        });
        computable.then_some(scaled)
    }

    /// How many pods are asked for now; none where nothing is, or only a controller of its own knows how many.
    pub(super) fn asked(&self) -> Option<u32> {
        self.expected(|bounds| bounds.asked).filter(|asked| 0 < *asked && !self.covers_custom_pods())
    }

    /// Whether it can't allow an eviction of what is asked for now; none where that isn't known.
    pub(super) fn never_allows(&self) -> Option<bool> {
        let Ok(limit) = &self.budget.limit else { return Some(true) };
        self.asked().map(|asked| limit.evictable(asked) == 0)
    }

    /// Whether a HelmRelease made it, so that it is changed in values.
    pub(super) fn is_of_a_chart(&self) -> bool {
        let owner = self.survey.view.flux_owner(Kind::PodDisruptionBudget, self.name, &self.budget.flux);
        owner.is_some_and(|owner| owner.kind.kind() == Kind::HelmRelease)
    }

    /// Whether it covers pods that a custom resource owns.
    fn covers_custom_pods(&self) -> bool {
        self.covered.iter().any(|group| match group.maker {
            PodOwner::Custom(_) => group.pods.iter().any(|(_, pod)| !pod.phase.is_finished()),
            PodOwner::Workload(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => false,
        })
    }

    /// Whether its limit is an integer `minAvailable`, which works over any mix of pods.
    pub fn counts_pods(&self) -> bool {
        match self.budget.limit {
            Ok(Limit::MinAvailable(Amount::Pods(_))) => true,
            Ok(Limit::MinAvailable(Amount::Share(_)) | Limit::MaxUnavailable(_)) | Err(_) => false,
        }
    }

    /// The first of the workloads of these kinds whose pods it covers.
    pub(super) fn covers_kind(&self, kinds: &[WorkloadKind]) -> Option<&WorkloadRef> {
        self.covered.iter().find_map(|group| match &group.maker {
            PodOwner::Workload(id) => kinds.contains(&id.kind).then_some(id),
            PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => None,
        })
    }
}

impl<'a> WorkloadCase<'a> {
    /// Where its number of replicas stands. A finding about one that was guessed is about its release.
    pub(super) fn replicas_field(&self) -> Cow<'static, str> {
        match self.workload.replicas_value() {
            Some(value) if self.workload.guessed => format!("spec.values.{value}").into(),
            Some(_) | None => "spec.replicas".into(),
        }
    }

    /// Its own pods.
    pub fn pods(&self) -> impl Iterator<Item = &'a Pod> + use<'a> {
        let covered =
            self.workload.selection.selector().map(|selector| self.survey.covered(selector)).unwrap_or_default();
        let id = &self.workload.id;
        let own = covered.into_iter().filter(move |group| group.maker == PodOwner::Workload(id.clone()));
        own.flat_map(|group| group.pods.iter().map(|(_, pod)| *pod))
    }
}

fn scaled<'a>(survey: &Survey<'a>, maker: &PodOwner) -> Option<&'a Workload> {
    scaled_kind(maker)?;
    match maker {
        PodOwner::Workload(id) => survey.view.workload(id),
        PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => None,
    }
}

/// The kinds whose scale the disruption controller can read.
fn scaled_kind(maker: &PodOwner) -> Option<WorkloadKind> {
    let PodOwner::Workload(id) = maker else { return None };
    match id.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::ReplicaSet => Some(id.kind),
        WorkloadKind::DaemonSet | WorkloadKind::Job | WorkloadKind::CronJob => None,
    }
}
