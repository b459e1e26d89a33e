//! A version of the standards: the minor release of Kubernetes 1 that they are those of.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Which release's standards are meant. The order is that of age, and [`Version::Latest`] is newer than any.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Version {
    /// `v1.N`. As wide as what a label may say.
    Minor(u64),
    /// Those of the server, whichever it is.
    Latest,
}

impl Version {
    /// The newest release that changed anything we know of; what is newer is judged as this.
    pub const NEWEST_KNOWN: Self = Self::Minor(NEWEST);

    /// The minor release that decides.
    pub(crate) fn minor(self) -> u64 {
        match self {
            Self::Minor(minor) => minor.min(NEWEST),
            Self::Latest => NEWEST,
        }
    }
}

/// A test compares it with the table of the checks.
const NEWEST: u64 = 37;

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Minor(minor) => write!(f, "v1.{minor}"),
            Self::Latest => f.write_str("latest"),
        }
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text == "latest" {
            return Ok(Self::Latest);
        }
        let digits = text.strip_prefix("v1.").ok_or(InvalidVersion)?;
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits == "0" || !digits.starts_with('0'));
        // The server reads a signed number and refuses what doesn't fit.
        let minor = digits.parse::<i64>().ok().filter(|_| plain).ok_or(InvalidVersion)?;
        Ok(Self::Minor(minor.unsigned_abs()))
    }
}

impl TryFrom<String> for Version {
    type Error = InvalidVersion;

    fn try_from(text: String) -> Result<Self, InvalidVersion> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.to_string()
    }
}

/// A text that names no version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidVersion;

impl fmt::Display for InvalidVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(r#"must be "latest" or "v1.x""#)
    }
}

impl std::error::Error for InvalidVersion {}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case::the_first("v1.0", Some(Version::Minor(0)))]
    #[case::one("v1.25", Some(Version::Minor(25)))]
    #[case::one_that_is_not_there_yet("v1.99999", Some(Version::Minor(99999)))]
    #[case::the_largest("v1.9223372036854775807", Some(Version::Minor(9_223_372_036_854_775_807)))]
    #[case::too_large("v1.9223372036854775808", None)]
    #[case::latest("latest", Some(Version::Latest))]
    #[case::leading_zero("v1.01", None)]
    #[case::a_sign("v1.+1", None)]
    #[case::no_v("1.25", None)]
    #[case::a_patch("v1.25.1", None)]
    #[case::another_major("v2.0", None)]
    #[case::no_number("v1.", None)]
    #[case::other_case("Latest", None)]
    #[case::nothing("", None)]
    fn texts(#[case] text: &str, #[case] version: Option<Version>) {
        assert_eq!(text.parse().ok(), version);
        if let Some(version) = version {
            assert_eq!(version.to_string(), text);
            let json = serde_json::to_value(version).unwrap();
            assert_eq!(json, text);
            assert_eq!(serde_json::from_value::<Version>(json).unwrap(), version);
        } else {
            assert_eq!(text.parse::<Version>().unwrap_err().to_string(), r#"must be "latest" or "v1.x""#);
        }
    }

    #[test]
    fn latest_is_newer_than_any() {
        assert!(Version::Minor(9) < Version::Minor(10));
        assert!(Version::Minor(u64::MAX) < Version::Latest);
    }
}
