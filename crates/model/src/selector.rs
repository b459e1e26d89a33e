//! Label selectors, evaluated exactly as the API server and the disruption controller do.
//!
//! An absent selector selects nothing and an empty one everything; which of the two applies is the caller's knowledge,
//! hence [`Selection`]. Syntax follows `LabelSelectorAsSelector` and `labels.NewRequirement`
//! (`k8s.io/apimachinery/pkg/apis/meta/v1/helpers.go`, `pkg/labels/selector.go`): one bad requirement makes the whole
//! selector invalid, it is never skipped.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::pool::Pool;
use crate::{Labels, Slice, Text};

/// A selector as it is written in an object.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RawSelector {
    /// Pairs that must all be there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_labels: Option<BTreeMap<String, String>>,
    /// Requirements that must all hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub match_expressions: Option<Vec<RawRequirement>>,
}

/// One requirement as it is written in an object; `operator` stays text, since newer servers may know more of them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
pub struct RawRequirement {
    /// The label's key.
    #[serde(default)]
    pub key: String,
    /// `In`, `NotIn`, `Exists` or `DoesNotExist`.
    #[serde(default)]
    pub operator: String,
    /// What `In` and `NotIn` compare with; must be absent or empty for the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub values: Option<Vec<String>>,
}

/// A selector that has been checked. Interned: a budget of ours shares that of its workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    requirements: Slice<Requirement>,
}

static POOL: LazyLock<Pool<Slice<Requirement>>> = LazyLock::new(Pool::default);

/// Drops the selectors that nobody has.
#[cfg(test)]
pub(crate) fn sweep() {
    POOL.count(|_| true);
}

/// One condition on the label under a key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: Text,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Test {
    /// From `matchLabels`; kept apart from an `In` of one value so that a selector is written back as it was read.
    Equals(Text),
    In(Slice<Text>),
    NotIn(Slice<Text>),
    Exists,
    DoesNotExist,
}

/// What an object says about whom it selects.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selection {
    /// There is no selector: nothing is selected.
    Absent,
    /// The selector can't be evaluated, and why.
    Invalid(Box<SelectorError>),
    /// A selector; one without requirements selects everything.
    Valid(Selector),
}

/// Why a selector can't be evaluated.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Error)]
pub enum SelectorError {
    /// The operator is none that this version knows.
    #[error("operator {operator:?} of key {key:?} is none of In, NotIn, Exists, DoesNotExist")]
    UnknownOperator {
        /// The requirement's key.
        key: String,
        /// What was written.
        operator: String,
    },
    /// `In` and `NotIn` need values.
    #[error("operator {operator} of key {key:?} needs at least one value")]
    NoValues {
        /// The requirement's key.
        key: String,
        /// The operator.
        operator: String,
    },
    /// `Exists` and `DoesNotExist` take none.
    #[error("operator {operator} of key {key:?} takes no values")]
    NeedlessValues {
        /// The requirement's key.
        key: String,
        /// The operator.
        operator: String,
    },
    /// Not a label key: an optional DNS subdomain and a slash, then at most 63 letters, digits, `-`, `_` and `.`.
    #[error("{0:?} is not a label key")]
    InvalidKey(String),
    /// Not a label value: at most 63 letters, digits, `-`, `_` and `.`, beginning and ending with a letter or digit.
    #[error("{value:?} is not a value that the label {key:?} can have")]
    InvalidValue {
        /// The requirement's key.
        key: String,
        /// The value.
        value: String,
    },
}

impl Selection {
    /// Reads an object's selector.
    #[must_use]
    pub fn parse(raw: Option<&RawSelector>) -> Self {
        match raw.map(Selector::try_from) {
            None => Self::Absent,
            Some(Err(error)) => Self::Invalid(Box::new(error)),
            Some(Ok(selector)) => Self::Valid(selector),
        }
    }

    /// The selector, unless absent or invalid.
    #[must_use]
    pub fn selector(&self) -> Option<&Selector> {
        match self {
            Self::Valid(selector) => Some(selector),
            Self::Absent | Self::Invalid(_) => None,
        }
    }

    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.selector().is_some_and(|selector| selector.matches(labels))
    }
}

impl Selector {
    /// Whether an object with these labels is selected.
    #[must_use]
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements.iter().all(|requirement| requirement.holds(labels))
    }

    /// Whether it has no requirement and so selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// What an index is asked for: keys with the values of which a selected object has one. None where a selector
    /// demands no value of any key.
    pub fn demands(&self) -> impl Iterator<Item = (&Text, &[Text])> {
        self.requirements.iter().filter_map(Requirement::demanded)
    }

    /// The selector as it was written.
    #[must_use]
    pub fn to_raw(&self) -> RawSelector {
        let mut raw = RawSelector::default();
        for requirement in self.requirements.iter() {
            requirement.write(&mut raw);
        }
        raw
    }
}

impl TryFrom<&RawSelector> for Selector {
    type Error = SelectorError;

    fn try_from(raw: &RawSelector) -> Result<Self, SelectorError> {
        let labels = raw.match_labels.iter().flatten().map(|(key, value)| Requirement::equals(key, value));
        let expressions = raw.match_expressions.iter().flatten().map(Requirement::try_from);
        let requirements: Vec<Requirement> = labels.chain(expressions).collect::<Result<_, _>>()?;
        Ok(Self { requirements: POOL.intern(requirements.as_slice()) })
    }
}

impl Default for Selector {
    /// Selects everything.
    fn default() -> Self {
        Self { requirements: Slice::default() }
    }
}

impl Requirement {
    fn equals(key: &str, value: &str) -> Result<Self, SelectorError> {
        check_key(key)?;
        check_value(key, value)?;
        Ok(Self { key: key.into(), test: Test::Equals(value.into()) })
    }

    /// Whether an object with these labels meets it.
    #[must_use]
    pub fn holds(&self, labels: &Labels) -> bool {
        let value = labels.value_of(&self.key);
        match &self.test {
            Test::Equals(wanted) => value == Some(wanted),
            Test::In(values) => value.is_some_and(|value| values.contains(value)),
            Test::NotIn(values) => value.is_none_or(|value| !values.contains(value)),
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
        }
    }

    /// The key, and the values of which an object has one that meets it; none where it asks for no value.
    #[must_use]
    pub fn demanded(&self) -> Option<(&Text, &[Text])> {
        match &self.test {
            Test::Equals(value) => Some((&self.key, std::slice::from_ref(value))),
            Test::In(values) => Some((&self.key, values)),
            Test::NotIn(_) | Test::Exists | Test::DoesNotExist => None,
        }
    }

    fn write(&self, raw: &mut RawSelector) {
        let (operator, values) = match &self.test {
            Test::Equals(value) => {
                raw.match_labels.get_or_insert_default().insert(self.key.to_string(), value.to_string());
                return;
            }
            Test::In(values) => ("In", Some(values)),
            Test::NotIn(values) => ("NotIn", Some(values)),
            Test::Exists => ("Exists", None),
            Test::DoesNotExist => ("DoesNotExist", None),
        };
        raw.match_expressions.get_or_insert_default().push(RawRequirement {
            key: self.key.to_string(),
            operator: operator.to_owned(),
            values: values.map(|values| values.iter().map(ToString::to_string).collect()),
        });
    }
}

impl TryFrom<&RawRequirement> for Requirement {
    type Error = SelectorError;

    fn try_from(raw: &RawRequirement) -> Result<Self, SelectorError> {
        check_key(&raw.key)?;
        let values = raw.values.as_deref().unwrap_or_default();
        let test = match raw.operator.as_str() {
            "In" => Test::In(some_values(raw, values)?),
            "NotIn" => Test::NotIn(some_values(raw, values)?),
            "Exists" => no_values(raw, values, Test::Exists)?,
            "DoesNotExist" => no_values(raw, values, Test::DoesNotExist)?,
            _ => return Err(SelectorError::UnknownOperator { key: raw.key.clone(), operator: raw.operator.clone() }),
        };
        Ok(Self { key: Text::from(&raw.key), test })
    }
}

fn some_values(raw: &RawRequirement, values: &[String]) -> Result<Slice<Text>, SelectorError> {
    if values.is_empty() {
        return Err(SelectorError::NoValues { key: raw.key.clone(), operator: raw.operator.clone() });
    }
    values.iter().map(|value| check_value(&raw.key, value).map(|()| Text::from(value))).collect()
}

fn no_values(raw: &RawRequirement, values: &[String], test: Test) -> Result<Test, SelectorError> {
    if values.is_empty() {
        return Ok(test);
    }
    Err(SelectorError::NeedlessValues { key: raw.key.clone(), operator: raw.operator.clone() })
}

fn check_value(key: &str, value: &str) -> Result<(), SelectorError> {
    if value.is_empty() || is_name(value) {
        return Ok(());
    }
    Err(SelectorError::InvalidValue { key: key.to_owned(), value: value.to_owned() })
}

fn check_key(key: &str) -> Result<(), SelectorError> {
    let valid = match key.split_once('/') {
        None => is_name(key),
        Some((prefix, name)) => is_subdomain(prefix) && is_name(name),
    };
    if valid { Ok(()) } else { Err(SelectorError::InvalidKey(key.to_owned())) }
}

/// `qualifiedNameFmt` in `k8s.io/apimachinery/pkg/util/validation`.
fn is_name(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_' | b'.');
    text.len() <= 63 && ends_alphanumeric(text.as_bytes()) && text.bytes().all(inner)
}

/// `dns1123SubdomainFmt` in `k8s.io/apimachinery/pkg/util/validation`.
fn is_subdomain(text: &str) -> bool {
    let inner = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let label = |label: &str| ends_alphanumeric(label.as_bytes()) && label.bytes().all(inner);
    text.len() <= 253 && text.split('.').all(label)
}

fn ends_alphanumeric(text: &[u8]) -> bool {
    let end = |c: Option<&u8>| c.is_some_and(u8::is_ascii_alphanumeric);
    end(text.first()) && end(text.last())
}

#[cfg(test)]
mod tests;
