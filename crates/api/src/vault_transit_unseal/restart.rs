//! When a pod of the target is restarted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::duration;

/// When a pod of the target is restarted, by eviction or deletion of that pod alone. Only in mode Manage.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Restart {
    /// When. WhenStuckOrTokenChanged isn't there yet: a resource that asks for it is refused.
    #[serde(default)]
    pub policy: RestartPolicy,
    /// Whether the only serving replica may be restarted. Not there yet: a resource that asks for it is refused.
    #[serde(default)]
    pub allow_downtime: bool,
    /// How long a container may take until it serves, from 1s to 1h, before it counts as stuck.
    #[serde(default = "minute")]
    #[schemars(schema_with = "duration::boot_grace")]
    pub boot_grace: String,
}

/// When a pod of the target is restarted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum RestartPolicy {
    /// By hand only.
    Never,
    /// When it serves nobody, and a rehearsal shows that it would start.
    #[default]
    WhenStuck,
    /// Also, one by one, when it started with a token that has been replaced. Not there yet: a resource that asks for it is refused.
    WhenStuckOrTokenChanged,
}

impl Default for Restart {
    fn default() -> Self {
        Self { policy: RestartPolicy::default(), allow_downtime: false, boot_grace: minute() }
    }
}

fn minute() -> String {
    "60s".to_owned()
}
