//! The breaker and the pace, with time standing still.

use std::io::ErrorKind;
use std::time::Duration;

use tokio::time::advance;

use super::fake::{Fake, JSON, Reaction, ok, refuses, spec};
use crate::client::{Kind, Phase};

const SEALED: &str = r#"{"type":"transit","initialized":true,"sealed":true}"#;
const LABEL: &str = "http://vault.test:8200";

fn refuses_connections() -> Reaction {
    Reaction::Fails(ErrorKind::ConnectionRefused)
}

#[tokio::test(start_paused = true)]
async fn after_three_failures_one_request_in_five_seconds_is_sent() {
    let fake = Fake::new(vec![refuses_connections()]);
    let clients = fake.clients();
    let client = clients.client(&spec(LABEL)).unwrap();
    for _ in 0..3 {
        assert!(clients.open_breakers().is_empty());
        assert_eq!(client.seal_status().await.unwrap_err().kind, Kind::Refused);
    }
    assert_eq!(clients.open_breakers(), [LABEL]);
    let sent = fake.connects().len();
    let error = client.seal_status().await.unwrap_err();
    assert_eq!(error.kind, Kind::BreakerOpen { retry_in: Duration::from_secs(5), last: Box::new(Kind::Refused) });
    assert_eq!(fake.connects().len(), sent);

    advance(Duration::from_secs(5)).await;
    fake.react(vec![Reaction::Silent]);
    assert_eq!(client.seal_status().await.unwrap_err().kind, Kind::TimedOut(Phase::Answer));
    assert_eq!(fake.connects().len(), sent + 1);
    let last = Box::new(Kind::TimedOut(Phase::Answer));
    let open = Kind::BreakerOpen { retry_in: Duration::from_secs(5), last };
    assert_eq!(client.seal_status().await.unwrap_err().kind, open);

    advance(Duration::from_secs(5)).await;
    fake.react(vec![ok(SEALED)]);
    client.seal_status().await.unwrap();
    assert!(clients.open_breakers().is_empty());
    client.seal_status().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_probe_that_is_dropped_blocks_nobody() {
    let fake = Fake::new(vec![refuses_connections()]);
    let client = fake.client();
    for _ in 0..3 {
        client.seal_status().await.unwrap_err();
    }
    advance(Duration::from_secs(5)).await;
    fake.react(vec![Reaction::Silent, ok(SEALED)]);
    tokio::time::timeout(Duration::from_secs(1), client.seal_status()).await.unwrap_err();
    advance(Duration::from_secs(4)).await;
    client.seal_status().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_standby_in_the_middle_of_a_migration_opens_nothing() {
    let errors = r#"{"errors":["barrier seal type of \"shamir\" does not match loaded type of \"transit\""]}"#;
    let fake = Fake::new(vec![Reaction::Answer(500, JSON, errors.into())]);
    let clients = fake.clients();
    let client = clients.client(&spec(LABEL)).unwrap();
    for _ in 0..9 {
        client.seal_status().await.unwrap_err();
        client.init_status().await.unwrap_err();
        client.health().await.unwrap();
    }
    assert!(clients.open_breakers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_that_are_not_in_a_row_open_nothing() {
    let fake = Fake::new(vec![ok(SEALED)]);
    let clients = fake.clients();
    let client = clients.client(&spec(LABEL)).unwrap();
    for _ in 0..4 {
        fake.react(vec![Reaction::Silent]);
        client.seal_status().await.unwrap_err();
        client.seal_status().await.unwrap_err();
        fake.react(vec![refuses(403, "permission denied")]);
        client.seal_status().await.unwrap_err();
    }
    assert!(clients.open_breakers().is_empty());
}

#[tokio::test(start_paused = true)]
async fn each_pod_has_a_breaker_that_its_clients_share() {
    let fake = Fake::new(vec![refuses_connections()]);
    let clients = fake.clients();
    let pod = |ip: &str| clients.client(&spec(LABEL).with_connect_to(ip.parse().unwrap())).unwrap();
    for _ in 0..3 {
        pod("10.0.0.1").seal_status().await.unwrap_err();
    }
    assert_eq!(clients.open_breakers(), ["http://vault.test:8200 at 10.0.0.1"]);
    fake.react(vec![ok(SEALED)]);
    pod("10.0.0.2").seal_status().await.unwrap();
    pod("10.0.0.1").seal_status().await.unwrap_err();
}

#[tokio::test(start_paused = true)]
async fn a_server_without_a_client_is_forgotten_and_its_breaker_with_it() {
    let fake = Fake::new(vec![refuses_connections()]);
    let clients = fake.clients();
    let pod = |ip: &str| clients.client(&spec(LABEL).with_connect_to(ip.parse().unwrap())).unwrap();
    let held = pod("10.0.0.1");
    for _ in 0..3 {
        held.seal_status().await.unwrap_err();
        pod("10.0.0.2").seal_status().await.unwrap_err();
    }
    let label = |ip: &str| format!("{LABEL} at {ip}");
    assert_eq!(clients.open_breakers(), [label("10.0.0.1"), label("10.0.0.2")]);
    clients.forget_unused();
    assert_eq!(clients.open_breakers(), [label("10.0.0.1")]);
    fake.react(vec![ok(SEALED)]);
    held.seal_status().await.unwrap_err();
    pod("10.0.0.2").seal_status().await.unwrap();
}

/// With the clock of the machine, for the pace has that one: forty at once fit, the ones after wait longer than 1 ms.
#[tokio::test]
async fn too_many_requests_are_not_sent_in_time() {
    let fake = Fake::new(vec![ok(SEALED)]);
    let server = spec(LABEL).with_timeout(Duration::from_secs(60));
    let clients = fake.clients();
    let patient = clients.client(&server).unwrap();
    for _ in 0..40 {
        patient.seal_status().await.unwrap();
    }
    let hasty = clients.client(&server.with_timeout(Duration::ZERO)).unwrap();
    let outcomes = futures::future::join_all((0..40).map(|_| hasty.seal_status())).await;
    assert!(outcomes.iter().any(|outcome| outcome.as_ref().is_err_and(|error| error.kind == Kind::PacedOut)));
    assert!(clients.open_breakers().is_empty());
}
