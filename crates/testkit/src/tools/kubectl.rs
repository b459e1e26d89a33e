//! kubectl: on the PATH when it is a real one within one minor release of the server, else the control plane's own.
//!
//! A kubectl on the PATH may be a wrapper that picks another, so it is believed only after it has said its version.

use anyhow::Result;
use serde_json::Value;

use super::{Found, Origin, control_plane, on_path, output_of};
use crate::cache::Cache;

pub(super) fn find(cache: &Cache) -> Result<Found> {
    match present() {
        Some(found) => Ok(found),
        None => control_plane::kubectl(cache),
    }
}

fn present() -> Option<Found> {
    let path = on_path("kubectl")?;
    let answer = output_of(&path, &["version", "--client", "--output=json"]).ok()?;
    let version = version_in(&answer)?;
    Some(Found { path, version, origin: Origin::Path })
}

/// The version in the answer of `kubectl version`, when the server of the tests may be talked to with it.
fn version_in(answer: &str) -> Option<String> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    let client = answer.get("clientVersion")?;
    let minor: u32 = client.get("minor")?.as_str()?.trim_end_matches('+').parse().ok()?;
    let version = client.get("gitVersion")?.as_str()?;
    (minor.abs_diff(control_plane::MINOR) <= 1).then(|| version.to_owned())
}

#[cfg(test)]
mod tests {
    use super::version_in;

    fn check(version: &str, minor: &str) -> Option<String> {
        version_in(&format!(r#"{{"clientVersion":{{"major":"1","minor":"{minor}","gitVersion":"{version}"}}}}"#))
    }

    #[test]
    fn a_neighbouring_release_is_taken() {
        assert_eq!(check("v1.34.2", "34").as_deref(), Some("v1.34.2"));
        assert_eq!(check("v1.36.0", "36+").as_deref(), Some("v1.36.0"));
    }

    #[test]
    fn a_distant_release_or_none_is_not() {
        assert_eq!(check("v1.32.4-dispatcher", "32"), None);
        assert_eq!(version_in("not json"), None);
    }
}
