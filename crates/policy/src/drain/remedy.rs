//! What to do about a pod that stays.

use holdfast_model::facts::Limit;

use super::blocker::Lasting;
use super::home::{BudgetEntry, Home};
use super::waves::Stuck;
use crate::eviction::Objection;

/// When a pod stays.
#[derive(Clone, Copy, Debug)]
pub(super) struct Case {
    pub(super) lasting: Lasting,
    /// Whether the pod that stays is ready itself.
    pub(super) ready: bool,
}

/// In words, and as YAML to merge into the budget where that can be said exactly.
pub(super) fn remedy(home: &Home<'_>, stuck: &Stuck, case: Case) -> (String, Option<String>) {
    match stuck {
        Stuck::Several(budgets) => {
            let names = budgets.iter().map(|budget| home.budgets[*budget].name.as_str()).collect::<Vec<_>>();
            (format!("keep one of {} and delete the other", names.join(" and ")), None)
        }
        Stuck::Budget(budget, objection) => of_budget(&home.budgets[*budget], objection, case),
        Stuck::OutOfTime { .. } => {
            let words = "let more of its pods go at once, shorten the initialDelaySeconds of its probes, or let the drainer wait longer";
            (words.to_owned(), None)
        }
    }
}

fn of_budget(entry: &BudgetEntry<'_>, objection: &Objection, case: Case) -> (String, Option<String>) {
    match (objection, case.lasting) {
        (Objection::NotObserved, _) => {
            ("see whether kube-controller-manager runs: it has not counted the budget's pods".to_owned(), None)
        }
        (Objection::SyncFailed(_) | Objection::CountsNone, _) => {
            ("let the budget select only pods of Deployments, StatefulSets or ReplicaSets".to_owned(), None)
        }
        (Objection::Negative | Objection::TooManyUnconfirmed, _) => {
            ("see whether kube-controller-manager runs: evictions aren't being counted".to_owned(), None)
        }
        (Objection::NoneLeft { .. }, Lasting::Transient) if !case.ready => {
            let words = "mend the pod, which isn't ready, or let such pods go: unhealthyPodEvictionPolicy: AlwaysAllow";
            (words.to_owned(), Some("spec:\n  unhealthyPodEvictionPolicy: AlwaysAllow\n".to_owned()))
        }
        (Objection::NoneLeft { .. }, Lasting::Transient) => {
            ("wait until all its pods are ready, or mend the one that isn't".to_owned(), None)
        }
        (Objection::NoneLeft { .. }, Lasting::Structural) => match entry.full.expected {
            0 | 1 => {
                let words = "run two replicas or more, or remove the budget: over a single pod it protects nothing";
                (words.to_owned(), Some(one_may_go(entry.budget.limit.as_ref().ok())))
            }
            _ => ("write maxUnavailable: 1 instead".to_owned(), Some(one_may_go(entry.budget.limit.as_ref().ok()))),
        },
    }
}

fn one_may_go(limit: Option<&Limit>) -> String {
    let dropped = match limit {
        Some(Limit::MinAvailable(_)) => "  minAvailable: null\n",
        Some(Limit::MaxUnavailable(_)) | None => "",
    };
    format!("spec:\n{dropped}  maxUnavailable: 1\n  unhealthyPodEvictionPolicy: AlwaysAllow\n")
}
