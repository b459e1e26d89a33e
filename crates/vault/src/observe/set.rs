//! The StatefulSet and the Secrets, read by name.

use k8s_openapi::api::apps::v1::StatefulSet as RawSet;
use k8s_openapi::api::core::v1::Secret;
use kube::{Api, Client as Kube};

use holdfast_api::vault_transit_unseal::SecretKeyRef;

use crate::settings::{LABEL, Settings};
use crate::view::{StatefulSet, Unknown, Wiring};
use crate::wiring::{server_container, wiring};

/// The StatefulSet that the resource names.
pub(super) async fn observe(kube: &Kube, settings: &Settings) -> Result<StatefulSet, Unknown> {
    let (name, namespace) = (&settings.target.set, &settings.namespace);
    let api: Api<RawSet> = Api::namespaced(kube.clone(), namespace);
    match api.get_opt(name).await {
        Ok(Some(set)) => facts(set, settings),
        Ok(None) => Err(Unknown::Missing(format!("there is no StatefulSet {name} in {namespace}"))),
        Err(kube::Error::Api(status)) if status.is_forbidden() => Err(Unknown::Refused(status.message.clone())),
        Err(error) => {
            tracing::debug!(%error, name, namespace, "a StatefulSet couldn't be read");
            Err(Unknown::Unseen)
        }
    }
}

fn facts(set: RawSet, settings: &Settings) -> Result<StatefulSet, Unknown> {
    let spec = set.spec.unwrap_or_default();
    let template = spec.template.spec.unwrap_or_default();
    let Some(container) = server_container(&template, &settings.target.container, settings.target.port) else {
        let name = &settings.target.set;
        let message = format!("no container of the StatefulSet {name} is the server: name it in spec.target.container");
        return Err(Unknown::Missing(message));
    };
    let wiring = match &settings.token {
        Some(reference) => wiring(&template, container, &reference.name, &reference.key),
        None => Wiring::Unused,
    };
    Ok(StatefulSet {
        uid: set.metadata.uid.unwrap_or_default(),
        service: spec.service_name.unwrap_or_default(),
        replicas: spec.replicas.and_then(|replicas| u32::try_from(replicas).ok()).unwrap_or(1),
        ordered: spec.pod_management_policy.as_deref() != Some("Parallel"),
        update_revision: set.status.and_then(|status| status.update_revision).unwrap_or_default(),
        wiring,
        volumes: spec.volume_claim_templates.into_iter().flatten().filter_map(|claim| claim.metadata.name).collect(),
    })
}

/// Reads Secrets of the resource's namespace.
pub(crate) struct Secrets<'a> {
    api: Api<Secret>,
    settings: &'a Settings,
    require_label: bool,
}

/// Why a Secret's key isn't there.
#[derive(Debug)]
pub(crate) enum Absent {
    NoSecret,
    NoKey,
    Refused(String),
    Unseen,
}

impl Absent {
    /// As it is told about this reference.
    fn message(&self, reference: &SecretKeyRef) -> String {
        let SecretKeyRef { name, key } = reference;
        match self {
            Self::NoSecret => format!("there is no Secret {name}"),
            Self::NoKey => format!("the Secret {name} has no key {key}"),
            Self::Refused(said) => format!("the Secret {name} may not be read: {said}"),
            Self::Unseen => format!("the Secret {name} couldn't be read just now"),
        }
    }
}

impl<'a> Secrets<'a> {
    pub(crate) fn new(kube: &Kube, settings: &'a Settings, require_label: bool) -> Self {
        Self { api: Api::namespaced(kube.clone(), &settings.namespace), settings, require_label }
    }

    /// Theirs, and that of everything else that a resource names.
    pub(super) fn namespace(&self) -> &str {
        &self.settings.namespace
    }

    /// What a key of a Secret holds.
    pub(crate) async fn read(&self, reference: &SecretKeyRef) -> Result<Vec<u8>, Absent> {
        self.read_noted(reference, "").await.map(|(value, _)| value)
    }

    /// The same, and what an annotation of the Secret says.
    pub(super) async fn read_noted(
        &self,
        reference: &SecretKeyRef,
        annotation: &str,
    ) -> Result<(Vec<u8>, Option<String>), Absent> {
        let secret = match self.api.get_opt(&reference.name).await {
            Ok(Some(secret)) => secret,
            Ok(None) => return Err(Absent::NoSecret),
            Err(kube::Error::Api(status)) if status.is_forbidden() => {
                return Err(Absent::Refused(status.message.clone()));
            }
            Err(error) => {
                tracing::debug!(%error, name = reference.name, "a Secret couldn't be read");
                return Err(Absent::Unseen);
            }
        };
        if self.require_label && secret.metadata.labels.iter().flatten().all(|label| !self.allows(label)) {
            let name = &self.settings.name;
            return Err(Absent::Refused(format!(
                "it isn't labelled {LABEL}={name}, and no admission policy checks its author"
            )));
        }
        let noted = secret.metadata.annotations.and_then(|mut all| all.remove(annotation));
        let value = secret.data.unwrap_or_default().remove(&reference.key);
        value.map(|value| (value.0, noted)).ok_or(Absent::NoKey)
    }

    fn allows(&self, (key, value): (&String, &String)) -> bool {
        key == LABEL && *value == self.settings.name
    }

    /// The certificates of an authority, or why they aren't known.
    pub(super) async fn authority(&self, reference: &SecretKeyRef) -> Result<Vec<u8>, String> {
        self.read(reference).await.map_err(|absent| absent.message(reference))
    }
}
