//! The people of an initialisation: who gets the shares, who administers, and whether all of them get in.

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::eventually;
use holdfast_testkit::vault::Endpoint;
use k8s_openapi::api::authentication::v1::{TokenRequest, TokenRequestSpec};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::Client;
use kube::api::{Api, PostParams};
use serde_json::{Value, json};

use super::DEADLINE;

pub(crate) use holdfast_e2e::vault::{ADMIN, KEYS, People};

/// The token of an administrator who logs in as a person would.
pub(crate) async fn admin(client: &Client, namespace: &str, b: &Endpoint) -> Result<String> {
    let spec =
        TokenRequestSpec { audiences: vec!["vault".to_owned()], expiration_seconds: Some(600), bound_object_ref: None };
    let request = TokenRequest { spec, ..TokenRequest::default() };
    let accounts: Api<ServiceAccount> = Api::namespaced(client.clone(), namespace);
    let answer = accounts.create_token_request(ADMIN, &PostParams::default(), &request).await?;
    let login = json!({"role": "admin", "jwt": answer.status.context("no token")?.token});
    let (status, body) = b.request("POST", "auth/kubernetes/login", None, &login).await?;
    ensure!(status == 200, "{status} {}", body["errors"]);
    body["auth"]["client_token"].as_str().map(str::to_owned).context("no token")
}

/// No token with the policy `root` is known to the server.
pub(crate) async fn no_root_token_lives(b: &Endpoint, admin: &str) -> Result<()> {
    let (status, body) = b.request("LIST", "auth/token/accessors", Some(admin), &Value::Null).await?;
    let accessors = body["data"]["keys"].as_array().with_context(|| format!("{status} {}", body["errors"]))?;
    ensure!(!accessors.is_empty(), "not even the administrator has a token");
    for accessor in accessors {
        let of = json!({"accessor": accessor});
        let (status, body) = b.request("POST", "auth/token/lookup-accessor", Some(admin), &of).await?;
        let root = body["data"]["policies"].as_array().is_some_and(|policies| policies.contains(&json!("root")));
        ensure!(status != 200 || !root, "a root token lives");
    }
    Ok(())
}

/// The shares are its recovery keys: sealed by the administrator, the server opens with two of three, and not with one.
pub(crate) async fn shares_open(b: &Endpoint, admin: &str, shares: &[String]) -> Result<()> {
    ensure!(shares.len() == 3, "{} shares", shares.len());
    // In the first seconds after its initialisation a server unseals itself once more, whoever sealed it.
    eventually("a server that stays sealed and takes a share", DEADLINE, async || {
        let (status, body) = b.request("PUT", "sys/seal", Some(admin), &Value::Null).await?;
        ensure!([204, 503].contains(&status), "{status} {}", body["errors"]);
        let opened = unseal(b, &shares[1]).await?;
        ensure!(opened["sealed"] == true && opened["progress"] == 1, "it unsealed itself: {opened}");
        Ok(())
    })
    .await?;
    let opened = unseal(b, &shares[2]).await?;
    ensure!(opened["sealed"] == false, "two shares don't open it: {opened}");
    b.await_health(&[200, 429], DEADLINE).await.map(drop)
}

async fn unseal(b: &Endpoint, share: &str) -> Result<Value> {
    let (status, body) = b.request("PUT", "sys/unseal", None, &json!({"key": share})).await?;
    ensure!(status == 200, "a share isn't one: {status} {}", body["errors"]);
    Ok(body)
}
