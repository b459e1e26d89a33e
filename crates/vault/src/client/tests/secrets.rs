//! Canaries are driven through every request and every way to fail, and must not come out in any text.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::time::Duration;

use rstest::rstest;
use secrecy::SecretString;
use serde_json::json;

use super::fake::{Fake, JSON, Reaction, ok, spec, token};
use crate::client::{Address, Ciphertext, Error, InitRequest, MintRequest, Options};

/// What each secret has in it.
const CANARY: &str = "CANARY";

#[track_caller]
fn check(printed: &impl Debug) {
    let text = format!("{printed:?} {printed:#?}");
    assert!(!text.contains(CANARY), "{text}");
    // Debug of text escapes; of bytes, it is numbers.
    assert!(!text.contains("67, 65, 78, 65, 82, 89"), "{text}");
}

#[track_caller]
fn check_outcome<T: Debug>(outcome: Result<T, Error>) {
    check(&outcome);
    if let Err(error) = outcome {
        assert!(!error.to_string().contains(CANARY), "{error}");
    }
}

fn canary(name: &str) -> SecretString {
    format!("CANARY-{name}-0123456789").into()
}

/// Every call, with a secret wherever it takes one, and without a breaker that would keep the later ones from being sent.
async fn everything(fake: &Fake) {
    let (token, accessor) = (token(), canary("accessor"));
    check_outcome(fake.client().seal_status().await);
    check_outcome(fake.client().health().await);
    check_outcome(fake.client().lookup_self(&token).await);
    check_outcome(fake.client().renew_self(&token, Duration::from_secs(9)).await);
    check_outcome(fake.client().lookup_accessor(&token, &accessor).await);
    check_outcome(fake.client().revoke_accessor(&token, &accessor).await);
    check_outcome(fake.client().create_with_role(&token, "r", &MintRequest::default()).await);
    check_outcome(fake.client().role_read(&token, "r").await);
    check_outcome(fake.client().policy_read(&token, "p").await);
    check_outcome(fake.client().transit_encrypt(&token, "transit", "b", b"CANARY-plaintext-0123456789").await);
    check_outcome(
        fake.client().transit_decrypt(&token, "transit", "b", &Ciphertext::parse("vault:v1:x").unwrap()).await,
    );
    check_outcome(fake.client().capabilities_self(&token, &["a"]).await);
    check_outcome(fake.client().login("kubernetes", "r", &canary("jwt")).await);
    check_outcome(fake.client().login_approle("approle", "CANARY-role-id", &canary("secret-id")).await);
    check_outcome(fake.client().raft_configuration(&token).await);
    check_outcome(fake.client().read("kv/x", &token).await);
    check_outcome(fake.client().write("sys/unseal", &token, &json!({"key": "CANARY-share-0123456789"})).await);
    let init =
        InitRequest { recovery_shares: 1, recovery_threshold: 1, recovery_pgp_keys: vec![], root_token_pgp_key: None };
    check_outcome(fake.client().init(&init).await);
}

/// An answer that echoes whatever was sent, whole and in parts.
fn echo() -> String {
    let sent = [
        "hvs.CANARY-token-0123456789",
        "CANARY-accessor-0123456789",
        "CANARY-plaintext-0123456789",
        "CANARY-jwt-0123456789",
        "CANARY-secret-id-0123456789",
        "CANARY-role-id",
        "CANARY-share-0123456789",
    ];
    sent.join(" ")
}

#[rstest]
#[case::success(ok(&json!({
    "type": "x", "initialized": true, "sealed": true, "keys": ["CANARY"], "recovery_keys_base64": ["CANARY-1"], "root_token": "CANARY-root",
    "data": {"plaintext": "Q0FOQVJZ", "id": "CANARY-id", "accessor": "CANARY-accessor", "policies": [], "policy": "p",
             "ciphertext": "vault:v1:x", "a": ["update"], "config": {"servers": []}, "password": "CANARY"},
    "auth": {"client_token": "CANARY-minted", "accessor": "CANARY-accessor", "lease_duration": 1}
}).to_string()))]
#[case::another_shape(ok(&json!({"type": ["CANARY"], "data": {"CANARY": "CANARY"}, "auth": "CANARY"}).to_string()))]
#[case::html(Reaction::Answer(502, "text/html; x=CANARY", "CANARY".into()))]
#[case::junk(ok("CANARY"))]
#[case::redirected(Reaction::Bytes(b"HTTP/1.1 307 X\r\nLocation: https://x/CANARY\r\nContent-Length: 0\r\n\r\n".to_vec()))]
#[case::a_reason(Reaction::Bytes(b"HTTP/1.1 500 CANARY\r\nContent-Length: 0\r\n\r\n".to_vec()))]
#[case::no_http(Reaction::Bytes(b"CANARY\r\n\r\n".to_vec()))]
#[case::cut_off(Reaction::Bytes(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nCANARY".to_vec()))]
#[case::silent(Reaction::Silent)]
#[tokio::test(start_paused = true)]
async fn no_answer_makes_a_secret_come_out(#[case] reaction: Reaction) {
    everything(&Fake::new(vec![reaction])).await;
}

/// Every error is left out that repeats what its own request sent; those that repeat another's secret can't be known.
#[tokio::test(start_paused = true)]
async fn an_error_that_echoes_is_left_out() {
    for status in [400, 403, 500, 503] {
        let body = json!({"errors": [format!("could not do it: {}", echo())]}).to_string();
        let fake = Fake::new(vec![Reaction::Answer(status, JSON, body)]);
        let client = fake.client();
        let (token, jwt, secret) = (token(), canary("jwt"), canary("secret-id"));
        check_outcome(client.lookup_self(&token).await);
        check_outcome(client.transit_encrypt(&token, "transit", "b", b"CANARY-plaintext-0123456789").await);
        check_outcome(client.login("kubernetes", "r", &jwt).await);
        check_outcome(client.login_approle("approle", "CANARY-role-id", &secret).await);
        check_outcome(client.write("sys/unseal", &token, &json!({"key": "CANARY-share-0123456789"})).await);
    }
}

#[test]
fn what_describes_a_server_is_safe_to_print() {
    let server = spec("https://vault.test").with_ca("-----BEGIN PRIVATE KEY-----\nCANARY");
    check(&server);
    check(&Options::new());
    let clients = Fake::new(vec![]).clients();
    check(&clients);
    check(&clients.client(&server));
    check(&clients.client(&spec("https://vault.test")));
    let refused = Address::parse("https://CANARY:CANARY@vault.test", false).unwrap_err();
    check(&refused);
    assert!(!refused.to_string().contains(CANARY));
    check(&MintRequest { meta: BTreeMap::new(), display_name: None });
}
