//! What an initialisation reads and writes in the cluster: by name, each within ten seconds, never by force.
//!
//! A write whose answer is lost may have been done, and is looked at afterwards. Not through the client that only the leader
//! may write with: whoever holds an answer stores it, whatever the Lease says.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use holdfast_api::vault_transit_unseal::SecretKeyRef;
use holdfast_runtime::failure::{Failure, said};
use k8s_openapi::ByteString;
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Pod, Secret};
use kube::api::{ListParams, ObjectMeta, Patch, PatchParams, PostParams};
use kube::{Api, Client as Kube};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::claim::{self, Claim, Reading, Stage};
use super::failed::Failed;
use super::gate::Volume;
use super::recipients::Parts;
use crate::audit::{Act, told};
use crate::observe::{NoToken, Secrets, account_token};
use crate::settings::{LABEL, Settings};

/// How long the API server may take.
const ANSWER: Duration = Duration::from_secs(10);
/// Whose fields of the Secrets are ours.
const MANAGER: &str = "holdfast/vault-init";

/// The cluster, for one resource.
pub(super) struct Cluster<'a> {
    pub(super) kube: &'a Kube,
    pub(super) settings: &'a Settings,
    pub(super) require_label: bool,
}

/// A claim as it was read.
#[derive(Clone, Debug)]
pub(super) struct Read {
    pub(super) reading: Reading,
    /// `None` when there is no Secret.
    version: Option<String>,
}

/// A pod, as far as its server is asked.
pub(super) struct Door {
    pub(super) uid: String,
    pub(super) ip: Option<IpAddr>,
    pub(super) leaving: bool,
}

async fn ask<T>(what: &'static str, answer: impl Future<Output = kube::Result<T>>) -> Result<T, Failed> {
    match tokio::time::timeout(ANSWER, answer).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(failed(what, &error)),
        Err(_) => Err(Failed::Silent(what)),
    }
}

/// What the API server says is told; what else went wrong could quote what is secret.
fn failed(what: &'static str, error: &kube::Error) -> Failed {
    let failure = Failure::of(error);
    let is_answer = matches!(error, kube::Error::Api(_));
    let said = if is_answer { said(error) } else { failure.reason().to_owned() };
    Failed::Cluster { what, failure: Box::new(failure), said }
}

fn patching() -> PatchParams {
    PatchParams { field_manager: Some(MANAGER.to_owned()), ..PatchParams::default() }
}

fn creating() -> PostParams {
    PostParams { field_manager: Some(MANAGER.to_owned()), ..PostParams::default() }
}

impl Cluster<'_> {
    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.kube.clone(), &self.settings.namespace)
    }

    fn secret(&self, name: &str, data: BTreeMap<String, ByteString>) -> Secret {
        let metadata = ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(claim::labels(&self.settings.name)),
            annotations: Some(claim::annotations()),
            ..ObjectMeta::default()
        };
        Secret { metadata, data: Some(data), ..Secret::default() }
    }

    fn claim_name(&self) -> String {
        claim::secret_name(&self.settings.target.set)
    }

    /// What the claim says.
    pub(super) async fn claim(&self) -> Result<Read, Failed> {
        let secret = ask("reading the claim", self.api::<Secret>().get_opt(&self.claim_name())).await?;
        let Some(secret) = secret else { return Ok(Read { reading: Reading::Vacant, version: None }) };
        let reading = Claim::read(&bytes(secret.data));
        Ok(Read { reading, version: secret.metadata.resource_version })
    }

    /// Writes the claim, unless it was changed since it was read.
    pub(super) async fn put(&self, before: &Read, claim: &Claim) -> Result<(), Failed> {
        let act = match claim.stage {
            Stage::Unsent => Act::ClaimInitialisation,
            Stage::Claimed | Stage::Stored(_) | Stage::AdminProven(..) | Stage::Complete(_) => Act::AdvanceClaim,
        };
        told(self.settings, act, &self.claim_name(), self.write_claim(before, claim)).await
    }

    async fn write_claim(&self, before: &Read, claim: &Claim) -> Result<(), Failed> {
        let data: BTreeMap<String, ByteString> =
            claim.data().into_iter().map(|(key, value)| (key, ByteString(value))).collect();
        let written = match &before.version {
            None => {
                let secret = self.secret(&self.claim_name(), data);
                ask("making the claim", self.api().create(&creating(), &secret)).await.map(drop)
            }
            Some(version) => self.replace(version, json!(data)).await,
        };
        match written {
            Ok(()) => Ok(()),
            // It was done, or wasn't, or will be: what is there tells.
            Err(failed) => match self.claim().await?.reading {
                Reading::Claim(found) if found == *claim => Ok(()),
                Reading::Claim(_) | Reading::Unreadable(_) => Err(Failed::ClaimChanged),
                Reading::Vacant => Err(failed),
            },
        }
    }

    /// Drops the claim, unless it was changed since it was read. The Secret stays, empty.
    pub(super) async fn vacate(&self, before: &Read) -> Result<(), Failed> {
        let Some(version) = &before.version else { return Ok(()) };
        told(self.settings, Act::DiscardAttempt, &self.claim_name(), self.replace(version, json!({}))).await
    }

    async fn replace(&self, version: &str, data: Value) -> Result<(), Failed> {
        let mut all: BTreeMap<&str, Value> = claim::KEYS.into_iter().map(|key| (key, Value::Null)).collect();
        let fields = data.as_object();
        for (key, value) in &mut all {
            if let Some(field) = fields.and_then(|fields| fields.get(*key)) {
                *value = field.clone();
            }
        }
        let metadata = json!({
            "resourceVersion": version,
            "labels": claim::labels(&self.settings.name),
            "annotations": claim::annotations(),
        });
        let patch = Patch::Merge(json!({ "metadata": metadata, "data": all }));
        let name = self.claim_name();
        match ask("writing the claim", self.api::<Secret>().patch(&name, &patching(), &patch)).await {
            Ok(_) => Ok(()),
            Err(Failed::Cluster { failure, .. }) if *failure == Failure::Changed => Err(Failed::ClaimChanged),
            Err(failed) => Err(failed),
        }
    }

    /// Writes the shares beside whatever the Secret holds, and reads them back.
    pub(super) async fn store(&self, name: &str, parts: &Parts) -> Result<(), Failed> {
        told(self.settings, Act::StoreRecoveryKeys, name, self.write_and_read_back(name, parts)).await
    }

    async fn write_and_read_back(&self, name: &str, parts: &Parts) -> Result<(), Failed> {
        let data: BTreeMap<String, ByteString> =
            parts.iter().map(|(name, content)| (name.to_owned(), ByteString(content.to_vec()))).collect();
        self.write(name, data, false).await?;
        let secret = ask("reading the recovery keys back", self.api::<Secret>().get(name)).await?;
        let found = secret.data.unwrap_or_default();
        let same = parts.iter().all(|(name, content)| found.get(name).is_some_and(|there| there.0 == content));
        if same { Ok(()) } else { Err(Failed::ReadBack(name.to_owned())) }
    }

    /// Whether the shares could be written, as far as that can be found out before there are any.
    pub(super) async fn could_store(&self, name: &str) -> Result<(), Failed> {
        let found = ask("reading the Secret of the recovery keys", self.api::<Secret>().get_opt(name)).await?;
        let labels = found.and_then(|secret| secret.metadata.labels.or_else(|| Some(BTreeMap::new())));
        let ours = |labels: &BTreeMap<String, String>| labels.get(LABEL) == Some(&self.settings.name);
        if self.require_label && labels.as_ref().is_some_and(|labels| !ours(labels)) {
            return Err(Failed::NotOurs(name.to_owned()));
        }
        self.write(name, BTreeMap::from([("probe".to_owned(), ByteString(b"probe".to_vec()))]), true).await
    }

    async fn write(&self, name: &str, data: BTreeMap<String, ByteString>, dry_run: bool) -> Result<(), Failed> {
        let patch = Patch::Merge(json!({ "data": data }));
        let params = PatchParams { dry_run, ..patching() };
        match ask("writing the recovery keys", self.api::<Secret>().patch(name, &params, &patch)).await {
            Err(Failed::Cluster { failure, .. }) if *failure == Failure::NotFound => {}
            patched => return patched.map(drop),
        }
        let params = PostParams { dry_run, ..creating() };
        let secret = self.secret(name, data);
        ask("making the Secret of the recovery keys", self.api().create(&params, &secret)).await.map(drop)
    }

    /// The data of the Secret with the shares; `None` when there is none.
    pub(super) async fn stored(&self, name: &str) -> Result<Option<BTreeMap<String, Vec<u8>>>, Failed> {
        let secret = ask("reading the recovery keys", self.api::<Secret>().get_opt(name)).await?;
        Ok(secret.map(|secret| bytes(secret.data)))
    }

    /// A pod; `None` when there is none of that name.
    pub(super) async fn door(&self, name: &str) -> Result<Option<Door>, Failed> {
        let pod = ask("reading the pod", self.api::<Pod>().get_opt(name)).await?;
        Ok(pod.map(|pod| Door {
            uid: pod.metadata.uid.unwrap_or_default(),
            ip: pod.status.and_then(|status| status.pod_ip?.parse().ok()),
            leaving: pod.metadata.deletion_timestamp.is_some(),
        }))
    }

    /// The storage of the StatefulSet, by the names that its pods' claims have.
    pub(super) async fn volumes(&self) -> Result<Vec<Volume>, Failed> {
        let name = &self.settings.target.set;
        let set = ask("reading the StatefulSet", self.api::<StatefulSet>().get(name)).await?;
        let templates = set.spec.and_then(|spec| spec.volume_claim_templates).unwrap_or_default();
        let prefixes: Vec<String> =
            templates.into_iter().filter_map(|template| Some(format!("{}-{name}-", template.metadata.name?))).collect();
        if prefixes.is_empty() {
            return Ok(Vec::new());
        }
        let listed = self.api::<PersistentVolumeClaim>();
        let listed = ask("listing the PersistentVolumeClaims", listed.list(&ListParams::default())).await?;
        let ordinal = |name: &str| {
            let rest = prefixes.iter().find_map(|prefix| name.strip_prefix(prefix.as_str()))?;
            rest.parse().ok()
        };
        let volume = |volume: PersistentVolumeClaim| {
            let meta = volume.metadata;
            let name = meta.name?;
            let created = meta.creation_timestamp.map_or(jiff::Timestamp::MIN, |time| time.0);
            Some(Volume { uid: meta.uid.unwrap_or_default(), ordinal: ordinal(&name)?, created, name })
        };
        Ok(listed.into_iter().filter_map(volume).collect())
    }

    /// A token of a ServiceAccount, for B alone.
    pub(super) async fn token(&self, account: &str, audience: &str) -> Result<SecretString, Failed> {
        let asked = account_token(self.kube, &self.settings.namespace, account, audience);
        match tokio::time::timeout(ANSWER, asked).await {
            Ok(Ok(token)) => Ok(token),
            Ok(Err(NoToken::Refused(said))) => Err(Failed::NoToken(said)),
            Ok(Err(NoToken::Unseen)) | Err(_) => Err(Failed::Silent("asking for a token of the ServiceAccount")),
        }
    }

    /// A document that the API server publishes about its keys.
    pub(super) async fn published(&self, path: &'static str) -> Result<String, Failed> {
        let request = http::Request::get(path).body(Vec::new());
        let request = request.expect("invariant: a constant path makes a request");
        ask("reading the API server's keys", self.kube.request_text(request)).await
    }

    /// The certificates of an authority.
    pub(super) async fn authority(&self, reference: Option<&SecretKeyRef>) -> Result<Option<Vec<u8>>, Failed> {
        let Some(reference) = reference else { return Ok(None) };
        let secrets = Secrets::new(self.kube, self.settings, self.require_label);
        let read = tokio::time::timeout(ANSWER, secrets.read(reference)).await;
        match read {
            Ok(Ok(bytes)) => Ok(Some(bytes)),
            Ok(Err(_)) => Err(Failed::Authority(reference.name.clone())),
            Err(_) => Err(Failed::Silent("reading the Secret of an authority")),
        }
    }
}

fn bytes(data: Option<BTreeMap<String, ByteString>>) -> BTreeMap<String, Vec<u8>> {
    data.unwrap_or_default().into_iter().map(|(key, value)| (key, value.0)).collect()
}
