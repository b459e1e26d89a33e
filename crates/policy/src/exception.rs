//! Exceptions: parsed once, then asked for each finding.

use holdfast_api::PolicyException;
use holdfast_model::facts::OptOut;
use holdfast_model::selector::{Selector, SelectorError};
use holdfast_model::{Labels, Text};
use jiff::Timestamp;
use thiserror::Error;

use crate::policies::raw_selector;
use crate::{Excepted, RuleId};

/// A PolicyException that has been read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exception {
    /// Its name.
    pub name: Text,
    kind: Text,
    target: Target,
    rules: Vec<Exempt>,
    reason: Text,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Target {
    Named(Text),
    Selected(Selector),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exempt {
    All,
    Rule(RuleId),
}

/// Why an exception exempts nothing.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExceptionError {
    /// Its selector can't be evaluated.
    #[error("spec.target.selector: {0}")]
    Selector(#[from] SelectorError),
    /// It targets neither by name nor by selector.
    #[error("spec.target has neither name nor selector: give one of them")]
    NoTarget,
}

impl Exception {
    /// The rules it names that don't exist: told in its status, ignored otherwise.
    #[must_use]
    pub fn unknown_rules(spec: &[String]) -> Vec<&str> {
        spec.iter().map(String::as_str).filter(|rule| *rule != "*" && RuleId::parse(rule).is_none()).collect()
    }

    /// Whether it has ended.
    #[must_use]
    pub fn is_expired(&self, now: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }

    /// When it ends.
    #[must_use]
    pub fn expires_at(&self) -> Option<Timestamp> {
        self.expires_at
    }

    pub(crate) fn covers(&self, rule: RuleId, kind: &str, name: &Text, labels: &Labels) -> bool {
        let target = match &self.target {
            Target::Named(wanted) => wanted == name,
            Target::Selected(selector) => selector.matches(labels),
        };
        target && self.kind == kind && self.rules.iter().any(|exempt| exempt.is_from(rule))
    }

    pub(crate) fn excepted(&self) -> Excepted {
        Excepted { by: Some(self.name.clone()), reason: Some(self.reason.clone()), until: self.expires_at }
    }
}

impl Exempt {
    fn parse(rule: &str) -> Option<Self> {
        if rule == "*" { Some(Self::All) } else { RuleId::parse(rule).map(Self::Rule) }
    }

    fn is_from(self, rule: RuleId) -> bool {
        match self {
            Self::All => true,
            Self::Rule(known) => known == rule,
        }
    }
}

impl TryFrom<&PolicyException> for Exception {
    type Error = ExceptionError;

    fn try_from(raw: &PolicyException) -> Result<Self, ExceptionError> {
        let spec = &raw.spec;
        let target = match (&spec.target.name, &spec.target.selector) {
            (Some(name), _) => Target::Named(name.into()),
            (None, Some(selector)) => Target::Selected(Selector::try_from(&raw_selector(selector))?),
            (None, None) => return Err(ExceptionError::NoTarget),
        };
        Ok(Self {
            name: raw.metadata.name.as_deref().unwrap_or_default().into(),
            kind: Text::from(&spec.target.kind),
            target,
            rules: spec.rules.iter().filter_map(|rule| Exempt::parse(rule)).collect(),
            reason: Text::from(&spec.reason),
            expires_at: spec.expires_at.as_ref().map(|time| time.0),
        })
    }
}

/// What an object's own annotation exempts it from.
pub(crate) fn opted_out(opt_out: &OptOut, rule: RuleId) -> Option<Excepted> {
    let exempt = opt_out.rules().iter().filter_map(|text| Exempt::parse(text)).any(|exempt| exempt.is_from(rule));
    exempt.then(|| Excepted { by: None, reason: opt_out.reason().cloned(), until: None })
}
