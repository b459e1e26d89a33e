//! Withdrawals that wait for an upgrade: taken out of what is proposed, and planned again when it has ended.
//!
//! What waits is decided in `policy::upgrade`. A plan that is made meanwhile says anew what would be withdrawn, so what is kept
//! here is only shown and asked about, never carried out.

use std::collections::BTreeSet;
use std::time::Duration;

use holdfast_model::{Text, Touched};
use holdfast_policy::disruption::{Reason, Write};
use jiff::Timestamp;
use tokio::time::Instant;

use super::{Engine, Proposed};
use crate::status::Frozen;

/// How often it is asked whether an upgrade has ended, where nobody says so.
const THAW: Duration = Duration::from_secs(30);

impl Engine {
    /// Takes out what waits for an upgrade. Whether one is under way is asked only where it matters.
    pub(super) fn freeze(&mut self, proposed: &mut [Proposed], now: Timestamp) {
        proposed.iter().for_each(|proposed| drop(self.state.frozen.remove(&proposed.namespace)));
        let matters = |proposed: &Proposed| proposed.writes.iter().any(is_frozen);
        if proposed.iter().any(matters) {
            let (frozen, recheck) = (&mut self.state.frozen, &mut self.state.recheck);
            let again = Instant::now() + THAW;
            self.state.freezing = self.parts.upgrades.ask(&self.parts.view, now, |freeze| {
                for Proposed { namespace, writes, .. } in proposed {
                    let held: Vec<Write> = writes.extract_if(.., |write| freeze.holds(write)).collect();
                    if !held.is_empty() {
                        frozen.insert(namespace.clone(), held);
                        recheck.at(namespace.clone(), again);
                    }
                }
                freeze.upgrader.as_ref().map(ToString::to_string)
            });
        }
        let pending = self.state.frozen.values().map(Vec::len).sum();
        let upgrader = self.state.freezing.clone().filter(|_| 0 < pending);
        self.parts.board.freeze(upgrader.map(|upgrader| Frozen { pending, upgrader }));
    }

    /// Somebody has looked at upgrades: what needn't wait any longer is planned again.
    pub(super) fn thaw(&mut self) {
        let frozen = &self.state.frozen;
        if frozen.is_empty() {
            return;
        }
        let goes_on: BTreeSet<Text> = self.parts.upgrades.ask(&self.parts.view, Timestamp::now(), |freeze| {
            let goes_on = |held: &[Write]| held.iter().any(|write| !freeze.holds(write));
            frozen.iter().filter(|(_, held)| goes_on(held)).map(|(namespace, _)| namespace.clone()).collect()
        });
        if !goes_on.is_empty() {
            self.parts.view.touch(Touched::Namespaces(goes_on));
        }
    }
}

fn is_frozen(write: &Write) -> bool {
    write.withdrawn_for().is_some_and(Reason::is_frozen)
}
