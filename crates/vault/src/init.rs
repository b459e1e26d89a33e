//! Initialisation: the one act that can't be undone, on a server whose one answer can be lost.
//!
//! No server makes it safe: whoever loses the answer has lost the server's recovery keys and root token. What is made safe
//! here is that this is known, that it happens at most once for a claim, and that nothing counts as done before the shares
//! are stored and read back, a person's role has logged in, and the root token is dead. `claim` is the document in which
//! all controllers meet, `gate` says whether it may begin, `next` what comes next; these are pure, as are `recipients`,
//! `keys`, `order` and `kept`. `spool` holds the answer through crashes. `Initialiser` does what `next` says:
//!
//! ```text
//! let (birth, sighting) = initialiser.look(&settings, &order).await?; // for the view
//! let progress = initialiser.advance(Asked { settings: &settings, order: &order, view: Some(&view), sighting: Some(&sighting), leads }).await;
//! ```
//!
//! once in each whole look of the leader, by others without view and sighting: whoever holds an answer (`Initialiser::holds`)
//! carries on with it even when it doesn't lead, and gives back a claim of which nothing was sent. At the end of the process
//! `Initialiser::drained` is awaited before anything else goes.

pub mod claim;
pub mod gate;
pub mod next;
pub mod order;
pub mod recipients;
pub mod spool;
pub mod verdict;

pub mod kept;
pub mod keys;

mod admin;
mod failed;
mod objects;
mod run;
mod server;

pub use failed::{Class, Failed};
pub use next::{Facts, Step, Wait, next};
pub use run::{Asked, GRACE, Initialiser, Progress, Sighting};

/// Sixteen letters and digits that nobody else has.
fn random_id() -> String {
    use ring::rand::SecureRandom as _;
    let mut bytes = [0; 8];
    // The system's generator fails only where it isn't there at all, and then TLS didn't come up either.
    ring::rand::SystemRandom::new().fill(&mut bytes).expect("invariant: a process that speaks TLS has random numbers");
    claim::in_hex(&bytes)
}

#[cfg(test)]
mod tests;
