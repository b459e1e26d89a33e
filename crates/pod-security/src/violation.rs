//! What is wrong with a pod: in the server's words, and in those of a person who has to change it.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::check::Check;
use crate::fix::Fix;
use crate::path::Path;

/// A check that forbids a pod. Printed as the server does: `reason (detail)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Which check.
    pub check: Check,
    /// The server's `ForbiddenReason`.
    pub reason: &'static str,
    /// The server's `ForbiddenDetail`.
    pub detail: String,
    /// Every place that has to change.
    pub offences: Vec<Offence>,
}

/// One place that has to change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Offence {
    /// Where; if something is missing, where it has to be.
    pub path: Path,
    /// What is there, as JSON; `None` when nothing is.
    pub value: Option<Cow<'static, str>>,
    /// What cures it.
    pub fix: Fix,
}

impl Offence {
    pub(crate) fn set(path: Path, value: Option<Cow<'static, str>>, to: &'static str) -> Self {
        Self { fix: Fix::Set { path: path.clone(), value: to }, path, value }
    }

    pub(crate) fn remove(path: Path, value: Cow<'static, str>) -> Self {
        Self { fix: Fix::Remove { path: path.clone() }, path, value: Some(value) }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.reason, self.detail)
    }
}

/// The text that the server puts into a refusal or a warning about one object.
///
/// It says `violates PodSecurity "restricted:v1.35": ` before it, with the version as the label has it.
pub fn forbidden_detail(violations: &[Violation]) -> String {
    joined(violations, |violation| [violation.reason, " (", &violation.detail, ")"])
}

/// The text that the server puts into a warning about the pods of a namespace.
pub fn forbidden_reason(violations: &[Violation]) -> String {
    joined(violations, |violation| [violation.reason])
}

fn joined<'a, const N: usize>(violations: &'a [Violation], parts: impl Fn(&'a Violation) -> [&'a str; N]) -> String {
    let length = violations.iter().map(|violation| 5 + violation.reason.len() + violation.detail.len()).sum();
    let mut text = String::with_capacity(length);
    for violation in violations {
        if !text.is_empty() {
            text.push_str(", ");
        }
        text.extend(parts(violation));
    }
    text
}

/// The changes that cure all of the violations, each once, in an order in which they can be made one after the other:
/// what leaves a list leaves it from behind, so that no place moves before its turn.
pub fn fixes(violations: &[Violation]) -> Vec<&Fix> {
    let mut fixes: Vec<&Fix> = Vec::new();
    for fix in violations.iter().flat_map(|violation| &violation.offences).map(|offence| &offence.fix).rev() {
        if !fixes.contains(&fix) {
            fixes.push(fix);
        }
    }
    fixes
}
