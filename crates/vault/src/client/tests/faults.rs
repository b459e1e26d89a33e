//! Each way in which a request fails, what it is called, and what it costs.

use std::io::ErrorKind;
use std::time::Duration;

use rstest::rstest;
use serde_json::json;
use tokio::time::Instant;

use super::fake::{Fake, JSON, Reaction, ok, refuses, spec, token};
use crate::client::{Class, Effect, Kind, MintRequest, Phase};

const SEALED: &str = r#"{"type":"transit","initialized":true,"sealed":true}"#;

#[track_caller]
fn check(kind: &Kind, expected: &Kind, class: Class, effect: Effect) {
    assert_eq!((kind, kind.class(), kind.effect()), (expected, class, effect));
}

fn html(status: u16) -> Reaction {
    Reaction::Answer(status, "text/html; charset=utf-8", "<html>CANARY</html>".into())
}

fn not_vault(status: u16, content_type: &str) -> Kind {
    Kind::NotVault { status, content_type: content_type.into() }
}

#[rstest]
#[case::nobody_listens(Reaction::Fails(ErrorKind::ConnectionRefused), Kind::Refused, Class::Transient, Effect::None, 3)]
#[case::no_route(
    Reaction::Fails(ErrorKind::HostUnreachable),
    Kind::Unreachable(ErrorKind::HostUnreachable),
    Class::Transient,
    Effect::None,
    3
)]
#[case::swallowed(Reaction::Swallows, Kind::TimedOut(Phase::Connect), Class::Transient, Effect::None, 1)]
#[case::accepted_and_never_read(Reaction::Deaf, Kind::TimedOut(Phase::Answer), Class::Transient, Effect::Unknown, 1)]
#[case::accepted_and_never_answered(
    Reaction::Silent,
    Kind::TimedOut(Phase::Answer),
    Class::Transient,
    Effect::Unknown,
    1
)]
#[case::cut_off(Reaction::Bytes(Vec::new()), Kind::CutOff(Phase::Answer), Class::Transient, Effect::Unknown, 3)]
#[case::cut_in_the_head(
    Reaction::Bytes(b"HTTP/1.1 200 O".to_vec()),
    Kind::CutOff(Phase::Answer),
    Class::Transient,
    Effect::Unknown,
    3
)]
#[case::cut_in_the_body(
    Reaction::Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"type\":".to_vec()),
    Kind::CutOff(Phase::Body),
    Class::Transient,
    Effect::Unknown,
    3
)]
#[case::silent_in_the_body(
    Reaction::BytesThenSilence(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{\"type\":".to_vec()),
    Kind::TimedOut(Phase::Body),
    Class::Transient,
    Effect::Unknown,
    1
)]
#[case::one_byte_a_second(
    Reaction::Drip(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n".to_vec(), b' '),
    Kind::TimedOut(Phase::Body),
    Class::Transient,
    Effect::Unknown,
    1
)]
#[case::no_http(Reaction::Bytes(b"SSH-2.0-OpenSSH_9.6\r\n\r\n".to_vec()), Kind::NotHttp, Class::Configuration, Effect::Unknown, 1)]
#[case::tls_wanted(
    Reaction::Answer(400, "text/plain", "Client sent an HTTP request to an HTTPS server.\n".into()),
    Kind::WantsHttps,
    Class::Configuration,
    Effect::None,
    1
)]
#[case::a_proxy(html(502), not_vault(502, "text/html"), Class::Transient, Effect::Unknown, 3)]
#[case::a_proxy_that_is_full(html(429), not_vault(429, "text/html"), Class::Transient, Effect::Unknown, 1)]
#[case::a_web_site(html(200), not_vault(200, "text/html"), Class::Configuration, Effect::Unknown, 1)]
#[case::another_service(
    Reaction::Answer(403, JSON, json!({"kind": "Status", "message": "CANARY"}).to_string()),
    not_vault(403, JSON),
    Class::Configuration,
    Effect::Unknown,
    1
)]
#[case::a_standby(
    Reaction::Bytes(b"HTTP/1.1 307 X\r\nLocation: https://other.test/CANARY\r\nContent-Length: 0\r\n\r\n".to_vec()),
    Kind::Redirected(307),
    Class::Transient,
    Effect::None,
    1
)]
#[case::announced_too_long(
    Reaction::Bytes(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n\r\n".to_vec()),
    Kind::TooLarge,
    Class::Permanent,
    Effect::Unknown,
    1
)]
#[case::an_endless_head(Reaction::Bytes([b"HTTP/1.1 200 OK\r\nX: ".to_vec(), vec![b'a'; 1 << 20]].concat()), Kind::NotHttp, Class::Configuration, Effect::Unknown, 1)]
#[case::an_endless_body(
    Reaction::Bytes([b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n".to_vec(), vec![b' '; 2 << 20]].concat()),
    Kind::TooLarge,
    Class::Permanent,
    Effect::Unknown,
    1
)]
#[case::junk(ok("{CANARY"), Kind::Malformed(200), Class::Permanent, Effect::Unknown, 1)]
#[case::another_shape(
    ok(r#"{"type":7,"sealed":"CANARY"}"#),
    Kind::Malformed(200),
    Class::Permanent,
    Effect::Unknown,
    1
)]
#[case::nothing_said(ok(""), Kind::Malformed(200), Class::Permanent, Effect::Unknown, 1)]
#[tokio::test(start_paused = true)]
async fn a_fault_has_a_name_and_costs_one_time_out_at_most(
    #[case] reaction: Reaction,
    #[case] expected: Kind,
    #[case] class: Class,
    #[case] effect: Effect,
    #[case] connections: usize,
) {
    let fake = Fake::new(vec![reaction]);
    let start = Instant::now();
    let error = fake.client().seal_status().await.unwrap_err();
    check(&error.kind, &expected, class, effect);
    assert!(start.elapsed() <= Duration::from_millis(10_001), "{:?}", start.elapsed());
    assert_eq!(fake.connects().len(), connections);
    assert!(!format!("{error} {error:?}").contains("CANARY"), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_without_an_address_is_asked_for_again() {
    let fake = Fake::new(vec![ok(SEALED)]);
    fake.resolve_to(&[]);
    let error = fake.client().seal_status().await.unwrap_err();
    check(&error.kind, &Kind::Unresolvable, Class::Transient, Effect::None);
    assert_eq!(error.to_string(), "http://vault.test:8200: seal_status: the name can't be resolved");
}

#[tokio::test(start_paused = true)]
async fn a_read_is_tried_again_and_succeeds() {
    let fake = Fake::new(vec![Reaction::Fails(ErrorKind::ConnectionRefused), html(503), ok(SEALED)]);
    assert!(fake.client().seal_status().await.unwrap().sealed);
    assert_eq!(fake.connects().len(), 3);
}

#[rstest]
#[case::refused(Reaction::Fails(ErrorKind::ConnectionRefused))]
#[case::cut_off(Reaction::Bytes(Vec::new()))]
#[case::a_proxy(html(502))]
#[case::vault_itself(refuses(500, "internal error"))]
#[case::no_answer(Reaction::Silent)]
#[tokio::test(start_paused = true)]
async fn what_changes_something_is_sent_once(#[case] reaction: Reaction) {
    let fake = Fake::new(vec![reaction]);
    let client =
        || fake.clients().client(&spec("http://vault.test:8200").with_timeout(Duration::from_secs(1))).unwrap();
    let (token, other) = (token(), "hvs.other-token".into());
    client().create_with_role(&token, "r", &MintRequest::default()).await.unwrap_err();
    assert_eq!(fake.connects().len(), 1);
    client().login("kubernetes", "r", &other).await.unwrap_err();
    assert_eq!(fake.connects().len(), 2);
    client().renew_self(&token, Duration::from_secs(60)).await.unwrap_err();
    assert_eq!(fake.connects().len(), 3);
    client().delete("auth/token/roles/r", &token).await.unwrap_err();
    assert_eq!(fake.connects().len(), 4);
}

#[rstest]
#[case::deleted(Reaction::Answer(204, JSON, String::new()), true)]
#[case::nothing_was_there(Reaction::Answer(404, JSON, json!({"errors": []}).to_string()), true)]
#[case::nothing_is_mounted_there(refuses(404, "no handler for route \"x/y\". route entry not found."), true)]
#[case::not_allowed(refuses(403, "1 error occurred:\n\t* permission denied\n\n"), false)]
#[case::a_dead_token(refuses(403, "permission denied"), false)]
#[case::no_vault(html(404), false)]
#[tokio::test(start_paused = true)]
async fn what_is_not_there_is_as_good_as_deleted(#[case] reaction: Reaction, #[case] gone: bool) {
    let fake = Fake::new(vec![reaction]);
    let outcome = fake.client().delete("sys/policies/acl/p", &token()).await;
    assert_eq!(outcome.is_ok(), gone, "{outcome:?}");
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_open_breaker_tells_how_the_server_failed() {
    let fake = Fake::new(vec![Reaction::Silent]);
    let client = fake.client();
    for _ in 0..4 {
        let error = client.seal_status().await.unwrap_err();
        assert_eq!(error.cause(), &Kind::TimedOut(Phase::Answer));
    }
    assert_eq!(fake.connects().len(), 3);
}

#[tokio::test(start_paused = true)]
async fn an_address_that_swallows_everything_leaves_time_for_the_next() {
    let fake = Fake::new(vec![Reaction::Swallows, ok(SEALED)]);
    fake.resolve_to(&["10.0.0.5", "10.0.0.6"]);
    assert!(fake.client().seal_status().await.unwrap().sealed);
    assert_eq!(fake.connects(), ["10.0.0.5:8200".parse().unwrap(), "10.0.0.6:8200".parse().unwrap()]);
}

#[rstest]
#[case::loopback(&["127.0.0.1"])]
#[case::loopback_of_ipv6(&["::1"])]
#[case::mapped(&["::ffff:127.0.0.1"])]
#[case::link_local(&["169.254.169.254"])]
#[case::several(&["0.0.0.0", "fe80::1"])]
#[tokio::test(start_paused = true)]
async fn a_name_that_leads_to_ourselves_is_refused(#[case] addresses: &[&str]) {
    let fake = Fake::new(vec![ok(SEALED)]);
    fake.resolve_to(addresses);
    let error = fake.client().seal_status().await.unwrap_err();
    check(&error.kind, &Kind::Forbidden(addresses[0].parse().unwrap()), Class::Configuration, Effect::None);
    assert!(fake.connects().is_empty());
}

#[rstest]
#[case::literal("http://127.0.0.1:8200", None, "127.0.0.1")]
#[case::mapped_literal("http://[::ffff:127.0.0.1]:8200", None, "::ffff:127.0.0.1")]
#[case::a_pod("http://vault.test:8200", Some("127.0.0.1"), "127.0.0.1")]
#[case::the_metadata_service("http://vault.test:8200", Some("169.254.169.254"), "169.254.169.254")]
#[tokio::test(start_paused = true)]
async fn literals_and_pods_are_looked_at_too(
    #[case] address: &str,
    #[case] pod: Option<&str>,
    #[case] forbidden: &str,
) {
    let fake = Fake::new(vec![ok(SEALED)]);
    let mut server = spec(address);
    if let Some(pod) = pod {
        server = server.with_connect_to(pod.parse().unwrap());
    }
    let error = fake.clients().client(&server).unwrap().seal_status().await.unwrap_err();
    assert_eq!(error.kind, Kind::Forbidden(forbidden.parse().unwrap()));
    assert!(fake.connects().is_empty());
}

#[tokio::test(start_paused = true)]
async fn of_several_addresses_only_the_others_are_tried() {
    let fake = Fake::new(vec![ok(SEALED)]);
    fake.resolve_to(&["127.0.0.1", "10.0.0.7"]);
    fake.client().seal_status().await.unwrap();
    assert_eq!(fake.connects(), ["10.0.0.7:8200".parse().unwrap()]);
}
