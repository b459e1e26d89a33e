//! Selectors as the API evaluates them: each operator, and everything that makes one invalid.

use rstest::rstest;
use serde_json::{Value, json};

use super::{RawSelector, Selection};
use crate::{Labels, Text};

/// Evaluates a selector over labels written as `key=value key=value`, and says how it ended.
#[track_caller]
fn check(selector: Value, labels: &str, expected: &str) {
    let raw: Option<RawSelector> = serde_json::from_value(selector.clone()).unwrap();
    let selection = Selection::parse(raw.as_ref());
    let labels: Labels = labels.split_whitespace().map(|pair| pair.split_once('=').unwrap()).collect();
    let seen = match &selection {
        Selection::Absent => "absent".to_owned(),
        Selection::Invalid(error) => error.to_string(),
        Selection::Valid(_) if selection.matches(&labels) => "selected".to_owned(),
        Selection::Valid(_) => "not selected".to_owned(),
    };
    assert_eq!(seen, expected, "{selector} over {labels:?}");
    assert!(seen == "selected" || !selection.matches(&labels), "what is absent or invalid selects nothing");
}

fn expression(key: &str, operator: &str, values: &[&str]) -> Value {
    json!({ "matchExpressions": [{ "key": key, "operator": operator, "values": values }] })
}

#[rstest]
#[case::an_absent_selector_selects_nothing(json!(null), "app=web", "absent")]
#[case::an_empty_selector_selects_everything(json!({}), "app=web", "selected")]
#[case::an_empty_selector_selects_what_has_no_labels(json!({}), "", "selected")]
#[case::empty_parts_are_an_empty_selector(json!({ "matchLabels": {}, "matchExpressions": [] }), "app=web", "selected")]
#[case::null_parts_are_an_empty_selector(json!({ "matchLabels": null, "matchExpressions": null }), "", "selected")]
#[case::equal(json!({ "matchLabels": { "app": "web" } }), "app=web tier=front", "selected")]
#[case::another_value(json!({ "matchLabels": { "app": "web" } }), "app=api", "not selected")]
#[case::a_missing_label(json!({ "matchLabels": { "app": "web" } }), "tier=front", "not selected")]
#[case::all_pairs_must_hold(json!({ "matchLabels": { "app": "web", "tier": "front" } }), "app=web", "not selected")]
#[case::an_empty_value_is_a_value(json!({ "matchLabels": { "app": "" } }), "app=", "selected")]
#[case::an_empty_value_is_not_a_missing_label(json!({ "matchLabels": { "app": "" } }), "", "not selected")]
fn pairs(#[case] selector: Value, #[case] labels: &str, #[case] expected: &str) {
    check(selector, labels, expected);
}

#[rstest]
#[case::in_one_of_them("In", &["web", "api"], "app=api", "selected")]
#[case::in_none_of_them("In", &["web", "api"], "app=db", "not selected")]
#[case::in_needs_the_label("In", &["web"], "", "not selected")]
#[case::in_with_a_value_twice("In", &["web", "web"], "app=web", "selected")]
#[case::not_in_another("NotIn", &["web"], "app=db", "selected")]
#[case::not_in_one_of_them("NotIn", &["web", "db"], "app=db", "not selected")]
#[case::not_in_holds_without_the_label("NotIn", &["web"], "", "selected")]
#[case::exists("Exists", &[], "app=anything", "selected")]
#[case::exists_with_an_empty_value("Exists", &[], "app=", "selected")]
#[case::exists_needs_the_label("Exists", &[], "tier=front", "not selected")]
#[case::does_not_exist("DoesNotExist", &[], "tier=front", "selected")]
#[case::does_not_exist_fails_with_the_label("DoesNotExist", &[], "app=web", "not selected")]
fn operators(#[case] operator: &str, #[case] values: &[&str], #[case] labels: &str, #[case] expected: &str) {
    check(expression("app", operator, values), labels, expected);
}

#[test]
fn pairs_and_expressions_must_all_hold() {
    let selector = json!({
        "matchLabels": { "app": "web" },
        "matchExpressions": [{ "key": "track", "operator": "NotIn", "values": ["canary"] }],
    });
    check(selector.clone(), "app=web track=stable", "selected");
    check(selector.clone(), "app=web track=canary", "not selected");
    check(selector, "app=api track=stable", "not selected");
}

#[rstest]
#[case::in_without_values(expression("app", "In", &[]), r#"operator In of key "app" needs at least one value"#)]
#[case::not_in_without_values(expression("app", "NotIn", &[]), r#"operator NotIn of key "app" needs at least one value"#)]
#[case::exists_with_values(expression("app", "Exists", &["a"]), r#"operator Exists of key "app" takes no values"#)]
#[case::does_not_exist_with_values(
    expression("app", "DoesNotExist", &["a"]),
    r#"operator DoesNotExist of key "app" takes no values"#
)]
#[case::an_operator_of_another_language(
    expression("app", "Gt", &["1"]),
    r#"operator "Gt" of key "app" is none of In, NotIn, Exists, DoesNotExist"#
)]
#[case::operators_are_case_sensitive(
    expression("app", "in", &["a"]),
    r#"operator "in" of key "app" is none of In, NotIn, Exists, DoesNotExist"#
)]
#[case::no_operator(
    json!({ "matchExpressions": [{ "key": "app" }] }),
    r#"operator "" of key "app" is none of In, NotIn, Exists, DoesNotExist"#
)]
#[case::one_bad_requirement_makes_all_of_it_invalid(
    json!({ "matchLabels": { "app": "web" }, "matchExpressions": [{ "key": "x", "operator": "Near" }] }),
    r#"operator "Near" of key "x" is none of In, NotIn, Exists, DoesNotExist"#
)]
fn what_is_wrong_with_an_expression(#[case] selector: Value, #[case] expected: &str) {
    check(selector, "app=web", expected);
}

#[rstest]
#[case::plain("app")]
#[case::with_a_prefix("app.kubernetes.io/name")]
#[case::one_letter("a")]
#[case::all_kinds_of_signs("a-b_c.D9")]
#[case::the_longest(&"k".repeat(63))]
fn keys_that_are_keys(#[case] key: &str) {
    check(expression(key, "DoesNotExist", &[]), "", "selected");
    check(json!({ "matchLabels": { key: "v" } }), "", "not selected");
}

#[rstest]
#[case::empty("")]
#[case::too_long(&"k".repeat(64))]
#[case::ends_with_a_sign("app-")]
#[case::begins_with_a_sign(".app")]
#[case::a_space("my app")]
#[case::an_empty_prefix("/name")]
#[case::an_empty_name("example.com/")]
#[case::two_slashes("example.com/a/b")]
#[case::a_prefix_in_capitals("Example.com/name")]
#[case::a_prefix_with_an_underscore("my_domain/name")]
#[case::a_prefix_with_two_dots("example..com/name")]
#[case::not_ascii("größe")]
fn keys_that_are_none(#[case] key: &str) {
    let expected = format!("{key:?} is not a label key");
    check(expression(key, "Exists", &[]), "app=web", &expected);
    check(json!({ "matchLabels": { key: "v" } }), "app=web", &expected);
}

#[rstest]
#[case::too_long(&"v".repeat(64))]
#[case::ends_with_a_sign("web-")]
#[case::a_space("my web")]
#[case::a_slash("a/b")]
fn values_that_are_none(#[case] value: &str) {
    let expected = format!("{value:?} is not a value that the label \"app\" can have");
    check(expression("app", "In", &[value]), "app=web", &expected);
    check(expression("app", "NotIn", &[value]), "app=web", &expected);
    check(json!({ "matchLabels": { "app": value } }), "app=web", &expected);
}

#[rstest]
#[case::pairs(json!({ "matchLabels": { "a": "1", "b": "2" } }))]
#[case::an_in_of_one_value_stays_an_expression(expression("a", "In", &["1"]))]
#[case::every_operator(json!({
    "matchLabels": { "a": "1" },
    "matchExpressions": [
        { "key": "b", "operator": "In", "values": ["2", "1"] },
        { "key": "c", "operator": "NotIn", "values": ["x"] },
        { "key": "d", "operator": "Exists" },
        { "key": "e", "operator": "DoesNotExist" },
    ],
}))]
#[case::empty(json!({}))]
fn a_selector_is_written_back_as_it_was_read(#[case] selector: Value) {
    let raw: RawSelector = serde_json::from_value(selector.clone()).unwrap();
    let Selection::Valid(read) = Selection::parse(Some(&raw)) else { panic!("{selector} is valid") };
    assert_eq!(serde_json::to_value(read.to_raw()).unwrap(), selector);
}

#[rstest]
#[case::every_list_of_values(
    json!({ "matchExpressions": [
        { "key": "b", "operator": "In", "values": ["2", "1"] }, { "key": "c", "operator": "In", "values": ["x"] },
    ] }),
    &["b=2,1", "c=x"]
)]
#[case::a_pair(json!({ "matchLabels": { "a": "1" } }), &["a=1"])]
#[case::none_is_demanded(expression("a", "NotIn", &["1"]), &[])]
#[case::a_key_alone_is_no_pair(expression("a", "Exists", &[]), &[])]
#[case::nothing(json!({}), &[])]
fn what_an_index_is_asked_for(#[case] selector: Value, #[case] expected: &[&str]) {
    let raw: RawSelector = serde_json::from_value(selector).unwrap();
    let Selection::Valid(selector) = Selection::parse(Some(&raw)) else { panic!("valid") };
    let demands = selector.demands().map(|(key, values)| {
        let values: Vec<&str> = values.iter().map(Text::as_str).collect();
        format!("{key}={}", values.join(","))
    });
    assert_eq!(demands.collect::<Vec<_>>(), expected);
}
