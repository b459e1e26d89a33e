//! The rehearsal: would B start if it were restarted now?
//!
//! A fresh encrypt and decrypt proves too little: when the key was deleted and made anew, or its old versions may no longer
//! decrypt, both answer 200 while B stays sealed. So canaries are kept: ciphertexts of a known text, one for each version of
//! the key that B may be sealed with. They prove something only since B was seen to unseal while they existed: B then
//! wrapped its keys with the version of that moment, and the key was the one of the canary. `Ledger` keeps them and that
//! evidence, `judge` says what a trial came to. Nothing here asks anybody; a canary is no secret.

mod judge;
mod ledger;

pub use judge::{Fresh, Ignorance, Outcome, Refusal, Trial, judge};
pub use ledger::{Canary, ContainerId, Ledger, Witness};

/// What canaries are made of.
pub const CANARY: &[u8] = b"holdfast.dev/canary";

#[cfg(test)]
mod tests;
