//! Decisions: which budget a workload should have, and what is wrong with those there are.
//!
//! Pure functions of the facts, the policies and `now`. No client, no clock, no runtime: the controller and the audit
//! call the same functions and so can't disagree. "Not yet" is an outcome in a plan, never an error.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod audit;
pub mod disruption;
mod domain;
pub mod drain;
mod duration;
pub mod eviction;
mod exception;
mod finding;
pub mod pod_security;
mod policies;
mod rule_id;
pub mod rules;
mod survey;
pub mod upgrade;

pub use audit::{Audit, Tally, audit};
pub use disruption::{NamespacePlan, plan_namespace};
pub use domain::Domain;
pub use duration::in_words;
pub use exception::{Exception, ExceptionError};
pub use finding::{Excepted, Finding};
pub use holdfast_model::Subject;
pub use policies::{Policies, PolicyKind, PolicyRef};
pub use rule_id::{RuleId, Severity};
