//! Whom the client trusts, and what it calls it when it doesn't.

use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, IsCa, Issuer, KeyPair, date_time_ymd};
use rstest::rstest;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::fake::{Fake, Reaction, ok, spec};
use crate::client::{Class, Clients, Error, Kind, Phase, TlsFault, Unsendable};

const INIT: &str = r#"{"initialized":true}"#;

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

fn authority() -> Authority {
    let key = KeyPair::generate().unwrap();
    let mut parameters = CertificateParams::default();
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = parameters.self_signed(&key).unwrap().pem();
    Authority { issuer: Issuer::new(parameters, key), pem }
}

impl Authority {
    fn server(&self, adjust: impl FnOnce(&mut CertificateParams)) -> ServerConfig {
        let key = KeyPair::generate().unwrap();
        let mut parameters = CertificateParams::new(["vault.test".to_owned()]).unwrap();
        adjust(&mut parameters);
        let certificate = parameters.signed_by(&key, &self.issuer).unwrap();
        server(&certificate, &key)
    }
}

fn server(certificate: &Certificate, key: &KeyPair) -> ServerConfig {
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap()
}

async fn ask(fake: &Fake, ca: &str) -> Result<bool, Error> {
    fake.clients().client(&spec("https://vault.test:8200").with_ca(ca)).unwrap().init_status().await
}

#[track_caller]
fn check(outcome: Result<bool, Error>, fault: TlsFault) {
    let error = outcome.unwrap_err();
    assert_eq!((&error.kind, error.class()), (&Kind::Tls(fault), Class::Configuration));
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_the_given_authority_is_trusted() {
    let authority = authority();
    let fake = Fake::over_tls(vec![ok(INIT)], authority.server(|_| {}));
    assert!(ask(&fake, &authority.pem).await.unwrap());
    assert_eq!(fake.seen()[0].headers["host"], "vault.test:8200");
}

#[tokio::test(start_paused = true)]
async fn each_of_several_authorities_is_trusted() {
    let (old, new) = (authority(), authority());
    let fake = Fake::over_tls(vec![ok(INIT)], new.server(|_| {}));
    assert!(ask(&fake, &format!("{}{}", old.pem, new.pem)).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_certificate_of_another_authority_is_not() {
    let fake = Fake::over_tls(vec![ok(INIT)], authority().server(|_| {}));
    check(ask(&fake, &authority().pem).await, TlsFault::UnknownIssuer);
    let public = fake.clients().client(&spec("https://vault.test:8200")).unwrap();
    check(public.init_status().await, TlsFault::UnknownIssuer);
    assert!(fake.seen().is_empty());
}

#[rstest]
#[case::another_name(|p: &mut CertificateParams| p.subject_alt_names.clear(), TlsFault::NameMismatch)]
#[case::over(|p: &mut CertificateParams| p.not_after = date_time_ymd(2020, 1, 1), TlsFault::Expired)]
#[case::to_come(|p: &mut CertificateParams| p.not_before = date_time_ymd(2999, 1, 1), TlsFault::NotYetValid)]
#[case::an_authority(|p: &mut CertificateParams| p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained), TlsFault::Unfit)]
#[tokio::test(start_paused = true)]
async fn a_certificate_can_be_wrong_in_many_ways(#[case] adjust: fn(&mut CertificateParams), #[case] fault: TlsFault) {
    let authority = authority();
    let fake = Fake::over_tls(vec![ok(INIT)], authority.server(adjust));
    check(ask(&fake, &authority.pem).await, fault);
    assert_eq!(fake.connects().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_pod_is_reached_by_its_address_and_verified_by_its_name() {
    let authority = authority();
    let fake = Fake::over_tls(vec![ok(INIT)], authority.server(|_| {}));
    let server =
        spec("https://vault-0.internal:8200").with_ca(authority.pem).with_connect_to("10.1.2.3".parse().unwrap());
    check(fake.clients().client(&server).unwrap().init_status().await, TlsFault::NameMismatch);
    let named = fake.clients().client(&server.with_server_name("vault.test")).unwrap();
    assert!(named.init_status().await.unwrap());
    assert!(fake.connects().iter().all(|to| to.to_string() == "10.1.2.3:8200"));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_speaks_plain_text_is_told_as_such() {
    let fake = Fake::new(vec![Reaction::PlainText]);
    check(ask(&fake, &authority().pem).await, TlsFault::PlainText);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_accepts_and_agrees_on_nothing_times_out_in_the_handshake() {
    let fake = Fake::new(vec![Reaction::Deaf]);
    let error = ask(&fake, &authority().pem).await.unwrap_err();
    assert_eq!(error.kind, Kind::TimedOut(Phase::Handshake));
}

#[tokio::test(start_paused = true)]
async fn every_request_has_a_connection_and_a_full_handshake() {
    let authority = authority();
    let good = Fake::over_tls(vec![ok(INIT)], authority.server(|_| {}));
    let clients: Clients = good.clients();
    let client = clients.client(&spec("https://vault.test:8200").with_ca(authority.pem.as_str())).unwrap();
    for _ in 0..3 {
        client.init_status().await.unwrap();
    }
    // A connection and a handshake each: nothing is kept that could hide a change.
    assert_eq!(good.connects().len(), 3);
    assert_eq!(good.resumed(), 0);
}

#[rstest]
#[case::no_pem("CANARY")]
#[case::no_certificate("-----BEGIN CERTIFICATE-----\nQ0FOQVJZ\n-----END CERTIFICATE-----\n")]
#[case::a_key(&KeyPair::generate().unwrap().serialize_pem())]
#[case::nothing("")]
fn a_ca_has_to_be_one(#[case] ca: &str) {
    let error = Fake::new(vec![]).clients().client(&spec("https://vault.test").with_ca(ca)).unwrap_err();
    assert_eq!((&error.kind, error.class()), (&Kind::Unsendable(Unsendable::Ca), Class::Configuration));
    assert!(!format!("{error} {error:?}").contains("CANARY"));
}

#[rstest]
#[case::server_name(spec("https://vault.test").with_server_name("not a name"), Unsendable::ServerName)]
#[case::namespace(spec("https://vault.test").with_namespace("a\nb"), Unsendable::Namespace)]
fn names_are_looked_at_before_anything_is_sent(#[case] server: crate::client::ServerSpec, #[case] what: Unsendable) {
    let error = Fake::new(vec![]).clients().client(&server).unwrap_err();
    assert_eq!(error.kind, Kind::Unsendable(what));
}
