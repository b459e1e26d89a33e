//! What of ours waits for an upgrade: the one place to ask.

use std::collections::BTreeSet;

use holdfast_model::ObjectKey;

use super::Upgrader;
use crate::disruption::{Reason, Write};

/// Whether something has to wait.
///
/// What would start a rollout always waits while [`Freeze::upgrader`] is some. Budgets are withdrawn all the same where
/// waiting would keep the upgrade from getting on.
#[derive(Clone, Debug)]
pub struct Freeze<'a> {
    /// For whom it waits; none while nothing has to.
    pub upgrader: Option<Upgrader>,
    pub(super) blocking: &'a BTreeSet<ObjectKey>,
}

impl Freeze<'_> {
    /// Whether this write has to wait.
    #[must_use]
    pub fn holds(&self, write: &Write) -> bool {
        let waits = write.withdrawn_for().is_some_and(Reason::is_frozen);
        waits && self.upgrader.is_some() && !self.blocking.contains(write.key())
    }
}
