//! What is true of every pod, level and version.

mod random {
    pub(crate) mod cure;
    pub(crate) mod pods;
}

use holdfast_pod_security::{Level, PodFacts, Version, allows, evaluate, fixes, strictest};
use proptest::prelude::*;
use random::cure::apply;
use random::pods::{Choices, pod};
use serde_json::Value;

fn pods() -> impl Strategy<Value = Value> {
    proptest::collection::vec(any::<u16>(), 200).prop_map(|choices| {
        let mut rest = choices.into_iter();
        // Scaled, so that 0 stays 0 and a smaller choice stays a smaller one.
        let mut choose = |n: usize| (usize::from(rest.next().unwrap_or(0)) * n) >> 16;
        pod(&mut Choices(&mut choose))
    })
}

fn versions() -> impl Strategy<Value = Version> {
    prop_oneof![4 => (0..=40_u64).prop_map(Version::Minor), 1 => Just(Version::Latest)]
}

fn facts(pod: &Value) -> PodFacts {
    serde_json::from_value(pod.clone()).expect("a pod")
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_changes_cure(pod in pods(), version in versions(), restricted in any::<bool>(), is_filled_in in any::<bool>()) {
        let level = if restricted { Level::Restricted } else { Level::Baseline };
        // As written, and as the server sees it: what it filled in goes with what it was filled in for.
        let read = |pod: &Value| if is_filled_in { facts(pod).defaulted() } else { facts(pod) };
        let mut cured = pod.clone();
        let violations = evaluate(level, version, &read(&pod));
        for fix in fixes(&violations) {
            apply(fix, &mut cured);
        }
        let left = evaluate(level, version, &read(&cured));
        prop_assert!(left.is_empty(), "{left:#?} of {cured:#}");
        prop_assert_eq!(violations.is_empty(), cured == pod, "a pod that passes needs no change, another one does");
    }

    #[test]
    fn a_pod_that_restricted_allows_baseline_allows(pod in pods(), version in versions()) {
        let pod = facts(&pod);
        let allowed = Level::ALL.map(|level| allows(level, version, &pod));
        prop_assert!(allowed[0]);
        prop_assert!(allowed.is_sorted_by(|weaker, stricter| weaker >= stricter), "{allowed:?}");
        for level in Level::ALL {
            prop_assert_eq!(level <= strictest(version, &pod), allows(level, version, &pod));
        }
    }

    #[test]
    fn to_allow_is_to_find_nothing(pod in pods(), version in versions()) {
        let pod = facts(&pod);
        for level in Level::ALL {
            let violations = evaluate(level, version, &pod);
            prop_assert_eq!(allows(level, version, &pod), violations.is_empty());
            prop_assert!(violations.iter().all(|violation| !violation.offences.is_empty() && violation.check.level() <= level));
            prop_assert!(violations.is_sorted_by(|first, second| first.check < second.check));
        }
    }

    #[test]
    fn what_is_newer_than_all_we_know_is_judged_as_the_newest(pod in pods(), beyond in 38..u64::MAX) {
        let pod = facts(&pod);
        let newest = evaluate(Level::Restricted, Version::NEWEST_KNOWN, &pod);
        prop_assert_eq!(&evaluate(Level::Restricted, Version::Latest, &pod), &newest);
        prop_assert_eq!(&evaluate(Level::Restricted, Version::Minor(beyond), &pod), &newest);
    }

    /// `null` says what saying nothing says, wherever it stands.
    #[test]
    fn nulls_and_unknown_fields_say_nothing(pod in pods(), version in versions()) {
        let mut noisy = pod.clone();
        add_noise(&mut noisy["metadata"]["annotations"], &["container.seccomp.security.alpha.kubernetes.io/nobody"]);
        add_noise(&mut noisy["spec"], &["initContainers", "ephemeralContainers", "securityContext", "hostIPC", "hostUsers", "os"]);
        add_noise(&mut noisy["spec"]["securityContext"], &["sysctls", "runAsUser", "seccompProfile"]);
        for container in noisy["spec"]["containers"].as_array_mut().unwrap() {
            add_noise(container, &["ports", "livenessProbe", "lifecycle"]);
            add_noise(&mut container["securityContext"], &["capabilities", "privileged", "runAsNonRoot", "procMount"]);
        }
        for level in Level::ALL {
            prop_assert_eq!(evaluate(level, version, &facts(&noisy)), evaluate(level, version, &facts(&pod)));
        }
    }
}

fn add_noise(object: &mut Value, nulls: &[&str]) {
    let Some(object) = object.as_object_mut() else { return };
    object.insert("tomorrow".to_owned(), serde_json::json!("unknown"));
    for key in nulls {
        object.entry(*key).or_insert(Value::Null);
    }
}
