//! HelmReleases and Kustomizations of Flux.

use serde_json::{Value, json};

use super::{Manifest, object, push};
use crate::Kind;

/// A HelmRelease or a Kustomization.
#[derive(Clone, Debug)]
pub struct FluxBuilder(Value);

impl Manifest for FluxBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A HelmRelease.
#[must_use]
pub fn helm_release(path: &str) -> FluxBuilder {
    FluxBuilder(object(Kind::HelmRelease, path))
}

/// A Kustomization.
#[must_use]
pub fn kustomization(path: &str) -> FluxBuilder {
    FluxBuilder(object(Kind::Kustomization, path))
}

impl FluxBuilder {
    /// Installs into this namespace.
    #[must_use]
    pub fn into_namespace(mut self, namespace: &str) -> Self {
        self.0["spec"]["targetNamespace"] = namespace.into();
        self
    }

    /// Calls the Helm release so.
    #[must_use]
    pub fn releasing(mut self, name: &str) -> Self {
        self.0["spec"]["releaseName"] = name.into();
        self
    }

    /// Lists an object in its inventory, as `<namespace>_<name>_<group>_<kind>`.
    #[must_use]
    pub fn listing(mut self, id: &str) -> Self {
        push(&mut self.0["status"]["inventory"]["entries"], json!({ "id": id, "v": "v1" }));
        self
    }
}
