//! How it looks, for both readers.

use holdfast_model::builders::{
    Manifest, UnsealBuilder, budget, deployment, kustomization, node, pod, replica_set, stateful_set, unseal,
};
use holdfast_model::{Cluster, ObjectKey};
use holdfast_policy::drain::{Drainer, Forecast, Rolling, forecast, sequence};
use jiff::Timestamp;

use super::{Drains, Eviction, drain_schema, write_drain_human, write_drain_json};
use crate::Look;

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Two workloads, of which one blocks, and one node that nobody minds.
fn cluster() -> Cluster {
    let web = |number: usize, node: &str| {
        pod(&format!("shop/web-1-{number}")).of_deployment("web").labels([("app", "web")]).on_node(node)
    };
    let flux = [("kustomize.toolkit.fluxcd.io/namespace", "flux-system"), ("kustomize.toolkit.fluxcd.io/name", "shop")];
    Cluster::default()
        .with(node("cp-1"))
        .with(node("worker-1"))
        .with(node("worker-2"))
        .with(kustomization("flux-system/shop"))
        .with(deployment("shop/web").replicas(2))
        .with(replica_set("shop/web-1").of_deployment("web"))
        .with(web(0, "worker-1"))
        .with(web(1, "worker-2"))
        .with(budget("shop/web").max_unavailable(1).selecting([("app", "web")]))
        .with(stateful_set("shop/db").replicas(1))
        .with(pod("shop/db-0").of_stateful_set("db").labels([("app", "db")]).on_node("worker-1"))
        .with(budget("shop/db").min_available(1).selecting([("app", "db")]).labels(flux))
        .with(pod("tools/debug").on_node("worker-2").with_empty_dir())
}

fn human(drains: &Drains<'_>, width: usize) -> String {
    let mut out = Vec::new();
    write_drain_human(drains, Look { colour: false, width }, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn for_people() {
    let forecast = forecast(&cluster(), Drainer::default(), NOW);
    insta::assert_snapshot!(human(&drains(&forecast), 80));
}

/// As above, and a Vault of two pods, one of them next to what blocks already.
fn with_vault(told: impl FnOnce(UnsealBuilder) -> UnsealBuilder) -> Cluster {
    let pod = |number: usize, node: &str| pod(&format!("infra/vault-{number}")).of_stateful_set("vault").on_node(node);
    cluster()
        .with(stateful_set("infra/vault").replicas(2))
        .with(pod(0, "worker-1"))
        .with(pod(1, "worker-2"))
        .with(told(unseal("infra/vault").of_stateful_set("vault")))
}

fn sealed(told: UnsealBuilder) -> UnsealBuilder {
    told.stays_sealed("TokenDead", "\u{1b}[2JA doesn't know the token.", "Write a new token into the Secret.")
}

fn drains(forecast: &Forecast) -> Drains<'_> {
    Drains { forecast, drainer: Drainer::default(), sequence: false, evictions: None }
}

#[test]
fn a_vault_that_would_stay_sealed_for_people() {
    let forecast = forecast(&with_vault(sealed), Drainer::default(), NOW);
    insta::assert_snapshot!(human(&drains(&forecast), 80));
}

#[test]
fn a_vault_of_which_it_is_not_known_for_people() {
    let forecast = forecast(&with_vault(|told| told.unproven("NoEvidence")), Drainer::default(), NOW);
    let told = human(&drains(&forecast), 200);
    assert!(told.starts_with("\n✖ 1 of 3 nodes can't be drained.\n"), "{told}");
    assert!(told.contains(
        "  2 pods: whether it would unseal itself again can't be told: the condition WouldStart of its VaultTransitUnseal says why\n    infra/vault-0 (StatefulSet vault) on worker-1\n"
    ), "{told}");
}

#[test]
fn a_vault_that_would_stay_sealed_for_programs() {
    let forecast = forecast(&with_vault(sealed), Drainer::default(), NOW);
    let value = json(&drains(&forecast));
    let blocker = &value["nodes"][2]["blockers"][0];
    let told = ["reason", "vaultTransitUnseal", "lasting", "pod"].map(|field| blocker[field].as_str().unwrap());
    assert_eq!(told, ["WouldNotStart", "vault", "Structural", "vault-1"]);
    assert_eq!((&blocker["budgets"], &value["drainable"]), (&serde_json::json!([]), &serde_json::json!(false)));
    assert_eq!(value["nodes"][1]["blockers"][1]["vaultTransitUnseal"], serde_json::Value::Null, "a budget's has none");
}

/// What is written, which the schema describes.
fn json(drains: &Drains<'_>) -> serde_json::Value {
    let mut out = Vec::new();
    write_drain_json(drains, &mut out).unwrap();
    let value: serde_json::Value = serde_json::from_slice(&out).unwrap();
    let schema = serde_json::to_value(drain_schema()).unwrap();
    let errors: Vec<String> =
        jsonschema::validator_for(&schema).unwrap().iter_errors(&value).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    value
}

#[test]
fn what_would_be_answered_now() {
    let forecast = forecast(&cluster(), Drainer::default(), NOW);
    let evictions = [
        Eviction {
            pod: ObjectKey::new("shop", "db-0"),
            allowed: false,
            reason: "NoneLeft",
            budgets: vec!["db".into()],
        },
        Eviction { pod: ObjectKey::new("tools", "debug"), allowed: true, reason: "NoBudget", budgets: Vec::new() },
    ];
    let drains =
        Drains { forecast: &forecast, drainer: Drainer::default(), sequence: false, evictions: Some(&evictions) };
    assert!(human(&drains, 100).ends_with("  stays shop/db-0: NoneLeft (db)\n  goes  tools/debug: NoBudget\n"));
    let mut out = Vec::new();
    write_drain_json(&drains, &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    assert_eq!(json(&drains), serde_json::from_str::<serde_json::Value>(&text).unwrap());
    insta::assert_snapshot!(text);
}

#[test]
fn a_sequence_says_where_it_stops() {
    let forecast = sequence(&cluster(), Rolling::all(Drainer::default(), 1), NOW);
    let drains = Drains { forecast: &forecast, drainer: Drainer::default(), sequence: true, evictions: None };
    let told = human(&drains, 80);
    assert!(told.starts_with("\n✖ The upgrade stops at node worker-1, after 1.\n"), "{told}");
    let none = holdfast_policy::drain::Forecast::default();
    let drains = Drains { forecast: &none, drainer: Drainer::default(), sequence: false, evictions: None };
    assert_eq!(human(&drains, 80), "\n– There is no node.\n");
}
