//! What holds for any cluster: plans are calm, the order of events doesn't matter, and no plan wants two budgets over
//! one pod.

use std::collections::{BTreeMap, BTreeSet};

use holdfast_model::builders::{
    BudgetBuilder, Manifest, budget, cron_job, deployment, hpa, job, namespace, pod, replica_set, scaled_object,
    stateful_set,
};
use holdfast_model::facts::Budget;
use holdfast_model::{Cluster, Labels, NamespaceView, Text};
use holdfast_policy::NamespacePlan;
use holdfast_policy::disruption::Write;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{World, enforce};

const NAMES: [&str; 3] = ["a", "b", "c"];
const NAMESPACES: [&str; 2] = ["n", "m"];

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&NAMES[..])
}

fn path() -> impl Strategy<Value = String> {
    (prop::sample::select(&NAMESPACES[..]), name()).prop_map(|(namespace, name)| format!("{namespace}/{name}"))
}

/// Labels with few keys and values, so that selectors meet often.
fn labels() -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    (name(), prop::option::weighted(0.4, name()))
        .prop_map(|(app, tier)| std::iter::once(("app", app)).chain(tier.map(|tier| ("tier", tier))).collect())
}

fn selector() -> impl Strategy<Value = Value> {
    let expression = (name(), 0..4u8).prop_map(|(value, operator)| match operator {
        0 => json!({ "key": "tier", "operator": "Exists" }),
        1 => json!({ "key": "tier", "operator": "DoesNotExist" }),
        2 => json!({ "key": "app", "operator": "In", "values": [value, "a", "a"] }),
        _ => json!({ "key": "tier", "operator": "NotIn", "values": [value] }),
    });
    let by_labels =
        labels().prop_map(|labels| json!({ "matchLabels": labels.into_iter().collect::<BTreeMap<_, _>>() }));
    prop_oneof![
        6 => by_labels,
        2 => expression.prop_map(|expression| json!({ "matchExpressions": [expression] })),
        1 => Just(json!({})),
        1 => Just(Value::Null),
    ]
}

/// Most workloads are as the API server lets them be, with a selector that matches the template.
fn workload() -> impl Strategy<Value = Value> {
    let parts = (path(), labels(), prop::option::weighted(0.2, selector()), 0..6i64, 0..12u8, any::<bool>());
    parts.prop_map(|(path, labels, selector, replicas, luck, set)| {
        let built = if set { stateful_set(&path) } else { deployment(&path) };
        let built = built.of_pods(labels.iter().copied()).replicas(replicas);
        let built = match selector {
            Some(selector) => built.selector(selector),
            None => built,
        };
        match luck {
            0 => built.image("etcd:3").build(),
            1 => built.owned_by("example.com/v1", "App", "x").build(),
            2 => built.annotated("holdfast.dev/ignore", "budget-missing").build(),
            3 => built.with("/spec/template", "broken").build(),
            _ => built.build(),
        }
    })
}

fn other_maker() -> impl Strategy<Value = Value> {
    (path(), labels(), 0..3u8).prop_map(|(path, labels, kind)| match kind {
        0 => job(&path).template(labels).build(),
        1 => cron_job(&path).template(labels).build(),
        _ => replica_set(&format!("{path}-1")).template(labels).of_deployment("a").build(),
    })
}

fn some_pod() -> impl Strategy<Value = Value> {
    (path(), labels(), name(), 0..12u8).prop_map(|(path, labels, owner, luck)| {
        let built = pod(&path).labels(labels);
        match luck {
            0 => built.build(),
            1 => built.of_job(owner).finished().build(),
            2 => built.of_node("node").build(),
            3..=6 => built.of_stateful_set(owner).build(),
            _ => built.of_deployment(owner).build(),
        }
    })
}

fn scaler() -> impl Strategy<Value = Value> {
    (path(), name(), 0..4i64, 0..6i64, any::<bool>()).prop_map(|(path, target, least, most, keda)| {
        let built = if keda { scaled_object(&path) } else { hpa(&path) };
        built.of("Deployment", target).least(least).most(most).build()
    })
}

/// Budgets of others, ours, ours for what is gone, ours that were edited, and ours under a name of somebody else's choice.
fn some_budget() -> impl Strategy<Value = Value> {
    (path(), selector(), name(), 0..8u8, 0..4i64).prop_map(|(path, selector, workload, luck, amount)| {
        let (namespace, name) = path.split_once('/').unwrap();
        let ours = |built: BudgetBuilder| built.ours("p", "uid-p", &format!("Deployment/{workload}"));
        let plain = format!("{namespace}/{workload}-deployment");
        let built = match luck {
            0 | 1 => budget(&format!("{namespace}/theirs-{name}")).min_available(amount),
            2 => budget(&plain).max_unavailable(amount),
            3 => ours(budget(&plain)).max_unavailable(1).edited_by("kubectl"),
            4 => ours(budget(&format!("{namespace}/{name}-odd"))).max_unavailable(1),
            _ => ours(budget(&plain)).max_unavailable(1).always_allow(),
        };
        let uid = format!("uid-{path}-{luck}-{workload}");
        built.selector(selector).uid(&uid).build()
    })
}

fn policy() -> impl Strategy<Value = Value> {
    let mode = prop_oneof![6 => Just("Enforce"), 1 => Just("Report"), 1 => Just("Dream")];
    (prop::sample::select(vec!["p", "q"]), mode, 0..2i64, 1..4i64, prop::option::weighted(0.2, name())).prop_map(
        |(name, mode, priority, most, tier)| {
            let policy = enforce(name).with("/spec/mode", mode).with("/spec/priority", priority);
            let policy = policy.with("/spec/maxUnavailable", most);
            match tier {
                Some(team) => policy.with("/spec/namespaceSelector/matchLabels/team", team),
                None => policy,
            }
        },
    )
}

/// A small cluster in which much goes wrong. Of objects with one name the last stays, as in a cluster.
fn world() -> impl Strategy<Value = Vec<Value>> {
    let many = |max| 0..max;
    let objects = (
        prop::collection::vec(workload(), many(6usize)),
        prop::collection::vec(other_maker(), many(2usize)),
        prop::collection::vec(some_pod(), many(5usize)),
        prop::collection::vec(scaler(), many(3usize)),
        prop::collection::vec(some_budget(), many(4usize)),
        prop::collection::vec(policy(), many(3usize)),
        prop::collection::vec((name(), any::<bool>()), NAMESPACES.len()),
    );
    objects.prop_map(|(workloads, others, pods, scalers, budgets, policies, namespaces)| {
        let namespaces = NAMESPACES.iter().zip(namespaces).map(|(name, (team, luck))| {
            let built = namespace(name).labelled([("team", team)]);
            if luck && team == "c" { built.terminating().build() } else { built.build() }
        });
        let all = [workloads, others, pods, scalers, budgets, policies].concat().into_iter().chain(namespaces);
        let by_name: BTreeMap<String, Value> = all
            .map(|object| {
                let meta = &object["metadata"];
                (format!("{} {}/{}", object["kind"], meta["namespace"], meta["name"]), object)
            })
            .collect();
        by_name.into_values().collect()
    })
}

fn writes(plans: &[NamespacePlan]) -> Vec<&Write> {
    plans.iter().flat_map(|plan| &plan.writes).collect()
}

fn carry_out_all(world: &mut World) -> usize {
    let plans = world.plans();
    let writes = writes(&plans);
    for write in &writes {
        world.carry_out(write);
    }
    writes.len()
}

fn withdraws(world: &World) -> bool {
    world.plans().iter().flat_map(|plan| &plan.writes).any(|write| matches!(write, Write::Withdraw { .. }))
}

/// The labels of every pod of a namespace and of every pod that may be made there.
fn pods_and_templates(view: NamespaceView<'_>) -> BTreeSet<Vec<(Text, Text)>> {
    let templates = view.workloads().map(|workload| &workload.template);
    let pods = view.pods().map(|(_, pod)| &pod.labels);
    templates
        .chain(pods)
        .map(|labels| labels.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        .collect()
}

/// Pairs of budgets over one pod, of which at least one is ours to hold.
fn overlaps_with_ours(cluster: &Cluster) -> BTreeSet<(Text, Text, Text)> {
    let mut found = BTreeSet::new();
    for name in cluster.namespace_names() {
        let view = cluster.namespace(name).unwrap();
        for labels in pods_and_templates(view) {
            let labels = Labels::new(labels);
            let over: Vec<(&Text, &Budget)> =
                view.budgets().filter(|(_, budget)| budget.selection.matches(&labels)).collect();
            for (at, (one, first)) in over.iter().enumerate() {
                let others = over[at + 1..].iter().filter(|(_, second)| first.is_held() || second.is_held());
                found.extend(others.map(|(two, _)| (name.clone(), (*one).clone(), (*two).clone())));
            }
        }
    }
    found
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Only what had to wait for a withdrawal is left for a second pass; after it nothing ever is.
    #[test]
    fn a_plan_that_was_carried_out_leaves_nothing_to_write(objects in world()) {
        let mut world = World::of(objects);
        let withdrew = withdraws(&world);
        carry_out_all(&mut world);
        let second = world.plans();
        prop_assert!(withdrew || writes(&second).is_empty(), "{:?}", writes(&second));
        prop_assert!(!withdraws(&world), "a second pass withdraws nothing: {:?}", writes(&second));
        carry_out_all(&mut world);
        let third = world.plans();
        prop_assert!(writes(&third).is_empty(), "{:?}", writes(&third));
    }

    #[test]
    fn the_order_of_events_does_not_matter_for_the_plan((there, shuffled) in
        world().prop_flat_map(|there| (Just(there.clone()), Just(there).prop_shuffle()))
    ) {
        prop_assert_eq!(World::of(there).plans(), World::of(shuffled).plans());
    }

    /// Not even for a moment: whatever the order in which the writes of a plan are carried out.
    #[test]
    fn no_write_starts_an_overlap((objects, order) in (world(), any::<u64>())) {
        let mut world = World::of(objects);
        for _ in 0..3 {
            let plans = world.plans();
            let mut writes = writes(&plans);
            // Any order will do that differs from case to case.
            writes.sort_by_key(|write| write.key().to_string().bytes().fold(order, |a, b| a.rotate_left(7) ^ u64::from(b)));
            for write in writes {
                let before = overlaps_with_ours(&world.cluster());
                world.carry_out(write);
                let after = overlaps_with_ours(&world.cluster());
                prop_assert!(after.is_subset(&before), "{write:?} started {:?}", after.difference(&before));
            }
        }
    }

    #[test]
    fn in_the_end_no_pod_is_under_two_budgets_of_which_one_is_ours(objects in world()) {
        let mut world = World::of(objects);
        carry_out_all(&mut world);
        carry_out_all(&mut world);
        let cluster = world.cluster();
        let overlaps = overlaps_with_ours(&cluster);
        // Where a namespace is going nothing can be written.
        let going = |name: &Text| cluster.namespace(name).unwrap().namespace().is_some_and(|seen| seen.terminating);
        let left: Vec<_> = overlaps.iter().filter(|(namespace, _, _)| !going(namespace)).collect();
        prop_assert!(left.is_empty(), "{left:?}");
    }

    #[test]
    fn no_plan_wants_two_budgets_over_one_pod(objects in world()) {
        let world = World::of(objects);
        let cluster = world.cluster();
        for plan in world.plans() {
            let view = cluster.namespace(&plan.namespace).unwrap();
            for labels in pods_and_templates(view) {
                let labels = Labels::new(labels);
                let wanted = plan.outcomes.iter().filter_map(|outcome| outcome.wanted.as_ref());
                let ours: Vec<_> = wanted.filter(|wanted| wanted.selector.matches(&labels)).map(|wanted| &wanted.key).collect();
                let theirs: Vec<_> = view.budgets()
                    .filter(|(_, budget)| !budget.is_held() && budget.selection.matches(&labels)).map(|(name, _)| name).collect();
                prop_assert!(ours.is_empty() || ours.len() + theirs.len() == 1, "{ours:?} and {theirs:?} over {labels:?}");
            }
        }
    }

    #[test]
    fn what_is_wanted_lets_a_pod_go_and_keeps_one_at_the_floor(objects in world()) {
        for plan in World::of(objects).plans() {
            for outcome in &plan.outcomes {
                let Some(wanted) = &outcome.wanted else { continue };
                let bounds = outcome.bounds;
                for replicas in [bounds.floor, bounds.asked, bounds.ceiling].into_iter().filter(|count| 0 < *count) {
                    prop_assert!(0 < wanted.limit.evictable(replicas), "{wanted:?} blocks at {replicas}");
                }
                prop_assert!(bounds.floor < 2 || wanted.limit.evictable(bounds.floor) < bounds.floor, "{wanted:?}");
            }
        }
    }
}
