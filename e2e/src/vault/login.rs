//! The login by which the controller makes tokens: a server takes the tokens of the cluster's ServiceAccounts as proof of who asks.
//!
//! The server never asks the API server: it is given the public key by which such tokens are verified. So it works while the cluster
//! is down, and wherever the server is.

use anyhow::Result;
use holdfast_testkit::ControlPlane;
use holdfast_testkit::control_plane::ISSUER;
use holdfast_testkit::vault::TransitServer;
use serde_json::json;

use super::KEY;

/// The ServiceAccount in the namespace of the resource as which the controller logs in, and the role that it asks for.
pub const ACCOUNT: &str = "holdfast-vault";
/// For whom a token for the login is made out.
pub const AUDIENCE: &str = "vault-a";

/// What `provision: Token` needs, and no more: tokens of the role that is named like the key can be made, role and key can be
/// looked at. And, for `deletionPolicy: Revoke`, a token can be ended.
pub fn minting_policy() -> String {
    format!(
        "path \"auth/token/create/{KEY}\" {{ capabilities = [\"update\"] }}\n\
         path \"auth/token/roles/{KEY}\" {{ capabilities = [\"read\"] }}\n\
         path \"transit/keys/{KEY}\" {{ capabilities = [\"read\"] }}\n\
         path \"auth/token/revoke-accessor\" {{ capabilities = [\"update\"] }}\n"
    )
}

/// Lets a server trust the ServiceAccounts of a cluster, at `auth/jwt`.
pub async fn trust_accounts(a: &TransitServer, plane: &ControlPlane) -> Result<()> {
    a.enable_auth("jwt").await?;
    let config = json!({
        "jwt_validation_pubkeys": [plane.account_key()?],
        "bound_issuer": ISSUER,
        "jwt_supported_algs": ["ES256"],
    });
    a.post("auth/jwt/config", &config).await.map(drop)
}

/// Lets [`ACCOUNT`] of a namespace log in, with the policy [`minting_policy`].
pub async fn admit(a: &TransitServer, namespace: &str) -> Result<()> {
    a.write_policy(ACCOUNT, &minting_policy()).await?;
    let role = json!({
        "role_type": "jwt",
        "user_claim": "sub",
        "bound_audiences": [AUDIENCE],
        "bound_subject": format!("system:serviceaccount:{namespace}:{ACCOUNT}"),
        "token_policies": [ACCOUNT],
        "token_ttl": "20m",
    });
    a.post(&format!("auth/jwt/role/{ACCOUNT}"), &role).await.map(drop)
}
