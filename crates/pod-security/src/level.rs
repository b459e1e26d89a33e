//! The three levels of the standards.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How much a pod may do, from everything to little. The order is that of strictness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing is forbidden.
    Privileged,
    /// What is known to lead out of the container is forbidden.
    Baseline,
    /// Baseline, and hardening is demanded.
    Restricted,
}

impl Level {
    /// All levels, the least strict first.
    pub const ALL: [Self; 3] = [Self::Privileged, Self::Baseline, Self::Restricted];

    /// As in a label.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Privileged => "privileged",
            Self::Baseline => "baseline",
            Self::Restricted => "restricted",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Level {
    type Err = InvalidLevel;

    fn from_str(text: &str) -> Result<Self, InvalidLevel> {
        Self::ALL.into_iter().find(|level| level.name() == text).ok_or(InvalidLevel)
    }
}

/// A text that names no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidLevel;

impl fmt::Display for InvalidLevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be one of privileged, baseline, restricted")
    }
}

impl std::error::Error for InvalidLevel {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_read_and_written_alike() {
        for level in Level::ALL {
            assert_eq!(level.to_string().parse(), Ok(level));
            assert_eq!(serde_json::to_value(level).unwrap(), level.name());
            assert_eq!(serde_json::from_value::<Level>(level.name().into()).unwrap(), level);
        }
        let error = "Baseline".parse::<Level>().unwrap_err();
        assert_eq!(error.to_string(), "must be one of privileged, baseline, restricted");
    }

    #[test]
    fn the_order_is_that_of_strictness() {
        assert!(Level::ALL.is_sorted());
    }
}
