//! Values that decode, and errors that say where.

use std::collections::BTreeMap;

use holdfast_model::shapes::{Deployment, PodDisruptionBudget};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::{FileId, yaml};

fn document(text: &str) -> Node {
    let file = FileId::new(0).unwrap();
    yaml::parse(file, text.as_bytes(), &yaml::Limits::default()).documents.remove(0)
}

/// Decodes, and tells the error with its place.
#[track_caller]
fn check<T: for<'de> Deserialize<'de> + fmt::Debug>(text: &str, expected: &str) {
    let error = document(text).decode::<T>().expect_err("an error");
    assert_eq!(format!("{}:{} {error}", error.origin.line(), error.origin.column()), expected);
}

#[derive(Debug, PartialEq, Deserialize)]
struct Sample {
    number: u8,
    fraction: Option<f64>,
    #[serde(default)]
    words: BTreeMap<String, Vec<String>>,
    choice: Option<Choice>,
    rest: Option<serde_json::Value>,
}

#[derive(Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Unit,
    New(i64),
    Tuple(bool, bool),
    Named { a: String },
}

#[rstest]
#[case("{number: 7, fraction: 3, words: {a: [b, c]}}", 7, Some(3.0), None)]
#[case("{number: 7, fraction: ~, choice: unit}", 7, None, Some(Choice::Unit))]
#[case("{number: 7, choice: {new: -5}}", 7, None, Some(Choice::New(-5)))]
#[case("{number: 7, choice: {tuple: [true, false]}}", 7, None, Some(Choice::Tuple(true, false)))]
#[case("{number: 7, choice: {named: {a: b}}}", 7, None, Some(Choice::Named { a: "b".to_owned() }))]
fn values(#[case] text: &str, #[case] number: u8, #[case] fraction: Option<f64>, #[case] choice: Option<Choice>) {
    let sample: Sample = document(text).decode().unwrap();
    assert_eq!((sample.number, sample.fraction, sample.choice), (number, fraction, choice));
}

#[rstest]
#[case::a_number_too_large("number: 256", "1:9 number: invalid value: integer `256`, expected u8")]
#[case::a_string("number: seven", "1:9 number: invalid type: string \"seven\", expected u8")]
#[case::a_field_that_is_missing("fraction: 1", "1:1 missing field `number`")]
#[case::deep(
    "number: 1\nwords:\n  a.b:\n    - x\n    - 5\n",
    "5:7 words[a.b][1]: invalid type: integer `5`, expected a string"
)]
#[case::no_such_variant(
    "number: 1\nchoice: other",
    "2:9 choice: unknown variant `other`, expected one of `unit`, `new`, `tuple`, `named`"
)]
#[case::a_variant_without_its_value("number: 1\nchoice: new", "2:9 choice: new needs a value")]
#[case::a_variant_with_a_value("number: 1\nchoice: {unit: 1}", "2:9 choice: unit takes no value")]
#[case::in_a_variant("number: 1\nchoice: {new: x}", "2:15 choice.new: invalid type: string \"x\", expected i64")]
#[case::no_variant(
    "number: 1\nchoice: [1]",
    "2:9 choice: invalid type: sequence, expected a string or a mapping with one key"
)]
fn errors(#[case] text: &str, #[case] expected: &str) {
    check::<Sample>(text, expected);
}

#[test]
fn whatever_it_is_json_can_hold_it() {
    let text = "a: [1, -2, 2.5, true, ~, x]\nb: {c: {}}\n";
    assert_eq!(document(text).decode::<serde_json::Value>().unwrap(), document(text).to_json());
    let again = Node::from(&document(text).to_json());
    assert_eq!(again, document(text));
}

const DEPLOYMENT: &str = concat!(
    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, labels: {app: web}}\n",
    "spec:\n  replicas: 3\n  selector: {matchLabels: {app: web}}\n",
    "  template:\n    metadata: {labels: {app: web}}\n    spec: {containers: [{name: web, image: nginx}]}\n",
);

#[test]
fn a_deployment_decodes_as_from_the_api_server() {
    let from_node: Deployment = document(DEPLOYMENT).decode().unwrap();
    let from_json: Deployment = serde_json::from_value(document(DEPLOYMENT).to_json()).unwrap();
    assert_eq!(format!("{from_node:?}"), format!("{from_json:?}"));
}

#[test]
fn what_the_api_server_would_refuse_says_where() {
    check::<Deployment>(
        &DEPLOYMENT.replace("replicas: 3", "replicas: three"),
        "5:13 spec.replicas: invalid type: string \"three\", expected i32",
    );
    check::<PodDisruptionBudget>(
        "metadata: {name: a}\nspec:\n  selector:\n    matchLabels:\n      app: true\n",
        "5:12 spec.selector.matchLabels.app: invalid type: boolean `true`, expected a string",
    );
}

#[test]
fn a_resource_of_ours_decodes() {
    let text = json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "metadata": { "name": "all" },
        "spec": { "maxUnavailable": "25%", "mode": "Enforce" },
    });
    let from_node: holdfast_api::DisruptionPolicy = Node::from(&text).decode().unwrap();
    let from_json: holdfast_api::DisruptionPolicy = serde_json::from_value(text).unwrap();
    assert_eq!(format!("{from_node:?}"), format!("{from_json:?}"));
}
