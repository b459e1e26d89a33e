//! What is wrong, in one cause: the most upstream one, since mending it mends what follows from it.
//!
//! `CHECKS` is the specification, read from top to bottom; each check looks at one thing and says nothing when it is in
//! order or not known. Pure: no clock, no client.

mod server;
mod token;
mod transit;

use std::time::Duration;

pub(crate) use server::{is_hung, waits_only};

use crate::cause::Cause;
use crate::view::View;

/// What of the spec a diagnosis depends on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How long a container may take before its silence means something.
    pub boot_grace: Duration,
    /// After which part of its life a token is renewed, in percent.
    pub renew_at: u8,
    /// How long an outage the next start should survive.
    pub survive_outage: Duration,
}

/// A cause, and what was seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// The cause.
    pub cause: Cause,
    /// What was seen, with names, in one sentence. Without anything that changes from look to look.
    pub message: String,
}

impl Diagnosis {
    fn new(cause: Cause, message: impl Into<String>) -> Self {
        Self { cause, message: message.into() }
    }
}

type Check = fn(&View, &Limits) -> Option<Diagnosis>;

/// Most upstream first.
const CHECKS: [Check; 21] = [
    server::missing,
    transit::silent,
    token::absent,
    token::dead,
    token::rehearsed,
    server::init_outcome_unknown,
    server::storage_lost,
    server::not_initialised,
    server::migration,
    server::hung,
    server::crashes,
    server::unreachable,
    server::not_joined,
    server::sealed,
    server::leaderless,
    transit::login_refused,
    token::not_wired,
    token::unsafe_role,
    token::capped,
    token::expiring,
    transit::unguarded,
];

/// The most upstream cause, if anything is wrong.
#[must_use]
pub fn diagnose(view: &View, limits: &Limits) -> Option<Diagnosis> {
    CHECKS.iter().find_map(|check| check(view, limits))
}

#[cfg(test)]
mod tests;
