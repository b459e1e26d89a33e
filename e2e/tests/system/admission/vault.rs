//! What the API server accepts of a VaultTransitUnseal: each rule with what is just good enough and what a person reads otherwise.
//!
//! 1. The least that can be written is accepted, and what is left out is filled in.
//! 2. Rules on single fields: addresses, names, times, numbers.
//! 3. Rules between fields: seal, login, provision, initialisation, deletion.
//! 4. What can't be changed later: StatefulSet, mount and key; the address can.

use anyhow::{Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::Kubectl;
use kube::api::{DeleteParams, Patch};

use super::*;

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

fn login(audience: &str) -> Value {
    json!({ "name": "holdfast-vault", "audience": audience })
}

/// How a value of a field of its own is refused.
fn refusal(field: &str, value: &str, why: &str) -> String {
    format!("{field}: Invalid value: {value:?}: {why}")
}

/// As a message names the field that a pointer points to.
fn dotted(pointer: &str) -> String {
    pointer.trim_start_matches('/').replace('/', ".")
}

/// Asks for an initialisation, with these fields of it in place of its own.
fn initialising(fields: &[(&str, Value)]) -> Value {
    let asked = json!({
        "enabled": true, "shares": 3, "threshold": 2,
        "keyStore": { "secretName": "vault-recovery", "age": { "recipients": [AGE, AGE, AGE] } },
        "admin": { "serviceAccountRef": { "name": "vault-admin" } },
    });
    let object = with(&[("/spec/mode", json!("Manage")), ("/spec/initialization", asked)]);
    fields
        .iter()
        .fold(object, |object, (pointer, value)| set(object, &format!("/spec/initialization{pointer}"), value.clone()))
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

#[tokio::test]
async fn an_address_is_scheme_host_and_port() -> Result<()> {
    const SHAPE: &str =
        "an address is scheme, host and port and nothing else: write for example https://vault.example.net:8200";
    const PLAIN: &str = "spec.seal.transit: Invalid value: over http:// the token can be read on its way: write https://, or seal.transit.allowHTTP: true";
    const TARGET: &str = "spec.target: Invalid value: allowHTTP means that the pods serve without TLS: leave tls out, or write allowHTTP: false";
    let client = Shared::get().await?.cluster.admin();
    let of = |text: &str| vault("/spec/seal/transit/address", json!(text));
    let good =
        ["https://a", "https://a.example.net", "https://10.0.0.7:8200", "https://[fd00::7]:8200", "https://a:65535"];
    let bad = [
        "a.example.net:8200",
        "https://",
        "https://me:pw@a.example.net",
        "https://me@a",
        "https://a:8200/",
        "https://a/v1",
        "https://a?x=y",
        "https://a#x",
        "https://a b",
        "https://a:0",
        "https://a:65536",
        "https://a:port",
        "https://a\n",
        "ftp://a",
        "HTTPS://a",
        "https://[fd00::7",
        "https://-a",
        "https://a.",
    ];
    all(good.map(|text| check(&client, of(text), ACCEPTED))).await?;
    for text in bad {
        check(&client, of(text), &refusal("spec.seal.transit.address", text, SHAPE)).await?;
    }
    let http = |allowed| set(of("http://a:8200"), "/spec/seal/transit/allowHTTP", json!(allowed));
    let target = |allowed: bool, tls: bool| {
        let object = vault("/spec/target/allowHTTP", json!(allowed));
        if tls { set(object, "/spec/target/tls", json!({ "serverName": "vault.example.net" })) } else { object }
    };
    all([
        check(&client, of("http://a:8200"), PLAIN),
        check(&client, http(false), PLAIN),
        check(&client, http(true), ACCEPTED),
        check(&client, target(true, false), ACCEPTED),
        check(&client, target(false, true), ACCEPTED),
        check(&client, target(true, true), TARGET),
        check(&client, vault("/spec/target/port", json!(65535)), ACCEPTED),
        check(&client, vault("/spec/target/port", json!(0)), "spec.target.port: Invalid value: 0: spec.target.port in body should be greater than or equal to 1"),
        check(&client, vault("/spec/target/tls", json!({ "serverName": "https://a" })), r#"spec.target.tls.serverName: Invalid value: "https://a": a server name is a host name, without scheme and port: write for example vault.example.net"#),
    ])
    .await
}

#[tokio::test]
async fn names_are_those_of_what_they_name() -> Result<()> {
    const OBJECT: &str =
        "the name of an object has lower-case letters, digits, '-' and '.': write for example vault-token";
    const KEY: &str = "the name of a key has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example vault-b";
    const MOUNT: &str = "a mount is a path without slashes at its ends, of letters, digits, '_', '-' and '.': write for example transit";
    const NAME: &str =
        "a name has letters, digits, '_', '-' and '.', and ends with none of the last two: write for example holdfast";
    let client = Shared::get().await?.cluster.admin();
    let answers = [
        ("/spec/target/statefulSetRef/name", "vault-0.a", None),
        ("/spec/target/statefulSetRef/name", "Vault", Some(OBJECT)),
        ("/spec/token/secretRef/name", "a.b-c", None),
        ("/spec/token/secretRef/name", "a_b", Some(OBJECT)),
        ("/spec/token/secretRef/name", "../a", Some(OBJECT)),
        ("/spec/token/secretRef/key", "ca.crt", None),
        (
            "/spec/token/secretRef/key",
            "a/b",
            Some("a key of a Secret has letters, digits, '-', '_' and '.': write for example token or ca.crt"),
        ),
        ("/spec/seal/transit/key", "Team_a.key-1", None),
        ("/spec/seal/transit/key", "a/b", Some(KEY)),
        ("/spec/seal/transit/key", "..", Some(KEY)),
        ("/spec/seal/transit/key", "a b", Some(KEY)),
        ("/spec/seal/transit/mount", "team/transit", None),
        ("/spec/seal/transit/mount", "transit/", Some(MOUNT)),
        ("/spec/seal/transit/mount", "/transit", Some(MOUNT)),
        ("/spec/seal/transit/mount", "../sys", Some(MOUNT)),
        ("/spec/seal/transit/mount", "a//b", Some(MOUNT)),
        ("/spec/seal/transit/mount", "a?b", Some(MOUNT)),
        ("/spec/seal/transit/namespace", "", None),
        ("/spec/seal/transit/namespace", "team/prod", None),
        (
            "/spec/seal/transit/namespace",
            "team/",
            Some("a namespace is a path without slashes at its ends: write for example team/prod"),
        ),
        ("/spec/token/role", "", None),
        ("/spec/token/role", "b-token", None),
        ("/spec/token/role", "b/../c", Some(NAME)),
        ("/spec/target/container", "vault", None),
        (
            "/spec/target/container",
            "Vault",
            Some("the name of a container has lower-case letters, digits and '-': write for example vault"),
        ),
        ("/spec/initialization/discardAttempt", "7f3a", None),
        (
            "/spec/initialization/discardAttempt",
            "7F",
            Some("an attempt is what status.initialization.attempt says: write that, or leave it out"),
        ),
    ];
    for (pointer, value, refused) in answers {
        let expected = refused.map_or(ACCEPTED.to_owned(), |why| refusal(&dotted(pointer), value, why));
        check(&client, vault(pointer, json!(value)), &expected).await?;
    }
    let depends = |text: &str| vault("/spec/coldStart", json!({ "dependsOn": [text] }));
    const DEPENDS: &str =
        "name a VaultTransitUnseal: write its name, or namespace/name where it is in another namespace";
    let refused = |text: &str| refusal("spec.coldStart.dependsOn[0]", text, DEPENDS);
    all([
        check(&client, depends("vault"), ACCEPTED),
        check(&client, depends("other/vault"), ACCEPTED),
        check(&client, depends("a/b/c"), &refused("a/b/c")),
        check(&client, depends("https://a"), &refused("https://a")),
    ])
    .await
}

#[tokio::test]
async fn times_have_units_and_bounds() -> Result<()> {
    let client = Shared::get().await?.cluster.admin();
    let rows = [
        ("/spec/token/period", "10s", "8760h", "720h, or 30d", ["10s", "365d", "1d12h"], ["9s", "366d", "8761h"]),
        (
            "/spec/token/rotateEvery",
            "1m",
            "8760h",
            "2160h, or 90d; leave it out for never",
            ["", "60s", "90d"],
            ["59s", "366d", "1h1d"],
        ),
        ("/spec/restart/bootGrace", "1s", "1h", "60s, or 2m", ["1s", "1h", "59m59s"], ["0s", "61m", "1d"]),
        (
            "/spec/coldStart/surviveOutage",
            "1m",
            "8760h",
            "168h, or 7d",
            ["1m", "7d", "8760h"],
            ["59s", "9999d", "999999h"],
        ),
        ("/spec/timing/interval", "1s", "10m", "5s, or 1m", ["1s", "5s", "600s"], ["0s", "601s", "100ms"]),
        ("/spec/timing/requestTimeout", "1s", "60s", "10s", ["1s", "1m", "10s"], ["0s", "61s", "-1s"]),
    ];
    for (pointer, least, most, example, good, bad) in rows {
        let why =
            format!("a time from {least} to {most}, in days, hours, minutes and seconds: write for example {example}");
        let of = |text: &str| vault(pointer, json!(text));
        all(good.map(|text| check(&client, of(text), ACCEPTED))).await?;
        // What is no time in any field.
        let never = ["720", "1.5h", "a month", "1h 1m", "h", "1000000s"];
        for text in bad.into_iter().chain(never) {
            check(&client, of(text), &refusal(&dotted(pointer), text, &why)).await?;
        }
    }
    let renew = |percent: u32| vault("/spec/token/renewAt", json!(percent));
    all([
        check(&client, renew(10), ACCEPTED),
        check(&client, renew(90), ACCEPTED),
        check(
            &client,
            renew(9),
            "spec.token.renewAt: Invalid value: 9: spec.token.renewAt in body should be greater than or equal to 10",
        ),
        check(
            &client,
            renew(100),
            "spec.token.renewAt: Invalid value: 100: spec.token.renewAt in body should be less than or equal to 90",
        ),
    ])
    .await
}

#[tokio::test]
async fn one_login_a_token_in_a_place_and_rights_to_provision() -> Result<()> {
    const ONE: &str = "spec.seal.transit.auth: Invalid value: log in in exactly one way: write one of serviceAccount, appRole and tokenRef";
    const LOGIN: &str = "spec.seal.transit: Invalid value: provision Token and All need a login: write seal.transit.auth, or provision: Verify";
    const REVOKE: &str = "spec: Invalid value: deletionPolicy Revoke takes back what we made: write seal.transit.provision: Token or All, or deletionPolicy: Retain";
    const DELIVERED: &str = "spec: Invalid value: a token that somebody else delivers isn't made by us: write seal.transit.provision: Verify, or another token.delivery";
    const PLACE: &str = "spec.token: Invalid value: the token is in a Secret unless somebody else delivers it: write token.secretRef, or delivery: External";
    let client = Shared::get().await?.cluster.admin();
    let account = || json!({ "serviceAccount": login("vault-a") });
    let role = || json!({ "appRole": { "roleId": "r", "secretIdRef": { "name": "a-secret-id", "key": "id" } } });
    let token = || json!({ "tokenRef": { "name": "a-token", "key": "token" } });
    let both = || json!({ "serviceAccount": login("vault-a"), "tokenRef": { "name": "a-token", "key": "token" } });
    let auth = |auth: Value| vault("/spec/seal/transit/auth", auth);
    let provision = |what: &str, auth: Option<Value>| {
        let object = vault("/spec/seal/transit/provision", json!(what));
        auth.map_or(object.clone(), |auth| set(object, "/spec/seal/transit/auth", auth))
    };
    let revoke = |object: Value| set(object, "/spec/deletionPolicy", json!("Revoke"));
    let delivered = |object: Value| set(object, "/spec/token", json!({ "delivery": "External" }));
    all([
        check(&client, auth(account()), ACCEPTED),
        check(&client, auth(role()), ACCEPTED),
        check(&client, auth(token()), ACCEPTED),
        check(&client, auth(both()), ONE),
        check(&client, auth(json!({})), ONE),
        check(&client, provision("Token", Some(account())), ACCEPTED),
        check(&client, provision("All", Some(role())), ACCEPTED),
        check(&client, provision("Token", None), LOGIN),
        check(&client, provision("All", None), LOGIN),
        check(&client, revoke(provision("Token", Some(account()))), ACCEPTED),
        check(&client, revoke(plain()), REVOKE),
        check(&client, delivered(plain()), ACCEPTED),
        check(&client, delivered(provision("Token", Some(account()))), DELIVERED),
        check(&client, vault("/spec/token", json!({})), PLACE),
        check(&client, vault("/spec/token", json!({ "delivery": "File" })), PLACE),
    ])
    .await
}

#[tokio::test]
async fn an_initialisation_says_who_gets_the_keys_and_who_gets_in() -> Result<()> {
    const MODE: &str =
        "spec: Invalid value: only mode Manage initialises: write mode: Manage, or initialization.enabled: false";
    const HTTP: &str = "spec: Invalid value: over HTTP recovery keys and root token can be read on their way: write target.allowHTTP: false, or initialization.allowHTTPInit: true";
    const SHARED: &str = "spec: Invalid value: the recovery keys need a Secret of their own: write another initialization.keyStore.secretName than the token's";
    const STORE: &str = "spec.initialization: Invalid value: the recovery keys exist only once: write initialization.keyStore, which says where they go";
    const ONE: &str = "spec.initialization: Invalid value: recovery keys are kept in exactly one way: write one of keyStore.age, keyStore.pgp and keyStore.plaintext";
    const COUNT: &str = "spec.initialization: Invalid value: each share goes to one recipient: write as many keyStore.age.recipients as shares";
    const KEYS: &str =
        "spec.initialization: Invalid value: each share goes to one key: write as many keyStore.pgp.keys as shares";
    const ADMIN: &str = "spec.initialization: Invalid value: the root token is revoked, so somebody else must get in: write initialization.admin.serviceAccountRef";
    const LOGIN: &str = "spec.initialization.admin.login: Invalid value: people log in in exactly one way: write either login.jwt: {} or login.kubernetes";
    let client = Shared::get().await?.cluster.admin();
    let store = |way: Value| initialising(&[("/keyStore", set(way, "/secretName", json!("vault-recovery")))]);
    let plaintext = || json!({ "plaintext": "IUnderstand" });
    let recipients = |count: usize| json!({ "age": { "recipients": vec![AGE; count] } });
    let keys = |count: usize| json!({ "pgp": { "keys": vec!["mQENBFexample+/=="; count] } });
    let over_http = |init: Value| set(init, "/spec/target/allowHTTP", json!(true));
    let log_in = |login: Value| initialising(&[("/admin/login", login)]);
    let off = |object: Value| set(object, "/spec/initialization/enabled", json!(false));
    all([
        check(&client, initialising(&[]), ACCEPTED),
        check(&client, set(initialising(&[]), "/spec/mode", json!("Observe")), MODE),
        check(&client, off(set(initialising(&[]), "/spec/mode", json!("Observe"))), ACCEPTED),
        check(&client, over_http(initialising(&[])), HTTP),
        check(&client, over_http(initialising(&[("/allowHTTPInit", json!(true))])), ACCEPTED),
        check(&client, initialising(&[("/keyStore/secretName", json!("vault-transit-token"))]), SHARED),
        check(&client, without(initialising(&[]), "/spec/initialization/keyStore"), STORE),
        check(&client, store(plaintext()), ACCEPTED),
        check(&client, store(json!({ "plaintext": "yes" })), r#"spec.initialization.keyStore.plaintext: Unsupported value: "yes": supported values: "IUnderstand""#),
        check(&client, store(keys(3)), ACCEPTED),
        check(&client, store(json!({})), ONE),
        check(&client, store(set(recipients(3), "/plaintext", json!("IUnderstand"))), ONE),
        check(&client, store(recipients(2)), COUNT),
        check(&client, store(recipients(4)), COUNT),
        check(&client, store(json!({ "age": {} })), COUNT),
        check(&client, off(store(json!({ "age": { "recipients": [] } }))), ACCEPTED),
        check(&client, store(keys(2)), KEYS),
        check(&client, without(initialising(&[]), "/spec/initialization/admin"), ADMIN),
        check(&client, without(initialising(&[]), "/spec/initialization/admin/serviceAccountRef"), "spec.initialization.admin.serviceAccountRef: Required value"),
        check(&client, log_in(json!({ "jwt": {} })), ACCEPTED),
        check(&client, log_in(json!({ "kubernetes": {} })), ACCEPTED),
        check(&client, log_in(json!({})), LOGIN),
        check(&client, log_in(json!({ "jwt": {}, "kubernetes": {} })), LOGIN),
        check(&client, log_in(json!({ "kubernetes": { "host": "http://kubernetes.default.svc" } })), "spec.initialization.admin.login.kubernetes: Invalid value: the API server is asked over TLS: write an address that begins with https://"),
    ])
    .await
}

#[tokio::test]
async fn shares_and_threshold_let_nobody_open_it_alone_and_everybody_together() -> Result<()> {
    const ABOVE: &str = "spec.initialization: Invalid value: nobody could reach a threshold above shares: write a threshold of at most shares";
    const ALONE: &str = "spec.initialization: Invalid value: of several shares at least two are needed together: write a threshold of 2 or more, or shares: 1";
    const RECIPIENT: &str =
        "a recipient is a public key of age, as age-keygen prints it: write age1 and 58 letters and digits";
    const KEY: &str = "a PGP key is the binary public key in base64, without armour: write what `gpg --export KEY | base64 -w0` prints";
    let client = Shared::get().await?.cluster.admin();
    let split = |shares: u32, threshold: u32| {
        let kept = json!({ "secretName": "vault-recovery", "plaintext": "IUnderstand" });
        initialising(&[("/shares", json!(shares)), ("/threshold", json!(threshold)), ("/keyStore", kept)])
    };
    let recipient = |key: &str| {
        initialising(&[("/shares", json!(1)), ("/threshold", json!(1)), ("/keyStore/age/recipients", json!([key]))])
    };
    let pgp = |key: &str| {
        let kept = json!({ "secretName": "vault-recovery", "pgp": { "keys": [key] } });
        initialising(&[("/shares", json!(1)), ("/threshold", json!(1)), ("/keyStore", kept)])
    };
    let largest = initialising(&[
        ("/shares", json!(255)),
        ("/threshold", json!(128)),
        ("/keyStore/age/recipients", json!(vec![AGE; 255])),
    ]);
    all([
        check(&client, split(1, 1), ACCEPTED),
        check(&client, split(2, 2), ACCEPTED),
        check(&client, split(255, 255), ACCEPTED),
        check(&client, largest, ACCEPTED),
        check(&client, split(2, 3), ABOVE),
        check(&client, split(3, 1), ALONE),
        check(&client, split(1, 0), "spec.initialization.threshold: Invalid value: 0: spec.initialization.threshold in body should be greater than or equal to 1"),
        check(&client, split(256, 2), "spec.initialization.shares: Invalid value: 256: spec.initialization.shares in body should be less than or equal to 255"),
        check(&client, recipient(AGE), ACCEPTED),
        check(&client, recipient("age1short"), &refusal("spec.initialization.keyStore.age.recipients[0]", "age1short", RECIPIENT)),
        check(&client, recipient("AGE-SECRET-KEY-1QQQ"), &refusal("spec.initialization.keyStore.age.recipients[0]", "AGE-SECRET-KEY-1QQQ", RECIPIENT)),
        check(&client, pgp("mQENBFexample+/=="), ACCEPTED),
        check(&client, pgp("-----BEGIN PGP PUBLIC KEY BLOCK-----"), &refusal("spec.initialization.keyStore.pgp.keys[0]", "-----BEGIN PGP PUBLIC KEY BLOCK-----", KEY)),
        check(&client, pgp("keybase:somebody"), &refusal("spec.initialization.keyStore.pgp.keys[0]", "keybase:somebody", KEY)),
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
    ensure!(field.contains("Verify writes nothing there"), "{field}");
    api.delete("vault", &DeleteParams::default()).await?;
    Ok(())
}
