//! What a DisruptionPolicy may say, and what its settings are then.

use holdfast_api::{DisruptionPolicy, Mode};
use holdfast_model::WorkloadKind;
use holdfast_model::builders::Manifest;
use holdfast_model::facts::UnhealthyPods;
use holdfast_policy::disruption::Settings;
use rstest::rstest;
use serde_json::{Value, json};

use crate::world::enforce;

fn parse(spec: Value) -> Result<Settings, String> {
    let raw: DisruptionPolicy = serde_json::from_value(enforce("guard").with("/spec", spec)).unwrap();
    Settings::try_from(&raw).map_err(|error| error.to_string())
}

#[test]
fn an_empty_spec_is_the_default_and_says_the_same_as_no_policy() {
    let mut empty = parse(json!({})).unwrap();
    let none = Settings::without_policy();
    (empty.name, empty.uid) = (none.name.clone(), none.uid.clone());
    assert_eq!(empty, none);
    assert_eq!((none.mode, none.max_unavailable.to_string().as_str()), (Mode::Report, "1"));
    assert_eq!(none.unhealthy_pods, UnhealthyPods::AlwaysAllow);
    assert_eq!(none.kinds, [WorkloadKind::Deployment, WorkloadKind::StatefulSet]);
}

#[test]
fn everything_that_is_written_is_read() {
    let settings = parse(json!({
        "mode": "Enforce", "priority": -3, "kinds": ["StatefulSet"], "maxUnavailable": "25%",
        "unhealthyPodEvictionPolicy": "IfHealthyBudget",
    }))
    .unwrap();
    assert_eq!((settings.name.as_str(), settings.uid.as_str()), ("guard", "uid-guard"));
    assert_eq!((settings.mode, settings.priority), (Mode::Enforce, -3));
    assert_eq!(
        (settings.kinds.as_slice(), settings.max_unavailable.to_string().as_str()),
        ([WorkloadKind::StatefulSet].as_slice(), "25%")
    );
    assert_eq!(settings.unhealthy_pods, UnhealthyPods::IfHealthyBudget);
}

#[rstest]
#[case(json!(1))]
#[case(json!(2_147_483_647))]
#[case(json!("1%"))]
#[case(json!("100%"))]
fn an_amount_that_lets_something_go(#[case] amount: Value) {
    let shown = amount.as_str().map_or(amount.to_string(), ToOwned::to_owned);
    assert_eq!(parse(json!({ "maxUnavailable": amount })).unwrap().max_unavailable.to_string(), shown);
}

#[rstest]
#[case::none(json!(0), "0")]
#[case::negative(json!(-1), "-1")]
#[case::no_share(json!("0%"), "0%")]
#[case::more_than_all(json!("101%"), "101%")]
#[case::a_number_as_text(json!("3"), "3")]
#[case::a_word(json!("some"), "some")]
fn an_amount_that_cannot_be(#[case] amount: Value, #[case] shown: &str) {
    let expected = format!(
        "spec.maxUnavailable: {shown:?} is neither a number of pods, 1 or more, nor a percentage from 1% to 100%"
    );
    assert_eq!(parse(json!({ "maxUnavailable": amount })).unwrap_err(), expected);
}

#[rstest]
#[case("namespaceSelector")]
#[case("workloadSelector")]
fn a_selector_that_cannot_be_evaluated(#[case] field: &str) {
    let spec = |selector: Value| json!({ field: selector });
    assert_eq!(
        parse(spec(json!({ "matchLabels": { "a": "not a value" } }))).unwrap_err(),
        format!("spec.{field}: \"not a value\" is not a value that the label \"a\" can have")
    );
    assert_eq!(
        parse(spec(json!({ "matchExpressions": [{ "key": "a", "operator": "NotIn" }] }))).unwrap_err(),
        format!("spec.{field}: operator NotIn of key \"a\" needs at least one value")
    );
}

#[rstest]
#[case::an_unknown_mode(json!({ "mode": "Dream" }))]
#[case::an_unknown_kind(json!({ "kinds": ["DaemonSet"] }))]
#[case::an_unknown_operator(json!({ "workloadSelector": { "matchExpressions": [{ "key": "a", "operator": "Near" }] } }))]
fn a_value_of_a_newer_definition_does_not_decode(#[case] spec: Value) {
    assert!(serde_json::from_value::<DisruptionPolicy>(enforce("guard").with("/spec", spec)).is_err());
}

#[test]
fn what_belongs_to_no_workload_counts_under_the_policy_of_the_whole_namespace() {
    let named = |name: &str, spec: Value| {
        let raw = json!({ "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "metadata": { "name": name }, "spec": spec });
        let raw: DisruptionPolicy = serde_json::from_value(raw).expect("a policy");
        Settings::try_from(&raw).expect("settings")
    };
    let some = named("some", json!({ "priority": 10, "workloadSelector": { "matchLabels": { "size": "large" } } }));
    let all = named("all", json!({}));
    let namespace = holdfast_model::facts::Namespace::default();
    let deciding = |settings: Vec<Settings>| {
        let policies = holdfast_policy::Policies::new(settings, [], []);
        policies.of_namespace(&namespace).map(|settings| settings.name.to_string())
    };
    assert_eq!(deciding(vec![some.clone(), all]), Some("all".to_owned()));
    assert_eq!(deciding(vec![some]), Some("some".to_owned()), "else the first that is about some of it");
}
