//! The conditions of this resource. Unlike those of policies they are verdicts, and may be Unknown.
//!
//! Only `Ready`, `Reconciling` and `Stalled` are read by Flux. Unlike on policies `Ready` is a verdict too: whoever waits for
//! this resource waits for its server.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use k8s_openapi::jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Change;
use crate::condition::{Draft, merge};

/// Whether something is so, as far as it is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum Tristate {
    /// It is.
    True,
    /// It isn't.
    False,
    /// It isn't known.
    #[default]
    Unknown,
}

impl Tristate {
    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::True => "True",
            Self::False => "False",
            Self::Unknown => "Unknown",
        }
    }
}

/// The conditions that are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum VaultCondition {
    /// The target serves, and nothing that is known keeps it from starting again.
    Ready,
    /// Still at work; absent otherwise.
    Reconciling,
    /// Waits for a person; absent otherwise.
    Stalled,
    /// The target was initialised.
    Initialized,
    /// The target is unsealed, and serves.
    Unsealed,
    /// The other server answers, and is unsealed.
    TransitReachable,
    /// The token works, and is kept alive.
    TokenHealthy,
    /// The target would unseal if it started now.
    WouldStart,
    /// The target would unseal after everything was off.
    ColdStart,
    /// The recovery keys are where they were written to.
    RecoveryKeysStored,
}

impl VaultCondition {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 10] = [
        Self::Ready,
        Self::Reconciling,
        Self::Stalled,
        Self::Initialized,
        Self::Unsealed,
        Self::TransitReachable,
        Self::TokenHealthy,
        Self::WouldStart,
        Self::ColdStart,
        Self::RecoveryKeysStored,
    ];

    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "Ready",
            Self::Reconciling => "Reconciling",
            Self::Stalled => "Stalled",
            Self::Initialized => "Initialized",
            Self::Unsealed => "Unsealed",
            Self::TransitReachable => "TransitReachable",
            Self::TokenHealthy => "TokenHealthy",
            Self::WouldStart => "WouldStart",
            Self::ColdStart => "ColdStart",
            Self::RecoveryKeysStored => "RecoveryKeysStored",
        }
    }
}

/// A condition that should be there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedCondition {
    /// Which.
    pub kind: VaultCondition,
    /// Whether it holds.
    pub status: Tristate,
    /// Why, in one word. Static, since nothing from a server may become one.
    pub reason: &'static str,
    /// Why, in a sentence.
    pub message: String,
}

/// As [`merge_conditions`](crate::merge_conditions): those of ours that are not wanted go, times move only with a status,
/// and what isn't ours stays.
#[must_use]
pub fn merge_vault_conditions(
    observed: &[Condition],
    wanted: &[WantedCondition],
    generation: Option<i64>,
    now: Timestamp,
) -> (Vec<Condition>, Change) {
    let drafts = wanted.iter().map(|wanted| Draft {
        kind: wanted.kind.as_str(),
        status: wanted.status.as_str(),
        reason: wanted.reason,
        message: &wanted.message,
    });
    merge(observed, &VaultCondition::ALL.map(VaultCondition::as_str), drafts, generation, Time(now))
}
