//! Whatever happens in whatever order, the facts are those of what is there in the end.

use std::collections::{BTreeMap, HashSet};

use proptest::prelude::*;
use serde_json::Value;

use super::Cluster;
use crate::builders::{
    Manifest, budget, claim, daemon_set, deployment, failed_create, helm_release, hpa, job, kustomization, namespace,
    node, observe, observe_all, pod, replica_set, scaled_object, stateful_set, talos_control_plane, talos_upgrade,
    unseal, upgrade_plan, volume,
};
use crate::{Kind, ObjectKey};

type Id = (Kind, ObjectKey);

/// What a watch tells.
#[derive(Clone, Debug)]
enum Event {
    Applied(Box<Value>),
    Deleted(Id),
}

fn id(object: &Value) -> Id {
    let kind = Kind::ALL.into_iter().find(|kind| object["kind"] == kind.as_str()).unwrap();
    let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
    (kind, ObjectKey::new(text("namespace"), text("name")))
}

fn path() -> impl Strategy<Value = String> {
    (prop::sample::select(vec!["a", "b"]), prop::sample::select(vec!["x", "y"])).prop_map(|(n, x)| format!("{n}/{x}"))
}

/// An object of any kind, in one of a few versions; some can't be read.
fn object() -> impl Strategy<Value = Value> {
    let kinds = 0..Kind::ALL.len() + 1;
    (kinds, path(), any::<bool>(), 0..3i64, 0..8u8).prop_map(|(kind, path, flag, count, luck)| {
        let path = path.as_str();
        let owner = if flag { "x" } else { "y" };
        let built = match Kind::ALL.get(kind) {
            Some(Kind::Namespace) => namespace(&path[..1]).labelled([("team", owner)]).build(),
            Some(Kind::Deployment) => deployment(path).replicas(count).build(),
            Some(Kind::StatefulSet) => stateful_set(path).replicas(count).image("etcd:3").build(),
            Some(Kind::DaemonSet) => daemon_set(path).labels([("v", owner)]).build(),
            Some(Kind::ReplicaSet) if flag => replica_set(path).of_deployment(owner).build(),
            Some(Kind::ReplicaSet) => replica_set(path).replicas(count).build(),
            Some(Kind::Job) => job(path).labels([("v", owner)]).build(),
            Some(Kind::CronJob) => crate::builders::cron_job(path).labels([("v", owner)]).build(),
            Some(Kind::Pod) => pod(path).of_replica_set(owner).ready(count == 1).build(),
            Some(Kind::PodDisruptionBudget) => budget(path).min_available(count).version(owner).build(),
            Some(Kind::Event) => failed_create(path, owner, if flag { "violates PodSecurity" } else { "quota" }),
            Some(Kind::HorizontalPodAutoscaler) => hpa(path).of("Deployment", owner).least(count).build(),
            Some(Kind::ScaledObject) => scaled_object(path).of("Deployment", owner).least(count).build(),
            Some(Kind::HelmRelease) => {
                helm_release(path).listing("a_x_apps_Deployment").listing(&format!("b_{owner}_apps_Deployment")).build()
            }
            Some(Kind::Kustomization) => kustomization(path).uid(owner).build(),
            Some(Kind::Node) => node(owner).ready(flag).labels([("zone", owner)]).build(),
            Some(Kind::PersistentVolume) => volume(owner).near("zone", owner).claimed_by(path).build(),
            Some(Kind::PersistentVolumeClaim) => claim(path).bound_to(owner).build(),
            Some(Kind::TalosUpgrade) => talos_upgrade(owner).phase(if flag { "Draining" } else { "Failed" }).build(),
            Some(Kind::KubernetesUpgrade) => crate::builders::kubernetes_upgrade(owner).phase("Upgrading").build(),
            Some(Kind::Plan) => upgrade_plan(path).applying([owner]).build(),
            Some(Kind::TalosControlPlane) => talos_control_plane(path).machines(3, count).build(),
            Some(Kind::VaultTransitUnseal) if flag => unseal(path).of_stateful_set("x").starts().build(),
            Some(Kind::VaultTransitUnseal) => unseal(path).of_stateful_set("x").unproven("NoEvidence").build(),
            None => helm_release(path).releasing(owner).build(),
        };
        // A template that is no object, in what has one; a status that is none, in the others.
        if luck == 0 { built.with("/spec", 1).with("/status", 1) } else { built }
    })
}

fn history() -> impl Strategy<Value = Vec<Event>> {
    let event = (object(), 0..4u8).prop_map(|(object, luck)| {
        if luck == 0 { Event::Deleted(id(&object)) } else { Event::Applied(Box::new(object)) }
    });
    prop::collection::vec(event, 0..40)
}

fn replay(history: &[Event]) -> Cluster {
    let mut cluster = Cluster::default();
    for event in history {
        take(&mut cluster, event);
    }
    cluster
}

fn take(cluster: &mut Cluster, event: &Event) {
    match event {
        Event::Applied(object) => {
            observe(cluster, object);
        }
        Event::Deleted((kind, key)) => {
            cluster.delete(*kind, key);
        }
    }
}

/// What is there in the end.
fn last(history: &[Event]) -> BTreeMap<Id, Value> {
    let mut there = BTreeMap::new();
    for event in history {
        match event {
            Event::Applied(object) => {
                there.insert(id(object), (**object).clone());
            }
            Event::Deleted(id) => {
                there.remove(id);
            }
        }
    }
    there
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_history_comes_to_what_is_there_in_the_end(history in history()) {
        prop_assert_eq!(replay(&history), observe_all(last(&history).values()));
    }

    #[test]
    fn the_order_in_which_objects_are_seen_does_not_matter(
        (there, shuffled) in history().prop_map(|h| last(&h).into_values().collect::<Vec<_>>())
            .prop_flat_map(|there| (Just(there.clone()), Just(there).prop_shuffle()))
    ) {
        prop_assert_eq!(observe_all(&there), observe_all(&shuffled));
    }

    #[test]
    fn a_reset_equals_the_deletions_that_were_missed(history in history(), kept in prop::collection::vec(any::<bool>(), 40)) {
        let there = last(&history);
        let mut relisted = replay(&history);
        let mut deleted = relisted.clone();
        let (mut by_reset, mut by_deletion) = (crate::Touched::Nothing, crate::Touched::Nothing);
        for kind in Kind::ALL {
            let known = there.keys().filter(|(known, _)| *known == kind).map(|(_, key)| key);
            let (listed, gone): (Vec<_>, Vec<_>) = known.zip(&kept).partition(|(_, kept)| **kept);
            for (key, _) in gone {
                by_deletion.add(deleted.delete(kind, key));
            }
            let listed: HashSet<&ObjectKey> = listed.into_iter().map(|(key, _)| key).collect();
            by_reset.add(relisted.reset(kind, |key| listed.contains(key)));
        }
        prop_assert_eq!(&relisted, &deleted);
        prop_assert_eq!(by_reset, by_deletion);
    }

    #[test]
    fn what_changes_the_facts_touches_something(history in history()) {
        let mut cluster = Cluster::default();
        for event in &history {
            let before = cluster.clone();
            let touched = match event {
                Event::Applied(object) => observe(&mut cluster, object),
                Event::Deleted((kind, key)) => cluster.delete(*kind, key),
            };
            // Of a budget the resourceVersion alone may differ, which says nothing.
            let of_budget = |event: &Event| matches!(event, Event::Applied(o) if o["kind"] == "PodDisruptionBudget");
            prop_assert!(before == cluster || !touched.is_nothing() || of_budget(event), "{event:?}");
            prop_assert!(before != cluster || touched.is_nothing(), "{event:?} touched {touched:?}");
        }
    }
}
