//! What a ResourceSet makes.

use super::expand;
use crate::yaml::{Limits, parse};
use crate::{FileId, flux};

#[track_caller]
fn check(spec: &str, objects: &[&str], told: &[&str]) {
    let text = format!(
        "apiVersion: fluxcd.controlplane.io/v1\nkind: ResourceSet\nmetadata: {{name: apps, namespace: flux-system}}\nspec:\n{spec}"
    );
    let root = parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default()).documents.remove(0);
    let set = flux::object(root, None).unwrap();
    let (made, troubles) = expand(&set);
    let made: Vec<String> = made.iter().map(|node| node.to_json().to_string()).collect();
    assert_eq!(made, objects);
    let messages: Vec<&str> = troubles.iter().map(|trouble| trouble.message.as_str()).collect();
    assert_eq!(messages.len(), told.len(), "{messages:?}");
    for (message, expected) in messages.iter().zip(told) {
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn each_input_makes_the_resources_anew_and_numbers_stay_numbers() {
    let spec = "  inputs:\n  - {name: web, count: 2}\n  - {name: db, count: 1}\n  resources:\n  - {name: << inputs.name >>-app, replicas: << inputs.count >>, text: '<< inputs.count | quote >>'}\n";
    check(
        spec,
        &[r#"{"name":"web-app","replicas":2,"text":"2"}"#, r#"{"name":"db-app","replicas":1,"text":"1"}"#],
        &[],
    );
}

#[test]
fn a_text_of_templates_is_read_after_its_inputs_are_in() {
    let spec = "  inputs: [{team: {name: a}}]\n  resourcesTemplate: |\n    kind: A\n    n: << inputs.team.name >>\n    ---\n    kind: B\n";
    check(spec, &[r#"{"kind":"A","n":"a"}"#, r#"{"kind":"B"}"#], &[]);
}

#[test]
fn what_only_the_cluster_knows_is_told_and_the_rest_is_made() {
    let spec = "  inputs: [{a: 1}]\n  resources:\n  - {x: << range .y >>}\n  - {x: << inputs.a >>}\n";
    check(spec, &[r#"{"x":1}"#], &["range .y"]);
}

#[test]
fn inputs_of_a_provider_are_told() {
    check("  inputsFrom: [{kind: ResourceSetInputProvider, name: p}]\n  resources: [{a: b}]\n", &[], &["provider"]);
}

#[test]
fn without_inputs_resources_are_as_they_are() {
    check("  resources: [{kind: A}]\n", &[r#"{"kind":"A"}"#], &[]);
}
