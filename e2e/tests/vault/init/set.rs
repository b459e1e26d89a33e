//! A StatefulSet of blank servers, the resource that asks for their initialisation, and the people who get the shares.

use anyhow::{Context as _, Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_testkit::{Manifests, ServerKubelet};
use holdfast_vault::rehearsal::{Ignorance, Outcome};
use holdfast_vault::view::{
    Answer, Container, Content, Login, Lookup, Pod, Product, Reach, ServerFacts, Serving, StatefulSet, Target,
    TokenView, TransitView, View, Wiring,
};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::StatefulSet as RawSet;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::{Pod as RawPod, Secret, ServiceAccount};
use kube::api::{Api, DeleteParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

pub(super) struct Set {
    client: Client,
    namespace: &'static str,
    replicas: u32,
    people: Vec<age::x25519::Identity>,
    created: Timestamp,
}

impl Set {
    pub(super) async fn create(client: &Client, namespace: &'static str, replicas: u32, token: &str) -> Result<Self> {
        let created = Timestamp::from_second(Timestamp::now().as_second())?;
        let account = |name: &str| json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": name, "namespace": namespace}});
        let seal = json!({
            "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "seal", "namespace": namespace},
            "stringData": {"token": token},
        });
        let objects = [
            json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}),
            account("vault-admin"),
            account("holdfast-vault"),
            seal,
            stateful_set(namespace, replicas),
        ];
        Manifests::parse(&json!({"kind": "List", "apiVersion": "v1", "items": objects}).to_string())?
            .apply(client, "story")
            .await?;
        let people = (0..3).map(|_| age::x25519::Identity::generate()).collect();
        Ok(Self { client: client.clone(), namespace, replicas, people, created })
    }

    fn api<K>(&self) -> Api<K>
    where
        K: kube::Resource<Scope = kube::core::NamespaceResourceScope, DynamicType = ()>,
    {
        Api::namespaced(self.client.clone(), self.namespace)
    }

    /// As if it had been there before the storage.
    pub(super) fn resource(&self) -> Result<VaultTransitUnseal> {
        let recipients: Vec<String> = self.people.iter().map(|person| person.to_public().to_string()).collect();
        let resource = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
            "metadata": {
                "name": "b", "namespace": self.namespace, "uid": "b", "creationTimestamp": self.created.to_string(),
            },
            "spec": {
                "mode": "Manage",
                "target": {
                    "statefulSetRef": {"name": "vault"}, "allowHTTP": true,
                    "auth": {"serviceAccount": {"name": "holdfast-vault", "audience": "vault-b"}},
                },
                "seal": {"transit": {"address": "https://a.example", "key": "b"}},
                "token": {"secretRef": {"name": "seal", "key": "token"}},
                "initialization": {
                    "enabled": true, "allowHTTPInit": true,
                    "keyStore": {"secretName": "recovery", "age": {"recipients": recipients}},
                    "admin": {"serviceAccountRef": {"name": "vault-admin"}},
                },
            },
        });
        Ok(serde_json::from_value(resource)?)
    }

    /// What a leader sees: the pods as they answer, and an A that answers.
    pub(super) async fn view(&self, kubelet: &ServerKubelet) -> Result<View> {
        let now = Timestamp::now();
        let raw = self.api::<RawSet>().get("vault").await?;
        let mut pods = Vec::new();
        for ordinal in 0..self.replicas {
            let name = format!("vault-{ordinal}");
            let Some(pod) = self.api::<RawPod>().get_opt(&name).await? else { continue };
            let answer = match kubelet.endpoint(&name)?.request("GET", "sys/seal-status", None, &Value::Null).await {
                Ok((200, status)) => Answer::Told(facts(&status), Serving::Nothing),
                Ok((status, _)) => Answer::Garbled(status.to_string()),
                Err(_) => Answer::Refused,
            };
            pods.push(Pod {
                uid: pod.uid().context("no UID")?,
                name,
                ordinal,
                created: now,
                revision: String::new(),
                leaving: pod.metadata.deletion_timestamp.is_some(),
                container: Container::Running { since: now, restarts: 0 },
                answer,
                was_unsealed: false,
            });
        }
        let set = StatefulSet {
            uid: raw.uid().context("no UID")?,
            service: "vault".to_owned(),
            replicas: self.replicas,
            ordered: false,
            update_revision: String::new(),
            wiring: Wiring::Env("VAULT_TOKEN".to_owned()),
        };
        Ok(View {
            now,
            target: Target { set: Ok(set), pods },
            transit: TransitView { reach: Reach::Answers, facts: None, login: Login::NotConfigured, key: None },
            token: TokenView { content: Content::Present, lookup: Lookup::Unseen, role: None, capped: None },
            rehearsal: Outcome::Unknown(Ignorance::NoCanary),
            passing_since: None,
            claim: None,
        })
    }

    /// A token of a ServiceAccount.
    pub(super) async fn token(&self, account: &str, audience: &str) -> Result<String> {
        let audiences = vec![audience.to_owned()];
        let spec = TokenRequestSpec { audiences, expiration_seconds: Some(600), bound_object_ref: None };
        let request = TokenRequest { spec, ..TokenRequest::default() };
        let api = self.api::<ServiceAccount>();
        let answer = api.create_token_request(account, &PostParams::default(), &request).await?;
        Ok(answer.status.context("no token")?.token)
    }

    /// What each person reads, with a key of their own, in the Secret.
    pub(super) async fn shares(&self) -> Result<Vec<String>> {
        let secret = self.api::<Secret>().get("recovery").await?;
        ensure!(secret.metadata.owner_references.is_none(), "the keys would go with their owner");
        let data = secret.data.unwrap_or_default();
        let mut shares = Vec::new();
        for (index, person) in self.people.iter().enumerate() {
            let ending = format!(".share-{}.age", index + 1);
            let sealed = data.iter().find(|(name, _)| name.ends_with(&ending)).context("a share is missing")?.1;
            shares.push(String::from_utf8(age::decrypt(person, &sealed.0)?)?);
        }
        Ok(shares)
    }

    /// Deletes what an attempt left behind.
    pub(super) async fn forget(&self) -> Result<()> {
        for name in ["holdfast-init-vault", "recovery"] {
            match self.api::<Secret>().delete(name, &DeleteParams::default()).await {
                Ok(_) => {}
                Err(kube::Error::Api(status)) if status.code == 404 => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }
}

fn facts(status: &Value) -> ServerFacts {
    ServerFacts {
        product: Product::OpenBao,
        version: status["version"].as_str().unwrap_or_default().to_owned(),
        cluster_id: status["cluster_id"].as_str().map(str::to_owned),
        seal_type: status["type"].as_str().unwrap_or_default().to_owned(),
        initialised: status["initialized"] == true,
        sealed: status["sealed"] == true,
        migration: false,
        threshold: 2,
        shares: 3,
    }
}

fn stateful_set(namespace: &str, replicas: u32) -> Value {
    let token = json!({"name": "VAULT_TOKEN", "valueFrom": {"secretKeyRef": {"name": "seal", "key": "token"}}});
    let container = json!({
        "name": "vault", "image": "vault:1", "env": [token],
        "volumeMounts": [{"name": "data", "mountPath": "/vault/data"}],
    });
    json!({
        "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "vault", "namespace": namespace},
        "spec": {
            "replicas": replicas, "serviceName": "vault", "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "vault"}},
            "template": {"metadata": {"labels": {"app": "vault", "server": "true"}}, "spec": {"containers": [container]}},
            "volumeClaimTemplates": [{
                "metadata": {"name": "data"},
                "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
            }],
        },
    })
}
