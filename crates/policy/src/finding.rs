//! What was found: the rule, the object, the Flux owner that a person edits, what is wrong and what to do.

use std::borrow::Cow;
use std::cmp::{Ordering, Reverse};
use std::fmt;

use holdfast_model::facts::FluxOwner;
use holdfast_model::{Position, Subject, Text, WorkloadRef};
use jiff::Timestamp;

use crate::{PolicyRef, RuleId, Severity};

/// Something that a rule found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// How much it matters here.
    pub severity: Severity,
    /// The object.
    pub subject: Subject,
    /// The field that is wrong, as a path; empty for the object itself.
    pub field: Cow<'static, str>,
    /// Where it is written, when the rule itself knows (facts of files); else whoever shows it asks `Locate`.
    pub position: Option<Position>,
    /// What is wrong: a clause in lower case, without a full stop.
    pub message: String,
    /// What to do about it: a clause in lower case, without a full stop.
    pub remedy: Cow<'static, str>,
    /// The same as a merge patch of the object in YAML, where that can be said exactly.
    pub patch: Option<&'static str>,
    /// The workloads that it concerns: the subject itself, or those that a budget covers.
    pub workloads: Vec<WorkloadRef>,
    /// In which HelmRelease or Kustomization a person mends it.
    pub owner: Option<FluxOwner>,
    /// The policy under which it counts.
    pub policy: Option<PolicyRef>,
    /// The exception that covers it.
    pub excepted: Option<Excepted>,
}

/// The exception that covers a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Excepted {
    /// The PolicyException's name, or none for an annotation.
    pub by: Option<Text>,
    /// The reason given.
    pub reason: Option<Text>,
    /// When it ends.
    pub until: Option<Timestamp>,
}

impl Finding {
    /// Whether it wants mending: neither merely worth knowing nor excepted.
    #[must_use]
    pub fn counts(&self) -> bool {
        Severity::Info < self.severity && self.excepted.is_none()
    }

    /// The order in which findings are shown: those that count before those that are excepted, the worst first, then by
    /// rule and object.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        let weight = |finding: &Self| (finding.excepted.is_some(), Reverse(finding.severity), finding.rule);
        weight(self).cmp(&weight(other)).then_with(|| self.subject.cmp(&other.subject))
    }

    /// What is wrong and what to do, as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        format!("{}; {}", self.message, self.remedy)
    }
}

impl fmt::Display for Excepted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.by {
            Some(name) => write!(f, "PolicyException {name}")?,
            None => f.write_str("annotation holdfast.dev/ignore")?,
        }
        if let Some(reason) = &self.reason {
            write!(f, ": {reason}")?;
        }
        if let Some(until) = &self.until {
            write!(f, " (until {until})")?;
        }
        Ok(())
    }
}
