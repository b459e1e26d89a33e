//! Somebody else's policy that keeps Secrets from being written, though a trial says that they could be.

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_testkit::{Manifests, eventually};
use k8s_openapi::api::admissionregistration::v1::ValidatingAdmissionPolicyBinding;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use super::people::KEYS;
use crate::stage::DEADLINE;

/// What the policy says.
pub(crate) const WORDS: &str = "no keys in this namespace";

/// The keys' Secret may be written in a dry run only, from now on.
pub(crate) async fn refuse_keys(cluster: &Cluster, namespace: &str) -> Result<()> {
    let name = format!("no-keys-in-{namespace}");
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicy", "metadata": {"name": name},
        "spec": {
            "failurePolicy": "Fail",
            "matchConstraints": {"resourceRules": [
                {"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"], "resources": ["secrets"]},
            ]},
            "validations": [{
                "expression": format!("!object.metadata.name.startsWith('{KEYS}') || (has(request.dryRun) && request.dryRun)"),
                "message": WORDS,
            }],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding", "metadata": {"name": name},
        "spec": {
            "policyName": name, "validationActions": ["Deny"],
            "matchResources": {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}}},
        },
    });
    let both = json!({"kind": "List", "apiVersion": "v1", "items": [policy, binding]});
    Manifests::parse(&both.to_string())?.apply(&cluster.admin(), "story").await?;
    eventually("keys to be refused", DEADLINE, async || {
        let refused = probe(cluster, namespace).await.err().context("they are taken")?;
        ensure!(refused.to_string().contains(WORDS), "{refused}");
        Ok(())
    })
    .await
}

/// They may be written again.
pub(crate) async fn allow_keys(cluster: &Cluster, namespace: &str) -> Result<()> {
    let bindings: Api<ValidatingAdmissionPolicyBinding> = Api::all(cluster.admin());
    bindings.delete(&format!("no-keys-in-{namespace}"), &DeleteParams::default()).await?;
    eventually("keys to be taken", DEADLINE, async || Ok(probe(cluster, namespace).await?)).await
}

/// A policy takes a while to be heeded.
async fn probe(cluster: &Cluster, namespace: &str) -> kube::Result<()> {
    let secrets: Api<Secret> = Api::namespaced(cluster.admin(), namespace);
    let name = format!("{KEYS}-of-nobody");
    let mut secret = Secret::default();
    secret.metadata.name = Some(name.clone());
    secrets.create(&PostParams::default(), &secret).await?;
    secrets.delete(&name, &DeleteParams::default()).await.map(drop)
}
