//! What is declared about a start from nothing, when everything was off.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{duration, shape};

/// What is declared about a start from nothing, when everything was off.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ColdStart {
    /// How long an outage of everything may last, from 1m to 8760h, with the target still starting by itself afterwards.
    #[serde(default = "week")]
    #[schemars(schema_with = "duration::outage")]
    pub survive_outage: String,
    /// Whether the other server unseals itself, though its seal says that people are needed: something outside unseals it.
    #[serde(default)]
    pub transit_unseals_itself: bool,
    /// The VaultTransitUnseals, by name or `namespace/name`, whose targets must run before the other server can. At most 16.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "resources")]
    pub depends_on: Vec<String>,
}

impl Default for ColdStart {
    fn default() -> Self {
        Self { survive_outage: week(), transit_unseals_itself: false, depends_on: Vec::new() }
    }
}

fn resources(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    schemars::json_schema!({ "type": "array", "maxItems": 16, "items": shape::resource(generator) })
}

fn week() -> String {
    "168h".to_owned()
}
