//! The plan for a namespace: an outcome for each workload, the writes, and the findings.

use std::collections::BTreeMap;

use holdfast_api::Mode;
use holdfast_model::facts::{Budget, FluxOwner, Workload};
use holdfast_model::{Kind, NamespaceView, ObjectKey, PodOwner, Text, WorkloadRef};
use jiff::Timestamp;

use super::write::{diff, name, serving};
use super::{Bounds, Case, Decision, Settings, Wanted, Write, decide};
use crate::pod_security::{self, Look};
use crate::policies::Judged;
use crate::survey::{Group, Named, Survey};
use crate::{Excepted, Finding, Policies, RuleId, rules};

/// Everything that is decided about a namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespacePlan {
    /// The namespace.
    pub namespace: Text,
    /// What each workload gets, by kind and name.
    pub outcomes: Vec<Outcome>,
    /// What has to be written; empty when everything is as it should be.
    pub writes: Vec<Write>,
    /// What is wrong, worst first.
    pub findings: Vec<Finding>,
    /// How often each rule applied and nothing was wrong.
    pub held: rules::Held,
    /// How it stands by its Pod Security level; none where nobody decides about it.
    pub level: Option<pod_security::Outcome>,
    /// Budgets of ours that are there, those contested among them.
    pub owned: usize,
    /// When this plan would be another though nothing changed: an exception ends, a grace period is over.
    pub recheck_at: Option<Timestamp>,
}

/// What a workload gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The workload.
    pub workload: WorkloadRef,
    /// The Flux object in which a person changes it.
    pub owner: Option<FluxOwner>,
    /// The policy that decides; none where there is no policy at all.
    pub policy: Option<Text>,
    /// Policies that select it too.
    pub overruled: Vec<Text>,
    /// Whether the policy writes.
    pub enforced: bool,
    /// Between how many replicas it may have.
    pub bounds: Bounds,
    /// The decision.
    pub decision: Decision,
    /// The budget to have, when one is to be written.
    pub wanted: Option<Wanted>,
    /// A budget of ours that is left as it is without being judged.
    pub keeps: Option<Text>,
    /// A budget of ours that serves it now.
    pub serving: Option<Text>,
}

/// Decides everything about a namespace.
///
/// Pure: `now` only matters for what ends or matures by itself, and `recheck_at` says when it would matter next.
#[must_use]
pub fn plan_namespace(view: NamespaceView<'_>, policies: &Policies, now: Timestamp) -> NamespacePlan {
    let survey = Survey::new(view);
    let foreign = foreign_budgets(&survey);
    let outcomes: Vec<Outcome> =
        view.workloads().filter_map(|workload| outcome(&survey, &foreign, workload, policies, now)).collect();
    let writes = diff(&survey, &outcomes, policies);
    let level = Look::at(view, policies);
    let subjects = rules::Subjects { survey: &survey, outcomes: &outcomes, level: level.as_ref(), policies, now };
    let judgement = rules::judge(&subjects);
    let level = level.zip(view.namespace()).map(|(look, namespace)| look.outcome(namespace));
    NamespacePlan {
        namespace: view.name().clone(),
        outcomes,
        writes,
        findings: judgement.findings,
        held: judgement.held,
        level,
        owned: view.budgets().filter(|(_, budget)| budget.is_ours()).count(),
        recheck_at: judgement.recheck_at,
    }
}

/// The budgets that aren't ours to hold, by the workload whose pods they cover or would cover.
fn foreign_budgets(survey: &Survey<'_>) -> BTreeMap<WorkloadRef, Vec<Text>> {
    let mut found: BTreeMap<WorkloadRef, Vec<Text>> = BTreeMap::new();
    for (name, budget) in survey.view.budgets().filter(|(_, budget)| !budget.is_held()) {
        for id in covered_workloads(survey, budget) {
            let names = found.entry(id).or_default();
            if names.last() != Some(name) {
                names.push(name.clone());
            }
        }
    }
    found
}

fn covered_workloads(survey: &Survey<'_>, budget: &Budget) -> Vec<WorkloadRef> {
    let groups = budget.selection.selector().map(|selector| survey.covered(selector)).unwrap_or_default();
    groups.into_iter().flat_map(|group| claimants(survey.view, group)).collect()
}

/// Whose pods they are; where their owner isn't known (yet), whose they would be by their labels.
fn claimants(view: NamespaceView<'_>, group: &Group<'_>) -> Vec<WorkloadRef> {
    match &group.maker {
        PodOwner::Workload(id) => vec![id.clone()],
        PodOwner::Unknown(_) => {
            let claiming = view.workloads().filter(|workload| workload.selection.matches(group.labels));
            claiming.map(|workload| workload.id.clone()).collect()
        }
        PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody => Vec::new(),
    }
}

/// The outcome for a workload of a kind that can have a budget; none for the others.
fn outcome(
    survey: &Survey<'_>,
    foreign: &BTreeMap<WorkloadRef, Vec<Text>>,
    workload: &Workload,
    policies: &Policies,
    now: Timestamp,
) -> Option<Outcome> {
    let view = survey.view;
    let kind = workload.id.kind.kind();
    if !matches!(kind, Kind::Deployment | Kind::StatefulSet) {
        return None;
    }
    let default = Settings::without_policy();
    let mut selecting = view.namespace().into_iter().flat_map(|namespace| policies.selecting(namespace, workload));
    let (deciding, overruled): (Option<&Settings>, Vec<Text>) = if policies.has_disruption() {
        (selecting.next(), selecting.map(|settings| settings.name.clone()).collect())
    } else {
        (Some(&default), Vec::new())
    };
    let excepted = excepted_from_budget(view, workload, policies, now);
    let bounds = Bounds::of(workload, view);
    let serving = serving(survey, &workload.id);
    let case = Case {
        survey,
        workload,
        bounds,
        settings: deciding,
        excepted: excepted.as_ref(),
        foreign: foreign.get(&workload.id).map_or(&[], Vec::as_slice),
    };
    let enforced = deciding.is_some_and(|settings| settings.mode == Mode::Enforce);
    let decision = decide(case);
    let decision = match held(view, serving.map(|(_, budget)| budget), policies, &decision) {
        Some(why) => Decision::Held(why),
        None if enforced && serving.is_some() && bounds_are_unknown(view, bounds, &decision) => {
            Decision::Held("an autoscaler of its namespace can't be read")
        }
        None => decision,
    };
    let keeps = matches!(decision, Decision::Held(_)).then(|| serving.map(|(name, _)| name.clone())).flatten();
    let wanted = wanted(view, workload, serving, deciding.filter(|_| enforced), &decision);
    Some(Outcome {
        workload: workload.id.clone(),
        owner: view.flux_owner(kind, &workload.id.name, &workload.flux),
        policy: deciding.filter(|_| policies.has_disruption()).map(|settings| settings.name.clone()),
        overruled,
        enforced,
        bounds,
        decision,
        wanted,
        keeps,
        serving: serving.map(|(name, _)| name.clone()),
    })
}

fn wanted(
    view: NamespaceView<'_>,
    workload: &Workload,
    serving: Option<Named<'_>>,
    settings: Option<&Settings>,
    decision: &Decision,
) -> Option<Wanted> {
    let (Decision::Budget(terms), Some(settings), Some(selector)) = (decision, settings, workload.selection.selector())
    else {
        return None;
    };
    let key = ObjectKey::new(view.name().clone(), name(view, &workload.id, serving));
    Some(Wanted::new(key, workload.id.clone(), selector.clone(), *terms, settings))
}

/// Why a decision has to wait until something can be read, when it has. Only what would make or withdraw a budget for
/// want of knowledge waits: a withdrawal for a reason that is seen goes on.
fn held(
    view: NamespaceView<'_>,
    serving: Option<&Budget>,
    policies: &Policies,
    decision: &Decision,
) -> Option<&'static str> {
    if !matches!(decision, Decision::Budget(_) | Decision::NotSelected) {
        return None;
    }
    if view.is_unreadable(Kind::Namespace, None) {
        return Some("the Namespace can't be read");
    }
    if serving.and_then(Budget::policy).is_some_and(|policy| policies.is_unreadable(policy)) {
        return Some("its DisruptionPolicy can't be read");
    }
    if serving.is_none() && view.is_unreadable(Kind::PodDisruptionBudget, None) {
        return Some("a PodDisruptionBudget of its namespace can't be read");
    }
    None
}

/// Whether the decision stands on `spec.replicas` though an autoscaler that can't be read may set them. A new budget can
/// be made all the same: what is made for any number of replicas never blocks at another.
fn bounds_are_unknown(view: NamespaceView<'_>, bounds: Bounds, decision: &Decision) -> bool {
    let unreadable = |kind| view.is_unreadable(kind, None);
    matches!(decision, Decision::Budget(_) | Decision::Singleton)
        && bounds.scaler.is_none()
        && (unreadable(Kind::HorizontalPodAutoscaler) || unreadable(Kind::ScaledObject))
}

fn excepted_from_budget(
    view: NamespaceView<'_>,
    workload: &Workload,
    policies: &Policies,
    now: Timestamp,
) -> Option<Excepted> {
    let judged = Judged {
        namespace: view.name(),
        kind: workload.id.kind.kind().as_str(),
        name: &workload.id.name,
        labels: &workload.labels,
        opt_outs: [Some(&workload.opt_out), view.namespace().map(|namespace| &namespace.opt_out)],
    };
    policies.excepted(RuleId::BudgetMissing, &judged, now)
}
