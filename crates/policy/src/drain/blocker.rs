//! Who stands in the way of a drain: a pod that its budgets don't let go, or not in time, or one that wouldn't come back to work.

use std::time::Duration;

use holdfast_model::facts::{FluxOwner, Refusal, Unseal};
use holdfast_model::{Kind, ObjectKey, PodOwner, Text, WorkloadRef};
use jiff::Timestamp;

use super::Patience;
use super::home::Home;
use super::remedy::{Spent, remedy};
use super::waves::Stuck;
use crate::duration::in_words;
use crate::eviction::Objection;

/// A pod that stays, or had better, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blocker {
    /// The pod.
    pub pod: ObjectKey,
    /// Why.
    pub cause: Cause,
    /// The budgets that cover it, as far as they are why.
    pub budgets: Vec<Text>,
    /// The workload or custom resource that it belongs to.
    pub owner: PodOwner,
    /// In which HelmRelease or Kustomization a person mends the budget, or the workload where that isn't known; else that of the
    /// VaultTransitUnseal.
    pub flux: Option<FluxOwner>,
    /// Whether it passes.
    pub lasting: Lasting,
    /// Whether its workload is being rolled out: pods of two templates are there.
    pub rolls_out: bool,
    /// What to do about it: a clause in lower case, without a full stop.
    pub remedy: String,
    /// The same as YAML to merge into the budget, where that can be said exactly.
    pub patch: Option<String>,
}

/// Why a pod stays.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Cause {
    /// Several budgets cover it, which the eviction subresource doesn't support.
    SeveralBudgets,
    /// Its budget refuses.
    Budget(Objection),
    /// Its budget refuses on the strength of a status that was left stale: the disruption controller doesn't count anew until
    /// the budget or one of its pods changes.
    StatusStale {
        /// Ready pods as they were counted once.
        counts: i32,
        /// Ready pods that there are.
        ready: i32,
    },
    /// Its budget lets it go only when those before it are ready again, and by then the drainer has given up.
    OutOfTime {
        /// Seconds until then, at the least.
        needs: u32,
        /// How long the drainer waits.
        patience: Patience,
    },
    /// Nobody refuses, but it would stay sealed where it is started again.
    WouldNotStart(Box<StaysSealed>),
}

/// A Vault or OpenBao that wouldn't unseal itself.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StaysSealed {
    /// The VaultTransitUnseal that tells it, in the pod's namespace.
    pub unseal: Text,
    /// Why, and what to do, in its words.
    pub refusal: Refusal,
}

/// Whether something passes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lasting {
    /// It blocks at full health too.
    Structural,
    /// It blocks while something isn't healthy.
    Transient,
}

impl Lasting {
    /// As it is written in status.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Structural => "Structural",
            Self::Transient => "Transient",
        }
    }
}

impl Cause {
    /// The reason in one word, as it is written in status and JSON.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::SeveralBudgets => "SeveralBudgets",
            Self::Budget(objection) => objection.reason(),
            Self::StatusStale { .. } => "StatusStale",
            Self::OutOfTime { .. } => "OutOfTime",
            Self::WouldNotStart(_) => "WouldNotStart",
        }
    }

    /// What is wrong: a clause in lower case, without a full stop.
    #[must_use]
    pub fn message(&self) -> String {
        match self {
            Self::SeveralBudgets => "several budgets cover the same pod, which an eviction can't serve".to_owned(),
            Self::Budget(objection) => objection.to_string(),
            Self::StatusStale { counts, ready } => {
                let pods = if *ready == 1 { "pod" } else { "pods" };
                format!("its status was left stale: it counts {counts} of {ready} ready {pods}")
            }
            Self::OutOfTime { needs, patience } => {
                let needs = in_words(Duration::from_secs((*needs).into()));
                format!("its turn comes after {needs} at the earliest, and the drainer waits {patience}")
            }
            Self::WouldNotStart(stays) => stays.message(),
        }
    }
}

impl Blocker {
    /// The workload, when it is one.
    #[must_use]
    pub fn workload(&self) -> Option<&WorkloadRef> {
        match &self.owner {
            PodOwner::Workload(id) => Some(id),
            PodOwner::Custom(_) | PodOwner::Node(_) | PodOwner::Nobody | PodOwner::Unknown(_) => None,
        }
    }

    /// The names of its budgets, as in a sentence.
    #[must_use]
    pub fn budget_names(&self) -> String {
        self.budgets.iter().map(Text::as_str).collect::<Vec<_>>().join(" and ")
    }

    /// What is wrong: a clause in lower case, without a full stop.
    #[must_use]
    pub fn message(&self) -> String {
        self.cause.message()
    }

    /// The VaultTransitUnseal that tells it, where nobody refuses to let the pod go.
    #[must_use]
    pub fn unseal(&self) -> Option<&Text> {
        match &self.cause {
            Cause::SeveralBudgets | Cause::Budget(_) | Cause::StatusStale { .. } | Cause::OutOfTime { .. } => None,
            Cause::WouldNotStart(stays) => Some(&stays.unseal),
        }
    }

    /// Whether its eviction is refused as things are. The others go as soon as they are asked, or as soon as it is their turn.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        match &self.cause {
            Cause::SeveralBudgets | Cause::Budget(_) | Cause::StatusStale { .. } => true,
            Cause::OutOfTime { .. } | Cause::WouldNotStart(_) => false,
        }
    }

    /// Who says so: `budget db`, or `VaultTransitUnseal vault: TokenDenied`.
    #[must_use]
    pub fn by(&self) -> String {
        match &self.cause {
            Cause::SeveralBudgets | Cause::Budget(_) | Cause::StatusStale { .. } | Cause::OutOfTime { .. } => {
                format!("budget {}", self.budget_names())
            }
            Cause::WouldNotStart(stays) if stays.refusal.cause.is_empty() => {
                format!("{} {}", Kind::VaultTransitUnseal, stays.unseal)
            }
            Cause::WouldNotStart(stays) => {
                format!("{} {}: {}", Kind::VaultTransitUnseal, stays.unseal, stays.refusal.cause)
            }
        }
    }
}

/// When a pod stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) lasting: Lasting,
    /// On what its budget is spent, when it lets others go.
    pub(super) spent: Option<Spent>,
    /// When it is looked at.
    pub(super) now: Timestamp,
}

/// A pod that its budgets don't let go, or not in time.
pub(super) fn stays(home: &Home<'_>, pod: usize, stuck: &Stuck, case: Case) -> Blocker {
    let (budgets, cause) = match stuck {
        Stuck::Several(budgets) => (budgets.clone(), Cause::SeveralBudgets),
        Stuck::Budget(budget, objection) => (vec![*budget], refusal(home, *budget, objection, case.now)),
        Stuck::OutOfTime { budget, needs, patience } => {
            (vec![*budget], Cause::OutOfTime { needs: *needs, patience: *patience })
        }
    };
    let (remedy, patch) = remedy(home, pod, stuck, &cause, case);
    Blocker {
        pod: home.key(pod),
        flux: flux_owner(home, pod, &budgets),
        cause,
        budgets: budgets.iter().map(|budget| home.budgets[*budget].name.clone()).collect(),
        owner: home.owner(pod),
        lasting: case.lasting,
        rolls_out: rolls_out(home, pod),
        remedy,
        patch,
    }
}

/// Why a budget refuses, and whether it should.
fn refusal(home: &Home<'_>, budget: usize, objection: &Objection, now: Timestamp) -> Cause {
    let entry = &home.budgets[budget];
    match (objection, entry.missed.filter(|missed| missed.is_sure(now))) {
        (Objection::NoneLeft { .. } | Objection::CountsNone, Some(missed)) => {
            Cause::StatusStale { counts: entry.budget.status.healthy, ready: missed.ready }
        }
        (
            Objection::NoneLeft { .. }
            | Objection::CountsNone
            | Objection::NotObserved
            | Objection::SyncFailed(_)
            | Objection::Negative
            | Objection::TooManyUnconfirmed,
            _,
        ) => Cause::Budget(objection.clone()),
    }
}

/// A pod that would stay sealed where it is started again.
pub(super) fn stays_sealed(home: &Home<'_>, pod: usize, unseal: &Text, told: &Unseal, refusal: &Refusal) -> Blocker {
    let stays = StaysSealed { unseal: unseal.clone(), refusal: refusal.clone() };
    Blocker {
        pod: home.key(pod),
        flux: home.view.flux_owner(Kind::VaultTransitUnseal, unseal, &told.flux),
        remedy: stays.remedy(home.view.name()),
        cause: Cause::WouldNotStart(Box::new(stays)),
        budgets: Vec::new(),
        owner: home.owner(pod),
        // A rollout that goes on, or pods that get ready, change nothing about it.
        lasting: Lasting::Structural,
        rolls_out: false,
        patch: None,
    }
}

impl StaysSealed {
    fn message(&self) -> String {
        let Refusal { cause, seen, .. } = &self.refusal;
        let cause = if cause.is_empty() { String::new() } else { format!(" ({cause})") };
        let seen = if seen.trim().is_empty() { String::new() } else { format!(": {}", clause(seen)) };
        format!("started again it would stay sealed{cause}{seen}")
    }

    fn remedy(&self, namespace: &Text) -> String {
        match self.refusal.remedy.trim() {
            "" => format!("see the condition WouldStart of {} {namespace}/{}", Kind::VaultTransitUnseal, self.unseal),
            remedy => clause(remedy),
        }
    }
}

/// A sentence of somebody else's as a clause: without the full stop, and in lower case unless it begins with a name.
fn clause(sentence: &str) -> String {
    let sentence = sentence.trim();
    let sentence = sentence.strip_suffix('.').unwrap_or(sentence);
    let mut letters = sentence.chars();
    match (letters.next(), letters.clone().next()) {
        (Some(first), Some(second)) if second.is_lowercase() => first.to_lowercase().chain(letters).collect(),
        _ => sentence.to_owned(),
    }
}

/// The labels by which controllers tell pods of one template from those of another.
const TEMPLATES: [&str; 2] = ["pod-template-hash", "controller-revision-hash"];

fn rolls_out(home: &Home<'_>, pod: usize) -> bool {
    let maker = &home.makers[home.maker_of(pod)];
    let pods = maker.groups.iter().flat_map(|group| &home.groups[*group].pods).map(|pod| home.pods[*pod].pod);
    let mut templates = pods
        .filter(|pod| !pod.phase.is_finished())
        .filter_map(|pod| TEMPLATES.iter().find_map(|label| pod.labels.get(label)));
    templates.next().is_some_and(|first| templates.any(|other| other != first))
}

fn flux_owner(home: &Home<'_>, pod: usize, budgets: &[usize]) -> Option<FluxOwner> {
    let view = home.view;
    let of_budget = budgets.iter().find_map(|budget| {
        let entry = &home.budgets[*budget];
        view.flux_owner(Kind::PodDisruptionBudget, entry.name, &entry.budget.flux)
    });
    of_budget.or_else(|| {
        let workload = home.makers[home.maker_of(pod)].workload?;
        view.flux_owner(workload.id.kind.kind(), &workload.id.name, &workload.flux)
    })
}

#[cfg(test)]
mod tests {
    use super::clause;

    #[test]
    fn a_sentence_becomes_a_clause_unless_it_begins_with_a_name() {
        assert_eq!(clause(" Unseal A first. Then wait. "), "unseal A first. Then wait");
        assert_eq!(clause("B itself doesn't need it."), "B itself doesn't need it");
        assert_eq!(clause("VAULT_TOKEN is empty"), "VAULT_TOKEN is empty");
        assert_eq!(clause("Ändere das."), "ändere das");
        assert_eq!((clause("."), clause(""), clause("A")), (String::new(), String::new(), "A".to_owned()));
    }
}
