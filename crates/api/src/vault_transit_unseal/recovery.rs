//! What is done about a target that a person sealed, and who keeps its recovery keys.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What is done about a target that a person sealed, and who keeps its recovery keys.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Recovery {
    /// What is done about a pod that was sealed through the API, which is an emergency stop.
    #[serde(default)]
    pub on_api_seal: OnApiSeal,
    /// Who keeps the recovery keys.
    #[serde(default)]
    pub custody: Custody,
}

/// What is done about a pod that was sealed through the API.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum OnApiSeal {
    /// It is reported, and stays sealed.
    #[default]
    Report,
    /// One pod at a time is restarted, which unseals it. Only in mode Manage.
    Restart,
}

/// Who keeps the recovery keys.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum Custody {
    /// The Secret of `initialization.keyStore`; that they are there is watched.
    #[default]
    Secret,
    /// Somebody else, somewhere else; nothing is watched.
    External,
}
