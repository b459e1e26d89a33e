//! Paths in the container and the folders behind them.

use std::path::{Path, PathBuf};

/// The mounts of a container.
#[derive(Debug, Clone, Default)]
pub(super) struct Mounts(Vec<(String, PathBuf)>);

impl Mounts {
    pub(super) fn new(mut mounts: Vec<(String, PathBuf)>) -> Self {
        // A mount in a mount hides what is below it, so the longest path comes first.
        mounts.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(mounts)
    }

    /// What is behind a path in the container, when it lies in a mount.
    pub(super) fn behind(&self, path: &str) -> Option<PathBuf> {
        self.0.iter().find_map(|(mount, folder)| {
            let rest = path.strip_prefix(mount.as_str())?;
            match rest.strip_prefix('/') {
                Some(rest) => Some(folder.join(rest)),
                None => rest.is_empty().then(|| folder.clone()),
            }
        })
    }

    /// The text with every path that begins with a mount replaced. A path begins after what can't be part of one, or after `//`.
    pub(super) fn translate(&self, text: &str) -> String {
        let mut translated = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(next) = rest.chars().next() {
            match self.mount_at(&translated, rest) {
                Some((mount, folder)) => {
                    translated.push_str(&folder.display().to_string());
                    rest = &rest[mount.len()..];
                }
                None => {
                    translated.push(next);
                    rest = &rest[next.len_utf8()..];
                }
            }
        }
        translated
    }

    fn mount_at(&self, before: &str, rest: &str) -> Option<(&str, &Path)> {
        let begins = before.ends_with("//") || !before.ends_with(|c| is_in_path(c) || c == '/');
        let ends = |mount: &str| !rest[mount.len()..].starts_with(is_in_path);
        let found = self.0.iter().find(|(mount, _)| begins && rest.starts_with(mount.as_str()) && ends(mount));
        found.map(|(mount, folder)| (mount.as_str(), folder.as_path()))
    }
}

/// Whether a character can be part of a folder's name.
fn is_in_path(c: char) -> bool {
    c.is_alphanumeric() || "._-".contains(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mounts() -> Mounts {
        let mounts = [("/vault", "/t/a"), ("/vault/secrets", "/t/b")];
        Mounts::new(mounts.map(|(path, folder)| (path.to_owned(), PathBuf::from(folder))).into())
    }

    #[track_caller]
    fn check(text: &str, translated: &str) {
        assert_eq!(mounts().translate(text), translated);
    }

    #[test]
    fn paths_are_replaced_by_the_longest_mount() {
        check(r#"path = "/vault/data""#, r#"path = "/t/a/data""#);
        check(r#"token = "file:///vault/secrets/token""#, r#"token = "file:///t/b/token""#);
        check("/vault", "/t/a");
        check("-config=/vault/secrets", "-config=/t/b");
    }

    #[test]
    fn what_only_looks_like_a_mount_stays() {
        for text in ["http://example.org/vault/x", "/vaults", "/x/vault", "vault", "é/vault"] {
            check(text, text);
        }
    }

    #[test]
    fn a_path_is_looked_up() {
        assert_eq!(mounts().behind("/vault/secrets/token"), Some("/t/b/token".into()));
        assert_eq!(mounts().behind("/vault"), Some("/t/a".into()));
        assert_eq!(mounts().behind("/vaults"), None);
    }
}
