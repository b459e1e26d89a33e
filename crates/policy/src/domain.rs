//! Of what a rule speaks; each domain has its own score.

use std::fmt;

/// A domain of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Domain {
    /// Budgets, replicas, and what a drain does to them.
    Disruption,
    /// Probes.
    Health,
    /// Pod Security levels and what templates violate.
    PodSecurity,
    /// Requests and limits.
    Resources,
    /// Kustomizations, HelmReleases and sources as Flux runs them.
    Flux,
    /// Charts and their values.
    Helm,
    /// Talos: machine configuration and its upgrades.
    Talos,
    /// Secrets in Git, and the pipeline that builds and publishes.
    Supply,
    /// Who may talk to whom, and how it is encrypted.
    Network,
    /// Alerts, objectives, traces and logs.
    Observability,
    /// What a person needs to read at three in the morning.
    Documentation,
}

impl Domain {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 11] = [
        Self::Disruption,
        Self::Health,
        Self::PodSecurity,
        Self::Resources,
        Self::Flux,
        Self::Helm,
        Self::Talos,
        Self::Supply,
        Self::Network,
        Self::Observability,
        Self::Documentation,
    ];

    /// In kebab-case, for files and programs.
    #[must_use]
    pub const fn id(self) -> &'static str {
        match self {
            Self::Disruption => "disruption",
            Self::Health => "health",
            Self::PodSecurity => "pod-security",
            Self::Resources => "resources",
            Self::Flux => "flux",
            Self::Helm => "helm",
            Self::Talos => "talos",
            Self::Supply => "supply-chain",
            Self::Network => "network",
            Self::Observability => "observability",
            Self::Documentation => "documentation",
        }
    }

    /// The domain of this ID, when there is one.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|domain| domain.id() == id)
    }

    /// For people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disruption => "Disruption",
            Self::Health => "Health",
            Self::PodSecurity => "Pod security",
            Self::Resources => "Resources",
            Self::Flux => "Flux",
            Self::Helm => "Helm",
            Self::Talos => "Talos",
            Self::Supply => "Secrets and supply chain",
            Self::Network => "Network",
            Self::Observability => "Observability",
            Self::Documentation => "Documentation",
        }
    }

    /// Whether there are rules of it yet. A domain without is never scored, rather than perfect.
    #[must_use]
    pub const fn is_judged(self) -> bool {
        match self {
            Self::Health => false,
            Self::Disruption
            | Self::PodSecurity
            | Self::Resources
            | Self::Flux
            | Self::Helm
            | Self::Talos
            | Self::Supply
            | Self::Network
            | Self::Observability
            | Self::Documentation => true,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
