//! An outline tells the same place of every field as the object that it was made of.

use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::{Confidence, ObjectKey};

use super::Outlines;
use crate::yaml::{Limits, parse};
use crate::{FileId, Node, Object, Origin};

const METADATA: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: web\n";
const SPEC: &str = "spec:\n  replicas: 2\n  ports: {80: http, 443: https}\n  template:\n    spec:\n      containers:\n      - name: a\n      - name: b\n        args: [x, y]\n";

fn object(text: &str, labelled: bool) -> Object {
    let parsed = parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default());
    let key = ObjectKey::new("flux-system", "apps");
    Object {
        api_version: "apps/v1".into(),
        kind: "Deployment".into(),
        namespace: "".into(),
        name: "web".into(),
        root: parsed.documents.into_iter().next().unwrap(),
        confidence: Confidence::Declared,
        owner: Some(FluxOwner { kind: FluxKind::Kustomization, key }),
        labelled: labelled.then(|| Origin::new(FileId::new(1).unwrap(), 7, 3)),
    }
}

/// Every path that is asked for, there or not.
#[track_caller]
fn check(text: &str, labelled: bool) {
    let object = object(text, labelled);
    let mut outlines = Outlines::default();
    let other = outlines.add(&object);
    let outline = outlines.add(&object);
    let whole: Node = object.whole().into_owned();
    for path in [
        "",
        "metadata",
        "metadata.name",
        "metadata.namespace",
        "metadata.labels",
        "metadata.labels.app",
        "metadata.labels.other",
        "metadata.labels[kustomize.toolkit.fluxcd.io/name]",
        "metadata.labels[kustomize.toolkit.fluxcd.io/namespace].x",
        "metadata.annotations",
        "spec.replicas",
        "spec.replicas.x",
        "spec.ports[80]",
        "spec.ports[8080]",
        "spec.ports.https",
        "spec.template.spec.containers",
        "spec.template.spec.containers[0].name",
        "spec.template.spec.containers[1].args[1]",
        "spec.template.spec.containers[1].args[2]",
        "spec.template.spec.containers[2]",
        "spec.template.spec.containers.name",
        "status",
    ] {
        let places = [&outline, &other].map(|outline| outlines.find(outline, path));
        assert_eq!(places, [whole.find(path).origin; 2], "{path}");
    }
}

#[test]
fn an_object_as_it_is_written() {
    check(&format!("{METADATA}{SPEC}"), false);
    check(&format!("{METADATA}  labels: {{app: web}}\n{SPEC}"), false);
    check("just text", false);
}

#[test]
fn an_object_with_the_labels_of_its_owner() {
    check(&format!("{METADATA}{SPEC}"), true);
    check(&format!("{METADATA}  labels:\n    app: web\n    kustomize.toolkit.fluxcd.io/name: mine\n{SPEC}"), true);
    check(&format!("{METADATA}  labels:\n{SPEC}"), true);
    check(&format!("metadata: none\n{SPEC}"), true);
    check("[a, b]", true);
}

#[test]
fn what_stands_where_the_field_above_does_is_not_kept() {
    let at = Origin::new(FileId::new(0).unwrap(), 3, 5);
    let mut object = object(METADATA, false);
    object.root = Node::from_json(&serde_json::json!({ "spec": { "a": [1, { "b": null }], "c": "d" } }), at);
    let mut outlines = Outlines::default();
    let outline = outlines.add(&object);
    assert_eq!((outline.0.len(), outlines.find(&outline, "spec.a[1].b")), (1, at));
}
