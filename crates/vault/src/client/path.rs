//! The path of a request, of names that a resource's author may have written: none of them can lead anywhere else.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Kind, Unsendable};

/// Letters in a path, escaped.
const LONGEST: usize = 2048;
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A path below `/v1/`, escaped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path(String);

impl Path {
    /// A path of ours.
    pub(super) fn of(text: &'static str) -> Self {
        Self(text.to_owned())
    }

    /// One of somebody else's: a mount may have several parts, slashes at its ends don't count.
    pub(super) fn parse(text: &str) -> Result<Self, Kind> {
        let trimmed = text.strip_prefix('/').unwrap_or(text);
        let trimmed = trimmed.strip_suffix('/').unwrap_or(trimmed);
        let parts: Result<Vec<_>, _> = trimmed.split('/').map(escape).collect();
        bounded(parts?.join("/"))
    }

    /// This path with a mount below it.
    pub(super) fn mount(self, text: &str) -> Result<Self, Kind> {
        let Self(mount) = Self::parse(text)?;
        bounded(format!("{}/{mount}", self.0))
    }

    /// This path with one name below it; a slash in the name is escaped.
    pub(super) fn name(self, name: &str) -> Result<Self, Kind> {
        bounded(format!("{}/{}", self.0, escape(name)?))
    }

    /// This path with a word of ours below it.
    pub(super) fn then(self, word: &'static str) -> Self {
        Self(format!("{}/{word}", self.0))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

fn bounded(path: String) -> Result<Path, Kind> {
    if path.len() <= LONGEST { Ok(Path(path)) } else { Err(Kind::Unsendable(Unsendable::Path)) }
}

fn escape(part: &str) -> Result<String, Kind> {
    if matches!(part, "" | "." | "..") || part.chars().any(char::is_control) {
        return Err(Kind::Unsendable(Unsendable::Path));
    }
    Ok(utf8_percent_encode(part, ESCAPED).to_string())
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[track_caller]
    fn check(mount: &str, name: &str, expected: Option<&str>) {
        let path = Path::parse(mount).and_then(|path| path.then("keys").name(name));
        assert_eq!(path.ok().as_ref().map(Path::as_str), expected);
    }

    #[rstest]
    #[case::plain("transit", "vault-b", Some("transit/keys/vault-b"))]
    #[case::slashes_at_the_ends("/infra/transit/", "b", Some("infra/transit/keys/b"))]
    #[case::a_slash_in_a_name("transit", "a/../b", Some("transit/keys/a%2F..%2Fb"))]
    #[case::a_query("transit", "b?list=true#x", Some("transit/keys/b%3Flist%3Dtrue%23x"))]
    #[case::escaped_already("transit", "%2e%2e", Some("transit/keys/%252e%252e"))]
    #[case::a_way_up("transit/../sys", "b", None)]
    #[case::a_name_that_leads_up("transit", "..", None)]
    #[case::no_mount("", "b", None)]
    #[case::only_a_slash("/", "b", None)]
    #[case::an_empty_part("a//b", "b", None)]
    #[case::no_name("transit", "", None)]
    #[case::a_new_line("transit", "b\r\nX-Vault-Token: x", None)]
    fn a_path(#[case] mount: &str, #[case] name: &str, #[case] expected: Option<&str>) {
        check(mount, name, expected);
    }

    #[test]
    fn a_path_is_bounded() {
        check("transit", &"a".repeat(3000), None);
    }
}
