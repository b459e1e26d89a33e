//! What a resource asks for, and what of it would lock people out.

use holdfast_api::VaultTransitUnseal;
use rstest::rstest;
use serde_json::{Value, json};

use crate::init::order::{Invalid, Order};

fn plan(change: impl FnOnce(&mut Value)) -> Result<(), Invalid> {
    let mut spec = json!({
        "mode": "Manage",
        "target": { "statefulSetRef": { "name": "vault" } },
        "seal": { "transit": { "address": "https://a.example", "key": "b" } },
        "token": { "secretRef": { "name": "seal", "key": "token" } },
        "initialization": {
            "enabled": true,
            "keyStore": { "secretName": "recovery", "plaintext": "IUnderstand" },
            "admin": { "serviceAccountRef": { "name": "vault-admin" } },
        },
    });
    change(&mut spec["initialization"]);
    let resource: VaultTransitUnseal = serde_json::from_value(json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": { "name": "b" }, "spec": spec,
    }))
    .unwrap();
    Order::from(&resource).plan.map(drop)
}

#[test]
fn what_is_said_least_is_enough() {
    assert_eq!(plan(|_| {}), Ok(()));
}

#[rstest]
#[case("holdfast-init-vault", "the claim")]
#[case("seal", "the token")]
fn the_keys_have_a_secret_of_their_own(#[case] name: &str, #[case] whose: &'static str) {
    let plan = plan(|init| init["keyStore"]["secretName"] = json!(name));
    assert_eq!(plan, Err(Invalid::KeyStoreTaken(name.to_owned(), whose)));
}

#[test]
fn a_policy_that_everybody_has_proves_nobody() {
    assert_eq!(plan(|init| init["admin"]["policy"] = json!("default")), Err(Invalid::PolicyOfAll));
}
