//! What was observed of one sealed server (B), its transit server (A) and the token between them, at one moment.
//!
//! Facts only: what they mean is `diagnose`, what to do about it `next_step`. No client, no clock: `now` is a field, and an
//! answer that didn't come says so (`Unseen`), as nothing may be concluded from it. No secret is in here: of the token only
//! what its server says about it.

mod target;
mod token;
mod transit;

pub use holdfast_api::vault_transit_unseal::Product;
pub use target::{Answer, Container, Ended, Pod, Server, Serving, StatefulSet, Target, Unknown};
pub use token::{Content, Lookup, Malformed, Role, RoleSight, TokenView, Wiring};
pub use transit::{KeyFacts, Login, Reach, ServerFacts, TransitView};

use jiff::Timestamp;

use crate::claim::Birth;
use crate::rehearsal::Outcome;

/// One look.
#[derive(Clone, Debug)]
pub struct View {
    /// When it was taken.
    pub now: Timestamp,
    /// B: the StatefulSet and its pods, one by one.
    pub target: Target,
    /// A.
    pub transit: TransitView,
    /// B's token.
    pub token: TokenView,
    /// Whether B would start now, as seen from here.
    pub rehearsal: Outcome,
    /// Since when the rehearsal has passed without a break; `None` when it doesn't pass.
    pub passing_since: Option<Timestamp>,
    /// How B came to be.
    pub birth: Birth,
}

impl View {
    /// Whether nothing can be sealed with the key of A yet, so that one may be made.
    #[must_use]
    pub fn is_unborn(&self) -> bool {
        self.birth.claim.is_none()
            && match self.target.state() {
                Server::Blank => true,
                Server::Initialised => false,
                Server::Unseen => self.birth.untouched,
            }
    }
}

/// How long it is from one moment to a later one; zero when it isn't later.
pub(crate) fn between(from: Timestamp, to: Timestamp) -> std::time::Duration {
    std::time::Duration::try_from(to.duration_since(from)).unwrap_or_default()
}
