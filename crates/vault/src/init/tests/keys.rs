//! The API server's keys in the form that a server takes.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use rstest::rstest;
use serde_json::json;

use crate::init::keys::{Unusable, in_pem};

/// Made with `openssl genrsa 2048`, and what `openssl rsa -pubout` says of it.
const MODULUS: &str = "0B6O1HCxzbd1WJgUEFuk6kSU6jGUMQtEagcRDnYGLAIkrjfYJg872foUVltGI33zlVIr2v4-XQodH3fmyLL3kaCe9dW176rSQmouXUnTcR1ks44L711Fnw3ujHb4pJNaW4ey0O4DRqAt63VS1cU7CbbZpKuLPkrDbhFf9pQbQDtF-mNtqlBy3RxIUGXv4C370gDeY8fGgYk8ezjWZZn4SREFa6EyDKdoJpo0QrmYpXsUgiQJthCns_g-rGXdfdo_utGGuKwRSEZ2C_WpRp7O2OL0BuOxrWpLZoTa2W2oNnhg7aGZLCKFLAIUK0R8WgSV2cFIXSkO5YtDWQTUSHxIVw";
const PEM: &str = "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0B6O1HCxzbd1WJgUEFuk\n6kSU6jGUMQtEagcRDnYGLAIkrjfYJg872foUVltGI33zlVIr2v4+XQodH3fmyLL3\nkaCe9dW176rSQmouXUnTcR1ks44L711Fnw3ujHb4pJNaW4ey0O4DRqAt63VS1cU7\nCbbZpKuLPkrDbhFf9pQbQDtF+mNtqlBy3RxIUGXv4C370gDeY8fGgYk8ezjWZZn4\nSREFa6EyDKdoJpo0QrmYpXsUgiQJthCns/g+rGXdfdo/utGGuKwRSEZ2C/WpRp7O\n2OL0BuOxrWpLZoTa2W2oNnhg7aGZLCKFLAIUK0R8WgSV2cFIXSkO5YtDWQTUSHxI\nVwIDAQAB\n-----END PUBLIC KEY-----\n";

fn set(keys: serde_json::Value) -> String {
    json!({ "keys": keys }).to_string()
}

#[test]
fn an_rsa_key_is_told_as_openssl_tells_it() {
    let key = json!({ "use": "sig", "kty": "RSA", "kid": "x", "alg": "RS256", "n": MODULUS, "e": "AQAB" });
    assert_eq!(in_pem(&set(json!([key]))), Ok(vec![PEM.to_owned()]));
}

#[test]
fn keys_of_curves_are_told_as_another_library_tells_them() {
    for (algorithm, curve) in [(&PKCS_ECDSA_P256_SHA256, "P-256"), (&PKCS_ECDSA_P384_SHA384, "P-384")] {
        let pair = KeyPair::generate_for(algorithm).unwrap();
        let point = pair.public_key_raw();
        let (x, y) = point[1..].split_at((point.len() - 1) / 2);
        let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
        let told = in_pem(&set(json!([{ "kty": "EC", "crv": curve, "x": x, "y": y }]))).unwrap();
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(lines(&told[0]), lines(&pair.public_key_pem()));
    }
}

#[test]
fn all_keys_are_told_so_that_a_rotation_refuses_nobody() {
    let key = json!({ "kty": "RSA", "n": MODULUS, "e": "AQAB" });
    assert_eq!(in_pem(&set(json!([key, key]))).map(|keys| keys.len()), Ok(2));
}

#[rstest]
#[case::no_json("<html>", Unusable::Document)]
#[case::no_set("{}", Unusable::Document)]
#[case::no_keys(r#"{"keys":[]}"#, Unusable::None)]
#[case::another_kind(r#"{"keys":[{"kty":"oct"}]}"#, Unusable::Kind("oct".to_owned()))]
#[case::another_curve(r#"{"keys":[{"kty":"EC","crv":"secp256k1","x":"AQ","y":"AQ"}]}"#, Unusable::Kind("secp256k1".to_owned()))]
#[case::no_numbers(r#"{"keys":[{"kty":"RSA"}]}"#, Unusable::Key)]
#[case::no_base64(r#"{"keys":[{"kty":"RSA","n":"!","e":"AQAB"}]}"#, Unusable::Key)]
#[case::a_short_point(r#"{"keys":[{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ"}]}"#, Unusable::Key)]
fn what_cannot_be_told_is_said(#[case] set: &str, #[case] why: Unusable) {
    assert_eq!(in_pem(set), Err(why));
}
