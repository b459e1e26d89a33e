//! Between YAML values and JSON values: for what others decode, and for patches and generators that make values.

use serde_json::{Map, Number};

use crate::node::{Entry, Mapping};
use crate::{Node, Origin, Value};

impl Node {
    /// As JSON. What JSON has no number for (infinity, not a number) becomes null.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Integer(value) => (*value).into(),
            Value::Float(value) => Number::from_f64(*value).map_or(serde_json::Value::Null, Into::into),
            Value::String(text) => text.as_str().into(),
            Value::Sequence(items) => items.iter().map(Self::to_json).collect(),
            Value::Mapping(mapping) => {
                let entries = mapping.iter().map(|entry| (entry.key.to_string(), entry.value.to_json()));
                serde_json::Value::Object(entries.collect::<Map<_, _>>())
            }
        }
    }

    /// From JSON; all of it was written at that place.
    #[must_use]
    pub fn from_json(value: &serde_json::Value, origin: Origin) -> Self {
        let value = match value {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(value) => Value::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64() {
                Some(value) => Value::Integer(value),
                None => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::String(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Value::Sequence(items.iter().map(|item| Self::from_json(item, origin)).collect())
            }
            serde_json::Value::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Entry {
                    key: key.as_str().into(),
                    at: origin,
                    value: Self::from_json(value, origin),
                });
                Value::Mapping(entries.collect::<Mapping>())
            }
        };
        Self::new(value, origin)
    }
}

impl From<&serde_json::Value> for Node {
    /// A value that stands in no file.
    fn from(value: &serde_json::Value) -> Self {
        Self::from_json(value, Origin::NONE)
    }
}
