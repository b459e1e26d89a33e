//! A version of Talos or Kubernetes, as it is pinned in files.

use std::fmt;

use crate::Text;

/// A version with three numbers and, before a release, what kind of pre-release it is. Ordered as semantic versions are,
/// except that pre-releases of one release are ordered by their text.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Version {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
    /// `rc.1` of `v1.14.0-rc.1`; empty for a release.
    pub pre: Text,
}

impl Version {
    /// Reads `v1.12.1`, `1.12.1` or `v1.14.0-rc.1`; none of anything else, such as a variable or a range.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let text = text.strip_prefix('v').unwrap_or(text);
        let (numbers, pre) = text.split_once('-').unwrap_or((text, ""));
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-';
        let mut parts = numbers.split('.');
        let mut next = || parts.next().filter(|part| part.bytes().all(|c| c.is_ascii_digit()))?.parse().ok();
        let (major, minor, patch) = (next()?, next()?, next()?);
        let whole = parts.next().is_none() && pre.chars().all(plain) && !text.ends_with('-');
        whole.then(|| Self { major, minor, patch, pre: pre.into() })
    }

    /// Reads the tag of an image such as `ghcr.io/siderolabs/installer:v1.12.1@sha256:...`.
    #[must_use]
    pub fn of_image(image: &str) -> Option<Self> {
        let image = image.split('@').next()?;
        let (_, tag) = image.rsplit_once(':')?;
        Self::parse(tag)
    }

    /// Whether both belong to the same minor release.
    #[must_use]
    pub fn is_same_minor(&self, other: &Self) -> bool {
        (self.major, self.minor) == (other.major, other.minor)
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let numbers = |version: &Self| (version.major, version.minor, version.patch);
        // A pre-release comes before its release: true, no pre-release, is the greater.
        let rank = |version: &Self| version.pre.is_empty();
        numbers(self)
            .cmp(&numbers(other))
            .then_with(|| rank(self).cmp(&rank(other)))
            .then_with(|| self.pre.cmp(&other.pre))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)?;
        if !self.pre.is_empty() {
            write!(f, "-{}", self.pre)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[track_caller]
    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(Version::parse(text).map(|version| version.to_string()).as_deref(), expected, "{text}");
    }

    #[test]
    fn what_is_no_version_is_not_read_as_one() {
        check("v1.12.1", Some("v1.12.1"));
        check("1.12.1", Some("v1.12.1"));
        check("v1.14.0-rc.1", Some("v1.14.0-rc.1"));
        for text in ["${talosVersion}", "1.12", "v1.12.x", "", "v", "1.2.3.4", "1.2.3-", "-1.2.3", "1.+2.3"] {
            check(text, None);
        }
    }

    #[test]
    fn versions_are_ordered_as_they_are_released() {
        let mut versions =
            ["v1.14.0", "v1.9.3", "v1.14.0-rc.1", "v1.14.0-beta.0", "v1.10.0"].map(|v| Version::parse(v).unwrap());
        versions.sort();
        let sorted = versions.map(|version| version.to_string());
        assert_eq!(sorted, ["v1.9.3", "v1.10.0", "v1.14.0-beta.0", "v1.14.0-rc.1", "v1.14.0"]);
    }

    #[test]
    fn the_tag_of_an_image_is_found_despite_ports_and_digests() {
        let of = |image: &str| Version::of_image(image).map(|version| version.to_string());
        assert_eq!(of("registry:5000/siderolabs/installer:v1.12.1@sha256:abc").as_deref(), Some("v1.12.1"));
        assert_eq!(of("registry:5000/siderolabs/installer"), None);
        assert_eq!(of("factory.talos.dev/metal-installer/{{ id }}:v1.14.0-rc.1").as_deref(), Some("v1.14.0-rc.1"));
    }
}
