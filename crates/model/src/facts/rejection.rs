//! Pods that Pod Security refused.

use jiff::Timestamp;

use crate::Text;

/// That a controller couldn't make its pods, since they violate the level that their namespace enforces: what an Event says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    /// The kind of what makes the pods, as the API spells it.
    pub kind: Text,
    /// Its name.
    pub name: Text,
    /// What the API server said, from `violates PodSecurity` on.
    pub message: Box<str>,
    /// When it was said first.
    pub since: Option<Timestamp>,
}
