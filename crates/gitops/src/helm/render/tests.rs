//! Rendering, with a program that behaves like Helm in the ways that matter.

#![cfg(unix)]

use std::os::unix::fs::PermissionsExt as _;

use holdfast_model::Confidence;

use crate::checkout::Tree;
use crate::helm::tests::objects;
use crate::helm::{self, Expanded, HelmMode, HelmOptions};
use crate::test_checkout::checkout;

const RELEASE: &str = "apiVersion: helm.toolkit.fluxcd.io/v2\nkind: HelmRelease\nmetadata: {name: web, namespace: shop}\nspec:\n  chart: {spec: {chart: ./charts/web, sourceRef: {kind: GitRepository, name: home}}}\n  values: {replicaCount: 2}\n";

fn run(script: &str, mode: HelmMode) -> Expanded {
    let checkout = checkout(&format!("### charts/web/Chart.yaml\nname: web\n### helm\n#!/bin/sh\n{script}\n"));
    let program = checkout.path().join("helm");
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let options = HelmOptions { mode, program, ..HelmOptions::default() };
    expand(&checkout.tree(), &options)
}

fn expand(tree: &Tree, options: &HelmOptions) -> Expanded {
    let objects = objects(RELEASE);
    helm::expand(tree, &objects, &helm::known(&objects), options).into_iter().next().unwrap()
}

#[track_caller]
fn check(script: &str, confidence: Option<Confidence>, trouble: Option<&str>) -> Expanded {
    let expanded = run(script, HelmMode::Auto);
    assert_eq!(expanded.objects.first().map(|object| object.confidence), confidence);
    match (&expanded.trouble, trouble) {
        (None, None) => {}
        (Some(found), Some(expected)) => assert!(found.message.contains(expected), "{}", found.message),
        (found, expected) => panic!("{found:?} and not {expected:?}"),
    }
    expanded
}

#[test]
fn what_helm_prints_is_what_there_is() {
    let script = r#"printf 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: %s}\nspec: {template: {a: ' "$2"; cat; printf '}}\n'"#;
    let expanded = check(script, Some(Confidence::Rendered), None);
    let object = &expanded.objects[0];
    assert_eq!((&*object.namespace, &*object.name), ("shop", "web"));
    assert_eq!(object.root.find("spec.template.a.replicaCount").node.as_integer(), Some(2));
    // It stands where the release does.
    assert_eq!(object.root.find("spec").origin.line(), 3);
}

#[test]
fn what_helm_refuses_is_told_and_inferred() {
    check("echo 'Error: no such value' >&2; exit 1", Some(Confidence::Inferred), Some("no such value"));
}

#[test]
fn what_a_schema_rejects_is_said_of_the_value_and_not_twice() {
    let complaint = "Error: values don't meet the specifications of the schema(s) in the following chart(s):\nweb:\n- replicas: Invalid type. Expected: integer, given: string";
    let expanded =
        check(&format!("cat >/dev/null; echo \"{complaint}\" >&2; exit 1"), Some(Confidence::Inferred), None);
    assert_eq!(expanded.checked.unwrap().rejected[0].field, "spec.values.replicas");
}

#[test]
fn what_is_no_yaml_is_told_and_inferred() {
    check("cat >/dev/null; echo 'a: [' ", Some(Confidence::Inferred), Some("no YAML"));
}

#[test]
fn without_helm_it_is_inferred_and_told_only_when_asked_for() {
    let options = |mode| HelmOptions { mode, program: "/no/such/helm".into(), ..HelmOptions::default() };
    let checkout = checkout("### charts/web/Chart.yaml\nname: web\n");
    let told = |mode| expand(&checkout.tree(), &options(mode)).trouble.is_some();
    assert!(!told(HelmMode::Auto));
    assert!(told(HelmMode::Always));
}
