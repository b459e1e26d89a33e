//! What the status says in each situation, and that it is said once.

use holdfast_api::{DrainReadiness, DrainReadinessSpec, DrainReadinessStatus};
use holdfast_model::Cluster;
use holdfast_model::builders::{
    Manifest, budget, deployment, node, pod, replica_set, stateful_set, talos_upgrade, unseal,
};
use holdfast_policy::drain::gate::{Gate, Reading, Settings};
use holdfast_policy::drain::{Drainer, forecast};
use holdfast_policy::upgrade::{Sight, Watch};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{Outlook, due};
use crate::view::{KnownReadiness, ReadinessStore};

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn now() -> Timestamp {
    "2026-11-25T08:00:00Z".parse().unwrap()
}

fn calm() -> Cluster {
    Cluster::default().with(node("a")).with(node("b"))
}

/// One pod behind a budget that never lets it go.
fn blocked() -> Cluster {
    calm()
        .with(deployment("shop/db"))
        .with(replica_set("shop/db-1").of_deployment("db"))
        .with(pod("shop/db").of_deployment("db").labels([("app", "db")]).on_node("a"))
        .with(budget("shop/db").min_available(1).selecting([("app", "db")]))
}

fn seen(cluster: &Cluster, was_open: bool) -> Outlook {
    let reading = Reading::new(cluster, &forecast(cluster, Drainer::default(), NOW), &Settings::default(), now());
    let judgement = Gate::left(was_open).judge(&reading, now());
    Outlook::Seen { reading, judgement, upgrade: None, settled: true }
}

/// A DrainReadiness with this status, as the watch shows it.
fn known(status: Option<DrainReadinessStatus>) -> KnownReadiness {
    let mut raw = DrainReadiness::new("cluster", DrainReadinessSpec::default());
    raw.metadata.generation = Some(3);
    raw.status = status;
    let mut store = ReadinessStore::default();
    let _ = store.apply(raw);
    store.get().cloned().unwrap()
}

/// What is written; and once it is there, nothing more.
#[track_caller]
fn written(outlook: &Outlook) -> Value {
    let apply = due(&known(None), outlook, now()).expect("something is written");
    let status: DrainReadinessStatus = serde_json::from_value(apply["status"].clone()).unwrap();
    assert_eq!(due(&known(Some(status)), outlook, now()), None, "a second time");
    apply["status"].clone()
}

#[track_caller]
fn check(outlook: &Outlook, drainable: bool, reason: &str, message: &str) -> Value {
    let status = written(outlook);
    let condition = status["conditions"].as_array().unwrap().iter().find(|known| known["type"] == "Drainable").unwrap();
    assert_eq!(status["drainable"], drainable);
    assert_eq!(condition["status"], if drainable { "True" } else { "False" });
    assert_eq!((condition["reason"].as_str(), condition["message"].as_str()), (Some(reason), Some(message)));
    assert_eq!((&status["observedGeneration"], &condition["observedGeneration"]), (&json!(3), &json!(3)));
    status
}

#[test]
fn the_answer_stands_in_a_line() {
    check(&seen(&calm(), true), true, "NothingBlocks", "all 2 nodes can be drained");
    check(
        &seen(&calm(), false),
        false,
        "Settling",
        "all 2 nodes can be drained; opens when that stays so for ten seconds",
    );
    let status =
        check(&seen(&blocked(), true), false, "Blocked", "1 of 2 nodes can't be drained: shop/db on a (budget db)");
    assert_eq!(status["nodes"], json!([{ "name": "a", "verdict": "Blocks" }, { "name": "b", "verdict": "Clean" }]));
    let blocker = &status["blockers"][0];
    assert_eq!((&blocker["lasting"], &blocker["workload"]), (&json!("Structural"), &json!("Deployment db")));
}

#[test]
fn a_vault_that_would_stay_sealed_is_named_with_cause_and_remedy() {
    let vault = unseal("infra/bank").of_stateful_set("vault");
    let sealed = vault.stays_sealed("TokenDead", "A doesn't know the token.", "Write a new token into the Secret.");
    let made = calm()
        .with(stateful_set("infra/vault"))
        .with(pod("infra/vault-0").of_stateful_set("vault").on_node("a"))
        .with(sealed);
    let status = check(
        &seen(&made, true),
        false,
        "Blocked",
        "1 of 2 nodes can't be drained: infra/vault-0 on a (VaultTransitUnseal bank: TokenDead)",
    );
    let expected = json!({
        "node": "a", "namespace": "infra", "pod": "vault-0", "budgets": [], "vaultTransitUnseal": "bank",
        "workload": "StatefulSet vault", "lasting": "Structural", "reason": "WouldNotStart",
        "message": "started again it would stay sealed (TokenDead): A doesn't know the token; write a new token into the Secret",
    });
    assert_eq!(status["blockers"], json!([expected]));
}

#[test]
fn what_is_not_known_is_not_drainable() {
    let stale = Outlook::Stale("Pod".to_owned());
    check(&stale, false, "ViewStale", "not known until the view is in step again: Pod");
    check(&seen(&Cluster::default(), true), false, "Blocked", "there is no node that counts");
    let unreadable = calm().with(budget("shop/x").with("/spec/selector/matchLabels", "app=web"));
    check(&seen(&unreadable, true), false, "Blocked", "not known: PodDisruptionBudget shop/x can't be read");
}

#[test]
fn while_the_view_is_stale_the_last_numbers_stand() {
    let open: DrainReadinessStatus = serde_json::from_value(written(&seen(&calm(), true))).unwrap();
    assert!(open.drainable);
    let apply = due(&known(Some(open)), &Outlook::Stale("Pod".to_owned()), now()).expect("it is closed");
    assert_eq!((&apply["status"]["drainable"], &apply["status"]["nodesTotal"]), (&json!(false), &json!(2)));
}

#[test]
fn what_can_not_be_read_is_closed() {
    let known = KnownReadiness::Unreadable { error: "spec.accept: no list".to_owned() };
    let apply = due(&known, &seen(&calm(), true), now()).expect("something is written");
    assert_eq!(apply["status"]["drainable"], false);
    assert_eq!(apply["status"]["conditions"][0]["message"], "can't be read: spec.accept: no list");
}

/// A pod of `shop/db` that can't go, on a node that is cordoned since the first of the two moments; seen at the second.
fn emptied(moments: [&str; 2]) -> Outlook {
    let cluster = blocked().with(node("a").cordoned());
    let settings = Settings::default();
    let forecast = forecast(&cluster, Drainer::default(), NOW);
    let sight = Sight { cluster: &cluster, forecast: &forecast.nodes, settings: &settings, unseen: &[], settled: true };
    let mut watch = Watch::default();
    let looks = moments.map(|moment| watch.look(sight, moment.parse().unwrap()));
    let Outlook::Seen { reading, judgement, .. } = seen(&cluster, false) else { panic!("it is seen") };
    let upgrade = looks.into_iter().next_back().and_then(|look| look.upgrade).map(Box::new);
    Outlook::Seen { reading, judgement, upgrade, settled: true }
}

#[test]
fn what_is_being_upgraded_is_told_with_what_it_waits_for() {
    let outlook = emptied(["2026-11-25T07:00:00Z", "2026-11-25T08:00:00Z"]);
    let said = "pod shop/db (budget db: it needs 1 healthy pod and has 1) on a";
    let expected = json!({
        "kind": "Node", "name": "a", "phase": "Draining", "nodes": ["a"], "since": "2026-11-25T07:00:00Z",
        "waitsFor": [said], "frozen": true,
    });
    assert_eq!(written(&outlook)["upgrade"], expected);
}

#[test]
fn whoever_told_it_first_knows_since_when() {
    let first = written(&emptied(["2026-11-25T07:00:00Z"; 2]));
    let known = known(Some(serde_json::from_value(first).unwrap()));
    assert_eq!(due(&known, &emptied(["2026-11-25T07:00:03Z"; 2]), now()), None, "another replica saw it later");
}

#[test]
fn what_does_not_move_is_said_to_be_stalled() {
    let cluster = calm().with(talos_upgrade("talos").phase("Draining").doing(["a"]));
    let settings = Settings::default();
    let sight = Sight { cluster: &cluster, forecast: &[], settings: &settings, unseen: &[], settled: true };
    let mut watch = Watch::default();
    watch.look(sight, "2026-11-25T01:00:00Z".parse().unwrap());
    let Outlook::Seen { reading, judgement, .. } = seen(&cluster, true) else { panic!("it is seen") };
    let upgrade = watch.look(sight, now()).upgrade.map(Box::new);
    let status = written(&Outlook::Seen { reading, judgement, upgrade, settled: true });
    let stalled = status["conditions"].as_array().unwrap().iter().find(|known| known["type"] == "UpgradeStalled");
    let said = "TalosUpgrade talos hasn't moved for six hours: budgets are withdrawn again as if it weren't there";
    let stalled = stalled.expect("a condition");
    assert_eq!((&stalled["reason"], &stalled["message"]), (&json!("NoMovement"), &json!(said)));
    assert_eq!(status["upgrade"]["frozen"], false);
}

#[test]
fn what_is_not_known_yet_after_a_start_is_not_said_to_be_over() {
    let told: DrainReadinessStatus = serde_json::from_value(written(&emptied(["2026-11-25T07:00:00Z"; 2]))).unwrap();
    let Outlook::Seen { reading, judgement, .. } = emptied(["2026-11-25T07:00:00Z"; 2]) else { panic!("it is seen") };
    let early = Outlook::Seen { reading, judgement, upgrade: None, settled: false };
    assert_eq!(due(&known(Some(told)), &early, now()), None);
}
