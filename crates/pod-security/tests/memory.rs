//! What a pod takes in memory, and that one that passes takes nothing to judge.

use allocation_counter::measure;
use holdfast_pod_security::{Level, PodFacts, Version, allows, evaluate};

const PASSING: &str = r#"{
    "metadata": {"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "long", "team": "shop"}},
    "spec": {
        "containers": [{
            "name": "app", "image": "example.org/app:1", "ports": [{"containerPort": 8080}],
            "livenessProbe": {"httpGet": {"path": "/", "port": 8080}},
            "securityContext": {
                "allowPrivilegeEscalation": false,
                "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE"]}
            }
        }],
        "volumes": [{"name": "tmp", "emptyDir": {}}],
        "securityContext": {"runAsNonRoot": true, "runAsUser": 1000, "seccompProfile": {"type": "RuntimeDefault"}}
    }
}"#;

/// The pod, and the bytes that it holds on to, itself included.
fn held(json: &str) -> (PodFacts, i64) {
    let mut pod = None;
    let heap = measure(|| pod = serde_json::from_str::<PodFacts>(json).ok()).bytes_current;
    (pod.expect("a pod"), heap + i64::try_from(size_of::<PodFacts>()).expect("a small size"))
}

#[test]
fn a_plain_pod_is_small() {
    let plain = r#"{"spec": {"containers": [{"name": "app", "image": "example.org/app:1",
        "ports": [{"containerPort": 8080}], "securityContext": {}}], "securityContext": {}}}"#;
    assert_eq!(held(plain).1, 99);
    // What few write costs those few.
    let (_, hardened) = held(PASSING);
    assert!(hardened < 600, "{hardened}");
}

#[test]
fn a_pod_that_passes_costs_no_memory_to_judge() {
    let (pod, _) = held(PASSING);
    let spent = measure(|| {
        for version in (0..=37).map(Version::Minor).chain([Version::Latest]) {
            assert!(allows(Level::Restricted, version, &pod));
            assert!(evaluate(Level::Restricted, version, &pod).is_empty());
        }
    });
    assert_eq!(spent.count_total, 0);
}

#[test]
fn one_that_fails_costs_none_either_where_only_the_verdict_is_asked_for() {
    let pod: PodFacts = serde_json::from_str(r#"{"spec": {"hostPID": true, "containers": [{"name": "a"}]}}"#).unwrap();
    let spent = measure(|| assert!(!allows(Level::Baseline, Version::Latest, &pod)));
    assert_eq!(spent.count_total, 0);
}
