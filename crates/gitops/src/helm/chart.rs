//! Which chart a HelmRelease installs, and from where.

use std::fmt;

use ecow::EcoString;

use super::Known;
use crate::flux::SOURCE;
use crate::{Node, Object};

/// A chart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chart {
    pub(crate) name: EcoString,
    pub(crate) version: Option<EcoString>,
    /// The folder of the checkout that holds it, where its source is a repository with files.
    pub(crate) folder: Option<EcoString>,
    /// The registry or repository, when it is told.
    pub(crate) url: Option<EcoString>,
}

impl fmt::Display for Chart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

impl Chart {
    /// The chart of a HelmRelease; none when what it refers to isn't in Git.
    pub(super) fn of(release: &Object, known: &Known<'_>) -> Option<Self> {
        let spec = release.root.get("spec")?;
        match spec.at(&["chart", "spec"]) {
            Some(chart) => Self::templated(chart, release, known),
            None => Self::referenced(spec.get("chartRef")?, release, known),
        }
    }

    /// As in `spec.chart.spec` and in a HelmChart.
    fn templated(spec: &Node, owner: &Object, known: &Known<'_>) -> Option<Self> {
        let chart = spec.get("chart")?.as_str()?;
        let source = spec.get("sourceRef");
        let url = source.and_then(|source| find(source, "kind", owner, known)?.root.at(&["spec", "url"])?.as_str());
        let kind = source.and_then(|source| source.get("kind")?.as_str());
        let in_files = kind.is_some_and(|kind| matches!(kind, "GitRepository" | "Bucket" | "ExternalArtifact"));
        Some(Self {
            name: last_part(chart).into(),
            version: spec.get("version").and_then(version),
            folder: if in_files { crate::tree_path::resolved("", chart).map(Into::into) } else { None },
            url: url.map(Into::into),
        })
    }

    fn referenced(reference: &Node, owner: &Object, known: &Known<'_>) -> Option<Self> {
        let source = find(reference, "kind", owner, known);
        match (reference.get("kind")?.as_str()?, source) {
            ("HelmChart", Some(chart)) => Self::templated(chart.root.get("spec")?, chart, known),
            (_, Some(repository)) => Self::pulled(repository),
            // By far most people name the source as the chart.
            (_, None) => {
                let name = reference.get("name")?.as_str()?;
                Some(Self { name: name.into(), version: None, folder: None, url: None })
            }
        }
    }

    /// The chart that an OCIRepository is.
    fn pulled(repository: &Object) -> Option<Self> {
        let spec = repository.root.get("spec")?;
        let url = spec.get("url")?.as_str()?;
        let reference = spec.get("ref");
        let field = |name: &str| reference.and_then(|it| it.get(name));
        let pinned = field("tag").or_else(|| field("semver")).and_then(version);
        let name = match last_part(url) {
            // A registry of charts in general, and one chart by its tag.
            "helm" | "charts" => &*repository.name,
            name => name,
        };
        Some(Self { name: name.into(), version: pinned, folder: None, url: Some(url.into()) })
    }
}

fn find<'a>(reference: &Node, kind: &str, owner: &Object, known: &Known<'a>) -> Option<&'a Object> {
    let text = |field: &str| reference.get(field).and_then(Node::as_str);
    let namespace = text("namespace").unwrap_or(&owner.namespace);
    let found = known.get(&(text(kind)?, namespace, text("name")?))?;
    (found.group() == SOURCE).then_some(*found)
}

/// A version may be written as a number.
fn version(node: &Node) -> Option<EcoString> {
    let text = node.as_str().map(EcoString::from);
    text.or_else(|| node.as_integer().map(|number| ecow::eco_format!("{number}")))
}

fn last_part(text: &str) -> &str {
    text.trim_end_matches('/').rsplit('/').next().unwrap_or(text)
}
