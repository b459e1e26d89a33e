//! The StatefulSet of a story, with its namespace, Service, and the Secret of its seal's token. Its pods are for a
//! [`ServerKubelet`](holdfast_testkit::ServerKubelet).

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::{Authority, ControlPlane, Manifests, eventually};
use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::api::core::v1::{ConfigMap, ContainerStatus, Pod, Secret};
use k8s_openapi::api::discovery::v1::EndpointSlice;
use kube::api::{Api, DeleteParams, ListParams, Patch, PatchParams, PostParams, PropagationPolicy};
use kube::{Client, ResourceExt};
use serde_json::{Value, json};

const DEADLINE: Duration = Duration::from_secs(240);

/// How the token reaches the server.
#[derive(Clone, Copy)]
pub enum Delivery {
    /// As the file `/etc/seal/token`.
    File,
    /// As `VAULT_TOKEN`.
    Variable,
}

/// A StatefulSet of servers.
pub struct Set {
    client: Client,
    namespace: &'static str,
    replicas: u32,
    delivery: Delivery,
}

impl Set {
    /// Makes it, and its namespace. Its Secrets and its ConfigMap are for the caller to write.
    pub async fn create(
        plane: &ControlPlane,
        namespace: &'static str,
        replicas: u32,
        delivery: Delivery,
    ) -> Result<Self> {
        let set = Self { client: plane.admin(), namespace, replicas, delivery };
        set.apply().await?;
        Ok(set)
    }

    /// Writes the token into the Secret `seal`, key `token`.
    pub async fn write_token(&self, token: &str) -> Result<()> {
        self.write_secret("seal", &json!({"token": token})).await
    }

    /// The Secret then holds this and nothing else.
    pub async fn write_secret(&self, name: &str, texts: &Value) -> Result<()> {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts});
        let secret: Secret = serde_json::from_value(secret)?;
        match self.secrets().get_opt(name).await? {
            Some(_) => self.secrets().replace(name, &PostParams::default(), &secret).await?,
            None => self.secrets().create(&PostParams::default(), &secret).await?,
        };
        Ok(())
    }

    /// The Secret is gone.
    pub async fn delete_secret(&self, name: &str) -> Result<()> {
        self.secrets().delete(name, &DeleteParams::default()).await?;
        Ok(())
    }

    /// The StatefulSet goes, its pods stay.
    pub async fn orphan(&self) -> Result<()> {
        let parameters =
            DeleteParams { propagation_policy: Some(PropagationPolicy::Orphan), ..DeleteParams::default() };
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), self.namespace);
        sets.delete("vault", &parameters).await?;
        eventually("the StatefulSet to be gone", DEADLINE, async || {
            ensure!(sets.get_opt("vault").await?.is_none(), "it is there");
            Ok(())
        })
        .await
    }

    /// Makes it, or makes it anew.
    pub async fn apply(&self) -> Result<()> {
        let objects = [
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}),
            service(self.namespace),
            stateful_set(self.namespace, self.replicas, self.delivery),
        ];
        Manifests::parse(&json!({"kind": "List", "apiVersion": "v1", "items": objects}).to_string())?
            .apply(&self.client, "story")
            .await?;
        Ok(())
    }

    /// Marks the template, or takes the mark away: pods that come from now on come from another template than those before. None
    /// is replaced for it.
    pub async fn mark_template(&self, mark: Option<&str>) -> Result<()> {
        let template = json!({"metadata": {"annotations": {"story/mark": mark}}});
        let patch =
            json!({"spec": {"updateStrategy": {"type": "OnDelete", "rollingUpdate": null}, "template": template}});
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), self.namespace);
        let marked = sets.patch("vault", &PatchParams::default(), &Patch::Merge(patch)).await?.metadata.generation;
        eventually("the revision of the template", DEADLINE, async || {
            let seen = sets.get("vault").await?.status.and_then(|status| status.observed_generation);
            ensure!(marked <= seen, "{seen:?} is seen of {marked:?}");
            Ok(())
        })
        .await
    }

    /// Makes the Secret without a token: the controller fills one that is there, and makes none.
    pub async fn write_no_token(&self) -> Result<()> {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "seal"}});
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), self.namespace);
        secrets.patch("seal", &PatchParams::apply("story"), &Patch::Apply(secret)).await?;
        Ok(())
    }

    /// For servers at these addresses, and for `localhost`, by which the kubelet probes.
    pub async fn write_certificate(&self, authority: &Authority, ips: &[Ipv4Addr]) -> Result<()> {
        let ips: Vec<String> = ips.iter().map(Ipv4Addr::to_string).collect();
        let names: Vec<&str> = ips.iter().map(String::as_str).chain(["localhost"]).collect();
        let issued = authority.issue(&names)?;
        let files = json!({"ca.crt": authority.pem(), "tls.crt": issued.certificate, "tls.key": issued.key});
        self.write_secret("tls", &files).await
    }

    /// Writes the file `/etc/server/seal.hcl`.
    pub async fn write_config(&self, seal: &str) -> Result<()> {
        let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "server"}, "data": {"seal.hcl": seal}});
        let maps: Api<ConfigMap> = Api::namespaced(self.client.clone(), self.namespace);
        maps.patch("server", &PatchParams::apply("story"), &Patch::Apply(map)).await?;
        Ok(())
    }

    /// A pod as it stands.
    pub async fn pod(&self, name: &str) -> Result<Pod> {
        Ok(self.pods().get(name).await?)
    }

    /// Deletes a pod, with a grace period in seconds, or the pod's own.
    pub async fn delete_pod(&self, name: &str, grace: Option<u32>) -> Result<()> {
        let parameters = DeleteParams { grace_period_seconds: grace, ..DeleteParams::default() };
        self.pods().delete(name, &parameters).await?;
        Ok(())
    }

    /// The UIDs of the pods.
    pub async fn uids(&self) -> Result<BTreeSet<Option<String>>> {
        let pods = self.pods().list(&ListParams::default()).await?;
        Ok(pods.iter().map(ResourceExt::uid).collect())
    }

    /// Waits until something holds of a pod.
    pub async fn eventually(&self, name: &str, holds: impl Fn(&Pod) -> Result<()>) -> Result<()> {
        eventually(&format!("{}/{name}", self.namespace), DEADLINE, async || holds(&self.pod(name).await?)).await
    }

    /// Waits until so many pods are ready.
    pub async fn await_ready(&self, replicas: i32) -> Result<()> {
        let sets: Api<StatefulSet> = Api::namespaced(self.client.clone(), self.namespace);
        eventually(&format!("{replicas} ready pods in {}", self.namespace), DEADLINE, async || {
            let ready = sets.get("vault").await?.status.and_then(|status| status.ready_replicas).unwrap_or_default();
            ensure!(ready == replicas, "{ready} are");
            Ok(())
        })
        .await
    }

    /// The API server refuses loopback addresses there, so nobody may count on them.
    pub async fn has_no_endpoints(&self) -> Result<()> {
        let slices: Api<EndpointSlice> = Api::namespaced(self.client.clone(), self.namespace);
        let slices = slices.list(&ListParams::default()).await?;
        let endpoints: Vec<_> = slices.iter().flat_map(|slice| &slice.endpoints).collect();
        ensure!(endpoints.is_empty(), "{endpoints:?}");
        Ok(())
    }

    fn secrets(&self) -> Api<Secret> {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.client.clone(), self.namespace)
    }
}

/// Whether a pod is ready.
pub fn is_ready(pod: &Pod) -> bool {
    let conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.filter(|condition| condition.type_ == "Ready").any(|condition| condition.status == "True")
}

/// How the first container of a pod stands.
pub fn container(pod: &Pod) -> Result<&ContainerStatus> {
    let statuses = pod.status.as_ref().and_then(|status| status.container_statuses.as_ref());
    statuses.and_then(|statuses| statuses.first()).context("no status of the container")
}

fn service(namespace: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"name": "vault", "namespace": namespace},
        "spec": {
            "clusterIP": "None", "publishNotReadyAddresses": true, "selector": {"app": "vault"},
            "ports": [{"name": "api", "port": 8200}],
        },
    })
}

fn stateful_set(namespace: &str, replicas: u32, delivery: Delivery) -> Value {
    let data = json!({"name": "data", "mountPath": "/vault/data"});
    let pod_ip = json!({"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}});
    let pod_url = json!({"name": "POD_URL", "value": "http://$(POD_IP):8200"});
    let token = json!({"name": "VAULT_TOKEN", "valueFrom": {"secretKeyRef": {"name": "seal", "key": "token"}}});
    let (environment, mounts) = match delivery {
        Delivery::Variable => (json!([pod_ip, pod_url, token]), json!([data])),
        Delivery::File => (
            json!([pod_ip, pod_url]),
            json!([
                data,
                {"name": "seal", "mountPath": "/etc/seal", "readOnly": true},
                {"name": "server", "mountPath": "/etc/server"},
                {"name": "tls", "mountPath": "/etc/tls"},
            ]),
        ),
    };
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "vault", "namespace": namespace},
        "spec": {
            "replicas": replicas, "serviceName": "vault", "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "vault"}},
            "template": {
                "metadata": {"labels": {"app": "vault", "server": "true"}},
                "spec": {
                    "containers": [
                        {"name": "vault", "image": "vault:1", "env": environment, "volumeMounts": mounts},
                    ],
                    "volumes": [
                        {"name": "seal", "secret": {"secretName": "seal"}},
                        {"name": "tls", "secret": {"secretName": "tls"}},
                        {"name": "server", "configMap": {"name": "server"}},
                    ],
                },
            },
            "volumeClaimTemplates": [{
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }],
        },
    })
}
