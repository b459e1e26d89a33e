//! Whether a Vault or OpenBao would unseal itself if it were started again, as its VaultTransitUnseal tells.

use super::FluxHints;
use crate::Text;

/// A server that seals itself with another's transit key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unseal {
    /// The StatefulSet of the same namespace that runs it.
    pub stateful_set: Text,
    /// What would become of its pods.
    pub prospect: Prospect,
    /// What tells the Flux object in which the resource itself is kept.
    pub flux: FluxHints,
}

/// What would become of a pod that is started again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prospect {
    /// It unseals itself.
    Unseals,
    /// It stays sealed.
    StaysSealed(Box<Refusal>),
    /// It can't be told: the resource was judged, and there is no proof either way.
    Unproven,
    /// It can't be told: nobody has judged the resource as it is now.
    Unjudged,
}

/// Why it would stay sealed.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Refusal {
    /// The cause, in one word, such as `TokenDenied`; empty when none is told.
    pub cause: Text,
    /// What was seen; empty when that isn't told. At most 512 characters.
    pub seen: Box<str>,
    /// What a person does about it; empty when that isn't told. At most 512 characters.
    pub remedy: Box<str>,
}
