//! The rules: what each is called, how much it matters, what it checks, and its prose.
//!
//! A rule is one file with its prose beside it. [`RuleId::rule`] is a total `match`, so that a rule without a file, or
//! a file without a rule, doesn't compile. A check has three answers, and a fourth for what only time can tell.

mod budget_contested;
mod budget_loose;
mod budget_matches_nothing;
mod budget_missing;
mod budget_not_synced;
mod budget_selects_all;
mod budget_selects_daemonset;
mod budget_selects_job;
mod budget_without_controller;
mod budgets_overlap;
mod drain_blocked;
mod drain_blocked_when_unready;
mod exception_expired;
mod hpa_below_min_available;
mod judge;
mod object_unreadable;
mod quorum_even;
mod replicas_on_one_node;
mod selector_invalid;
mod selector_shared;
mod singleton;
mod subject;

use std::borrow::Cow;

use holdfast_model::{Kind, Position, Repository, Subject};
use jiff::Timestamp;

pub(crate) use judge::judge_files;
pub use judge::{Judgement, Subjects, judge};
pub use subject::{BudgetCase, Covered, WorkloadCase};

use crate::{Domain, Exception, RuleId, Severity};

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name.
    pub id: RuleId,
    /// Of what it speaks.
    pub domain: Domain,
    /// How much it matters, unless a finding says otherwise.
    pub severity: Severity,
    /// What it finds, in one line.
    pub summary: &'static str,
    /// Why it matters, what happens otherwise, and the remedy, in Markdown.
    pub prose: &'static str,
    check: Check,
}

/// What a rule looks at, and how. A rule that looks at two kinds of objects has two checks.
#[derive(Clone, Copy, Debug)]
enum Check {
    Budget(fn(&BudgetCase<'_>) -> Verdict),
    Workload(fn(&WorkloadCase<'_>) -> Verdict),
    Both(fn(&BudgetCase<'_>) -> Verdict, fn(&WorkloadCase<'_>) -> Verdict),
    Exception(fn(&Exception, Timestamp) -> Verdict),
    Unreadable(fn(Kind, &str) -> Verdict),
    /// Looks at what only files have; says of each subject whether it holds.
    Files(fn(&Repository, &mut Answers)),
}

/// What a check of files answers, about one subject after the other.
#[derive(Debug, Default)]
struct Answers {
    holds: usize,
    failures: Vec<(Subject, Option<Position>, Problem)>,
}

#[expect(dead_code, reason = "until the first rule about files")]
impl Answers {
    /// The rule applies to a subject, and nothing is wrong.
    fn holds(&mut self) {
        self.holds += 1;
    }

    /// Something is wrong with an object; where it is written, whoever read it knows.
    fn fails(&mut self, subject: &Subject, problem: Problem) {
        self.failures.push((subject.clone(), None, problem));
    }

    /// Something is wrong at this place, which is no field of an object.
    fn fails_at(&mut self, subject: &Subject, position: Position, problem: Problem) {
        self.failures.push((subject.clone(), Some(position), problem));
    }
}

/// What a check answers.
#[derive(Debug)]
enum Verdict {
    /// The rule applies, and nothing is wrong.
    Holds,
    /// The rule has nothing to say about this object.
    NotApplicable,
    /// Too early to say; ask again then.
    NotYet(Timestamp),
    /// Something is wrong.
    Fails(Problem),
}

/// What is wrong with an object.
#[derive(Debug)]
struct Problem {
    /// The field that a person changes, as a path; empty for the object itself.
    field: Cow<'static, str>,
    /// How much it matters, where that isn't the rule's own severity.
    severity: Option<Severity>,
    /// What is wrong: a clause in lower case, without a full stop.
    message: String,
    /// What to do about it: a clause in lower case, without a full stop.
    remedy: Cow<'static, str>,
}

impl Problem {
    fn at(field: impl Into<Cow<'static, str>>, message: String, remedy: impl Into<Cow<'static, str>>) -> Self {
        Self { field: field.into(), severity: None, message, remedy: remedy.into() }
    }

    fn severe(self, severity: Severity) -> Self {
        Self { severity: Some(severity), ..self }
    }

    fn fails(self) -> Verdict {
        Verdict::Fails(self)
    }
}

impl RuleId {
    /// The rule behind the name.
    #[must_use]
    pub const fn rule(self) -> &'static Rule {
        match self {
            Self::DrainBlocked => &drain_blocked::RULE,
            Self::BudgetsOverlap => &budgets_overlap::RULE,
            Self::BudgetSelectsDaemonset => &budget_selects_daemonset::RULE,
            Self::BudgetSelectsJob => &budget_selects_job::RULE,
            Self::BudgetNotSynced => &budget_not_synced::RULE,
            Self::SelectorShared => &selector_shared::RULE,
            Self::HpaBelowMinAvailable => &hpa_below_min_available::RULE,
            Self::BudgetMissing => &budget_missing::RULE,
            Self::BudgetSelectsAll => &budget_selects_all::RULE,
            Self::BudgetWithoutController => &budget_without_controller::RULE,
            Self::BudgetContested => &budget_contested::RULE,
            Self::SelectorInvalid => &selector_invalid::RULE,
            Self::ExceptionExpired => &exception_expired::RULE,
            Self::ObjectUnreadable => &object_unreadable::RULE,
            Self::DrainBlockedWhenUnready => &drain_blocked_when_unready::RULE,
            Self::BudgetMatchesNothing => &budget_matches_nothing::RULE,
            Self::BudgetLoose => &budget_loose::RULE,
            Self::QuorumEven => &quorum_even::RULE,
            Self::Singleton => &singleton::RULE,
            Self::ReplicasOnOneNode => &replicas_on_one_node::RULE,
        }
    }
}
