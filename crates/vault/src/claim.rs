//! How far an initialisation has come.

/// The phase of a claim, as its Secret tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Somebody set out to initialise. Nobody may do so again.
    Claimed {
        /// The attempt.
        attempt: String,
        /// Whether whoever made the claim still works on it, as far as is known here.
        at_work: bool,
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
    /// As the status and the metrics spell it.
    #[must_use]
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Claimed { .. } => "Claimed",
            Self::Stored { .. } => "Stored",
            Self::AdminProven { .. } => "AdminProven",
            Self::Complete { .. } => "Complete",
        }
    }
}
