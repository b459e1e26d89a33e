//! An object as it would reach the cluster: after overlays, substitution, `targetNamespace` and Helm values.

use ecow::EcoString;
use holdfast_model::Confidence;
use holdfast_model::facts::FluxOwner;

use crate::{Node, Origin};

/// An effective object.
#[derive(Clone, Debug)]
pub struct Object {
    /// Group and version, such as `apps/v1`.
    pub api_version: EcoString,
    /// The kind.
    pub kind: EcoString,
    /// The effective namespace; empty for what has none, and for what nobody gave one.
    pub namespace: EcoString,
    /// The name.
    pub name: EcoString,
    /// All of it. Each value knows the file it came from.
    pub root: Node,
    /// Whether it was written, rendered or inferred.
    pub confidence: Confidence,
    /// The Flux object that applies it, and in which a person changes it.
    pub owner: Option<FluxOwner>,
}

impl Object {
    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version.split_once('/').map_or("", |(group, _)| group)
    }

    /// Whether it is of this kind in this group, whatever the version.
    #[must_use]
    pub fn is(&self, group: &str, kind: &str) -> bool {
        self.kind == kind && self.group() == group
    }

    /// Where it begins.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.root.origin
    }
}

/// Where an object is named, for whoever looks for it: at its own name, not where a patch for all of its kind says `_`.
pub(crate) fn named_at(root: &Node) -> Origin {
    let name = root.at(&["metadata", "name"]).map(|name| name.origin);
    name.filter(|name| name.file() == root.origin.file()).unwrap_or(root.origin)
}
