//! Kubeconfig files: written for one server and one token, and turned into clients.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, PostParams};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::json;

/// A day.
const TOKEN_SECONDS: i64 = 24 * 60 * 60;

/// Writes a kubeconfig whose only user is the bearer of `token`.
pub(crate) fn write(file: &Path, server: &str, authority: &Path, namespace: &str, token: &str) -> Result<()> {
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "holdfast-test",
        "clusters": [{"name": "holdfast-test", "cluster": {"server": server, "certificate-authority": authority}}],
        "users": [{"name": "bearer", "user": {"token": token}}],
        "contexts": [{
            "name": "holdfast-test",
            "context": {"cluster": "holdfast-test", "user": "bearer", "namespace": namespace},
        }],
    });
    write_private(file, &serde_json::to_string_pretty(&config)?)
}

/// Writes a file that only its owner may read: it holds keys or tokens.
pub(crate) fn write_private(file: &Path, content: &str) -> Result<()> {
    // Removed first, because the mode is applied only to a new file.
    if file.exists() {
        fs::remove_file(file)?;
    }
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .with_context(|| format!("creating {}", file.display()))?;
    Ok(file.write_all(content.as_bytes())?)
}

/// What a client needs to know, from a kubeconfig file.
pub(crate) async fn config_from(kubeconfig: &Path) -> Result<Config> {
    let file = Kubeconfig::read_from(kubeconfig).with_context(|| format!("reading {}", kubeconfig.display()))?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    // A test wants to see the 429 or 503 itself, not the success after it.
    config.default_retry = false;
    Ok(config)
}

/// Writes a copy of a kubeconfig whose user is a ServiceAccount of that cluster, which must exist; its token is good for a
/// day where the cluster grants that.
pub async fn account_kubeconfig(admin: &Path, namespace: &str, name: &str, file: &Path) -> Result<()> {
    let token = token_of(&client_from(admin).await?, namespace, name).await?;
    let mut config = Kubeconfig::read_from(admin).with_context(|| format!("reading {}", admin.display()))?;
    let context = config.current_context.clone().context("a kubeconfig without a current context")?;
    let user = "holdfast-account".to_owned();
    for known in config.contexts.iter_mut().filter(|known| known.name == context) {
        if let Some(known) = &mut known.context {
            known.user = Some(user.clone());
        }
    }
    let mut text = serde_json::to_value(&config)?;
    text["users"] = json!([{"name": user, "user": {"token": token}}]);
    write_private(file, &serde_json::to_string_pretty(&text)?)
}

/// A new token of a ServiceAccount.
pub(crate) async fn token_of(admin: &Client, namespace: &str, name: &str) -> Result<String> {
    let accounts: Api<ServiceAccount> = Api::namespaced(admin.clone(), namespace);
    let spec = TokenRequestSpec { expiration_seconds: Some(TOKEN_SECONDS), ..TokenRequestSpec::default() };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let answer = accounts.create_token_request(name, &PostParams::default(), &request).await;
    let answer = answer.with_context(|| format!("asking for a token of {namespace}/{name}"))?;
    Ok(answer.status.context("a token request without a token")?.token)
}

/// A client with the identity of a kubeconfig file; it belongs to the runtime that calls this.
pub async fn client_from(kubeconfig: &Path) -> Result<Client> {
    Ok(Client::try_from(config_from(kubeconfig).await?)?)
}
