//! Who gets in when the root token is gone: made with it, and proven by a real login before it is revoked.
//!
//! Every step may have been done before, by a process that crashed: what is there is left, what is missing is made. The
//! server is unborn until this is through, so nobody else's work can be in the way; a mount of another method is one all the
//! same, and is left alone.

use std::collections::BTreeSet;

use holdfast_api::vault_transit_unseal::{Admin, ServiceAccountLogin};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failed::Failed;
use super::keys;
use super::objects::Cluster;
use super::order::Plan;
use super::server::B;
use crate::audit::Act;
use crate::client::Error;

/// Every right. For the administrator's policy where the server has none of that name.
const EVERYTHING: &str = r#"# Made by Holdfast: the administrator's policy, where there was none. Narrow it down as you like.
path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }
"#;
/// What we need on B: who votes, and the step-down before the leader is restarted.
const OURS: &str = r#"# Made by Holdfast: what the controller needs to restart the servers one by one.
path "sys/storage/raft/configuration" { capabilities = ["read"] }
path "sys/step-down" { capabilities = ["update", "sudo"] }
"#;
/// The name of the latter.
pub(super) const OUR_POLICY: &str = "holdfast";

/// How B knows the tokens of this cluster.
enum Method {
    Jwt { keys: Vec<String>, issuer: String },
    Kubernetes { host: String, ca: Option<String> },
}

/// A role, and for whom it is.
struct Role<'a> {
    mount: &'a str,
    name: &'a str,
    account: &'a str,
    audience: &'a str,
    policy: &'a str,
    /// What the policy says where the server has none of that name.
    text: &'static str,
}

impl<'a> Role<'a> {
    fn of_admin(admin: &'a Admin) -> Self {
        Self {
            mount: &admin.mount,
            name: &admin.role,
            account: &admin.service_account_ref.name,
            audience: &admin.audience,
            policy: &admin.policy,
            text: EVERYTHING,
        }
    }

    fn ours(login: &'a ServiceAccountLogin) -> Self {
        let (mount, name, audience) = (&login.mount, &login.role, &login.audience);
        Self { mount, name, account: &login.name, audience, policy: OUR_POLICY, text: OURS }
    }

    fn body(&self, method: &Method, namespace: &str) -> Value {
        let (account, policies) = (self.account, [self.policy]);
        match method {
            Method::Jwt { .. } => json!({
                "role_type": "jwt",
                "user_claim": "sub",
                "bound_subject": format!("system:serviceaccount:{namespace}:{account}"),
                "bound_audiences": [self.audience],
                "token_policies": policies,
                "token_ttl": "1h",
            }),
            Method::Kubernetes { .. } => json!({
                "bound_service_account_names": [account],
                "bound_service_account_namespaces": [namespace],
                "audience": self.audience,
                "token_policies": policies,
                "token_ttl": "1h",
            }),
        }
    }
}

impl Method {
    fn name(&self) -> &'static str {
        match self {
            Self::Jwt { .. } => "jwt",
            Self::Kubernetes { .. } => "kubernetes",
        }
    }

    fn config(&self) -> Value {
        match self {
            Self::Jwt { keys, issuer } => json!({ "jwt_validation_pubkeys": keys, "bound_issuer": issuer }),
            Self::Kubernetes { host, ca: Some(ca) } => json!({ "kubernetes_host": host, "kubernetes_ca_cert": ca }),
            Self::Kubernetes { host, ca: None } => json!({ "kubernetes_host": host }),
        }
    }

    async fn of(cluster: &Cluster<'_>, admin: &Admin) -> Result<Self, Failed> {
        if let Some(kubernetes) = &admin.login.kubernetes {
            let ca = cluster.authority(kubernetes.ca_secret_ref.as_ref()).await?;
            let ca = ca.map(|pem| String::from_utf8_lossy(&pem).into_owned());
            return Ok(Self::Kubernetes { host: kubernetes.host.clone(), ca });
        }
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
        }
        let keys = keys::in_pem(&cluster.published("/openid/v1/jwks").await?)?;
        let discovery = cluster.published("/.well-known/openid-configuration").await?;
        let Discovery { issuer } = serde_json::from_str(&discovery).map_err(|_| keys::Unusable::Document)?;
        Ok(Self::Jwt { keys, issuer })
    }
}

/// Whether what the proof needs of the cluster can be had: tried before anything is claimed.
pub(super) async fn prepare(cluster: &Cluster<'_>, plan: &Plan) -> Result<(), Failed> {
    Method::of(cluster, &plan.admin).await?;
    for role in roles(plan) {
        cluster.token(role.account, role.audience).await?;
    }
    Ok(())
}

fn roles(plan: &Plan) -> Vec<Role<'_>> {
    [Some(Role::of_admin(&plan.admin)), plan.auth.as_ref().map(Role::ours)].into_iter().flatten().collect()
}

/// Makes the roles and logs in by each. Returns the accessor of the root token.
pub(super) async fn prove(
    cluster: &Cluster<'_>,
    b: &B<'_>,
    root: &SecretString,
    plan: &Plan,
) -> Result<String, Failed> {
    let method = Method::of(cluster, &plan.admin).await?;
    let mounts: BTreeSet<&str> = roles(plan).iter().map(|role| role.mount).collect();
    for path in mounts {
        mount(b, root, path, &method).await?;
    }
    for role in roles(plan) {
        policy(b, root, &role).await?;
        let path = format!("auth/{}/role/{}", role.mount, role.name);
        b.write(Act::WriteAuthRole, root, &path, role.body(&method, &cluster.settings.namespace)).await?;
        let session = log_in(cluster, b, &role).await?;
        b.leave(&session).await?;
    }
    Ok(b.accessor(root).await?.expose_secret().to_owned())
}

/// Logs in as the administrator and ends the token with this accessor.
pub(super) async fn revoke(cluster: &Cluster<'_>, b: &B<'_>, plan: &Plan, accessor: &str) -> Result<(), Failed> {
    let session = log_in(cluster, b, &Role::of_admin(&plan.admin)).await?;
    b.end_accessor(&session, &SecretString::from(accessor)).await?;
    Ok(b.leave(&session).await?)
}

async fn log_in(cluster: &Cluster<'_>, b: &B<'_>, role: &Role<'_>) -> Result<SecretString, Failed> {
    let jwt = cluster.token(role.account, role.audience).await?;
    let session = b.login(role.mount, role.name, &jwt).await?;
    if session.policies.iter().any(|policy| policy == role.policy) {
        return Ok(session.token);
    }
    Err(Failed::PolicyMissing { role: role.name.to_owned(), policy: role.policy.to_owned() })
}

async fn mount(b: &B<'_>, root: &SecretString, mount: &str, method: &Method) -> Result<(), Failed> {
    let mounts = b.read(root, "sys/auth").await?.map(|answer| answer.data).unwrap_or_default();
    let found = mounts.get(&format!("{mount}/")).and_then(|mount| mount["type"].as_str());
    match found {
        Some(found) if found == method.name() => {}
        Some(found) => return Err(Failed::MountTaken { mount: mount.to_owned(), found: found.to_owned() }),
        None => b.write(Act::EnableAuth, root, &format!("sys/auth/{mount}"), json!({ "type": method.name() })).await?,
    }
    Ok(b.write(Act::ConfigureAuth, root, &format!("auth/{mount}/config"), method.config()).await?)
}

/// Writes a role's policy where there is none of that name.
async fn policy(b: &B<'_>, root: &SecretString, role: &Role<'_>) -> Result<(), Error> {
    match b.policy(root, role.policy).await? {
        Some(_) => Ok(()),
        None => b.write_policy(root, role.policy, role.text).await,
    }
}
