//! How long a drainer waits for one node to be empty.
//!
//! Waves have no length of their own: how long a replacement takes is for a clock to see. But before its probes have waited as
//! long as they say it can't be Ready, and its budget lets the next pod go only then. A chain of such waits that is longer than
//! the drainer's patience is stuck for certain; a shorter one only may be.

use std::time::Duration;

use crate::duration::in_words;

/// How long a drainer that asks again waits for one node to be empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Patience {
    /// In seconds; none waits for ever.
    seconds: Option<u32>,
}

impl Patience {
    /// It never ends, as that of kubectl without `--timeout`.
    pub const ENDLESS: Self = Self { seconds: None };

    /// So many seconds; none of them means for ever, as it does for kubectl and kured.
    #[must_use]
    pub const fn new(seconds: u32) -> Self {
        Self { seconds: if seconds == 0 { None } else { Some(seconds) } }
    }

    /// The same of a duration, in whole seconds, of which it has one at least; longer than a lifetime is for ever.
    #[must_use]
    pub fn of(wait: Duration) -> Self {
        if wait.is_zero() {
            return Self::ENDLESS;
        }
        u32::try_from(wait.as_secs().max(1)).map_or(Self::ENDLESS, Self::new)
    }

    /// In seconds; none where it never ends.
    #[must_use]
    pub const fn seconds(self) -> Option<u32> {
        self.seconds
    }

    /// Whether it is over before so many seconds have passed.
    #[must_use]
    pub fn ends_before(self, seconds: u32) -> bool {
        self.seconds.is_some_and(|wait| wait < seconds)
    }
}

impl Default for Patience {
    /// Five minutes, as Talos has.
    fn default() -> Self {
        Self::new(5 * 60)
    }
}

impl std::fmt::Display for Patience {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.seconds {
            Some(seconds) => f.write_str(&in_words(Duration::from_secs(seconds.into()))),
            None => f.write_str("for ever"),
        }
    }
}

#[cfg(test)]
mod tests;
