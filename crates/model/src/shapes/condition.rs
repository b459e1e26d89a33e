//! Conditions of pods and nodes, of which only `Ready` is read.

use std::fmt;

use jiff::Timestamp;
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer};

#[derive(Clone, Copy, Debug, Deserialize)]
pub(super) struct Condition {
    r#type: ConditionType,
    status: ConditionStatus,
    #[serde(default, rename = "lastTransitionTime", deserialize_with = "lenient")]
    since: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum ConditionType {
    Ready,
    #[serde(other)]
    Other,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum ConditionStatus {
    True,
    #[serde(other)]
    Other,
}

/// The status of the condition `Ready`, when there is one.
pub(super) fn ready(conditions: Option<&[Condition]>) -> Option<ConditionStatus> {
    Some(found(conditions)?.status)
}

/// Since when the condition `Ready` is what it is, where that is told.
pub(super) fn ready_since(conditions: Option<&[Condition]>) -> Option<Timestamp> {
    found(conditions)?.since
}

fn found(conditions: Option<&[Condition]>) -> Option<&Condition> {
    conditions?.iter().find(|condition| condition.r#type == ConditionType::Ready)
}

/// A time that can't be read is none: the pod is worth more than its date.
fn lenient<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Timestamp>, D::Error> {
    deserializer.deserialize_option(Lenient)
}

struct Lenient;

impl<'de> Visitor<'de> for Lenient {
    type Value = Option<Timestamp>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time")
    }

    fn visit_none<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(text.parse().ok())
    }
}
