//! What goes wrong with B's token.

use anyhow::Result;
use holdfast_testkit::vault::Server;
use holdfast_vault::cause::Cause;
use serde_json::{Value, json};

use super::Place;
use super::scene::Scene;
use super::transit::suffers_spec;
use crate::stage::KEY;

/// What stands in the Secret, and what A says of it.
pub(super) async fn content(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let (a, set) = (&scene.pair.a, &scene.pair.set);
    let renewed = async || set.write_token(&a.mint(KEY).await?.token).await;
    scene
        .suffers(Cause::TokenMissing, "the Secret is deleted", async || set.delete_secret("seal").await, renewed)
        .await?;
    let contents = [
        (Cause::TokenMissing, "the Secret has another key", json!({"other": "x"})),
        (Cause::TokenMalformed, "a line break", json!({"token": format!("{}\n", a.root())})),
        (Cause::TokenMalformed, "nothing", json!({"token": ""})),
        (Cause::TokenMalformed, "two words", json!({"token": "to ken"})),
        (Cause::TokenDead, "never was one", json!({"token": "PLACEHOLDER"})),
        (Cause::TokenRoleUnsafe, "a root token", json!({"token": a.root()})),
    ];
    for (cause, how, texts) in contents {
        scene.suffers(cause, how, async || set.write_secret("seal", &texts).await, renewed).await?;
    }
    let ended = async || {
        let token = a.mint(KEY).await?;
        set.write_token(&token.token).await?;
        a.revoke(&token.accessor).await
    };
    scene.suffers(Cause::TokenDead, "it is revoked", ended, renewed).await
}

/// Where it stands, what it may do, and by which role it was made.
pub(super) async fn rights(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let (a, set) = (&scene.pair.a, &scene.pair.set);
    let renewed = async || set.write_token(&a.mint(KEY).await?.token).await;
    let elsewhere = json!({"token": {"secretRef": {"name": "elsewhere"}}});
    suffers_spec(&scene, Cause::NotPermitted, "a Secret that isn't in the chart's values", &elsewhere).await?;
    let token = a.mint(KEY).await?.token;
    set.write_secret("seal", &json!({"token": token, "other": token})).await?;
    let other = json!({"token": {"secretRef": {"key": "other"}}});
    suffers_spec(&scene, Cause::TokenNotWired, "a key that no pod reads", &other).await?;

    policies(&scene).await?;
    for (how, role) in [
        ("a token that isn't an orphan", json!({"orphan": false, "renewable": true, "token_period": "24h"})),
        ("a token that can't be renewed", json!({"orphan": true, "renewable": false, "token_explicit_max_ttl": "24h"})),
    ] {
        let minted = async || set.write_token(&made_by(&scene, "unsafe", role).await?).await;
        scene.suffers(Cause::TokenRoleUnsafe, how, minted, renewed).await?;
    }
    Ok(())
}

/// The token stays, and what it may do changes.
async fn policies(scene: &Scene<'_>) -> Result<()> {
    let a = &scene.pair.a;
    let right = policy(&[("encrypt", "\"update\""), ("decrypt", "\"update\"")]);
    let again = async || a.write_policy(KEY, &right).await;
    let policies = [
        (Cause::TokenDenied, "it may not decrypt", policy(&[("encrypt", "\"update\"")])),
        (Cause::TokenDenied, "it may do nothing", "path \"sys/nothing\" { capabilities = [\"read\"] }\n".to_owned()),
        (
            Cause::TokenRoleUnsafe,
            "it may make keys",
            policy(&[("encrypt", "\"create\", \"update\""), ("decrypt", "\"update\"")]),
        ),
    ];
    for (cause, how, policy) in policies {
        scene.suffers(cause, how, async || a.write_policy(KEY, &policy).await, again).await?;
    }
    Ok(())
}

fn policy(acts: &[(&str, &str)]) -> String {
    let path = |(act, capabilities): &(&str, &str)| {
        format!("path \"transit/{act}/{KEY}\" {{ capabilities = [{capabilities}] }}\n")
    };
    acts.iter().map(path).collect()
}

/// A token of a role that may what B needs.
async fn made_by(scene: &Scene<'_>, name: &str, mut role: Value) -> Result<String> {
    let a = &scene.pair.a;
    if role["allowed_policies"].is_null() {
        role["allowed_policies"] = json!([KEY]);
    }
    a.write_token_role(name, &role).await?;
    Ok(a.mint(name).await?.token)
}

/// The mount lets no token live as long as its role says. That is learnt from a renewal, and unlearnt from another.
pub(super) async fn capped(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let a = &scene.pair.a;
    let limit =
        async |limit: &str| a.post("sys/mounts/auth/token/tune", &json!({"max_lease_ttl": limit})).await.map(drop);
    let low = async || {
        limit("16s").await?;
        scene.pair.set.write_token(&a.mint(KEY).await?.token).await
    };
    scene.suffers(Cause::TokenCapped, "the mount caps its life at 16 s", low, async || limit("768h").await).await
}

/// It may use the key and not renew itself, and its end comes near.
pub(super) async fn expires(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let a = &scene.pair.a;
    let may = async |renew: bool| {
        let mut policy = policy(&[("encrypt", "\"update\""), ("decrypt", "\"update\"")]);
        policy.push_str("path \"auth/token/lookup-self\" { capabilities = [\"read\"] }\n");
        if renew {
            policy.push_str("path \"auth/token/renew-self\" { capabilities = [\"update\"] }\n");
        }
        a.write_policy("frail", &policy).await
    };
    let frail = async || {
        may(false).await?;
        let role = json!({
            "allowed_policies": ["frail"], "token_no_default_policy": true, "orphan": true, "renewable": true,
            "token_period": "48s",
        });
        scene.pair.set.write_token(&made_by(&scene, "frail", role).await?).await
    };
    scene.suffers(Cause::TokenExpiring, "it may not renew itself", frail, async || may(true).await).await
}
