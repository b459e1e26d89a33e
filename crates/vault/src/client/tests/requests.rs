//! What is sent: method, path, headers and body, and what isn't.

use std::collections::BTreeMap;
use std::time::Duration;

use rstest::rstest;
use serde_json::{Value, json};

use super::fake::{Fake, JSON, Reaction, ok, refuses, spec, token};
use crate::client::{Ciphertext, Class, Client, Effect, InitRequest, Kind, MintRequest, Says, TokenRole, Unsendable};

/// What one call sends.
#[track_caller]
fn check(fake: &Fake, line: &str, body: Value) {
    let seen = fake.seen().pop().expect("a request");
    assert_eq!(seen.line, format!("{line} HTTP/1.1"));
    let sent = if seen.body.is_empty() { Value::Null } else { serde_json::from_str(&seen.body).unwrap() };
    assert_eq!(sent, body);
    let typed = seen.headers.get("content-type").map(String::as_str);
    assert_eq!(typed, (!body.is_null()).then_some(JSON));
}

fn fake() -> (Fake, Client) {
    let fake = Fake::new(vec![Reaction::Answer(204, JSON, String::new())]);
    let client = fake.client();
    (fake, client)
}

#[tokio::test(start_paused = true)]
async fn reads() {
    let (fake, client) = fake();
    let token = token();
    // A 204 is no answer to any of these; what was sent is all that is looked at here.
    let _ = client.seal_status().await;
    check(&fake, "GET /v1/sys/seal-status", Value::Null);
    let _ = client.health().await;
    check(&fake, "GET /v1/sys/health", Value::Null);
    let _ = client.leader().await;
    check(&fake, "GET /v1/sys/leader", Value::Null);
    let _ = client.lookup_self(&token).await;
    check(&fake, "GET /v1/auth/token/lookup-self", Value::Null);
    let _ = client.lookup_accessor(&token, &"acc".into()).await;
    check(&fake, "POST /v1/auth/token/lookup-accessor", json!({"accessor": "acc"}));
    let _ = client.role_read(&token, "r").await;
    check(&fake, "GET /v1/auth/token/roles/r", Value::Null);
    let _ = client.policy_read(&token, "p").await;
    check(&fake, "GET /v1/sys/policies/acl/p", Value::Null);
    let _ = client.transit_key(&token, "infra/transit/", "b").await;
    check(&fake, "GET /v1/infra/transit/keys/b", Value::Null);
    let _ = client.capabilities_self(&token, &["transit/encrypt/b"]).await;
    check(&fake, "POST /v1/sys/capabilities-self", json!({"paths": ["transit/encrypt/b"]}));
    let _ = client.raft_configuration(&token).await;
    check(&fake, "GET /v1/sys/storage/raft/configuration", Value::Null);
}

#[tokio::test(start_paused = true)]
async fn writes() {
    let (fake, client) = fake();
    let token = token();
    client.revoke_accessor(&token, &"acc".into()).await.unwrap();
    check(&fake, "POST /v1/auth/token/revoke-accessor", json!({"accessor": "acc"}));
    client.revoke_self(&token).await.unwrap();
    check(&fake, "POST /v1/auth/token/revoke-self", Value::Null);
    let role = TokenRole {
        allowed_policies: vec!["p".into()],
        orphan: true,
        renewable: true,
        token_period: Duration::from_secs(60),
        ..TokenRole::default()
    };
    client.role_write(&token, "r", &role).await.unwrap();
    let sent = json!({
        "allowed_policies": ["p"], "allowed_policies_glob": [], "orphan": true, "renewable": true, "token_period": 60,
        "token_explicit_max_ttl": 0, "token_no_default_policy": false, "token_num_uses": 0, "token_bound_cidrs": []
    });
    check(&fake, "POST /v1/auth/token/roles/r", sent);
    client.policy_write(&token, "p", "path {}").await.unwrap();
    check(&fake, "POST /v1/sys/policies/acl/p", json!({"policy": "path {}"}));
    client.transit_key_create(&token, "transit", "b").await.unwrap();
    check(&fake, "POST /v1/transit/keys/b", json!({}));
    client.mount_enable(&token, "transit", "transit").await.unwrap();
    check(&fake, "POST /v1/sys/mounts/transit", json!({"type": "transit"}));
    client.enable_auth(&token, "jwt/b", "jwt").await.unwrap();
    check(&fake, "POST /v1/sys/auth/jwt/b", json!({"type": "jwt"}));
    let _ = client.renew_self(&token, Duration::from_secs(3600)).await;
    check(&fake, "POST /v1/auth/token/renew-self", json!({"increment": "3600s"}));
    let _ = client.renew_self(&token, Duration::ZERO).await;
    check(&fake, "POST /v1/auth/token/renew-self", json!({}));
    let mint = MintRequest { meta: BTreeMap::from([("a".into(), "b".into())]), display_name: None };
    let _ = client.create_with_role(&token, "r", &mint).await;
    check(&fake, "POST /v1/auth/token/create/r", json!({"meta": {"a": "b"}}));
    let _ = client.transit_encrypt(&token, "transit", "b", b"hello").await;
    check(&fake, "POST /v1/transit/encrypt/b", json!({"plaintext": "aGVsbG8="}));
    let _ = client.transit_decrypt(&token, "transit", "b", &Ciphertext::parse("vault:v1:abc").unwrap()).await;
    check(&fake, "POST /v1/transit/decrypt/b", json!({"ciphertext": "vault:v1:abc"}));
    let _ = client.login("kubernetes", "holdfast", &"jwt".into()).await;
    check(&fake, "POST /v1/auth/kubernetes/login", json!({"role": "holdfast", "jwt": "jwt"}));
    assert!(!fake.seen().pop().unwrap().headers.contains_key("x-vault-token"));
    let _ = client.login_approle("approle", "id", &"secret".into()).await;
    check(&fake, "POST /v1/auth/approle/login", json!({"role_id": "id", "secret_id": "secret"}));
    assert!(client.write("sys/step-down", &token, &json!({})).await.unwrap().data.is_empty());
    check(&fake, "POST /v1/sys/step-down", json!({}));
    client.delete("auth/token/roles/r", &token).await.unwrap();
    check(&fake, "DELETE /v1/auth/token/roles/r", Value::Null);
}

#[tokio::test(start_paused = true)]
async fn headers_and_prefix() {
    let fake = Fake::new(vec![ok(r#"{"data":{"policies":[]}}"#)]);
    let server = spec("http://Vault.test:8200/some/vault/").with_namespace("team/a");
    fake.clients().client(&server).unwrap().lookup_self(&token()).await.unwrap();
    let seen = fake.seen().remove(0);
    assert_eq!(seen.line, "GET /some/vault/v1/auth/token/lookup-self HTTP/1.1");
    let header = |name: &str| seen.headers.get(name).map(String::as_str);
    assert_eq!(header("host"), Some("vault.test:8200"));
    assert_eq!(header("x-vault-token"), Some("hvs.CANARY-token-0123456789"));
    assert_eq!(header("x-vault-namespace"), Some("team/a"));
    assert_eq!(header("x-vault-request"), Some("true"));
    assert_eq!(header("connection"), Some("close"));
}

#[rstest]
#[case::nothing("")]
#[case::a_new_line_at_its_end("hvs.x\n")]
#[case::another_header("hvs.x\r\nX-Vault-Namespace: admin")]
#[case::a_space("hvs x")]
#[case::no_ascii("hvs.é")]
#[tokio::test(start_paused = true)]
async fn a_token_that_no_server_takes_is_not_sent(#[case] token: &str) {
    let (fake, client) = fake();
    let error = client.lookup_self(&token.into()).await.unwrap_err();
    assert_eq!((&error.kind, error.effect()), (&Kind::Unsendable(Unsendable::Token), Effect::None));
    assert!(fake.seen().is_empty() && fake.connects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_name_that_leads_elsewhere_is_not_sent() {
    let (fake, client) = fake();
    let error = client.transit_encrypt(&token(), "../sys", "b", b"x").await.unwrap_err();
    assert_eq!((&error.kind, error.class()), (&Kind::Unsendable(Unsendable::Path), Class::Configuration));
    assert!(fake.connects().is_empty());
}

fn init(shares: u32, threshold: u32, keys: usize) -> InitRequest {
    let recovery_pgp_keys = vec!["cGdw".to_owned(); keys];
    InitRequest { recovery_shares: shares, recovery_threshold: threshold, recovery_pgp_keys, root_token_pgp_key: None }
}

#[rstest]
#[case::no_shares(init(0, 0, 0))]
#[case::no_threshold(init(1, 0, 0))]
#[case::a_threshold_above_the_shares(init(2, 3, 0))]
#[case::a_threshold_of_one_for_several(init(3, 1, 0))]
#[case::fewer_keys_than_shares(init(3, 2, 2))]
#[tokio::test(start_paused = true)]
async fn an_init_that_does_not_fit_is_not_sent(#[case] init: InitRequest) {
    let (fake, client) = fake();
    let error = client.init(&init).await.unwrap_err();
    assert_eq!((&error.kind, error.effect()), (&Kind::Unsendable(Unsendable::Shares), Effect::None));
    assert!(fake.connects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_init_is_sent_once_and_waited_for_two_minutes() {
    let fake = Fake::new(vec![Reaction::Silent]);
    let start = tokio::time::Instant::now();
    let error = fake.client().init(&init(3, 2, 0)).await.unwrap_err();
    assert_eq!(error.effect(), Effect::Unknown);
    assert_eq!(start.elapsed().as_secs(), 120);
    assert_eq!(fake.connects().len(), 1);
    check(&fake, "POST /v1/sys/init", json!({"recovery_shares": 3, "recovery_threshold": 2}));
}

#[tokio::test(start_paused = true)]
async fn an_init_that_came_second_did_nothing() {
    let fake = Fake::new(vec![refuses(400, "Vault is already initialized")]);
    let error = fake.client().init(&init(3, 2, 3)).await.unwrap_err();
    assert_eq!((error.says(), error.effect()), (Some(Says::AlreadyInitialised), Effect::None));
    let sent = json!({"recovery_shares": 3, "recovery_threshold": 2, "recovery_pgp_keys": ["cGdw", "cGdw", "cGdw"]});
    check(&fake, "POST /v1/sys/init", sent);
}
