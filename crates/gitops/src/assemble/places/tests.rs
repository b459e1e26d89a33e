//! Where fields were written.

use holdfast_model::Confidence;

use super::Fields;
use crate::flux;
use crate::yaml::{Limits, parse};
use crate::{FileId, Object};

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

fn object() -> Object {
    let parsed = parse(FileId::new(0).unwrap(), TEXT.as_bytes(), &Limits::default());
    flux::object(parsed.documents[0].clone(), None).unwrap()
}

#[track_caller]
fn check(field: &str, line: u32) {
    let object = object();
    let fields = Fields::of(&object);
    assert_eq!(fields.find(field).line(), line, "{field}");
    assert_eq!(fields.confidence, Confidence::Declared);
    // As the tree itself would say.
    assert_eq!(fields.find(field), object.root.find(field).origin, "{field}");
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
