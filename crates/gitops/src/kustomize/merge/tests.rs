//! Objects and patches, and what becomes of them.

use rstest::rstest;
use serde_json::{Value as Json, json};

use super::*;
use crate::FileId;
use crate::yaml::{self, Limits};

fn read(file: usize, text: &str) -> Node {
    let file = FileId::new(file).unwrap();
    yaml::parse(file, text.as_bytes(), &Limits::default()).documents.remove(0)
}

/// What becomes of an object; of a Deployment's pod spec when it has containers.
#[track_caller]
fn check(object: &str, patch: &str, expected: Json) {
    let merged = merge(&read(0, object), &read(1, patch)).unwrap();
    assert_eq!(merged.as_ref().map_or(Json::Null, Node::to_json), expected);
}

/// What becomes of the pod spec of a Deployment.
#[track_caller]
fn check_pods(spec: &str, patch: &str, expected: Json) {
    let whole = |spec: &str| format!("{{apiVersion: apps/v1, kind: Deployment, spec: {{template: {{spec: {spec}}}}}}}");
    let merged = merge(&read(0, &whole(spec)), &read(1, &whole(patch))).unwrap().unwrap();
    assert_eq!(merged.at(&["spec", "template", "spec"]).map_or(Json::Null, Node::to_json), expected);
}

#[rstest]
#[case::fields_are_merged("a: {b: 1, c: 2}", "a: {c: 3, d: 4}", json!({ "a": { "b": 1, "c": 3, "d": 4 } }))]
#[case::lists_are_replaced("a: [1, 2]", "a: [3]", json!({ "a": [3] }))]
#[case::null_takes_away("a: 1\nb: {c: 1}\nd: [1]", "a: ~\nb: ~\nd: ~", json!({}))]
#[case::null_in_what_is_added_goes("a: 1", "b: {c: ~, d: {e: ~}}", json!({ "a": 1, "b": { "d": {} } }))]
#[case::null_of_the_object_stays("a: null\nb: {c: ~}", "d: 1", json!({ "a": null, "b": { "c": null }, "d": 1 }))]
#[case::null_that_is_left_out_goes("a:\nb: 1", "d: 1", json!({ "b": 1, "d": 1 }))]
#[case::replace("a: {b: 1}", "a: {$patch: replace, c: 2}", json!({ "a": { "c": 2 } }))]
#[case::delete("a: {b: 1}\nc: 1", "a: {$patch: delete}", json!({ "c": 1 }))]
#[case::delete_all("a: 1", "$patch: delete", Json::Null)]
#[case::said_twice("a: {b: 1}", "a: {$patch: merge, c: 2}", json!({ "a": { "b": 1, "c": 2 } }))]
fn mappings(#[case] object: &str, #[case] patch: &str, #[case] expected: Json) {
    check(object, patch, expected);
}

#[rstest]
#[case::the_patch_comes_first(
    "{containers: [{name: a, image: x}]}",
    "{containers: [{name: b}, {name: a, image: y}]}",
    json!({ "containers": [{ "name": "b" }, { "name": "a", "image": "y" }] })
)]
#[case::the_rest_keeps_its_order(
    "{containers: [{name: a}, {name: b}, {name: c}]}",
    "{containers: [{name: c, image: y}]}",
    json!({ "containers": [{ "name": "c", "image": "y" }, { "name": "a" }, { "name": "b" }] })
)]
#[case::an_item_is_deleted(
    "{containers: [{name: a}, {name: b}]}",
    "{containers: [{name: a, $patch: delete}]}",
    json!({ "containers": [{ "name": "b" }] })
)]
#[case::all_items_are_replaced(
    "{containers: [{name: a}]}",
    "{containers: [{$patch: replace}, {name: b}]}",
    json!({ "containers": [{ "name": "b" }] })
)]
#[case::variables_within_containers(
    "{containers: [{name: a, env: [{name: X, value: '1'}, {name: Y, value: '2'}]}]}",
    "{containers: [{name: a, env: [{name: Y, value: '3'}]}]}",
    json!({ "containers": [{ "name": "a", "env": [{ "name": "Y", "value": "3" }, { "name": "X", "value": "1" }] }] })
)]
#[case::ports_by_number_and_protocol(
    "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP}, {containerPort: 53, protocol: TCP}]}]}",
    "{containers: [{name: a, ports: [{containerPort: 53, protocol: UDP, name: dns}]}]}",
    json!({ "containers": [{ "name": "a", "ports": [
        { "containerPort": 53, "protocol": "UDP", "name": "dns" }, { "containerPort": 53, "protocol": "TCP" } ] }] })
)]
#[case::tolerations_have_no_key(
    "{tolerations: [{key: a}]}",
    "{tolerations: [{key: b}]}",
    json!({ "tolerations": [{ "key": "b" }] })
)]
fn pods(#[case] spec: &str, #[case] patch: &str, #[case] expected: Json) {
    check_pods(spec, patch, expected);
}

#[test]
fn lists_of_custom_resources_are_replaced() {
    let object = "{apiVersion: example.com/v1, kind: Widget, spec: {containers: [{name: a}]}}";
    let patch = "{apiVersion: example.com/v1, kind: Widget, spec: {containers: [{name: b}]}}";
    let expected =
        json!({ "apiVersion": "example.com/v1", "kind": "Widget", "spec": { "containers": [{ "name": "b" }] } });
    check(object, patch, expected);
}

#[test]
fn what_a_patch_sets_stands_in_the_patch() {
    let merged = merge(&read(0, "a: 1\nb:\n  c: 2\n  d: 3\n"), &read(1, "\nb:\n  d: 4\n")).unwrap().unwrap();
    let place = |path: &str| {
        let found = merged.find(path);
        (found.origin.file().index(), found.origin.line())
    };
    assert_eq!([place("a"), place("b"), place("b.c"), place("b.d")], [(0, 1), (0, 2), (0, 3), (1, 3)]);
}

#[rstest]
#[case::another_kind_of_value("a: {b: 1}", "a: [1]")]
#[case::a_directive_that_is_none("a: {b: 1}", "a: {$patch: remove}")]
fn a_patch_that_cannot_be_applied_says_where(#[case] object: &str, #[case] patch: &str) {
    let problem = merge(&read(0, object), &read(1, patch)).unwrap_err();
    assert_eq!((problem.kind, problem.at.file().index(), problem.at.line()), (ProblemKind::PatchFails, 1, 1));
}
