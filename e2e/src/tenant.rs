//! A namespace of its own on a cluster that others use too, with a policy of the same name that selects only it.
//!
//! What a test expects of it is written as a picture: lines that a person could have noted down.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::{DisruptionPolicy, DisruptionPolicyStatus};
use holdfast_testkit::{Manifests, eventually};
use k8s_openapi::api::core::v1::{Namespace, Pod, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::{Api, DynamicObject, EvictParams, ListParams};
use kube::core::{GroupVersionKind, Selector, Status};
use kube::{Client, ResourceExt as _, discovery};
use serde_json::{Value, json};

use crate::picture::Picture;
use crate::{deployment, enforce, namespace, set};

/// The Deployment that proves, by having its budget, that what was applied before it has been seen.
pub const CANARY: &str = "canary";
/// How long the cluster may take for anything; a time limit of ours is judged by the audit log alone.
pub const PATIENCE: Duration = Duration::from_secs(90);
const CLUSTER_SCOPED: [&str; 7] = [
    "Namespace",
    "DisruptionPolicy",
    "NamespaceSecurityPolicy",
    "CustomResourceDefinition",
    "PersistentVolume",
    "TalosUpgrade",
    "KubernetesUpgrade",
];

/// A namespace with the label `e2e: <its name>`.
#[derive(Clone)]
pub struct Tenant {
    /// The administrator.
    pub client: Client,
    /// Its name, which is that of its policy too.
    pub name: String,
}

impl Tenant {
    /// Makes the namespace, without a policy.
    pub async fn move_in(client: Client, name: &str) -> Result<Self> {
        let tenant = Self { client, name: name.to_owned() };
        tenant.apply(namespace(name)).await?;
        let accounts: Api<ServiceAccount> = Api::namespaced(tenant.client.clone(), name);
        // Without it no pod can be created.
        eventually("the default ServiceAccount", PATIENCE, async || Ok(accounts.get("default").await?)).await?;
        Ok(tenant)
    }

    /// Applies the policy: that of [`enforce`], with these fields of the spec in place of its own.
    pub async fn govern(&self, spec: Value) -> Result<DynamicObject> {
        let mut policy = enforce(&self.name);
        for (field, value) in spec.as_object().into_iter().flatten() {
            policy = set(policy, &format!("/spec/{field}"), value.clone());
        }
        self.apply(policy).await
    }

    /// Applies a policy that raises the level of this namespace, with these fields of the spec in place of its own.
    pub async fn enforce_levels(&self, spec: Value) -> Result<DynamicObject> {
        let mut policy = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "NamespaceSecurityPolicy", "metadata": { "name": self.name },
            "spec": { "mode": "Enforce", "namespaceSelector": { "matchLabels": { "e2e": self.name } } },
        });
        for (field, value) in spec.as_object().into_iter().flatten() {
            policy = set(policy, &format!("/spec/{field}"), value.clone());
        }
        self.apply(policy).await
    }

    /// Waits until its enforce label says this.
    pub async fn enforces(&self, level: Option<&str>) -> Result<()> {
        let namespaces: Api<Namespace> = Api::all(self.client.clone());
        eventually(&format!("the level {level:?}"), PATIENCE, async || {
            let labels = namespaces.get(&self.name).await?.metadata.labels.unwrap_or_default();
            let stated = labels.get("pod-security.kubernetes.io/enforce").map(String::as_str);
            ensure!(stated == level, "{labels:?}");
            Ok(())
        })
        .await
    }

    /// Applies the canary; after it has its budget whatever came before it on the same watch has been seen.
    pub async fn send_canary(&self) -> Result<DynamicObject> {
        self.apply(deployment(&self.name, CANARY, 2)).await
    }

    /// Applies an object, in this namespace unless its kind has none. Owners named without a UID are looked up.
    pub async fn apply(&self, object: Value) -> Result<DynamicObject> {
        let object = self.with_owners(self.at_home(object)).await?;
        let applied = Manifests::parse(&object.to_string())?.apply(&self.client, "e2e").await?;
        applied.into_iter().next().context("nothing was applied")
    }

    /// Deletes an object.
    pub async fn delete(&self, object: Value) -> Result<()> {
        Manifests::parse(&self.at_home(object).to_string())?.delete(&self.client).await
    }

    fn at_home(&self, object: Value) -> Value {
        if CLUSTER_SCOPED.iter().any(|kind| object["kind"] == *kind) {
            return object;
        }
        set(object, "/metadata/namespace", json!(self.name))
    }

    async fn with_owners(&self, mut object: Value) -> Result<Value> {
        let Some(owners) = object.pointer_mut("/metadata/ownerReferences").and_then(Value::as_array_mut) else {
            return Ok(object);
        };
        for owner in owners.iter_mut().filter(|owner| owner.get("uid").is_none()) {
            let text = |field: &str| owner[field].as_str().unwrap_or_default().to_owned();
            let (version, kind, name) = (text("apiVersion"), text("kind"), text("name"));
            let (group, version) = version.rsplit_once('/').unwrap_or(("", &version));
            let kind = GroupVersionKind::gvk(group, version, &kind);
            let (resource, capabilities) = discovery::pinned_kind(&self.client, &kind).await?;
            let api: Api<DynamicObject> = match capabilities.scope {
                discovery::Scope::Cluster => Api::all_with(self.client.clone(), &resource),
                discovery::Scope::Namespaced => Api::namespaced_with(self.client.clone(), &self.name, &resource),
            };
            owner["uid"] = json!(api.get(&name).await?.uid());
        }
        Ok(object)
    }

    /// The budgets of the namespace.
    pub fn budgets(&self) -> Api<PodDisruptionBudget> {
        Api::namespaced(self.client.clone(), &self.name)
    }

    /// The budget of this name, once it is there.
    pub async fn budget(&self, name: &str) -> Result<PodDisruptionBudget> {
        eventually(&format!("the budget {}/{name}", self.name), PATIENCE, async || Ok(self.budgets().get(name).await?))
            .await
    }

    /// Waits until no budget has this name.
    pub async fn no_budget(&self, name: &str) -> Result<()> {
        eventually(&format!("no budget {}/{name}", self.name), PATIENCE, async || {
            let left = self.budgets().get_opt(name).await?;
            ensure!(left.is_none(), "{left:?}");
            Ok(())
        })
        .await
    }

    /// The policy, when there is one.
    pub async fn policy(&self) -> Result<Option<DisruptionPolicy>> {
        Ok(Api::all(self.client.clone()).get_opt(&self.name).await?)
    }

    /// Waits until the status of its policy is as the probe wants it; the probe says what is missing.
    pub async fn told<T>(&self, probe: impl Fn(&DisruptionPolicyStatus) -> Result<T>) -> Result<T> {
        eventually(&format!("the status of policy {}", self.name), PATIENCE, async || {
            let policy = self.policy().await?.context("no policy")?;
            let status = policy.status.unwrap_or_default();
            ensure!(status.observed_generation == policy.metadata.generation, "not judged yet: {status:?}");
            probe(&status)
        })
        .await
    }

    /// Waits until what is seen of the namespace are these lines, in any order; then asks the Eviction API whether a pod
    /// may go wherever a budget of ours says so.
    pub async fn shows(&self, expected: &[&str]) -> Result<()> {
        let picture = eventually(&format!("{} to show {expected:#?}", self.name), PATIENCE, async || {
            let picture = Picture::of(self).await?;
            ensure!(picture.is(expected), "{:#?}", picture.lines());
            Ok(picture)
        })
        .await?;
        for budget in picture.ours() {
            let answer = self.evict_one_of(budget).await?;
            ensure!(answer.is_success(), "{} lets nothing go: {answer:?}", budget.name_any());
        }
        Ok(())
    }

    /// Asks, without doing it, for the eviction of a pod that the budget covers.
    pub async fn evict_one_of(&self, budget: &PodDisruptionBudget) -> Result<Status> {
        let selector = budget.spec.clone().unwrap_or_default().selector.context("no selector")?;
        let covered = ListParams::default().labels_from(&Selector::try_from(selector)?);
        let pods: Api<Pod> = Api::namespaced(self.client.clone(), &self.name);
        let pod = pods.list(&covered).await?.items.into_iter().next();
        let pod = pod.with_context(|| format!("{} covers no pod", budget.name_any()))?;
        let mut only_asked = EvictParams::default();
        only_asked.post_options.dry_run = true;
        match pods.evict(&pod.name_any(), &only_asked).await {
            Ok(status) => Ok(status),
            Err(kube::Error::Api(status)) => Ok(*status),
            Err(error) => Err(error.into()),
        }
    }
}
