//! Tells what draining nodes would do: for a person, and for programs.
//!
//! Nothing is judged here: verdicts, blockers and remedies are those of [`holdfast_policy::drain`].

mod human;
mod json;

use holdfast_model::ObjectKey;
use holdfast_policy::drain::{Drainer, Forecast};

pub use human::write_drain_human;
pub use json::{drain_schema, write_drain_json};

/// What is told.
#[derive(Clone, Copy, Debug)]
pub struct Drains<'a> {
    /// What draining each node would do.
    pub forecast: &'a Forecast,
    /// How the drainer goes about it.
    pub drainer: Drainer,
    /// Whether each node is drained by itself, or one batch after the other.
    pub sequence: bool,
    /// What the eviction subresource would answer for each pod now, where that was asked for.
    pub evictions: Option<&'a [Eviction]>,
}

/// What the eviction subresource would answer for a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Eviction {
    /// The pod.
    pub pod: ObjectKey,
    /// Whether it may go.
    pub allowed: bool,
    /// Why, in one word.
    pub reason: &'static str,
    /// The budgets that cover it.
    pub budgets: Vec<String>,
}

#[cfg(test)]
mod tests;
