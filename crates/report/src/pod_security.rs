//! Tells what the Pod Security Standards say about manifests: for a person, and for programs.
//!
//! Nothing is judged here: verdicts, messages and changes are those of [`holdfast_pod_security`]. Its paths begin at the
//! pod; what is told begins at the object, so that a path can be found in the file.

mod human;
mod json;

use holdfast_pod_security::{Fix, Level, Version, Violation};

pub use human::write_pod_security_human;
pub use json::write_pod_security_json;

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct PodSecurity<'a> {
    /// Everything that was judged, in the order of the files.
    pub objects: &'a [JudgedObject],
    /// The level that all have to keep; without one, each is told the strictest that it keeps.
    pub asked: Option<Level>,
    /// The version of the standards, as it was asked for.
    pub version: Version,
}

/// An object with pods, and what was judged of it.
#[derive(Clone, Debug, PartialEq)]
pub struct JudgedObject {
    /// The file.
    pub file: String,
    /// The line at which it begins.
    pub line: u32,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace, where it names one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
    /// Where its pod stands in it, such as `spec.template.`; empty for a pod.
    pub pod_at: &'static str,
    /// The level that was asked for, else the strictest that it keeps.
    pub level: Level,
    /// Whether it keeps that level.
    pub allowed: bool,
    /// What it does that the level forbids; without a level that was asked for, what the next stricter one forbids.
    pub violations: Vec<LocatedViolation>,
}

/// A violation, and what is written where it has to be mended.
#[derive(Clone, Debug, PartialEq)]
pub struct LocatedViolation {
    /// The violation.
    pub violation: Violation,
    /// One for each of its offences, in their order.
    pub written: Vec<Written>,
}

/// What a file says at the place of an offence.
#[derive(Clone, Debug, PartialEq)]
pub struct Written {
    /// The value; none where nothing is written.
    pub value: Option<serde_json::Value>,
    /// The line, of the nearest thing around it where nothing is written.
    pub line: u32,
    /// The column of it.
    pub column: u32,
}

impl JudgedObject {
    /// The level whose violations are told.
    fn forbidding(&self) -> Level {
        match (self.allowed, self.level) {
            (true, Level::Privileged) => Level::Baseline,
            (true, Level::Baseline) => Level::Restricted,
            (true, Level::Restricted) | (false, _) => self.level,
        }
    }

    /// `Deployment shop/web`
    fn title(&self) -> String {
        let namespace = self.namespace.as_ref().map(|namespace| format!("{namespace}/")).unwrap_or_default();
        format!("{} {namespace}{}", self.kind, self.name)
    }

    /// The sentence of a change, with the whole path.
    fn change(&self, fix: &Fix) -> String {
        let at = self.pod_at;
        match fix {
            Fix::Set { path, value } => format!("set {at}{path} to {value}"),
            Fix::Remove { path } => format!("remove {at}{path}"),
            Fix::Replace { path, by, value } => format!("replace {at}{path} by {by}: {value}"),
        }
    }
}

#[cfg(test)]
mod tests;
