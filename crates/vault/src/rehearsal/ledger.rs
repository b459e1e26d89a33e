//! The canaries that are kept, and since when they prove something.

use jiff::Timestamp;

use super::judge::{Fresh, Trial};

/// How many canaries are kept at most: rotations without a restart of B. With more than these B's version can't be told.
const MOST: usize = 16;

/// One life of a container: a pod, and how often the container was started anew in it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContainerId {
    /// The UID of the pod.
    pub uid: String,
    /// How often it was started anew.
    pub restarts: u32,
}

/// A ciphertext that B could have made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Canary {
    /// The version of the key.
    pub version: u32,
    /// The ciphertext.
    pub ciphertext: String,
    /// The containers that ran, unsealed or not, when it was made: that these are unsealed proves nothing about it.
    pub running: Vec<ContainerId>,
}

/// The canaries and their evidence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// One for each version that B may be sealed with, oldest first.
    pub canaries: Vec<Canary>,
    /// The version that B was seen to unseal under.
    pub proven: Option<u32>,
    /// Since when that is known.
    pub since: Option<Timestamp>,
}

/// Who served when a trial was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The container that leads: it wrapped B's keys anew when it unsealed.
    pub active: Option<ContainerId>,
    /// All containers that run.
    pub running: Vec<ContainerId>,
}

impl Ledger {
    /// The ledger after a trial: a canary for a version that has none, and evidence when the leader unsealed after the canary
    /// of the version of today was made.
    ///
    /// Only a leader is a witness, since only it wraps B's keys anew; and only a trial in which everything worked.
    #[must_use]
    pub fn after(mut self, trial: &Trial, witness: &Witness, now: Timestamp) -> Self {
        let Some(Ok(fresh)) = &trial.fresh else { return self };
        if trial.kept.iter().any(|(_, tried)| tried.is_err()) {
            return self;
        }
        let Some(active) = &witness.active else { return self };
        self.prove(fresh.version, active, now);
        self.keep(fresh, witness);
        self
    }

    fn prove(&mut self, latest: u32, active: &ContainerId, now: Timestamp) {
        let newest = self.canaries.iter().find(|canary| canary.version == latest);
        // The key can't have been rotated between the unseal and now, as the canary is of the version of now; and it can't
        // have been replaced, as the canary decrypts.
        let unsealed_since = newest.is_some_and(|canary| !canary.running.contains(active));
        if !unsealed_since {
            return;
        }
        let known = self.proven == Some(latest) && self.canaries.len() == 1;
        if !known {
            self.canaries.retain(|canary| canary.version == latest);
            self.since = self.since.filter(|_| self.proven.is_some()).or(Some(now));
            self.proven = Some(latest);
        }
    }

    fn keep(&mut self, fresh: &Fresh, witness: &Witness) {
        if self.canaries.iter().any(|canary| canary.version == fresh.version) {
            return;
        }
        if self.canaries.len() == MOST {
            // Which one could be spared isn't known, so nothing is proven any more until B unseals again.
            self.canaries.remove(0);
            (self.proven, self.since) = (None, None);
        }
        let mut running = witness.running.clone();
        running.sort_unstable();
        let (version, ciphertext) = (fresh.version, fresh.ciphertext.clone());
        self.canaries.push(Canary { version, ciphertext, running });
        self.canaries.sort_by_key(|canary| canary.version);
    }
}
