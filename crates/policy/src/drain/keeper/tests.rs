//! What is kept is what would be made anew, whatever happens.

use holdfast_model::builders::{
    Manifest, budget, daemon_set, deployment, node, observe, pod, replica_set, stateful_set, unseal,
};
use holdfast_model::{Kind, ObjectKey, Touched};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::drain::forecast;

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[derive(Clone, Debug)]
enum Event {
    Applied(Box<Value>),
    Deleted(Kind, ObjectKey),
}

fn path() -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["a", "b", "c"]), prop::sample::select(vec!["x", "y"]), 0..3u8)
        .prop_map(|(namespace, app, number)| format!("{namespace}/{app}-{number}"))
}

fn object() -> impl Strategy<Value = Value> {
    let host = prop::sample::select(vec!["one", "two", "three", "unknown"]);
    (0..10u8, path(), any::<bool>(), 0..3i64, host).prop_map(|(kind, path, flag, count, host)| {
        let path = path.as_str();
        let app = &path[2..3];
        let whole = &path[..3];
        match kind {
            0 => deployment(whole).replicas(count).build(),
            1 => stateful_set(whole).replicas(count).build(),
            2 => daemon_set(whole).build(),
            3 => budget(path).max_unavailable(count).selecting([("app", app)]).build(),
            4 => node(host).ready(flag).build(),
            5 => replica_set(&format!("{whole}-1")).of_deployment(app).build(),
            8 if flag => unseal(whole).of_stateful_set(app).starts().build(),
            8 => unseal(whole).of_stateful_set(app).build(),
            9 => unseal(whole).of_stateful_set(app).stays_sealed("TokenDead", "it is dead", "Make a new one.").build(),
            6 => pod(path).of_stateful_set(app).labels([("app", app)]).on_node(host).ready(flag).build(),
            _ => pod(path).of_deployment(app).labels([("app", app)]).on_node(host).ready(flag).build(),
        }
    })
}

fn event() -> impl Strategy<Value = Event> {
    let kind = prop::sample::select(vec![Kind::Pod, Kind::PodDisruptionBudget, Kind::VaultTransitUnseal, Kind::Node]);
    prop_oneof![
        4 => object().prop_map(|object| Event::Applied(Box::new(object))),
        1 => (kind, path()).prop_map(|(kind, path)| {
            let (namespace, name) = path.split_once('/').unwrap();
            // One stands for a whole StatefulSet.
            let name = if kind == Kind::VaultTransitUnseal { &name[..1] } else { name };
            let key = if kind == Kind::Node { ("", "one") } else { (namespace, name) };
            Event::Deleted(kind, ObjectKey::new(key.0, key.1))
        }),
    ]
}

proptest! {
    #[test]
    fn what_is_kept_is_what_would_be_made_anew(rounds in prop::collection::vec(prop::collection::vec(event(), 1..12), 1..8)) {
        let mut cluster = Cluster::default();
        let mut keeper = Keeper::default();
        for events in rounds {
            let (mut all, mut namespaces) = (false, BTreeSet::new());
            for event in events {
                let touched = match event {
                    Event::Applied(object) => observe(&mut cluster, &object),
                    Event::Deleted(kind, key) => cluster.delete(kind, &key),
                };
                match touched {
                    Touched::Nothing | Touched::Upgrades => {}
                    Touched::Nodes | Touched::All => all = true,
                    Touched::Echo(namespace) => drop(namespaces.insert(namespace)),
                    Touched::Namespaces(touched) => namespaces.extend(touched),
                }
            }
            if all { keeper.make(&cluster, NOW) } else { keeper.update(&cluster, &namespaces, NOW) }
            prop_assert_eq!(keeper.forecast(), &forecast(&cluster, Drainer::default(), NOW));
        }
    }
}

/// Room is the exception: what others take of it is as it was when they were forecast.
#[test]
fn room_beside_others_is_known_when_everything_is_made_anew() {
    let tight = |name: &str| node(name).room("2", "4Gi", 9);
    let one = |path: &str| {
        let (namespace, app) = path.split_once('/').unwrap();
        let of = pod(&format!("{namespace}/{app}-0")).of_stateful_set(app).labels([("app", app)]).on_node("one");
        (stateful_set(path).replicas(1), of.asking("1", "1Gi"))
    };
    let mut cluster = Cluster::default().with(tight("one")).with(tight("two"));
    for path in ["a/x", "b/x"] {
        let (set, pod) = one(path);
        cluster = cluster.with(set).with(pod);
    }
    let mut keeper = Keeper::default();
    keeper.make(&cluster, NOW);
    let nowhere = |keeper: &Keeper| {
        let felt = &keeper.forecast().node("one").unwrap().interruptions;
        felt.iter().filter(|felt| felt.why.obstacle().is_some()).map(|felt| felt.pod.to_string()).collect::<Vec<_>>()
    };
    assert!(nowhere(&keeper).is_empty());
    // A third finds the room taken that the first two would need: it is known of itself at once.
    let (set, pod) = one("c/x");
    cluster = cluster.with(set).with(pod);
    keeper.update(&cluster, &["c".into()].into(), NOW);
    assert_eq!(nowhere(&keeper), ["c/x-0"]);
    // And of the others, if it were they who find none, once everything is made anew.
    let (_, pod) = one("c/x");
    cluster = cluster.with(pod.on_node("two"));
    keeper.update(&cluster, &["c".into()].into(), NOW);
    assert!(nowhere(&keeper).is_empty());
    keeper.make(&cluster, NOW);
    assert_eq!(nowhere(&keeper), ["b/x-0"]);
}

/// A budget that was left stale is only known to be after a while, in which nothing changes.
#[test]
fn what_only_time_tells_is_due_once() {
    let moment = |text: &str| text.parse::<Timestamp>().unwrap();
    let stale = budget("a/x").max_unavailable(1).selecting([("app", "x")]).counted_as(0, 0, 1);
    let pod = pod("a/x-0").of_stateful_set("x").labels([("app", "x")]).on_node("one");
    let cluster = Cluster::default()
        .with(node("one"))
        .with(stateful_set("a/x").replicas(1))
        .with(pod.ready_since("2026-11-26T08:00:00Z"))
        .with(stale);
    let mut keeper = Keeper::default();
    keeper.make(&cluster, moment("2026-11-26T08:00:10Z"));
    let reason = |keeper: &Keeper| keeper.forecast().nodes[0].blockers[0].cause.reason();
    let sure = moment("2026-11-26T08:00:30Z");
    assert_eq!((reason(&keeper), keeper.recheck_at()), ("NoneLeft", Some(sure)));
    assert_eq!(keeper.due(moment("2026-11-26T08:00:29Z")).count(), 0);
    let due: BTreeSet<Text> = keeper.due(sure).cloned().collect();
    assert_eq!(due, ["a".into()].into());
    keeper.update(&cluster, &due, sure);
    assert_eq!((reason(&keeper), keeper.recheck_at()), ("StatusStale", None));
}
