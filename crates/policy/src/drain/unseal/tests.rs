//! Which nodes a Vault stands in the way of, told in the words of the forecast.

use holdfast_model::Cluster;
use holdfast_model::builders::{
    Manifest, UnsealBuilder, budget, deployment, helm_release, node, pod, replica_set, stateful_set, unseal,
};
use jiff::Timestamp;
use proptest::prelude::*;

use crate::drain::{Cause, Drainer, Forecast, Lasting, NodeForecast, Rolling, Verdict, forecast, sequence};

/// No time matters here.
const NOW: Timestamp = Timestamp::UNIX_EPOCH;

const REMEDY: &str = "Write a new token into the Secret. It must be there before the server restarts.";

fn sealed() -> UnsealBuilder {
    vault().stays_sealed("TokenDead", "A doesn't know the token.", REMEDY)
}

fn vault() -> UnsealBuilder {
    unseal("infra/vault").of_stateful_set("vault")
}

/// Three pods of `infra/vault` on two of three nodes.
fn cluster() -> Cluster {
    let pod = |number: usize, node: &str| pod(&format!("infra/vault-{number}")).of_stateful_set("vault").on_node(node);
    Cluster::default()
        .with(node("a"))
        .with(node("b"))
        .with(node("c"))
        .with(stateful_set("infra/vault").replicas(3))
        .with(pod(0, "a"))
        .with(pod(1, "a"))
        .with(pod(2, "b"))
}

fn told(node: &NodeForecast) -> String {
    let mut told = node.verdict.as_str().to_owned();
    for blocker in &node.blockers {
        told += &format!("; {} ({}): {}", blocker.pod.name, blocker.by(), blocker.message());
    }
    for felt in &node.interruptions {
        told += &format!("; {} {}", felt.pod.name, felt.why.as_str());
    }
    told
}

#[track_caller]
fn check(cluster: &Cluster, expected: [&str; 3]) {
    let forecast = forecast(cluster, Drainer::default(), NOW);
    assert_eq!(forecast.nodes.iter().map(told).collect::<Vec<_>>(), expected);
}

#[test]
fn one_that_would_stay_sealed_stands_in_the_way_of_the_nodes_that_it_runs_on() {
    const SAID: &str = "(VaultTransitUnseal vault: TokenDead): started again it would stay sealed (TokenDead): A doesn't know the token";
    let made = cluster().with(sealed());
    let both = format!("Blocks; vault-0 {SAID}; vault-1 {SAID}");
    check(&made, [&both, &format!("Blocks; vault-2 {SAID}"), "Clean"]);
    let forecast = forecast(&made, Drainer::default(), NOW);
    let blocker = &forecast.node("b").unwrap().blockers[0];
    assert_eq!(
        (blocker.lasting, blocker.rolls_out, blocker.cause.reason()),
        (Lasting::Structural, false, "WouldNotStart")
    );
    assert_eq!(blocker.unseal().map(|name| name.as_str()), Some("vault"));
    assert_eq!(blocker.workload().map(ToString::to_string).as_deref(), Some("StatefulSet vault"));
    assert_eq!(blocker.remedy, "write a new token into the Secret. It must be there before the server restarts");
    assert!(blocker.budgets.is_empty() && blocker.patch.is_none() && blocker.flux.is_none());
    // The eviction API lets them go all the same, which the numbers say.
    let node = forecast.node("a").unwrap();
    assert_eq!((node.pods, node.waves), (2, 1));
}

#[test]
fn one_that_would_unseal_itself_stands_in_nobodys_way() {
    check(&cluster().with(vault().starts()), ["Clean", "Clean", "Clean"]);
    check(&cluster(), ["Clean", "Clean", "Clean"]);
}

#[test]
fn what_is_not_known_is_felt_and_stands_in_nobodys_way() {
    let felt = "Interrupts; vault-2 StartUnknown";
    for made in [vault(), vault().unproven("NoEvidence"), sealed().with("/metadata/generation", 2)] {
        check(&cluster().with(made), ["Interrupts; vault-0 StartUnknown; vault-1 StartUnknown", felt, "Clean"]);
    }
    let message = |unseal: UnsealBuilder| {
        let forecast = forecast(&cluster().with(unseal), Drainer::default(), NOW);
        forecast.node("b").unwrap().interruptions[0].why.message()
    };
    assert!(message(vault()).ends_with("see whether the Vault controller runs"));
    assert!(
        message(vault().unproven("NoEvidence"))
            .ends_with("the condition WouldStart of its VaultTransitUnseal says why")
    );
}

#[test]
fn it_is_about_the_pods_of_its_own_stateful_set_alone() {
    let other = unseal("shop/vault").of_stateful_set("vault").stays_sealed("TokenDead", "", "");
    check(&cluster().with(other), ["Clean", "Clean", "Clean"]);
    let another = sealed().of_stateful_set("other");
    check(&cluster().with(another), ["Clean", "Clean", "Clean"]);
    let deployment = Cluster::default()
        .with(node("a"))
        .with(node("b"))
        .with(node("c"))
        .with(deployment("infra/vault").replicas(2))
        .with(replica_set("infra/vault-1").of_deployment("vault"))
        .with(pod("infra/vault-1-0").of_deployment("vault").on_node("a"))
        .with(pod("infra/vault-1-1").of_deployment("vault").on_node("b"))
        .with(pod("infra/vault-x").owned_by("apps.kruise.io/v1", "StatefulSet", "vault").on_node("c"))
        .with(pod("infra/vault-y").owned_by("apps.kruise.io/v1", "StatefulSet", "vault").on_node("c"));
    check(&deployment.with(sealed()), ["Clean", "Clean", "Interrupts; vault-x LastReady; vault-y LastReady"]);
}

#[test]
fn a_stateful_set_that_has_not_been_seen_is_known_by_its_pods() {
    let lone = Cluster::default()
        .with(node("a"))
        .with(pod("infra/vault-0").of_stateful_set("vault").on_node("a"))
        .with(sealed());
    assert_eq!(forecast(&lone, Drainer::default(), NOW).verdict(), Some(Verdict::Blocks));
}

#[test]
fn what_is_down_or_on_its_way_out_has_nothing_to_lose() {
    let gone = pod("infra/vault-2").of_stateful_set("vault").on_node("b");
    let blocked =
        |cluster: Cluster| forecast(&cluster.with(sealed()), Drainer::default(), NOW).node("b").unwrap().blockers.len();
    assert_eq!(blocked(cluster().with(gone.clone().finished())), 0);
    assert_eq!(blocked(cluster().with(gone.clone().terminating())), 0);
    assert_eq!(blocked(cluster().with(gone.ready(false))), 1, "it may serve before it is told ready again");
}

#[test]
fn a_pod_whose_budget_refuses_too_is_told_of_twice() {
    let labelled = pod("infra/vault-2").of_stateful_set("vault").labels([("app", "vault")]).on_node("b");
    let guarded = cluster().with(labelled).with(budget("infra/vault").max_unavailable(0).selecting([("app", "vault")]));
    let forecast = forecast(&guarded.with(sealed()), Drainer::default(), NOW);
    let causes: Vec<_> = forecast.node("b").unwrap().blockers.iter().map(|blocker| blocker.cause.reason()).collect();
    assert_eq!(causes, ["NoneLeft", "WouldNotStart"]);
}

#[test]
fn of_several_about_one_stateful_set_one_that_knows_counts_and_a_no_before_a_yes() {
    let second = |like: fn(UnsealBuilder) -> UnsealBuilder| like(unseal("infra/a").of_stateful_set("vault"));
    check(&cluster().with(vault().starts()).with(second(|it| it)), ["Clean", "Clean", "Clean"]);
    let no = cluster().with(vault().starts()).with(second(|it| it.stays_sealed("TransitSealed", "", "")));
    let forecast = forecast(&no, Drainer::default(), NOW);
    assert_eq!(forecast.node("b").unwrap().blockers.len(), 1);
    assert_eq!(forecast.node("b").unwrap().blockers[0].by(), "VaultTransitUnseal a: TransitSealed");
}

#[test]
fn a_no_without_words_says_where_to_look() {
    let silent = cluster().with(vault().stays_sealed("", " ", "").with("/status/diagnosis", serde_json::Value::Null));
    let forecast = forecast(&silent, Drainer::default(), NOW);
    let blocker = &forecast.node("b").unwrap().blockers[0];
    assert_eq!(
        (blocker.by(), blocker.message()),
        ("VaultTransitUnseal vault".to_owned(), "started again it would stay sealed".to_owned())
    );
    assert_eq!(blocker.remedy, "see the condition WouldStart of VaultTransitUnseal infra/vault");
}

#[test]
fn it_is_mended_where_the_resource_is_kept() {
    let made =
        cluster().with(sealed()).with(helm_release("infra/hf").listing("infra_vault_holdfast.dev_VaultTransitUnseal"));
    let forecast = forecast(&made, Drainer::default(), NOW);
    let flux = forecast.node("b").unwrap().blockers[0].flux.as_ref().map(ToString::to_string);
    assert_eq!(flux.as_deref(), Some("HelmRelease infra/hf"));
}

#[test]
fn an_upgrade_stops_before_the_first_node_that_one_runs_on() {
    let verdicts = |forecast: Forecast| forecast.nodes.iter().map(|node| node.verdict).collect::<Vec<_>>();
    assert_eq!(
        verdicts(sequence(&cluster().with(sealed()), Rolling::all(Drainer::default(), 1), NOW)),
        [Verdict::Blocks]
    );
    assert_eq!(
        verdicts(sequence(&cluster().with(vault().starts()), Rolling::all(Drainer::default(), 1), NOW)).len(),
        3
    );
}

#[derive(Clone, Copy, Debug)]
enum Says {
    Nothing,
    Unjudged,
    Unproven,
    Starts,
    Sealed,
}

impl Says {
    fn add(self, cluster: Cluster, namespace: &str, set: &str) -> Cluster {
        let made = unseal(&format!("{namespace}/{set}-unseal")).of_stateful_set(set);
        match self {
            Self::Nothing => cluster,
            Self::Unjudged => cluster.with(made),
            Self::Unproven => cluster.with(made.unproven("NoEvidence")),
            Self::Starts => cluster.with(made.starts()),
            Self::Sealed => cluster.with(made.stays_sealed("TokenDead", "it is dead.", REMEDY)),
        }
    }
}

const HOMES: [(&str, &str); 4] = [("x", "vault"), ("x", "bao"), ("y", "vault"), ("y", "db")];

fn world() -> impl Strategy<Value = (Cluster, [Says; 4])> {
    let says = prop::sample::select(vec![Says::Nothing, Says::Unjudged, Says::Unproven, Says::Starts, Says::Sealed]);
    let host = prop::sample::select(vec!["one", "two", "three", "unknown"]);
    let sets = prop::collection::vec((0..4usize, host, any::<bool>(), any::<bool>()), 0..12);
    (sets, prop::array::uniform4(says), any::<bool>()).prop_map(|(pods, says, guarded)| {
        let mut cluster = Cluster::default().with(node("one")).with(node("two")).with(node("three"));
        for (namespace, set) in HOMES {
            cluster = cluster.with(stateful_set(&format!("{namespace}/{set}")).replicas(3));
        }
        for (number, (home, host, ready, finished)) in pods.into_iter().enumerate() {
            let (namespace, set) = HOMES[home];
            let made = pod(&format!("{namespace}/{set}-{number}")).of_stateful_set(set).labels([("app", set)]);
            let made = made.on_node(host).ready(ready);
            cluster = cluster.with(if finished { made.finished() } else { made });
        }
        if guarded {
            cluster = cluster.with(budget("x/vault").min_available("100%").selecting([("app", "vault")]));
        }
        (cluster, says)
    })
}

proptest! {
    /// Against a model that knows nothing of drains: a pod that runs, and what is said of its set.
    #[test]
    fn exactly_those_that_run_and_are_known_to_stay_sealed_are_added((bare, says) in world()) {
        let with = HOMES.iter().zip(says).fold(bare.clone(), |cluster, ((namespace, set), says)| says.add(cluster, namespace, set));
        let (before, after) = (forecast(&bare, Drainer::default(), NOW), forecast(&with, Drainer::default(), NOW));
        for (before, after) in before.nodes.iter().zip(&after.nodes) {
            let refusing = |node: &NodeForecast| node.blockers.iter().filter(|blocker| blocker.unseal().is_none()).cloned().collect::<Vec<_>>();
            prop_assert_eq!(refusing(before), refusing(after), "who refuses is as it was");
            prop_assert_eq!((before.pods, before.waves, before.empty_dirs), (after.pods, after.waves, after.empty_dirs));
            let mut sealed: Vec<String> = after
                .blockers
                .iter()
                .filter(|blocker| matches!(blocker.cause, Cause::WouldNotStart(_)))
                .map(|blocker| blocker.pod.to_string())
                .collect();
            let mut expected = Vec::new();
            for ((namespace, set), says) in HOMES.iter().zip(says) {
                let view = with.namespace(&(*namespace).into()).unwrap();
                let runs = view.pods().filter(|(_, pod)| pod.node.as_ref() == Some(&after.node) && !pod.phase.is_finished());
                let of_set = runs.filter(|(name, _)| name.starts_with(&format!("{set}-")));
                if matches!(says, Says::Sealed) {
                    expected.extend(of_set.map(|(name, _)| format!("{namespace}/{name}")));
                }
            }
            expected.sort();
            sealed.sort();
            prop_assert_eq!(&sealed, &expected);
            prop_assert_eq!(after.verdict == Verdict::Blocks, before.verdict == Verdict::Blocks || !expected.is_empty());
            prop_assert!(before.verdict <= after.verdict, "nothing that is told makes a drain easier");
        }
    }
}
