//! The standard label selector, with bounds that let the API server check it.

use std::collections::BTreeMap;

use kube_derive::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the API accepts as a label's key: `qualifiedNameFmt` of apimachinery, behind an optional domain.
const KEY: &str = "^([a-z0-9]([-a-z0-9]*[a-z0-9])?([.][a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$";
const KEY_MESSAGE: &str = "a label key is a name such as app, or one behind a domain such as app.kubernetes.io/name";
/// What the API accepts as a label's value; its length has a bound of its own.
const VALUE: &str = "^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$";
const VALUE_MESSAGE: &str =
    "a label value has letters, digits, '-', '_' and '.', and begins and ends with a letter or digit";

/// Selects by labels; absent or empty selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[serde(rename_all = "camelCase")]
#[x_kube(crates(kube_core = "::kube_core"))]
pub struct LabelSelector {
    /// Labels that must all be there, with these values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(schema_with = "match_labels")]
    pub match_labels: BTreeMap<String, String>,
    /// Requirements that must all hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub match_expressions: Vec<SelectorRequirement>,
}

/// A requirement on one label.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, KubeSchema)]
#[x_kube(
    crates(kube_core = "::kube_core"),
    validation = kube_core::Rule::new("self.operator in ['In', 'NotIn'] ? has(self.values) && size(self.values) > 0 : true")
        .message("In and NotIn need values: write values: [\"a\", \"b\"]"),
    validation = kube_core::Rule::new("self.operator in ['Exists', 'DoesNotExist'] ? !has(self.values) || size(self.values) == 0 : true")
        .message("Exists and DoesNotExist take no values: leave values out"),
    validation = kube_core::Rule::new(format!("self.key.matches('{KEY}')")).message(KEY_MESSAGE),
    validation = kube_core::Rule::new(format!("!has(self.values) || self.values.all(value, value.matches('{VALUE}'))"))
        .message(VALUE_MESSAGE)
)]
pub struct SelectorRequirement {
    /// The label's key.
    #[schemars(length(max = 317))]
    pub key: String,
    /// How the label is compared.
    pub operator: Operator,
    /// What `In` and `NotIn` compare with.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 63)))]
    pub values: Vec<String>,
}

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
pub enum Operator {
    /// The label has one of the values.
    In,
    /// The label is absent or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is absent.
    DoesNotExist,
}

impl Operator {
    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::In => "In",
            Self::NotIn => "NotIn",
            Self::Exists => "Exists",
            Self::DoesNotExist => "DoesNotExist",
        }
    }
}

fn match_labels(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({
        "type": "object",
        "maxProperties": 32,
        "additionalProperties": { "type": "string", "maxLength": 63 },
        "x-kubernetes-validations": [
            { "rule": format!("self.all(key, key.matches('{KEY}'))"), "message": KEY_MESSAGE },
            { "rule": format!("self.all(key, self[key].matches('{VALUE}'))"), "message": VALUE_MESSAGE },
        ],
    })
}
