//! What goes wrong with our own login to A, and what only it can see.

use anyhow::{Result, ensure};
use holdfast_testkit::vault::{Server, TransitServer};
use holdfast_vault::cause::Cause;
use serde_json::{Value, json};

use super::Place;
use super::scene::Twist;
use crate::stage::{self, ACCOUNT, KEY};

const AUDIENCE: &str = "vault-a";
const ROLE: &str = "holdfast";

/// A trusts the account.
pub(crate) async fn trust(place: Place<'_>, a: &TransitServer) -> Result<()> {
    stage::trust(a, &place.stage.cluster, place.namespace).await?;
    admit(place, a).await
}

/// A login lasts four seconds, so that one that is refused is noticed.
async fn admit(place: Place<'_>, a: &TransitServer) -> Result<()> {
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "bound_audiences": [AUDIENCE], "token_policies": [ACCOUNT],
        "bound_subject": format!("system:serviceaccount:{}:{ACCOUNT}", place.namespace), "token_ttl": "4s",
    });
    a.post(&format!("auth/jwt/role/{ROLE}"), &role).await.map(drop)
}

/// The login of the spec, changed.
pub(crate) fn auth(change: &Value) -> Value {
    let mut account = json!({"name": ACCOUNT, "mount": "jwt", "role": ROLE, "audience": AUDIENCE});
    stage::merge(&mut account, change);
    json!({"seal": {"transit": {"auth": {"serviceAccount": account}}}})
}

pub(super) async fn login(place: Place<'_>) -> Result<()> {
    let scene = place.prepare(Server::builder(place.product).inmem(), &place.shape(), Twist::None).await?;
    let (pair, a) = (&scene.pair, &scene.pair.a);
    pair.initialise().await?;
    trust(place, a).await?;
    let right = auth(&json!({}));
    scene.watch(&right).await?;
    let status = pair.status().await?;
    ensure!(status.transit.as_ref().and_then(|transit| transit.key_latest) == Some(1), "{:?}", status.transit);

    let again = async || pair.apply(&right).await;
    for (how, change) in [
        ("A has no such role", json!({"role": "another"})),
        ("the token is made out for another", json!({"audience": "another"})),
        ("A has no such mount", json!({"mount": "kubernetes"})),
        ("an account that isn't in the chart's values", json!({"name": "default"})),
    ] {
        let wrong = auth(&change);
        scene.suffers(Cause::LoginRefused, how, async || pair.apply(&wrong).await, again).await?;
    }
    let removed = async || a.delete(&format!("auth/jwt/role/{ROLE}")).await.map(drop);
    scene.suffers(Cause::LoginRefused, "A's role is deleted", removed, async || admit(place, a).await).await?;

    let guard = async |allowed: bool| a.configure_key(KEY, &json!({"deletion_allowed": allowed})).await;
    scene
        .suffers(Cause::KeyUnguarded, "the key may be deleted", async || guard(true).await, async || guard(false).await)
        .await?;

    let role = |change: Value| {
        let mut role = json!({"allowed_policies": [KEY], "orphan": true, "token_period": "24h", "renewable": true});
        stage::merge(&mut role, &change);
        async move { a.write_token_role(KEY, &role).await }
    };
    for (how, change) in [
        ("its role has no period", json!({"token_period": 0})),
        ("its role has a limit", json!({"token_explicit_max_ttl": "768h"})),
        ("its role makes no orphans", json!({"orphan": false})),
        ("its role doesn't give the default policy", json!({"token_no_default_policy": true})),
    ] {
        let mended = async || {
            let none = json!({"token_explicit_max_ttl": 0, "token_no_default_policy": false});
            role(none).await
        };
        scene.suffers(Cause::TokenRoleUnsafe, how, async || role(change).await, mended).await?;
    }
    let deleted = async || a.delete(&format!("auth/token/roles/{KEY}")).await.map(drop);
    scene.suffers(Cause::TokenRoleUnsafe, "its role is deleted", deleted, async || role(json!({})).await).await
}
