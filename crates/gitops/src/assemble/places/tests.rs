//! Where fields were written.

use holdfast_model::{Confidence, Locate as _, Subject};

use crate::test_checkout::checkout;

const TEXT: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels:
    app.kubernetes.io/name: web
spec:
  replicas: 2
  template:
    spec:
      containers:
      - name: a
      - name: b
        image: x
";

#[track_caller]
fn check(field: &str, line: u32) {
    let read = checkout(&format!("### web.yaml\n{TEXT}")).read();
    let subject = Subject { kind: "Deployment", namespace: "".into(), name: "web".into() };
    let located = read.clusters[0].places.locate(&subject, field).expect("it is somewhere");
    assert_eq!((located.position.line, located.confidence), (line, Confidence::Declared), "{field}");
}

#[test]
fn a_field_that_is_there_is_found() {
    check("spec.replicas", 8);
    check("metadata.labels[app.kubernetes.io/name]", 6);
    check("spec.template.spec.containers[1].image", 14);
}

#[test]
fn one_that_is_not_is_shown_where_the_nearest_above_is() {
    check("spec.template.spec.containers[0].resources.limits", 12);
    check("spec.strategy", 7);
    check("status.replicas", 1);
    check("", 1);
}
