//! VaultTransitUnseals.

use serde_json::{Value, json};

use super::{Manifest, object};
use crate::Kind;

/// A VaultTransitUnseal.
#[derive(Clone, Debug)]
pub struct UnsealBuilder(Value);

impl Manifest for UnsealBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A VaultTransitUnseal that nobody has judged yet.
#[must_use]
pub fn unseal(path: &str) -> UnsealBuilder {
    UnsealBuilder(object(Kind::VaultTransitUnseal, path))
}

impl UnsealBuilder {
    /// It is about this StatefulSet.
    #[must_use]
    pub fn of_stateful_set(self, name: &str) -> Self {
        self.with("/spec/target/statefulSetRef/name", name)
    }

    /// It would unseal itself.
    #[must_use]
    pub fn starts(self) -> Self {
        self.judged("True", "Rehearsed", "the rehearsal passed")
    }

    /// It isn't known whether it would.
    #[must_use]
    pub fn unproven(self, reason: &str) -> Self {
        self.judged("Unknown", reason, "there is no ciphertext of what it holds")
    }

    /// It would stay sealed, and its diagnosis says the same.
    #[must_use]
    pub fn stays_sealed(self, cause: &str, seen: &str, remedy: &str) -> Self {
        let diagnosis = json!({ "cause": cause, "message": seen, "remedy": remedy });
        self.judged("False", cause, seen).with("/status/diagnosis", diagnosis)
    }

    fn judged(self, status: &str, reason: &str, message: &str) -> Self {
        let condition = json!({ "type": "WouldStart", "status": status, "reason": reason, "message": message });
        self.with("/status", json!({ "observedGeneration": 1, "conditions": [condition] }))
    }
}
