//! Paths that a kustomization file names: relative to its folder, and what is no path but an address.

/// Where a path leads, from the root of the checkout; none when it leads out of it.
pub(super) fn resolve(folder: &str, written: &str) -> Option<String> {
    if written.starts_with('/') {
        return None;
    }
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// Whether it is the address of something on a server.
pub(super) fn is_remote(written: &str) -> bool {
    const HOSTS: [&str; 6] = ["github.com/", "gitlab.com/", "bitbucket.org/", "codeberg.org/", "git@", "git::"];
    written.contains("://")
        || written.contains("?ref=")
        || written.contains(".git//")
        || written.ends_with(".git")
        || HOSTS.iter().any(|host| written.starts_with(host))
}

/// The last part of a path.
pub(super) fn name(path: &str) -> &str {
    path.trim_end_matches('/').rsplit('/').next().unwrap_or(path)
}

/// The path of something in a folder.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_root_of_the_checkout() {
        assert_eq!(resolve("apps/web", "../base/./x.yaml").as_deref(), Some("apps/base/x.yaml"));
        assert_eq!(resolve("apps", "../").as_deref(), Some(""));
        assert_eq!(resolve("apps", "../../etc"), None);
        assert_eq!(resolve("apps", "/etc"), None);
    }

    #[test]
    fn an_address_is_no_path() {
        assert!(
            is_remote("https://example.com/a.yaml") && is_remote("github.com/a/b?ref=v1") && is_remote("git@host:a/b")
        );
        assert!(!is_remote("../base") && !is_remote("github.yaml"));
    }
}
