//! An object as it would reach the cluster: after overlays, substitution, `targetNamespace` and Helm values.
//!
//! Flux labels everything that it applies. Every object of a checkout has such labels, few are ever asked for them, and to
//! put them in means to copy what is above them: so they are made when somebody asks.

use std::borrow::Cow;

use ecow::EcoString;
use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::{Confidence, Labels};

use crate::node::Entry;
use crate::{Mapping, Node, Origin, Value};

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
    /// What is written of it, rendered or inferred. Each value knows the file it came from.
    pub root: Node,
    /// Whether it was written, rendered or inferred.
    pub confidence: Confidence,
    /// The Flux object that applies it, and in which a person changes it.
    pub owner: Option<FluxOwner>,
    /// Where the owner is named, when it adds its labels to what `root` has.
    pub labelled: Option<Origin>,
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

    /// All of it, with the labels of its owner. Made anew.
    #[must_use]
    pub fn whole(&self) -> Cow<'_, Node> {
        let Some((added, at)) = self.added() else { return Cow::Borrowed(&self.root) };
        let mut whole = self.root.clone();
        if let Some(metadata) = whole.as_mapping_mut().and_then(|mapping| mapping.get_mut("metadata")) {
            let entry = |(key, value): (&str, &str)| Entry {
                key: key.into(),
                at,
                value: Node::new(Value::String(value.into()), at),
            };
            label(metadata, &added.map(entry), at);
        }
        Cow::Owned(whole)
    }

    /// Its labels, those of its owner too.
    pub(crate) fn labels(&self) -> Labels {
        let metadata = self.root.get("metadata").and_then(Node::as_mapping);
        let added = metadata.and_then(|_| self.added()).map(|(added, _)| added);
        let added = added.iter().flatten().copied();
        let own = metadata.and_then(|metadata| metadata.get("labels")).into_iter().flat_map(Node::entries);
        let own = own.filter_map(|entry| Some((entry.key.as_str(), entry.value.as_str()?)));
        own.filter(|(key, _)| added.clone().all(|(it, _)| it != *key)).chain(added.clone()).collect()
    }

    /// The labels that its owner adds, and where that is named.
    pub(crate) fn added(&self) -> Option<([(&str, &str); 2], Origin)> {
        let (owner, at) = self.owner.as_ref().zip(self.labelled)?;
        let [name, namespace] = match owner.kind {
            FluxKind::HelmRelease => ["helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/namespace"],
            FluxKind::Kustomization => ["kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/namespace"],
        };
        Some(([(name, owner.key.name.as_str()), (namespace, owner.key.namespace.as_str())], at))
    }

    /// Where it begins.
    #[must_use]
    pub fn origin(&self) -> Origin {
        self.root.origin
    }
}

/// Sets labels of an object's metadata.
pub(crate) fn label(metadata: &mut Node, labels: &[Entry], at: Origin) {
    let Some(mapping) = metadata.as_mapping_mut().filter(|_| !labels.is_empty()) else { return };
    match mapping.get_mut("labels").and_then(Node::as_mapping_mut) {
        Some(known) => *known = known.with(labels),
        None => mapping.insert("labels", at, Node::new(Value::Mapping(Mapping::default().with(labels)), at)),
    }
}

/// Where an object is named, for whoever looks for it: at its own name, not where a patch for all of its kind says `_`.
pub(crate) fn named_at(root: &Node) -> Origin {
    let name = root.at(&["metadata", "name"]).map(|name| name.origin);
    name.filter(|name| name.file() == root.origin.file()).unwrap_or(root.origin)
}
