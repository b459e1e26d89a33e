//! Rules between fields: what needs, excludes or bounds what.

use super::*;

/// Asks for an initialisation, with these fields of it in place of its own.
pub(super) fn initialising(fields: &[(&str, Value)]) -> Value {
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
