//! A NamespaceSecurityPolicy, parsed, and what is known of the API server.

use std::time::Duration;

use holdfast_api::{Mode, NamespaceSecurityPolicy, SecurityLevel};
use holdfast_model::Text;
use holdfast_model::facts::Namespace;
use holdfast_model::selector::{Selector, SelectorError};
use holdfast_pod_security::{Level, Version};
use thiserror::Error;

use crate::duration;
use crate::policies::raw_selector;

/// Namespaces that are left alone unless a policy says otherwise, beside the one that we run in.
const EXEMPT: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "flux-system"];
/// For how long a namespace is watched unless a policy says otherwise.
const WEEK: Duration = Duration::from_secs(7 * 24 * 3600);

/// What a NamespaceSecurityPolicy asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its name; empty where there is no policy.
    pub name: Text,
    /// Whether labels are written.
    pub mode: Mode,
    /// The highest decides.
    pub priority: i32,
    /// What every namespace should state at least.
    pub floor: Level,
    /// The strictest level that is written.
    pub ceiling: Level,
    /// For how long a namespace is watched before its enforce label is raised.
    pub soak: Duration,
    exempt: Option<Vec<Text>>,
    namespaces: Selector,
}

/// Why a policy can't mean anything. The API server's validation refuses most of these already.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SettingsError {
    /// The selector of namespaces can't be evaluated.
    #[error("spec.namespaceSelector: {0}")]
    Namespaces(#[source] SelectorError),
    /// The floor can't be reached.
    #[error("spec.floor {floor} is stricter than spec.ceiling {ceiling}: nothing is raised above the ceiling")]
    Contradictory {
        /// The floor.
        floor: Level,
        /// The ceiling.
        ceiling: Level,
    },
    /// The soak is no duration.
    #[error("spec.soak: {0:?} is no duration: write days, hours, minutes and seconds, such as 7d or 1d12h")]
    Soak(String),
}

impl Settings {
    /// What holds where there is no policy at all: as one in Report mode over everything.
    #[must_use]
    pub fn without_policy() -> Self {
        Self {
            name: Text::default(),
            mode: Mode::Report,
            priority: 0,
            floor: Level::Baseline,
            ceiling: Level::Baseline,
            soak: WEEK,
            exempt: None,
            namespaces: Selector::default(),
        }
    }

    /// Whether the namespace is meant.
    #[must_use]
    pub fn selects(&self, namespace: &Namespace) -> bool {
        self.namespaces.matches(&namespace.labels)
    }

    /// Why a namespace is left alone, when it is. Where the policy doesn't say which are, the one that we run in is among
    /// them.
    #[must_use]
    pub fn exempts(&self, namespace: &Text, server: &Server) -> Option<&'static str> {
        let by_policy = match &self.exempt {
            Some(names) => names.contains(namespace),
            None => EXEMPT.contains(&namespace.as_str()) || server.own.as_ref() == Some(namespace),
        };
        if by_policy {
            Some("exempt by the policy")
        } else if server.exempt.contains(namespace) {
            Some("exempt by the configuration of the API server")
        } else {
            None
        }
    }
}

impl TryFrom<&NamespaceSecurityPolicy> for Settings {
    type Error = SettingsError;

    fn try_from(raw: &NamespaceSecurityPolicy) -> Result<Self, SettingsError> {
        let spec = &raw.spec;
        let namespaces = spec.namespace_selector.as_ref().map(|raw| Selector::try_from(&raw_selector(raw)));
        let (floor, ceiling) = (level(spec.floor), level(spec.ceiling));
        if ceiling < floor {
            return Err(SettingsError::Contradictory { floor, ceiling });
        }
        Ok(Self {
            name: raw.metadata.name.as_deref().unwrap_or_default().into(),
            mode: spec.mode,
            priority: spec.priority,
            floor,
            ceiling,
            soak: duration::parse(&spec.soak).ok_or_else(|| SettingsError::Soak(spec.soak.clone()))?,
            exempt: spec.exempt_namespaces.as_ref().map(|names| names.iter().map(Text::from).collect()),
            namespaces: namespaces.transpose().map_err(SettingsError::Namespaces)?.unwrap_or_default(),
        })
    }
}

/// What is known of the API server beside its objects.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Server {
    /// Its minor version.
    pub minor: Option<u64>,
    /// The level that it enforces in namespaces without a label; none while that isn't known.
    pub default: Option<Level>,
    /// Namespaces that its configuration exempts, as far as they are known.
    pub exempt: Vec<Text>,
    /// The namespace that we run in.
    pub own: Option<Text>,
    /// Whether its kubelets give the runtime's seccomp profile to pods that ask for none, as far as files say.
    pub seccomp_by_default: bool,
    /// Whether its scheduler spreads replicas over nodes that ask for nothing, as far as files say.
    pub spreads: bool,
}

impl Server {
    /// What `latest` means there, at most the newest version that is known here.
    #[must_use]
    pub fn version(&self) -> Version {
        self.minor.map_or(Version::NEWEST_KNOWN, Version::Minor).min(Version::NEWEST_KNOWN)
    }

    /// What a version on a label means there: none is newer than the server.
    #[must_use]
    pub fn effective(&self, version: Version) -> Version {
        version.min(self.version())
    }

    /// The versions that the next upgrades bring, as far as they are known here.
    pub fn next_versions(&self) -> impl Iterator<Item = Version> + use<> {
        let Version::Minor(newest) = Version::NEWEST_KNOWN else { unreachable!("invariant: it is a version") };
        let present = self.minor.unwrap_or(newest);
        (present.saturating_add(1)..=newest).map(Version::Minor)
    }
}

/// The level of the same name.
#[must_use]
pub fn level(raw: SecurityLevel) -> Level {
    match raw {
        SecurityLevel::Privileged => Level::Privileged,
        SecurityLevel::Baseline => Level::Baseline,
        SecurityLevel::Restricted => Level::Restricted,
    }
}

/// The level of the same name.
#[must_use]
pub fn raw_level(level: Level) -> SecurityLevel {
    match level {
        Level::Privileged => SecurityLevel::Privileged,
        Level::Baseline => SecurityLevel::Baseline,
        Level::Restricted => SecurityLevel::Restricted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_versions_are_those_after_the_servers_and_known_here() {
        let next = |minor| Server { minor, ..Server::default() }.next_versions().collect::<Vec<_>>();
        assert_eq!(next(Some(35)), [Version::Minor(36), Version::Minor(37)]);
        assert_eq!(next(Some(37)), []);
        assert_eq!(next(Some(99)), []);
        assert_eq!(next(None), []);
        assert_eq!(Server { minor: Some(99), ..Server::default() }.version(), Version::NEWEST_KNOWN);
        assert_eq!(Server { minor: Some(35), ..Server::default() }.effective(Version::Latest), Version::Minor(35));
    }
}
