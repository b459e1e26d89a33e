//! "A": the server with the transit keys that others seal themselves with.
//!
//! It is Shamir-sealed with one share and unsealed here after each start. Every method but [`TransitServer::seal_with`]
//! acts as root, and fails when the server refuses.

use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::{Answer, Builder, Product, Server, TransitSeal};
use crate::eventually::eventually;

const DEADLINE: Duration = Duration::from_secs(180);

/// A token with its accessor.
pub struct Token {
    /// The token itself.
    pub token: String,
    /// What it can be looked up and revoked by.
    pub accessor: String,
}

/// The storage of a server as it was at some time.
#[derive(Debug)]
pub struct StorageCopy(TempDir);

/// A server that is initialised and unsealed, with a transit engine at `transit/`.
pub struct TransitServer {
    /// The server itself.
    pub server: Server,
    root: String,
    unseal_key: String,
}

impl TransitServer {
    /// Starts one whose storage outlives its process.
    pub async fn start(product: Product) -> Result<Self> {
        Self::start_as(Server::builder(product)).await
    }

    /// Starts one with other choices; it must be Shamir-sealed.
    pub async fn start_as(builder: Builder) -> Result<Self> {
        let server = builder.start().await?;
        let shares = json!({"secret_shares": 1, "secret_threshold": 1});
        let answer = accepted(server.request("PUT", "sys/init", None, &shares).await?, "the initialisation")?;
        let root = text(&answer["root_token"])?;
        let unseal_key = text(&answer["keys_base64"][0])?;
        let this = Self { server, root, unseal_key };
        this.unseal().await?;
        this.post("sys/mounts/transit", &json!({"type": "transit"})).await?;
        Ok(this)
    }

    /// Its root token.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// Its only unseal key, in base64.
    pub fn unseal_key(&self) -> &str {
        &self.unseal_key
    }

    /// Any request as root, and its answer as it is.
    pub async fn request(&self, method: &str, path: &str, body: &Value) -> Result<Answer> {
        self.server.request(method, path, Some(&self.root), body).await
    }

    /// A `POST` as root that must succeed.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        accepted(self.request("POST", path, body).await?, path)
    }

    /// A `GET` as root that must succeed.
    pub async fn get(&self, path: &str) -> Result<Value> {
        accepted(self.request("GET", path, &Value::Null).await?, path)
    }

    /// A `DELETE` as root that must succeed.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        accepted(self.request("DELETE", path, &Value::Null).await?, path)
    }

    /// Makes a key in `transit/`.
    pub async fn create_key(&self, key: &str) -> Result<()> {
        self.post(&format!("transit/keys/{key}"), &json!({})).await.map(drop)
    }

    /// Gives a key a new version.
    pub async fn rotate_key(&self, key: &str) -> Result<()> {
        self.post(&format!("transit/keys/{key}/rotate"), &json!({})).await.map(drop)
    }

    /// Changes a key's settings, such as `{"deletion_allowed": true}`.
    pub async fn configure_key(&self, key: &str, settings: &Value) -> Result<()> {
        self.post(&format!("transit/keys/{key}/config"), settings).await.map(drop)
    }

    /// The oldest version that it still decrypts.
    pub async fn set_min_decryption_version(&self, key: &str, version: u32) -> Result<()> {
        self.configure_key(key, &json!({"min_decryption_version": version})).await
    }

    /// Allows a key's deletion and deletes it.
    pub async fn delete_key(&self, key: &str) -> Result<()> {
        self.configure_key(key, &json!({"deletion_allowed": true})).await?;
        self.delete(&format!("transit/keys/{key}")).await.map(drop)
    }

    /// The names of the keys.
    pub async fn keys(&self) -> Result<Vec<String>> {
        match self.request("LIST", "transit/keys", &Value::Null).await? {
            // So it says that there is none.
            (404, _) => Ok(Vec::new()),
            answer => accepted(answer, "the list of keys")?["data"]["keys"]
                .as_array()
                .context("no list of keys")?
                .iter()
                .map(text)
                .collect(),
        }
    }

    /// What the server says of a key.
    pub async fn key(&self, key: &str) -> Result<Value> {
        Ok(self.get(&format!("transit/keys/{key}")).await?["data"].clone())
    }

    /// Writes an ACL policy.
    pub async fn write_policy(&self, name: &str, policy: &str) -> Result<()> {
        self.post(&format!("sys/policies/acl/{name}"), &json!({"policy": policy})).await.map(drop)
    }

    /// Writes a token role.
    pub async fn write_token_role(&self, name: &str, role: &Value) -> Result<()> {
        self.post(&format!("auth/token/roles/{name}"), role).await.map(drop)
    }

    /// Makes a token by a role.
    pub async fn mint(&self, role: &str) -> Result<Token> {
        self.mint_with(role, &json!({})).await
    }

    /// The same, with wishes such as `{"explicit_max_ttl": "1m"}`.
    pub async fn mint_with(&self, role: &str, wishes: &Value) -> Result<Token> {
        let answer = self.post(&format!("auth/token/create/{role}"), wishes).await?;
        let auth = &answer["auth"];
        Ok(Token { token: text(&auth["client_token"])?, accessor: text(&auth["accessor"])? })
    }

    /// All that someone needs who seals with a key but for a token: the key, and a policy and a role of its name for orphan
    /// periodic tokens (period in the server's notation, `24h`).
    pub async fn prepare(&self, key: &str, period: &str) -> Result<()> {
        self.create_key(key).await?;
        self.write_policy(key, &sealing_policy(key)).await?;
        let role = json!({"allowed_policies": [key], "orphan": true, "token_period": period, "renewable": true});
        self.write_token_role(key, &role).await
    }

    /// The same, and a token.
    pub async fn grant(&self, key: &str, period: &str) -> Result<Token> {
        self.prepare(key, period).await?;
        self.mint(key).await
    }

    /// Ends a token by its accessor.
    pub async fn revoke(&self, accessor: &str) -> Result<()> {
        self.post("auth/token/revoke-accessor", &json!({"accessor": accessor})).await.map(drop)
    }

    /// Enables an auth method such as `jwt` or `approle` at the path of its name.
    pub async fn enable_auth(&self, kind: &str) -> Result<()> {
        self.post(&format!("sys/auth/{kind}"), &json!({"type": kind})).await.map(drop)
    }

    /// Seals it.
    pub async fn seal(&self) -> Result<()> {
        accepted(self.request("PUT", "sys/seal", &Value::Null).await?, "sealing").map(drop)
    }

    /// Unseals it and waits until it serves.
    pub async fn unseal(&self) -> Result<()> {
        let share = json!({"key": self.unseal_key});
        accepted(self.server.request("PUT", "sys/unseal", None, &share).await?, "unsealing")?;
        self.server.endpoint().await_health(&[200], DEADLINE).await?;
        self.await_mounts().await
    }

    /// Starts it after it ended, and unseals it.
    pub async fn start_again(&self) -> Result<()> {
        self.server.start().await?;
        self.unseal().await
    }

    /// Ends it, copies its storage, and starts it again.
    pub async fn copy_storage(&self) -> Result<StorageCopy> {
        let copy = StorageCopy(tempfile::Builder::new().prefix("copy-").tempdir_in(self.server.home())?);
        self.server.terminate().await?;
        self.server.with_idle_storage(|data| copy_folder(data, copy.0.path()))?;
        self.start_again().await?;
        Ok(copy)
    }

    /// Ends it, puts back a copy of its storage, and starts it again: what was done since then is undone.
    pub async fn restore_storage(&self, copy: &StorageCopy) -> Result<()> {
        self.server.terminate().await?;
        self.server.wipe()?;
        self.server.with_idle_storage(|data| copy_folder(copy.0.path(), data))?;
        self.start_again().await
    }

    /// The stanza of a server that seals itself with a key of this one.
    pub fn seal_with(&self, key: &str, token: Option<&str>) -> TransitSeal {
        TransitSeal {
            address: Some(self.server.url()),
            token: token.map(str::to_owned),
            key: key.to_owned(),
            authority: self.server.authority().map(|_| self.server.home().join("ca.crt")),
            ..TransitSeal::default()
        }
    }

    /// A server that has just become active answers 200 before its mounts do.
    async fn await_mounts(&self) -> Result<()> {
        eventually("the mounts of A", DEADLINE, async || self.get("sys/mounts").await.map(drop)).await
    }
}

/// What a token must be allowed to seal with a key, and nothing more.
pub fn sealing_policy(key: &str) -> String {
    ["encrypt", "decrypt"]
        .map(|act| format!("path \"transit/{act}/{key}\" {{ capabilities = [\"update\"] }}\n"))
        .concat()
}

/// The body of an answer that is a success.
pub(super) fn accepted((status, body): Answer, what: &str) -> Result<Value> {
    // The body of a refusal names its reason; the one of a success may hold a token.
    ensure!((200..300).contains(&status), "{what}: {status} {}", body["errors"]);
    Ok(body)
}

/// A string, which must be one; what it is isn't said, as it may be secret.
pub(super) fn text(value: &Value) -> Result<String> {
    value.as_str().map(str::to_owned).context("the answer lacks a string")
}

fn copy_folder(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}
