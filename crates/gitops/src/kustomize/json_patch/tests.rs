//! Operations, one at a time.

use rstest::rstest;
use serde_json::{Value as Json, json};

use super::*;

fn patched(object: &Json, operations: &Json) -> Result<Json, Problem> {
    let operations = Node::from(operations);
    apply(&Node::from(object), operations.items()).map(|node| node.to_json())
}

#[track_caller]
fn check(operation: Json, expected: Json) {
    let object = json!({ "a": { "b": [1, 2] }, "c~/d": 0 });
    assert_eq!(patched(&object, &json!([operation])).unwrap(), expected);
}

#[rstest]
#[case::into_a_mapping(json!({ "op": "add", "path": "/a/x", "value": 3 }), json!({ "a": { "b": [1, 2], "x": 3 }, "c~/d": 0 }))]
#[case::over_what_is_there(json!({ "op": "add", "path": "/a", "value": 3 }), json!({ "a": 3, "c~/d": 0 }))]
#[case::at_the_end(json!({ "op": "add", "path": "/a/b/-", "value": 3 }), json!({ "a": { "b": [1, 2, 3] }, "c~/d": 0 }))]
#[case::amid(json!({ "op": "add", "path": "/a/b/1", "value": 3 }), json!({ "a": { "b": [1, 3, 2] }, "c~/d": 0 }))]
#[case::from_the_end(json!({ "op": "remove", "path": "/a/b/-1" }), json!({ "a": { "b": [1] }, "c~/d": 0 }))]
#[case::replaced(json!({ "op": "replace", "path": "/a/b/0", "value": 3 }), json!({ "a": { "b": [3, 2] }, "c~/d": 0 }))]
#[case::what_is_missing_can_be_replaced(json!({ "op": "replace", "path": "/z", "value": 3 }), json!({ "a": { "b": [1, 2] }, "c~/d": 0, "z": 3 }))]
#[case::escaped(json!({ "op": "remove", "path": "/c~0~1d" }), json!({ "a": { "b": [1, 2] } }))]
#[case::moved(json!({ "op": "move", "from": "/a/b", "path": "/b" }), json!({ "a": {}, "b": [1, 2], "c~/d": 0 }))]
#[case::copied(json!({ "op": "copy", "from": "/a/b/0", "path": "/e" }), json!({ "a": { "b": [1, 2] }, "c~/d": 0, "e": 1 }))]
#[case::tested(json!({ "op": "test", "path": "/a/b", "value": [1, 2] }), json!({ "a": { "b": [1, 2] }, "c~/d": 0 }))]
#[case::without_a_value(json!({ "op": "add", "path": "/n" }), json!({ "a": { "b": [1, 2] }, "c~/d": 0, "n": null }))]
fn operations(#[case] operation: Json, #[case] expected: Json) {
    check(operation, expected);
}

#[rstest]
#[case::nothing_to_remove(json!({ "op": "remove", "path": "/z" }))]
#[case::nothing_on_the_way(json!({ "op": "add", "path": "/z/y", "value": 1 }))]
#[case::past_the_end(json!({ "op": "add", "path": "/a/b/3", "value": 1 }))]
#[case::no_index(json!({ "op": "replace", "path": "/a/b/x", "value": 1 }))]
#[case::before_the_beginning(json!({ "op": "remove", "path": "/a/b/-3" }))]
#[case::through_a_scalar(json!({ "op": "add", "path": "/a/b/0/x", "value": 1 }))]
#[case::a_test_that_fails(json!({ "op": "test", "path": "/a", "value": 1 }))]
#[case::no_operation(json!({ "op": "merge", "path": "/a" }))]
#[case::no_path(json!({ "op": "remove" }))]
#[case::no_source(json!({ "op": "copy", "path": "/a" }))]
fn what_cannot_be_done_changes_nothing(#[case] operation: Json) {
    let first = json!({ "op": "add", "path": "/first", "value": 1 });
    assert!(patched(&json!({ "a": { "b": [1, 2] } }), &json!([first, operation])).is_err());
}

#[test]
fn a_value_that_is_copied_into_itself_again_and_again_is_an_error() {
    let operations: Json =
        (0..60).map(|index| json!({ "op": "copy", "from": "/a", "path": format!("/a/{index}") })).collect();
    let problem = patched(&json!({ "a": { "x": [1, 2, 3] } }), &operations).unwrap_err();
    assert!(problem.message.contains("larger"), "{problem}");
}
