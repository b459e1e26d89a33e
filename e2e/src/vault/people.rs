//! The people of an initialisation: who gets the shares, and who administers.

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::Secret;
use kube::Client;
use kube::api::Api;
use serde_json::{Value, json};

/// The ServiceAccount of the administrator.
pub const ADMIN: &str = "vault-admin";
/// The Secret with the recovery keys.
pub const KEYS: &str = "recovery";

/// Three people with a key of age each.
pub struct People {
    keys: Vec<age::x25519::Identity>,
}

impl People {
    /// With keys of their own.
    #[expect(clippy::new_without_default, reason = "each is another one")]
    pub fn new() -> Self {
        Self { keys: (0..3).map(|_| age::x25519::Identity::generate()).collect() }
    }

    /// What the spec says of them.
    pub fn initialization(&self) -> Value {
        let recipients: Vec<String> = self.keys.iter().map(|key| key.to_public().to_string()).collect();
        json!({
            "enabled": true, "allowHTTPInit": true,
            "keyStore": {"secretName": KEYS, "age": {"recipients": recipients}},
            "admin": {"serviceAccountRef": {"name": ADMIN}},
        })
    }

    /// What each reads, with a key of their own, in the Secret.
    pub async fn shares(&self, client: &Client, namespace: &str) -> Result<Vec<String>> {
        let secrets: Api<Secret> = Api::namespaced(client.clone(), namespace);
        let secret = secrets.get(KEYS).await?;
        ensure!(secret.metadata.owner_references.is_none(), "the keys would go with their owner");
        let data = secret.data.unwrap_or_default();
        let mut shares = Vec::new();
        for (index, key) in self.keys.iter().enumerate() {
            let ending = format!(".share-{}.age", index + 1);
            let mut ours = data.iter().filter(|(name, _)| name.ends_with(&ending));
            let sealed = ours.next().with_context(|| format!("no {ending}"))?.1;
            ensure!(ours.next().is_none(), "more than one {ending}");
            shares.push(String::from_utf8(age::decrypt(key, &sealed.0)?)?);
        }
        Ok(shares)
    }
}
