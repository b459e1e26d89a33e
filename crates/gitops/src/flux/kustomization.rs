//! Flux's Kustomization, as far as it says what is built.

use ecow::EcoString;

use super::{FLUX_SYSTEM, KUSTOMIZE};
use crate::object::named_at;
use crate::tree_path as path;
use crate::{Node, Object, Origin};

/// Which source a Kustomization is built from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct SourceRef {
    pub(crate) kind: EcoString,
    pub(crate) namespace: EcoString,
    pub(crate) name: EcoString,
}

/// A ConfigMap or Secret that holds variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct VariableRef {
    pub(crate) kind: EcoString,
    pub(crate) name: EcoString,
    pub(crate) optional: bool,
    pub(crate) at: Origin,
}

/// What is built, and how.
#[derive(Clone, Debug)]
pub(crate) struct Kustomization {
    pub(crate) namespace: EcoString,
    pub(crate) name: EcoString,
    /// Relative to the checkout, without `./`; none when it leads out of it.
    pub(crate) path: Option<String>,
    /// Where the path is written, else where the object begins.
    pub(crate) path_at: Origin,
    pub(crate) source: Option<SourceRef>,
    pub(crate) substitute_from: Vec<VariableRef>,
    /// The whole `spec`.
    pub(crate) spec: Node,
    pub(crate) at: Origin,
}

impl Kustomization {
    /// Reads one; none for an object of another kind.
    pub(crate) fn read(object: &Object) -> Option<Self> {
        if !object.is(KUSTOMIZE, "Kustomization") {
            return None;
        }
        Some(Self::new(&object.root, &object.namespace, &object.name))
    }

    pub(super) fn new(root: &Node, namespace: &str, name: &str) -> Self {
        let namespace = EcoString::from(if namespace.is_empty() { FLUX_SYSTEM } else { namespace });
        let spec = root.get("spec").cloned().unwrap_or_else(|| Node::made(crate::Value::Null));
        let path = spec.get("path").and_then(Node::as_str).unwrap_or_default();
        Self {
            path: path::resolved("", path),
            path_at: spec.get("path").map_or(root.origin, |path| path.origin),
            source: source(&spec, &namespace),
            substitute_from: variables(&spec),
            name: name.into(),
            at: named_at(root),
            namespace,
            spec,
        }
    }

    /// Whether Flux puts variables in.
    pub(super) fn substitutes(&self) -> bool {
        self.spec.get("postBuild").is_some_and(|it| !it.is_null())
    }
}

fn source(spec: &Node, namespace: &EcoString) -> Option<SourceRef> {
    let reference = spec.get("sourceRef")?;
    let text = |field: &str| reference.get(field).and_then(Node::as_str).map(EcoString::from);
    Some(SourceRef {
        kind: text("kind")?,
        namespace: text("namespace").unwrap_or_else(|| namespace.clone()),
        name: text("name")?,
    })
}

fn variables(spec: &Node) -> Vec<VariableRef> {
    let references = spec.at(&["postBuild", "substituteFrom"]).map(Node::items).unwrap_or_default();
    let read = references.iter().filter_map(|reference| {
        let text = |field: &str| reference.get(field).and_then(Node::as_str);
        Some(VariableRef {
            kind: text("kind")?.into(),
            name: text("name")?.into(),
            optional: reference.get("optional").and_then(Node::as_bool).unwrap_or(false),
            at: reference.get("name").map_or(reference.origin, |name| name.origin),
        })
    });
    read.collect()
}
