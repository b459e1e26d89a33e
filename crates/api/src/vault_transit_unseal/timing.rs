//! How often the servers are asked, and how long for.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;

/// How often the servers are asked, and how long they may take.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Timing {
    /// How often the servers are asked, from 1s to 10m.
    #[serde(default = "interval")]
    #[schemars(schema_with = "duration::interval")]
    pub interval: String,
    /// How long a server may take to answer, from 1s to 60s. An initialisation has 120 s whatever is written here.
    #[serde(default = "request_timeout")]
    #[schemars(schema_with = "duration::request_timeout")]
    pub request_timeout: String,
}

impl Default for Timing {
    fn default() -> Self {
        Self { interval: interval(), request_timeout: request_timeout() }
    }
}

fn interval() -> String {
    "5s".to_owned()
}

fn request_timeout() -> String {
    "10s".to_owned()
}
