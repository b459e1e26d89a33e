//! What Flux would apply: from the roots of a checkout through its Kustomizations to objects.
//!
//! `roots` says where a cluster begins, `graph` follows Kustomizations round by round, `build` hands each to Kustomize as
//! kustomize-controller would, `substitute` puts variables in, `resource_set` expands what flux-operator would. Absent:
//! the network. A source that isn't this checkout is told and not followed.

mod build;
mod graph;
mod kustomization;
mod resource_set;
mod roots;
mod substitute;
mod variables;

#[cfg(test)]
pub(crate) use graph::Followed;
pub(crate) use graph::{follow, object};
pub(crate) use kustomization::Kustomization;
pub(crate) use roots::{Root, RootKind, roots};

/// The API group of Flux's Kustomizations.
pub(crate) const KUSTOMIZE: &str = "kustomize.toolkit.fluxcd.io";

/// The API group of HelmReleases.
pub(crate) const HELM: &str = "helm.toolkit.fluxcd.io";

/// The API group of sources.
pub(crate) const SOURCE: &str = "source.toolkit.fluxcd.io";

/// The API group of flux-operator.
pub(crate) const OPERATOR: &str = "fluxcd.controlplane.io";

/// Where Flux itself lives.
pub(crate) const FLUX_SYSTEM: &str = "flux-system";
