//! Whose a workload is in Git: the HelmRelease or Kustomization that a person edits.
//!
//! The order (helm-controller 1.5 and later): a HelmRelease's inventory, its labels on the object, Helm's release annotations;
//! else the Kustomization of the object's labels.

use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use crate::{Kind, ObjectKey, Text};

/// The kinds of Flux objects that own others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum FluxKind {
    /// `helm.toolkit.fluxcd.io`.
    HelmRelease,
    /// `kustomize.toolkit.fluxcd.io`.
    Kustomization,
}

impl FluxKind {
    /// The same kind among all that are observed.
    #[must_use]
    pub const fn kind(self) -> Kind {
        match self {
            Self::HelmRelease => Kind::HelmRelease,
            Self::Kustomization => Kind::Kustomization,
        }
    }
}

/// The Flux object that a person edits to change a workload.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FluxOwner {
    /// Its kind.
    pub kind: FluxKind,
    /// Its namespace and name.
    pub key: ObjectKey,
}

impl fmt::Display for FluxOwner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.kind(), self.key)
    }
}

/// A HelmRelease or Kustomization.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FluxObject {
    /// Its UID, which events carry.
    pub uid: Box<str>,
    /// Namespace and name of the Helm release that a HelmRelease makes.
    pub release: Option<(Text, Text)>,
    /// What a HelmRelease says it made, sorted.
    pub inventory: Box<[InventoryEntry]>,
}

/// An entry of a HelmRelease's inventory.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InventoryEntry {
    /// Namespace and name.
    pub key: ObjectKey,
    /// API group.
    pub group: Text,
    /// Kind.
    pub kind: Text,
}

impl InventoryEntry {
    /// Reads `<namespace>_<name>_<group>_<kind>`; none of the parts of a namespaced object we read has an underscore.
    #[must_use]
    pub fn parse(id: &str) -> Option<Self> {
        let mut parts = id.split('_');
        let (namespace, name) = (parts.next()?, parts.next()?);
        let (group, kind) = (parts.next()?, parts.next()?);
        let whole = parts.next().is_none() && !name.is_empty();
        whole.then(|| Self { key: ObjectKey::new(namespace, name), group: group.into(), kind: kind.into() })
    }

    /// The entry that an object would have.
    #[must_use]
    pub fn of(kind: Kind, key: ObjectKey) -> Self {
        Self { key, group: kind.group().into(), kind: kind.as_str().into() }
    }
}

/// What an object's labels and annotations say of its Flux owner.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FluxHints(Option<Box<Hints>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Hints {
    helm_release: Option<ObjectKey>,
    release: Option<(Text, Text)>,
    kustomization: Option<ObjectKey>,
}

impl FluxHints {
    pub(crate) fn of(meta: &ObjectMeta) -> Self {
        let label = |key: &str| meta.labels.as_ref()?.get(key);
        let annotation = |key: &str| meta.annotations.as_ref()?.get(key);
        let labelled = |group: &str| {
            let namespace = label(&format!("{group}/namespace"))?;
            Some(ObjectKey::new(namespace, label(&format!("{group}/name"))?))
        };
        let by_helm = label("app.kubernetes.io/managed-by").is_some_and(|tool| tool == "Helm");
        let release =
            || Some((annotation("meta.helm.sh/release-namespace")?, annotation("meta.helm.sh/release-name")?));
        let hints = Hints {
            helm_release: labelled("helm.toolkit.fluxcd.io"),
            release: by_helm.then(release).flatten().map(|(namespace, name)| (namespace.into(), name.into())),
            kustomization: labelled("kustomize.toolkit.fluxcd.io"),
        };
        let none = hints.helm_release.is_none() && hints.release.is_none() && hints.kustomization.is_none();
        Self((!none).then(|| Box::new(hints)))
    }

    /// The HelmRelease that labels name.
    #[must_use]
    pub fn helm_release(&self) -> Option<&ObjectKey> {
        self.0.as_ref()?.helm_release.as_ref()
    }

    /// Namespace and name of the Helm release that annotations name.
    #[must_use]
    pub fn release(&self) -> Option<&(Text, Text)> {
        self.0.as_ref()?.release.as_ref()
    }

    /// The Kustomization that labels name.
    #[must_use]
    pub fn kustomization(&self) -> Option<&ObjectKey> {
        self.0.as_ref()?.kustomization.as_ref()
    }
}
