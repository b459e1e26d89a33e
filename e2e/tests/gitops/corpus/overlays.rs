//! Kustomization files around those objects: a base or two, sometimes a component, and the overlay that is built.

use fastrand::Rng;
use serde_json::{Map, Value, json};

use super::objects::{self, ALL};
use super::{Files, one_of, patches, some_of, text};

/// Writes all files of a case.
pub(super) fn write(random: &mut Rng, files: &mut Files) {
    let mut present = some_of(random, &ALL, 3);
    if present.is_empty() {
        present.push(ALL[0]);
    }
    let base = base(random, files, &present);
    let middle = random.u8(..3) == 0;
    if middle {
        let it = overlay(random, files, "middle", &["../base"], &present);
        files.insert("middle/kustomization.yaml".to_owned(), text(&Value::Object(it)));
    }
    files.insert("base/kustomization.yaml".to_owned(), text(&Value::Object(base)));
    let below: &[&str] = if middle { &["../middle"] } else { &["../base"] };
    let mut it = overlay(random, files, "overlay", below, &present);
    if random.u8(..4) == 0 {
        let mut component = overlay(random, files, "component", &[], &present);
        component.insert("apiVersion".to_owned(), json!("kustomize.config.k8s.io/v1alpha1"));
        component.insert("kind".to_owned(), json!("Component"));
        component.remove("resources");
        files.insert("component/kustomization.yaml".to_owned(), text(&Value::Object(component)));
        it.insert("components".to_owned(), json!(["../component"]));
    }
    match random.u8(..12) {
        0 => drop(it.insert("sortOptions".to_owned(), json!({ "order": "fifo" }))),
        1 => drop(it.insert("sortOptions".to_owned(), json!({ "order": "legacy", "legacySortOptions": { "orderFirst": ["Widget", "Deployment"], "orderLast": ["ConfigMap"] } }))),
        2 => drop(it.insert("buildMetadata".to_owned(), json!(["managedByLabel"]))),
        _ => {}
    }
    files.insert("overlay/kustomization.yaml".to_owned(), text(&Value::Object(it)));
}

fn base(random: &mut Rng, files: &mut Files, present: &[(&str, &str)]) -> Map<String, Value> {
    let mut it = Map::new();
    let mut resources = Vec::new();
    let all: Vec<Value> = present.iter().map(|(kind, name)| objects::object(random, kind, name)).collect();
    if random.u8(..6) == 0 {
        resources.push("list.yaml".to_owned());
        files.insert("base/list.yaml".to_owned(), text(&json!({ "apiVersion": "v1", "kind": "List", "items": all })));
    } else {
        for (index, object) in all.iter().enumerate() {
            let name = format!("object-{index}.yaml");
            files.insert(format!("base/{name}"), text(object));
            resources.push(name);
        }
    }
    it.insert("resources".to_owned(), json!(resources));
    if random.bool() {
        it.insert("configMapGenerator".to_owned(), json!([generator(random, "made", "base", files)]));
    }
    if random.u8(..3) == 0 {
        it.insert("secretGenerator".to_owned(), json!([generator(random, "hidden", "base", files)]));
    }
    if random.u8(..5) == 0 {
        it.insert(
            "generatorOptions".to_owned(),
            json!({ "labels": { "made": "yes" }, "annotations": { "a": "b" }, "disableNameSuffixHash": random.bool() }),
        );
    }
    names(random, &mut it);
    it
}

fn generator(random: &mut Rng, name: &str, folder: &str, files: &mut Files) -> Value {
    let mut it = json!({ "name": name });
    if 0 < random.u8(..4) {
        it["literals"] = json!(["a=1", "b=\"x y\"", "c=<&>='ü", "d="]);
    }
    if random.u8(..3) == 0 {
        files.insert(format!("{folder}/plain.txt"), "some\ntext: \"quoted\"\n\ttab\n".to_owned());
        it["files"] = json!(["plain.txt", "other=plain.txt"]);
    }
    if random.u8(..4) == 0 {
        files.insert(format!("{folder}/vars.env"), "# comment\nE=1\n  F=two words \nG\n".to_owned());
        it["envs"] = json!(["vars.env"]);
    }
    if random.u8(..4) == 0 {
        it["options"] =
            json!({ "labels": { "own": "label" }, "immutable": true, "disableNameSuffixHash": random.bool() });
    }
    if random.u8(..8) == 0 {
        it["namespace"] = json!("shop");
    }
    if name == "hidden" && random.bool() {
        it["type"] = json!("example.com/kind");
    }
    it
}

fn names(random: &mut Rng, it: &mut Map<String, Value>) {
    if random.u8(..4) == 0 {
        it.insert("namespace".to_owned(), json!(one_of(random, &["shop", "other"])));
    }
    if random.u8(..4) == 0 {
        it.insert("namePrefix".to_owned(), json!(one_of(random, &["a-", "b-"])));
    }
    if random.u8(..5) == 0 {
        it.insert("nameSuffix".to_owned(), json!("-z"));
    }
}

fn overlay(
    random: &mut Rng,
    files: &mut Files,
    folder: &str,
    below: &[&str],
    present: &[(&str, &str)],
) -> Map<String, Value> {
    let mut it = Map::new();
    it.insert("resources".to_owned(), json!(below));
    names(random, &mut it);
    labels(random, &mut it);
    if random.bool() {
        let count = random.usize(1..4);
        let mut all: Vec<Value> = (0..count).map(|_| patches::entry(random, present)).collect();
        if random.u8(..3) == 0 {
            let (kind, name) = one_of(random, present);
            files.insert(format!("{folder}/patch.yaml"), text(&patches::merge(random, kind, name)));
            all.push(json!({ "path": "patch.yaml" }));
        }
        it.insert("patches".to_owned(), json!(all));
    }
    if random.u8(..6) == 0 {
        let (kind, name) = one_of(random, present);
        it.insert("patchesStrategicMerge".to_owned(), json!([text(&patches::merge(random, kind, name))]));
    }
    if random.u8(..8) == 0 {
        let (kind, name) = one_of(random, present);
        files.insert(format!("{folder}/operations.yaml"), text(&patches::operations(random, kind)));
        it.insert(
            "patchesJson6902".to_owned(),
            json!([{ "path": "operations.yaml", "target": { "kind": kind, "version": "v1.*", "name": name } }]),
        );
    }
    images_and_replicas(random, &mut it, present);
    if random.u8(..5) == 0 {
        let (name, behavior) =
            one_of(random, &[("made", "merge"), ("made", "replace"), ("more", "create"), ("settings", "merge")]);
        let mut made = generator(random, name, folder, files);
        made["behavior"] = json!(behavior);
        it.insert("configMapGenerator".to_owned(), json!([made]));
    }
    if random.u8(..4) == 0 {
        it.insert("replacements".to_owned(), json!([replacement(random, present)]));
    }
    it
}

fn labels(random: &mut Rng, it: &mut Map<String, Value>) {
    if random.u8(..4) == 0 {
        it.insert("commonLabels".to_owned(), json!({ "team": "a", "yes": "no" }));
    }
    if random.u8(..4) == 0 {
        let mut label = json!({ "pairs": { "owner": "b", "number": "5" } });
        match random.u8(..4) {
            0 => label["includeSelectors"] = json!(true),
            1 => label["includeTemplates"] = json!(true),
            2 => label["fields"] = json!([{ "path": "spec/deep/labels", "kind": "Widget", "create": true }]),
            _ => {}
        }
        it.insert("labels".to_owned(), json!([label]));
    }
    if random.u8(..5) == 0 {
        it.insert("commonAnnotations".to_owned(), json!({ "contact": "c@example.com" }));
    }
}

fn images_and_replicas(random: &mut Rng, it: &mut Map<String, Value>, present: &[(&str, &str)]) {
    let images = [
        json!({ "name": "nginx", "newTag": "1.99" }),
        json!({ "name": "nginx", "newName": "registry:5000/nginx" }),
        json!({ "name": "docker.io/library/redis", "digest": "sha256:ff" }),
        json!({ "name": "busybox", "newName": "box", "newTag": "2", "digest": "sha256:aa" }),
        json!({ "name": "ghcr.io:443/a/b", "tagSuffix": "-alpine" }),
        json!({ "name": "patched", "newTag": "2" }),
    ];
    if random.u8(..3) == 0 {
        it.insert("images".to_owned(), json!(some_of(random, &images, 2)));
    }
    let scalable: Vec<&str> = present
        .iter()
        .filter(|(kind, _)| ["Deployment", "StatefulSet"].contains(kind))
        .map(|(_, name)| *name)
        .collect();
    if random.u8(..5) == 0 && !scalable.is_empty() {
        let name = one_of(random, &scalable);
        it.insert("replicas".to_owned(), json!([{ "name": name, "count": random.u8(..9) }]));
    }
}

fn replacement(random: &mut Rng, present: &[(&str, &str)]) -> Value {
    let (kind, name) = one_of(random, present);
    let (other, _) = one_of(random, present);
    let mut it = match random.u8(..5) {
        0 => json!({ "sourceValue": one_of(random, &["plain", "5", "true"]) }),
        1 => {
            json!({ "source": { "kind": kind, "name": name, "fieldPath": "apiVersion", "options": { "delimiter": "/", "index": 0 } } })
        }
        2 => {
            json!({ "source": { "kind": kind, "name": name, "fieldPath": "metadata.name", "options": { "delimiter": "e", "index": 0 } } })
        }
        _ => json!({ "source": { "kind": kind, "name": name } }),
    };
    let is_workload = ["Deployment", "StatefulSet", "DaemonSet", "Job"].contains(&other);
    let paths: &[&str] = match random.u8(..6) {
        0 => &["metadata.annotations.copied"],
        1 if is_workload => &["spec.template.spec.containers.[name=app].image", "metadata.labels.from"],
        2 if is_workload => &["spec.template.spec.containers.0.env.[name=A].value"],
        3 => &["metadata.annotations.[example.com/a.b]"],
        4 if is_workload => &["spec.template.spec.containers.0.args.0"],
        _ => &["spec.new.path"],
    };
    let mut target =
        json!({ "select": { "kind": other }, "fieldPaths": paths, "options": { "create": 0 < random.u8(..12) } });
    match random.u8(..5) {
        0 => target["reject"] = json!([{ "name": "api" }]),
        1 => target["select"] = json!({ "kind": other, "labelSelector": "app" }),
        2 => target["options"] = json!({ "create": true, "delimiter": "-", "index": one_of(random, &[0, 1, 99, -1]) }),
        _ => {}
    }
    it["targets"] = json!([target]);
    it
}
