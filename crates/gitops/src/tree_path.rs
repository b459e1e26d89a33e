//! Paths inside of the checkout: relative to its root, with `/` between the parts, never out of it.

/// The path that `written` means in `folder`; none when it leads out of the checkout.
pub(crate) fn resolved(folder: &str, written: &str) -> Option<String> {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in written.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The folder of a file; empty for the root.
pub(crate) fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Whether a path is this folder or below it.
pub(crate) fn is_below(path: &str, folder: &str) -> bool {
    folder.is_empty() || path.strip_prefix(folder).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_told_from_the_root_of_the_checkout() {
        assert_eq!(resolved("", "./kubernetes/apps/").as_deref(), Some("kubernetes/apps"));
        assert_eq!(resolved("a/b", "../c").as_deref(), Some("a/c"));
        assert_eq!(resolved("", "/clusters/prod").as_deref(), Some("clusters/prod"));
        assert_eq!(resolved("a", "../../etc"), None);
    }

    #[test]
    fn a_folder_is_no_other_that_begins_like_it() {
        assert!(is_below("apps/web", "apps") && is_below("apps", "apps") && is_below("x", ""));
        assert!(!is_below("apps-old/web", "apps"));
    }
}
