//! How far an initialisation by us has come, and how the keys stand that it made.

use crate::init::kept::Kept;

/// The recovery keys that were stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keys {
    /// The Secret.
    pub secret: String,
    /// How many shares.
    pub count: u8,
    /// How they stand there; `None` when that couldn't be seen.
    pub kept: Option<Kept>,
}

/// What is known of how a server came to be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Birth {
    /// The claim of an initialisation by us; `None` when there is none.
    pub claim: Option<Phase>,
    /// The recovery keys that we stored; `None` when we stored none.
    pub keys: Option<Keys>,
    /// Whether it is to be initialised, nobody has claimed to do so, and no storage is there that may hold something: so
    /// there is nothing yet that a key of A could have sealed.
    pub untouched: bool,
}

/// The phase of a claim, as its Secret tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// There is a claim that nobody can read: it was edited, or is from another version. Nobody may initialise.
    Unreadable {
        /// What is wrong with it.
        why: String,
    },
    /// Somebody set out to initialise. Nobody may do so again.
    Claimed {
        /// The attempt.
        attempt: String,
        /// Whether its request may have been sent by somebody who, as far as is known here, doesn't work on it any more.
        may_be_lost: bool,
    },
    /// The recovery keys are stored.
    Stored {
        /// The attempt.
        attempt: String,
    },
    /// The administrator's role logged in.
    AdminProven {
        /// The attempt.
        attempt: String,
    },
    /// Done: the root token is revoked.
    Complete {
        /// The attempt.
        attempt: String,
    },
}

impl Phase {
    /// Whether nothing is left to be done.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        match self {
            Self::Complete { .. } => true,
            Self::Unreadable { .. } | Self::Claimed { .. } | Self::Stored { .. } | Self::AdminProven { .. } => false,
        }
    }

    /// What it means, for an event.
    #[must_use]
    pub const fn note(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "its claim can't be read",
            Self::Claimed { .. } => "the server is being initialised",
            Self::Stored { .. } => "the recovery keys are stored",
            Self::AdminProven { .. } => "the administrator's role logged in; the root token is revoked next",
            Self::Complete { .. } => "the root token is revoked, and the initialisation is complete",
        }
    }

    /// The attempt, where that can be read.
    #[must_use]
    pub fn attempt(&self) -> Option<&str> {
        match self {
            Self::Unreadable { .. } => None,
            Self::Claimed { attempt, .. }
            | Self::Stored { attempt }
            | Self::AdminProven { attempt }
            | Self::Complete { attempt } => Some(attempt),
        }
    }

    /// As the status and the metrics spell it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "Unreadable",
            Self::Claimed { .. } => "Claimed",
            Self::Stored { .. } => "Stored",
            Self::AdminProven { .. } => "AdminProven",
            Self::Complete { .. } => "Complete",
        }
    }
}
