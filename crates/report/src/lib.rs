//! Tells what was found: findings, score and inventory in every format that a person or a program reads.
//!
//! [`Report`] is what every format tells: findings in their order, with the place, the Flux owner and a fingerprint. No
//! client, no clock, no global state: each `write_*` gets the report and the `Write` to tell it to. Nothing is judged here;
//! a place in a file comes from [`holdfast_model::Locate`], and without one the object and field are shown.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]

mod baseline;
mod clean;
mod drain;
mod explain;
mod fingerprint;
mod html;
mod human;
mod json;
mod junit;
mod markdown;
mod outlook;
mod pod_security;
mod prose;
mod quote;
mod report;
mod sarif;
mod score;
mod selection;
mod spans;
mod told;
mod verdict;

pub use baseline::{Baseline, BaselineError};
pub use drain::{Drains, Eviction, drain_schema, write_drain_human, write_drain_json};
pub use explain::{explain_rule, list_rules};
pub use html::write_html;
pub use human::{Detail, write_human};
pub use json::{schema, write_json};
pub use junit::write_junit;
pub use markdown::write_markdown;
pub use pod_security::{
    JudgedObject, LocatedViolation, PodSecurity, Written, write_pod_security_human, write_pod_security_json,
};
pub use report::{Input, Part, Report};
pub use sarif::write_sarif;
pub use score::{DomainScore, Points, Score, Standing};
pub use selection::{Selection, SelectionError, Topic};
pub use told::{Exempt, Owner, Place, Told};

/// How text for a terminal looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether it has colours.
    pub colour: bool,
    /// How wide a line may be.
    pub width: usize,
}
