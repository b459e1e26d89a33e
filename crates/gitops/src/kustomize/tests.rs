//! Whole builds over folders that only these tests have.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::*;
use crate::yaml::{self, Limits, Refusal};
use crate::{FileId, Node};

/// A checkout in memory.
#[derive(Default)]
pub(super) struct Checkout {
    files: BTreeMap<String, Vec<u8>>,
}

impl Checkout {
    /// Files, each behind a line `== path`.
    pub(super) fn of(text: &str) -> Self {
        let mut files = BTreeMap::new();
        for part in text.split("== ").skip(1) {
            let (path, content) = part.split_once('\n').unwrap();
            files.insert(path.trim().to_owned(), content.as_bytes().to_vec());
        }
        Self { files }
    }
}

impl Files for Checkout {
    fn entry(&self, path: &str) -> Entry {
        match self.files.contains_key(path) {
            true if path.ends_with("outside.yaml") => Entry::Outside,
            true => Entry::File,
            false if path.is_empty() || self.files.keys().any(|file| file.starts_with(&format!("{path}/"))) => {
                Entry::Folder
            }
            false => Entry::Missing,
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.files.keys().filter_map(|file| file.strip_prefix(&prefix));
        let mut names: Vec<String> = below.map(|rest| rest.split('/').next().unwrap().to_owned()).collect();
        names.dedup();
        names
    }

    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable> {
        let content = self.files.get(path).ok_or_else(|| Unreadable("it isn't there".to_owned()))?;
        let parsed = yaml::parse(self.id(path).unwrap(), content, &Limits::default());
        match parsed.error {
            Some(error) => Err(Unreadable(error.to_string())),
            None => Ok(Cow::Owned(parsed.documents)),
        }
    }

    fn refusal(&self, path: &str) -> Option<Refusal> {
        yaml::parse(self.id(path)?, self.files.get(path)?, &Limits::default()).refusal()
    }

    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable> {
        self.files
            .get(path)
            .map(|content| Cow::Borrowed(content.as_slice()))
            .ok_or_else(|| Unreadable("it isn't there".to_owned()))
    }

    fn id(&self, path: &str) -> Option<FileId> {
        self.files.keys().position(|file| file == path).and_then(FileId::new)
    }
}

/// What is built, one line for each object and each problem.
#[track_caller]
fn check(text: &str, folder: &str, expected: &[&str]) {
    check_with(text, folder, &Overlay::none(), expected);
}

#[track_caller]
fn check_with(text: &str, folder: &str, overlay: &Overlay<'_>, expected: &[&str]) {
    let files = Checkout::of(text);
    let built = build(folder, &files, overlay);
    let objects = built.objects.iter().map(|object| {
        let text = |path: &[&str]| object.at(path).and_then(Node::text).unwrap_or_default();
        let namespace = text(&["metadata", "namespace"]);
        format!(
            "{} {namespace}{}{}",
            text(&["kind"]),
            if namespace.is_empty() { "" } else { "/" },
            text(&["metadata", "name"])
        )
    });
    let problems = built.problems.iter().map(|problem| told(&files, problem));
    let found: Vec<String> = objects.chain(problems).collect();
    assert_eq!(found, expected);
}

fn told(files: &Checkout, problem: &Problem) -> String {
    let place = match files.files.keys().nth(problem.at.file().index()) {
        Some(file) => format!("{file}:{}: ", problem.at.line()),
        None => String::new(),
    };
    format!("{place}{:?}: {problem}", problem.kind)
}

const APP: &str = "
== app/kustomization.yaml
resources: [deployment.yaml, settings.yaml]
== app/deployment.yaml
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  template:
    spec:
      containers:
        - name: web
          image: nginx:1
          envFrom: [{configMapRef: {name: settings}}]
== app/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {a: b}
";

#[test]
fn names_in_other_objects_follow() {
    let overlay = "
== top/kustomization.yaml
namePrefix: a-
nameSuffix: -z
namespace: shop
resources: [../app]
";
    let files = Checkout::of(&format!("{APP}{overlay}"));
    let built = build("top", &files, &Overlay::none());
    let deployment =
        built.objects.iter().find(|object| object.get("kind").unwrap().as_str() == Some("Deployment")).unwrap();
    let container = &deployment.at(&["spec", "template", "spec", "containers"]).unwrap().items()[0];
    let named = container.get("envFrom").unwrap().items()[0].at(&["configMapRef", "name"]).unwrap();
    assert_eq!(named.as_str(), Some("a-settings-z"));
    check(&format!("{APP}{overlay}"), "top", &["ConfigMap shop/a-settings-z", "Deployment shop/a-web-z"]);
}

#[test]
fn a_value_stands_where_the_last_who_set_it_set_it() {
    let overlay = "
== top/kustomization.yaml
resources: [../app]
replicas: [{name: web, count: 3}]
patches:
  - target: {kind: Deployment}
    patch: |-
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: any}
      spec:
        minReadySeconds: 5
  - target: {kind: Deployment}
    patch: |-
      - op: replace
        path: /spec/template/spec/containers/0/image
        value: nginx:2
";
    let files = Checkout::of(&format!("{APP}{overlay}"));
    let built = build("top", &files, &Overlay::none());
    let deployment =
        built.objects.iter().find(|object| object.get("kind").unwrap().as_str() == Some("Deployment")).unwrap();
    let place = |path: &str| {
        let origin = deployment.find(path).origin;
        format!("{}:{}", files.files.keys().nth(origin.file().index()).unwrap(), origin.line())
    };
    assert_eq!(place(""), "app/deployment.yaml:1");
    assert_eq!(place("spec.template.spec.containers[0].name"), "app/deployment.yaml:8");
    assert_eq!(place("spec.replicas"), "top/kustomization.yaml:2");
    assert_eq!(place("spec.minReadySeconds"), "top/kustomization.yaml:10");
    assert_eq!(place("spec.template.spec.containers[0].image"), "top/kustomization.yaml:15");
    assert!(built.problems.is_empty(), "{:?}", built.problems);
    assert!(built.read.contains("app/settings.yaml") && built.read.contains("top/kustomization.yaml"));
}

#[test]
fn a_folder_without_a_kustomization_is_built_as_flux_does() {
    let text = "
== apps/one.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: one}}
== apps/deep/two.yml
{apiVersion: v1, kind: ConfigMap, metadata: {name: two}}
== apps/own/kustomization.yaml
resources: [three.yaml]
== apps/own/three.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: three}}
== apps/own/four.yaml
{apiVersion: v1, kind: ConfigMap, metadata: {name: four}}
== apps/readme.md
no YAML
== apps/.sops.yaml
creation_rules: []
";
    check(text, "apps", &["ConfigMap one", "ConfigMap three", "ConfigMap two"]);
}

#[test]
fn what_flux_adds_comes_on_top() {
    let spec = yaml::parse(
        FileId::new(0).unwrap(),
        b"targetNamespace: shop\ncomponents: [../nowhere]\nignoreMissingComponents: true\nimages: [{name: nginx, newTag: '9'}]\n\
          patches: [{patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {a: c}}'}]\n\
          commonMetadata: {labels: {team: a}}\n",
        &Limits::default(),
    )
    .documents
    .remove(0);
    let overlay = Overlay::of_kustomization(&spec);
    check_with(APP, "app", &overlay, &["ConfigMap shop/settings", "Deployment shop/web"]);
    let built = build("app", &Checkout::of(APP), &overlay);
    let text = |index: usize, path: &str| built.objects[index].find(path).node.text().unwrap();
    assert_eq!(text(0, "data.a"), "c");
    assert_eq!(text(0, "metadata.labels.team"), "a");
    assert_eq!(text(1, "spec.template.spec.containers[0].image"), "nginx:9");
}

#[test]
fn post_renderers_patch_what_was_rendered() {
    let objects = build("app", &Checkout::of(APP), &Overlay::none()).objects;
    let renderer = Node::from(&serde_json::json!({
        "patches": [{ "target": { "kind": "Deployment" }, "patch": "[{op: add, path: /spec/replicas, value: 2}]" }],
        "images": [{ "name": "nginx", "newName": "other" }],
    }));
    let built = post_render(objects, &Overlay::of_post_renderer(&renderer));
    let text = |path: &str| built.objects[1].find(path).node.text().unwrap();
    assert_eq!(
        (text("spec.replicas").as_str(), text("spec.template.spec.containers[0].image").as_str()),
        ("2", "other:1")
    );
    assert!(built.problems.is_empty(), "{:?}", built.problems);
}

#[test]
fn a_generated_object_is_called_by_its_content() {
    let text = "
== a/kustomization.yaml
configMapGenerator:
  - name: made
    literals: [a=1]
  - name: plain
    files: [x=note.txt]
    options: {disableNameSuffixHash: true}
secretGenerator:
  - name: hidden
    envs: [vars.env]
== a/note.txt
hello
== a/vars.env
A=1
";
    check(text, "a", &["ConfigMap made-h29d89cmmt", "ConfigMap plain", "Secret hidden-526mcbf5c2"]);
}

#[test]
fn what_is_broken_is_told_and_the_rest_is_built() {
    let text = "
== top/kustomization.yaml
resources:
  - ../app
  - missing.yaml
  - ../../outside
  - broken.yaml
  - ../loop
  - https://example.com/crds.yaml
  - nothing.yaml
  - outside.yaml
components: [../app]
vars: [{name: X}]
unknown: 1
patches:
  - patch: '{apiVersion: v1, kind: ConfigMap, metadata: {name: other}}'
  - target: {kind: Job}
    patch: '[{op: remove, path: /a}]'
  - target: {kind: Deployment}
    patch: '[{op: remove, path: /a}]'
  - path: gone.yaml
== top/broken.yaml
a: [1
== top/nothing.yaml
a: 1
== top/outside.yaml
a: 1
== loop/kustomization.yaml
resources: [../loop]
";
    check(
        &format!("{APP}{text}"),
        "top",
        &[
            "ConfigMap settings",
            "Deployment web",
            "top/kustomization.yaml:11: Unsupported: vars of a kustomization file isn't followed here",
            "top/kustomization.yaml:12: Invalid: unknown is no field of a kustomization file",
            "top/kustomization.yaml:3: Missing: there is no missing.yaml",
            "top/kustomization.yaml:4: OutOfCheckout: ../../outside leads out of the checkout",
            "top/kustomization.yaml:5: Unreadable: top/broken.yaml can't be read: line 1, column 4: unclosed bracket '['",
            "loop/kustomization.yaml:1: Cycle: loop includes itself through top, loop",
            "top/kustomization.yaml:7: Remote: https://example.com/crds.yaml is on a server, so it is passed over here",
            "top/nothing.yaml:1: Unreadable: top/nothing.yaml holds something without a kind, which is no object",
            "top/kustomization.yaml:9: OutOfCheckout: outside.yaml leads out of the checkout",
            "top/kustomization.yaml:10: Invalid: ../app is no component: its kind has to be Component",
            "app/deployment.yaml:1: Clash: Deployment web is there twice in one build",
            "app/settings.yaml:1: Clash: ConfigMap settings is there twice in one build",
            "top/kustomization.yaml:14: TargetMissing: the patch is for ConfigMap other, which isn't there",
            "top/kustomization.yaml:15: MatchesNothing: the patch matches nothing: there is no Job",
            "top/kustomization.yaml:18: PatchFails: Deployment web: there is nothing at /a, where the patch would change something",
            "top/kustomization.yaml:19: Missing: there is no gone.yaml",
        ],
    );
}

#[test]
fn folders_that_include_others_twice_end() {
    let mut text = String::new();
    for level in 0..40 {
        let next = level + 1;
        text.push_str(&format!("== l{level}/kustomization.yaml\nresources: [../l{next}, ../l{next}/]\n"));
    }
    text.push_str("== l40/kustomization.yaml\nresources: []\n");
    let built = build("l0", &Checkout::of(&text), &Overlay::none());
    assert_eq!(built.problems.iter().map(|problem| problem.kind).collect::<Vec<_>>(), [ProblemKind::TooLarge]);
}

#[test]
fn a_folder_that_is_not_there_is_a_problem() {
    check(APP, "elsewhere", &["Missing: there is no folder elsewhere"]);
    check(APP, "app/settings.yaml", &["Missing: app/settings.yaml is a file where a folder is needed"]);
}

#[test]
fn a_file_that_only_kustomize_refuses_is_told_and_judged() {
    check(
        "
== app/kustomization.yaml
resources: [settings.yaml]
== app/settings.yaml
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data:
  80: http
",
        "app",
        &[
            "ConfigMap settings",
            "app/settings.yaml:5: Unreadable: Kustomize refuses app/settings.yaml: the key 80 is no string; put it into quotes",
        ],
    );
}
