//! What the API server accepts of a VaultTransitUnseal: each rule with what is just good enough and what a person reads otherwise.
//!
//! 1. The least that can be written is accepted, and what is left out is filled in.
//! 2. Rules on single fields (`fields`): addresses, names, times, numbers.
//! 3. Rules between fields (`relations`): seal, login, provision, initialisation, deletion.
//! 4. What can't be changed later: StatefulSet, mount and key; the address can.
//! 5. What kubectl shows and explains.

mod fields;
mod relations;

use anyhow::{Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::Kubectl;
use kube::api::{DeleteParams, Patch};

use super::*;
use relations::initialising;

const AGE: &str = "age1vys8xctdwpkx2w3qdehkymmy0ysxsctnyp6xs6tnyp4k27fvyqcs3ed36r";

fn vault(pointer: &str, value: Value) -> Value {
    let least = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
        "metadata": { "name": "vault", "namespace": "default" },
        "spec": {
            "target": { "statefulSetRef": { "name": "vault" } },
            "seal": { "transit": { "address": "https://a.example.net:8200", "key": "vault-b" } },
            "token": { "secretRef": { "name": "vault-transit-token", "key": "token" } },
        },
    });
    set(least, pointer, value)
}

fn plain() -> Value {
    vault("/metadata/name", json!("vault"))
}

/// With several fields at once.
fn with(fields: &[(&str, Value)]) -> Value {
    fields.iter().fold(plain(), |object, (pointer, value)| set(object, pointer, value.clone()))
}

/// How a value of a field of its own is refused.
fn refusal(field: &str, value: &str, why: &str) -> String {
    format!("{field}: Invalid value: {value:?}: {why}")
}

/// As a message names the field that a pointer points to.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

fn login(audience: &str) -> Value {
    json!({ "name": "holdfast-vault", "audience": audience })
}

#[tokio::test]
async fn the_least_is_accepted_and_the_rest_filled_in() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let made = create(&client, &plain()).await?.map_err(anyhow::Error::msg)?;
    let expected = json!({
        "mode": "Observe",
        "deletionPolicy": "Retain",
        "target": { "statefulSetRef": { "name": "vault" }, "port": 8200, "allowHTTP": false },
        "seal": { "transit": {
            "address": "https://a.example.net:8200", "mount": "transit", "key": "vault-b", "allowHTTP": false,
            "provision": "Verify",
        } },
        "token": {
            "secretRef": { "name": "vault-transit-token", "key": "token" }, "delivery": "Auto", "period": "720h",
            "renewAt": 50,
        },
        "initialization": { "enabled": false, "allowHTTPInit": false, "shares": 3, "threshold": 2 },
        "restart": { "policy": "WhenStuck", "allowDowntime": false, "bootGrace": "60s" },
        "recovery": { "onApiSeal": "Report", "custody": "Secret" },
        "coldStart": { "surviveOutage": "168h", "transitUnsealsItself": false },
        "timing": { "interval": "5s", "requestTimeout": "10s" },
    });
    ensure!(made.data["spec"] == expected, "{:#}", made.data["spec"]);
    // What is filled in is what the controller would read without it.
    let filled: VaultTransitUnseal = serde_json::from_value(serde_json::to_value(&made)?)?;
    let bare: VaultTransitUnseal = serde_json::from_value(plain())?;
    ensure!(filled.spec == bare.spec, "{:#?}", filled.spec);
    // A part that is begun is filled in too.
    let admin = initialising(&[]);
    let made = create(&client, &admin).await?.map_err(anyhow::Error::msg)?;
    let expected = json!({
        "serviceAccountRef": { "name": "vault-admin" }, "mount": "kubernetes", "role": "admin", "policy": "admin",
        "audience": "vault", "login": { "jwt": {} },
    });
    ensure!(made.data["spec"]["initialization"]["admin"] == expected, "{:#}", made.data["spec"]["initialization"]);
    Ok(())
}

#[tokio::test]
async fn what_is_required_is_asked_for() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let named = |length: usize| vault("/metadata/name", json!("v".repeat(length)));
    all([
        check(&client, named(63), ACCEPTED),
        check(&client, named(64), "<nil>: Invalid value: the name becomes a label value: use at most 63 characters"),
        check(&client, without(plain(), "/spec/target"), "spec.target: Required value"),
        check(&client, without(plain(), "/spec/token"), "spec.token: Required value"),
        check(&client, without(plain(), "/spec/seal/transit/key"), "spec.seal.transit.key: Required value"),
        check(
            &client,
            vault("/spec/seal", json!({})),
            "spec.seal: Invalid value: exactly one seal is needed: write seal.transit with the address of the other server and the key",
        ),
        check(&client, vault("/spec/target/auth", json!({ "serviceAccount": login("vault-b") })), ACCEPTED),
        check(
            &client,
            vault("/spec/target/auth", json!({ "serviceAccount": { "name": "holdfast-vault" } })),
            "spec.target.auth.serviceAccount.audience: Required value",
        ),
        check(&client, vault("/spec/mode", json!("Enforce")), r#"spec.mode: Unsupported value: "Enforce": supported values: "Observe", "Manage""#),
        check(&client, vault("/spec/restart", json!({ "policy": "Never" })), ACCEPTED),
        check(&client, vault("/spec/restart", json!({ "policy": "WhenStuckOrTokenChanged" })), ACCEPTED),
        check(&client, vault("/spec/restart", json!({ "policy": "Always" })), r#"spec.restart.policy: Unsupported value: "Always": supported values: "Never", "WhenStuck", "WhenStuckOrTokenChanged""#),
        check(&client, vault("/spec/recovery", json!({ "onApiSeal": "Restart", "custody": "External" })), ACCEPTED),
    ])
    .await
}

/// The message with which a change is refused, or [`ACCEPTED`].
async fn change(api: &Api<VaultTransitUnseal>, patch: Value) -> Result<String> {
    let params = PatchParams { dry_run: true, ..PatchParams::default() };
    match api.patch("vault", &params, &Patch::Merge(&patch)).await {
        Ok(_) => Ok(ACCEPTED.to_owned()),
        Err(kube::Error::Api(status)) => Ok(why(&status.message).to_owned()),
        Err(error) => Err(error.into()),
    }
}

#[tokio::test]
async fn what_a_resource_is_about_stays() -> Result<()> {
    let tenant = Shared::tenant("vault-stays").await?;
    tenant.apply(without(plain(), "/metadata/namespace")).await?;
    let api: Api<VaultTransitUnseal> = Api::namespaced(tenant.client.clone(), &tenant.name);
    let transit = |field: &str, value: &str| json!({ "spec": { "seal": { "transit": { field: value } } } });
    let stateful_set = json!({ "spec": { "target": { "statefulSetRef": { "name": "other" } } } });
    let answers = [
        (
            stateful_set,
            "spec.target.statefulSetRef.name: Invalid value: \"other\": a resource stays with its StatefulSet: make another resource for another one",
        ),
        (
            transit("mount", "other"),
            "spec.seal.transit.mount: Invalid value: \"other\": a key stays with its mount: make another resource for another mount",
        ),
        (
            transit("key", "other"),
            "spec.seal.transit.key: Invalid value: \"other\": what is sealed with one key can't be opened with another: make another resource for another key",
        ),
        (transit("address", "https://moved.example.net"), ACCEPTED),
        (json!({ "spec": { "mode": "Manage" } }), ACCEPTED),
    ];
    for (patch, expected) in answers {
        let answer = change(&api, patch.clone()).await?;
        ensure!(answer == expected, "{patch}: {answer}");
    }
    api.delete("vault", &DeleteParams::default()).await?;
    Ok(())
}

/// The columns and the explanations are what a person sees first.
#[tokio::test]
async fn kubectl_shows_and_explains_it() -> Result<()> {
    let tenant = Shared::tenant("vault-shown").await?;
    tenant.apply(without(plain(), "/metadata/namespace")).await?;
    let api: Api<VaultTransitUnseal> = Api::namespaced(tenant.client.clone(), &tenant.name);
    let status = json!({ "status": {
        "diagnosis": { "cause": "TokenDenied", "message": "m", "remedy": "r", "since": "2026-01-01T00:00:00Z" },
        "token": { "expireTime": "2026-02-01T00:00:00Z", "role": "holdfast", "periodic": "True" },
        "pods": [{ "name": "vault-0", "uid": "u", "state": "MigratedStandby", "voter": true, "tokenCurrent": "Unknown", "restarts": 0 }],
        "rehearsal": {
            "result": "Passed", "provenVersion": 1, "canaryVersions": [1],
            "canaries": [{ "version": 1, "ciphertext": "vault:v1:AAAA", "running": [{ "uid": "u", "restarts": 0 }] }],
        },
        "conditions": [
            { "type": "WouldStart", "status": "Unknown", "reason": "NoCanary", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" },
            { "type": "Unsealed", "status": "True", "reason": "Serves", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z" },
        ],
    } });
    api.patch_status("vault", &PatchParams::default(), &Patch::Merge(&status)).await?;
    let kubectl = Kubectl::of(&Shared::get().await?.cluster.plane).await?;
    let shown = kubectl.run(["get", "vtu", "--namespace", "vault-shown"]).await?;
    let rows: Vec<Vec<&str>> = shown.lines().map(|line| line.split_whitespace().collect()).collect();
    let [head, row] = rows.as_slice() else { bail!("{shown}") };
    ensure!(head == &["NAME", "MODE", "WOULDSTART", "UNSEALED", "CAUSE", "TOKEN", "EXPIRY", "AGE"], "{shown}");
    ensure!(
        row.starts_with(&["vault", "Observe", "Unknown", "True", "TokenDenied", "2026-02-01T00:00:00Z"]),
        "{shown}"
    );
    let explained = kubectl.run(["explain", "vtu.spec", "--recursive"]).await?;
    for field in ["allowHTTPInit", "rotateEvery", "dependsOn", "onApiSeal"] {
        ensure!(explained.contains(field), "{explained}");
    }
    let field = kubectl.run(["explain", "vtu.spec.seal.transit.provision"]).await?;
    ensure!(field.contains("Verify only renews"), "{field}");
    api.delete("vault", &DeleteParams::default()).await?;
    Ok(())
}
