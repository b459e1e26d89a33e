//! What can be told without a server. That the expressions say what the checks say is asked of one, in `e2e`.

use serde_json::Value;

use super::{EXEMPT, check, policies};
use crate::level::Level;
use crate::table::TABLE;
use crate::version::Version;

#[test]
fn a_rule_changes_in_the_releases_in_which_its_check_does() {
    for row in TABLE {
        let (first, _) = row.revisions[0];
        for minor in first + 1..50 {
            let changed = check::rule(row.check, minor) != check::rule(row.check, minor - 1);
            assert_eq!(changed, row.revisions.iter().any(|(since, _)| *since == minor), "{} in 1.{minor}", row.check);
        }
    }
}

#[test]
fn a_level_has_a_policy_for_each_check_that_is_made() {
    let names = |level, version| -> Vec<String> {
        let policies = policies(level, version, &EXEMPT).into_iter();
        policies.map(|it| serde_json::to_value(it.policy).unwrap()["metadata"]["name"].to_string()).collect()
    };
    assert!(names(Level::Privileged, Version::Latest).is_empty());
    assert_eq!(names(Level::Baseline, Version::Minor(33)).len(), 11);
    let restricted = names(Level::Restricted, Version::Minor(35));
    assert_eq!(restricted.len(), 15);
    assert!(restricted.contains(&"\"holdfast-restricted-proc-mount-restricted\"".to_owned()));
    assert!(!restricted.contains(&"\"holdfast-restricted-proc-mount\"".to_owned()), "it is overridden");
}

#[test]
fn a_binding_warns_and_audits_everywhere_else() {
    let binding = |exempt: &[&str]| -> Value {
        let policy = policies(Level::Baseline, Version::Latest, exempt).remove(0);
        let (policy, binding) =
            (serde_json::to_value(policy.policy).unwrap(), serde_json::to_value(policy.binding).unwrap());
        assert_eq!(binding["spec"]["policyName"], policy["metadata"]["name"]);
        assert_eq!(binding["metadata"]["labels"]["holdfast.dev/pod-security-version"], "v1.37");
        binding["spec"].clone()
    };
    let spec = binding(&["infra"]);
    assert_eq!(spec["validationActions"], serde_json::json!(["Warn", "Audit"]));
    let expression = &spec["matchResources"]["namespaceSelector"]["matchExpressions"][0];
    assert_eq!(expression["values"], serde_json::json!(["infra"]));
    assert_eq!(binding(&[]).get("matchResources"), None, "an empty list of names is invalid");
}

#[test]
fn only_what_is_used_is_computed() {
    for minor in 0..50 {
        for row in TABLE.iter().filter(|row| row.revisions[0].0 <= minor) {
            let rule = check::rule(row.check, minor);
            let given: Vec<_> = rule.variables().iter().map(|(name, _)| *name).collect();
            let mut texts: Vec<String> = rule.variables().iter().map(|(_, text)| (*text).to_owned()).collect();
            texts.push(rule.offenders);
            for (at, text) in texts.iter().enumerate() {
                for used in text.split("variables.").skip(1) {
                    let end = used.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(used.len());
                    let place = given.iter().position(|name| *name == &used[..end]);
                    assert!(place.is_some_and(|place| place < at), "{} uses {used}", row.check);
                }
            }
            let unused = |name: &&str| !texts.iter().any(|text| text.contains(&format!("variables.{name}")));
            assert_eq!(given.iter().find(|name| unused(name)), None, "{}", row.check);
        }
    }
}
