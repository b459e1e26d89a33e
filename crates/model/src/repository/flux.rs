//! The Flux graph: Kustomizations, HelmReleases, sources, as they are after the patches of their parents.

use super::Identity;
use crate::{ObjectKey, Text};

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flux {
    /// Kustomizations that a root reaches.
    pub kustomizations: Vec<Kustomization>,
    /// HelmReleases that a root reaches.
    pub releases: Vec<Release>,
    /// Sources of all kinds.
    pub sources: Vec<Source>,
    /// FluxInstances.
    pub instances: Vec<Identity>,
    /// Everything of Flux that is suspended.
    pub suspended: Vec<Identity>,
    /// How many Alerts there are.
    pub alerts: usize,
    /// How many Receivers there are.
    pub receivers: usize,
    /// Whether helm-controller retries by default, by its feature gate `DefaultToRetryOnFailure`.
    pub retries_by_default: bool,
    /// Whether something makes Flux objects that can't be seen here, such as a ResourceSet with inputs from elsewhere.
    pub generates: bool,
}

/// A Kustomization of Flux.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kustomization {
    /// The object.
    pub identity: Identity,
    /// `interval`, in seconds; none when it is missing or can't be read.
    pub interval: Option<u64>,
    /// Whether `retryInterval` is given.
    pub retry_interval: bool,
    /// Whether `timeout` is given.
    pub timeout: bool,
    /// Whether it waits for what it applies: `wait`, or health checks.
    pub waits: bool,
    /// Whether what leaves Git leaves the cluster.
    pub prune: bool,
    /// What has to be ready before, in the order of the file.
    pub depends_on: Vec<ObjectKey>,
    /// Its source.
    pub source: Option<SourceRef>,
}

/// A HelmRelease.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Release {
    /// The object.
    pub identity: Identity,
    /// Whether `interval` is given.
    pub interval: bool,
    /// The chart.
    pub chart: Chart,
    /// What happens at an install.
    pub install: Action,
    /// What happens at an upgrade.
    pub upgrade: Action,
    /// Whether drift is detected.
    pub drift_detection: bool,
    /// Whether the chart's tests run.
    pub tests: bool,
    /// What has to be ready before, in the order of the file.
    pub depends_on: Vec<ObjectKey>,
    /// Whether values come from ConfigMaps or Secrets too, so that what isn't in `values` may be there.
    pub values_from: bool,
    /// Whether its values name a priority class, wherever they do.
    pub names_priority: bool,
}

/// What a HelmRelease says of an install or an upgrade.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// Whether `remediation.retries` is anything but none.
    pub remediates: bool,
    /// `strategy.name`.
    pub strategy: Option<Text>,
    /// `crds`.
    pub crds: Option<Text>,
}

/// Where a HelmRelease has its chart from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Chart {
    /// `spec.chart`: a name, or a path, in a source.
    Named {
        /// The name or path.
        name: Text,
        /// `version`; absent means any.
        version: Option<Text>,
        /// The source.
        source: Option<SourceRef>,
        /// Whether its signature is verified.
        verified: bool,
    },
    /// `spec.chartRef`: an artifact that is the chart.
    Referenced(SourceRef),
    /// Neither; such a release is refused.
    Missing,
}

/// A reference to a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceRef {
    /// The kind.
    pub kind: Text,
    /// Namespace and name.
    pub key: ObjectKey,
}

/// A GitRepository, OCIRepository, HelmRepository, HelmChart or Bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The object.
    pub identity: Identity,
    /// `url`; the chart's name for a HelmChart.
    pub url: Text,
    /// Whether `interval` is given.
    pub interval: bool,
    /// Whether it is an OCI registry.
    pub oci: bool,
    /// Whether signatures are verified.
    pub verified: bool,
    /// What it follows.
    pub follows: Follows,
}

/// What a source follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Follows {
    /// A digest or a commit, which can't change.
    Digest,
    /// A tag or a version.
    Tag(Text),
    /// A range of versions.
    Range(Text),
    /// A branch.
    Branch(Text),
    /// Whatever is newest, as nothing is said.
    Newest,
}

impl Follows {
    /// Whether a version names exactly one: three numbers, perhaps with a `v` before them and a pre-release or build
    /// after. `1.2`, `1.x`, `^1.2.3` and `*` are ranges to Helm.
    #[must_use]
    pub fn is_exact(version: &str) -> bool {
        let version = version.trim();
        let version = version.strip_prefix(['v', '=']).unwrap_or(version).trim_start();
        let numbers = version.split(['-', '+']).next().unwrap_or_default();
        let number = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
        numbers.split('.').count() == 3 && numbers.split('.').all(number) && !version.contains([' ', ',', '|'])
    }
}

impl Flux {
    /// The source behind a reference.
    #[must_use]
    pub fn source(&self, reference: &SourceRef) -> Option<&Source> {
        self.sources.iter().find(|source| {
            let subject = &source.identity.subject;
            // Names are compared by their address, and hardly two are the same.
            subject.name == reference.key.name
                && subject.namespace == reference.key.namespace
                && subject.kind == reference.kind.as_str()
        })
    }
}

impl Release {
    /// The name of its chart: the last part of the chart's name or of the URL it is fetched from.
    #[must_use]
    pub fn chart_name<'a>(&'a self, flux: &'a Flux) -> Option<&'a str> {
        let whole = match &self.chart {
            Chart::Named { name, .. } => name,
            Chart::Referenced(reference) => &flux.source(reference)?.url,
            Chart::Missing => return None,
        };
        whole.trim_end_matches('/').rsplit('/').next().filter(|name| !name.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(version: &str, exact: bool) {
        assert_eq!(Follows::is_exact(version), exact, "{version}");
    }

    #[test]
    fn only_three_numbers_name_one_version() {
        for exact in ["1.2.3", "v1.2.3", "=1.2.3", "1.2.3-rc.1", "1.2.3+build.5", " 10.0.0 "] {
            check(exact, true);
        }
        for range in
            ["*", "1", "1.2", "1.x", "1.2.x", "^1.2.3", "~1.2.3", ">=1.2.3", ">=1.2.3 <2.0.0", "1.2.3 - 1.4.5", ""]
        {
            check(range, false);
        }
    }
}
