//! What a renderer printed, beside the files.

use holdfast_model::Confidence;

use super::join;
use crate::helm::tests::objects;
use crate::raw::unpacked;
use crate::yaml::{Limits, parse};
use crate::{FileId, Node, Object};

const FILES: &str = "apiVersion: helm.toolkit.fluxcd.io/v2
kind: HelmRelease
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: db, namespace: shop}
spec:
  replicas: 1
";

fn printed(text: &str) -> Vec<Node> {
    let parsed = parse(FileId::new(7).unwrap(), text.as_bytes(), &Limits::default());
    parsed.documents.iter().flat_map(unpacked).cloned().collect()
}

#[track_caller]
fn check(text: &str, joined: &[(&str, Confidence, (usize, u32))], left: usize) -> Vec<Object> {
    let mut objects = objects(FILES);
    let rest = join(&mut objects, printed(text));
    let found: Vec<_> = objects
        .iter()
        .filter(|object| object.kind == "Deployment")
        .map(|object| {
            let origin = object.root.find("spec.replicas").origin;
            (&*object.name, object.confidence, (origin.file().index(), origin.line()))
        })
        .collect();
    assert_eq!(found, joined);
    assert_eq!(rest.len(), left);
    objects
}

#[test]
fn what_stands_in_a_file_is_found_there() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: db, namespace: shop}\nspec: {replicas: 3}\n";
    let objects = check(text, &[("db", Confidence::Rendered, (0, 9))], 0);
    assert_eq!(objects[1].root.find("spec.replicas").node.as_integer(), Some(3));
}

#[test]
fn what_a_release_made_stands_where_the_release_does() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop, annotations: {meta.helm.sh/release-name: web, meta.helm.sh/release-namespace: shop}}\nspec: {replicas: 3}\n";
    check(text, &[("db", Confidence::Declared, (0, 9)), ("web", Confidence::Rendered, (0, 3))], 0);
}

#[test]
fn what_belongs_to_nothing_is_given_back() {
    let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x, namespace: y}\n";
    check(text, &[("db", Confidence::Declared, (0, 9))], 1);
}
