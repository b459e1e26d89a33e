//! What to do about a pod that stays.

use holdfast_model::facts::Limit;

use super::blocker::{Case, Cause, Lasting};
use super::fit::Obstacle;
use super::home::{BudgetEntry, Home};
use super::waves::Stuck;
use crate::eviction::Objection;

/// Touches a budget; the value says nothing.
const TOUCH: &str = "metadata:\n  annotations:\n    holdfast.dev/touched: \"1\"\n";

/// On what a budget is spent that lets some of its pods go at full health.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spent {
    /// On one that went and doesn't come back elsewhere.
    Lost(Obstacle),
    /// On one that went with the same pass, after which the drainer doesn't ask again.
    AskedOnce,
}

/// In words, and as YAML to merge into the budget where that can be said exactly.
pub(super) fn remedy(
    home: &Home<'_>,
    pod: usize,
    stuck: &Stuck,
    cause: &Cause,
    case: Case,
) -> (String, Option<String>) {
    match (stuck, cause) {
        (Stuck::Several(budgets), _) => {
            let names = budgets.iter().map(|budget| home.budgets[*budget].name.as_str()).collect::<Vec<_>>();
            (format!("keep one of {} and delete the other", names.join(" and ")), None)
        }
        (Stuck::Budget(..), Cause::StatusStale { .. }) => {
            let words = "annotate the budget, or touch one of its pods: the disruption controller counts anew then; if it doesn't, see whether kube-controller-manager runs";
            (words.to_owned(), Some(TOUCH.to_owned()))
        }
        (Stuck::Budget(budget, objection), _) => {
            of_budget(&home.budgets[*budget], objection, case, home.pods[pod].pod.ready)
        }
        (Stuck::OutOfTime { .. }, _) => {
            let words = "let more of its pods go at once, shorten the initialDelaySeconds of its probes, or let the drainer wait longer";
            (words.to_owned(), None)
        }
    }
}

fn of_spent(spent: Spent) -> String {
    match spent {
        Spent::Lost(obstacle) => format!(
            "let more of its pods go at once, or give the one that went before it another node: {}",
            obstacle.because()
        ),
        Spent::AskedOnce => "let the drainer ask again, or more of its pods go at once: one that asks once takes no more from a node than the budget allows".to_owned(),
    }
}

fn of_budget(entry: &BudgetEntry<'_>, objection: &Objection, case: Case, ready: bool) -> (String, Option<String>) {
    if let (Objection::NoneLeft { .. }, Lasting::Structural, Some(spent)) = (objection, case.lasting, case.spent) {
        return (of_spent(spent), None);
    }
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
        (Objection::NoneLeft { .. }, Lasting::Transient) if !ready => {
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
