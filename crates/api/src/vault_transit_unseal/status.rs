//! The status: what was seen, what it means, what is done next, and what must survive a restart of the controller.
//!
//! Nothing in it is secret: no token, no accessor, no share, no hash of any. The ciphertexts are of a text that everybody
//! may know.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Tristate;

/// How many canaries a status keeps.
pub const CANARIES: usize = 16;
/// How many pods a status names.
pub const PODS: usize = 32;

/// Whether the target would start, what is wrong, and what is done next.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct VaultTransitUnsealStatus {
    /// The generation of the spec that was judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// The value of `reconcile.fluxcd.io/requestedAt` that was honoured last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,
    /// `Ready` is True when the target serves and nothing that is known keeps it from starting again; each of the others is a verdict of
    /// its own. `Stalled` is there only when true.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(schema_with = "crate::condition::schema")]
    pub conditions: Vec<Condition>,
    /// What is wrong; absent when nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diagnosis: Option<DiagnosisStatus>,
    /// What is done next, or waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_step: Option<NextStepStatus>,
    /// The target, as it tells of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<ServerStatus>,
    /// The other server, as it tells of itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transit: Option<TransitStatus>,
    /// The target's token, as far as it can be seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// Whether the target would unseal, tried out with its own token, as seen from the controller.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rehearsal: Option<RehearsalStatus>,
    /// How far an initialisation by us has come; absent where there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub initialization: Option<InitializationStatus>,
    /// The target's pods by ordinal, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub pods: Vec<PodStatus>,
}

/// What is wrong: the cause that is furthest upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct DiagnosisStatus {
    /// The cause, in one word, such as `TokenDenied`.
    pub cause: String,
    /// What was seen.
    pub message: String,
    /// What a person does about it.
    pub remedy: String,
    /// Since when this is the cause.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// What is done next.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct NextStepStatus {
    /// The action, in one word, such as `Wait`.
    pub action: String,
    /// Why this one, in one word, such as `BootGrace`.
    pub reason: String,
    /// Since when this is next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
}

/// The programs that can be on either side.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum Product {
    /// HashiCorp Vault.
    Vault,
    /// OpenBao.
    OpenBao,
}

impl Product {
    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Vault => "Vault",
            Self::OpenBao => "OpenBao",
        }
    }
}

/// The target, as it tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct ServerStatus {
    /// Which program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// Its version, without a `v`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Its cluster's ID, which tells two servers apart.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// Its seal, such as `transit`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal_type: Option<String>,
    /// How many shares of the recovery key are needed together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub t: Option<u32>,
    /// How many shares of the recovery key there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n: Option<u32>,
}

/// The other server, as it tells of itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TransitStatus {
    /// Which program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub product: Option<Product>,
    /// Its cluster's ID.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_id: Option<String>,
    /// Its own seal, such as `shamir`: whether people are needed when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seal_type: Option<String>,
    /// The newest version of the key; absent where it may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_latest: Option<u32>,
    /// The oldest version of the key that may still decrypt; absent where it may not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_min_decryption: Option<u32>,
}

/// The target's token, as far as it can be seen. Its accessor is in the Secret, not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct TokenStatus {
    /// When it dies unless it is renewed; absent for one that never does, or isn't known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expire_time: Option<Time>,
    /// The role it was made by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Whether renewals can keep it alive for ever.
    pub periodic: Tristate,
}

/// Whether the target would unseal, as it was tried out last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct RehearsalStatus {
    /// What it came to.
    pub result: RehearsalResult,
    /// The versions of the key of which a ciphertext is kept.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub canary_versions: Vec<u32>,
    /// The kept ciphertexts, one for each version of the key that the target may still hold, at most 16.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    pub canaries: Vec<CanaryStatus>,
    /// The newest version of the key under which the target was seen to unseal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proven_version: Option<u32>,
    /// Since when there is a ciphertext for every version that the target may hold; absent while there isn't.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence_since: Option<Time>,
}

/// What a rehearsal came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize, Serialize, JsonSchema)]
pub enum RehearsalResult {
    /// The target would unseal.
    Passed,
    /// It would not.
    Failed,
    /// It can't be told: something couldn't be asked, or there is no ciphertext of what the target holds.
    #[default]
    Unknown,
}

/// A ciphertext of a text that isn't secret, kept to see whether the key still opens it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct CanaryStatus {
    /// The version of the key.
    pub version: u32,
    /// The ciphertext, such as `vault:v1:...`.
    #[schemars(length(max = 1024))]
    pub ciphertext: String,
    /// The containers that served unsealed when it was made, at most 32.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    pub running: Vec<RunningStatus>,
}

/// One life of a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
#[serde(default)]
pub struct RunningStatus {
    /// The UID of its pod.
    pub uid: String,
    /// How often it had been restarted.
    pub restarts: u32,
}

/// How far an initialisation by us has come.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct InitializationStatus {
    /// How far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<InitializationPhase>,
    /// Which attempt; `initialization.discardAttempt` gives it up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<String>,
    /// The Secret with the recovery keys.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_name: Option<String>,
}

/// The phases of an initialisation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum InitializationPhase {
    /// It is claimed: the request may have been sent, and its answer isn't stored.
    Claimed,
    /// The recovery keys are stored, and were read back.
    Stored,
    /// A person's login was proven.
    AdminProven,
    /// The root token is revoked.
    Complete,
}

impl InitializationPhase {
    /// All of them, in order.
    pub const ALL: [Self; 4] = [Self::Claimed, Self::Stored, Self::AdminProven, Self::Complete];

    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Claimed => "Claimed",
            Self::Stored => "Stored",
            Self::AdminProven => "AdminProven",
            Self::Complete => "Complete",
        }
    }
}

/// One pod of the target.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct PodStatus {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// How it stands.
    pub state: PodState,
    /// Whether it votes; absent where that can't be seen, or storage isn't raft.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub voter: Option<bool>,
    /// Whether it started with the token that the Secret holds now.
    pub token_current: Tristate,
    /// How often its container was restarted.
    pub restarts: u32,
    /// When a pod of this name was last deleted by us. It is written before the pod goes, so that no restart of ours forgets it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_deleted: Option<Time>,
}

/// How a pod of the target stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize, Serialize, JsonSchema)]
pub enum PodState {
    /// It serves, and leads.
    Active,
    /// It serves, and follows.
    Standby,
    /// It is sealed.
    Sealed,
    /// It is initialised nowhere, or hasn't joined.
    Uninitialised,
    /// It runs, and doesn't answer.
    Unreachable,
    /// Its container ends again and again.
    CrashLooping,
    /// It hasn't run for long enough to be judged.
    Starting,
    /// A follower that was migrated to another seal, and waits for the leader to step down.
    MigratedStandby,
    /// It can't be told.
    #[default]
    #[serde(other)]
    Unknown,
}

impl PodState {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Active,
        Self::Standby,
        Self::Sealed,
        Self::Uninitialised,
        Self::Unreachable,
        Self::CrashLooping,
        Self::Starting,
        Self::MigratedStandby,
        Self::Unknown,
    ];

    /// The API's spelling.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::Standby => "Standby",
            Self::Sealed => "Sealed",
            Self::Uninitialised => "Uninitialised",
            Self::Unreachable => "Unreachable",
            Self::CrashLooping => "CrashLooping",
            Self::Starting => "Starting",
            Self::MigratedStandby => "MigratedStandby",
            Self::Unknown => "Unknown",
        }
    }
}
