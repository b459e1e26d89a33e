//! What to begin with: the manifests of the checkout (the sample cluster, the fixtures of the rules, the samples of the
//! policies), each file as an input, and the field names that they use.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use holdfast_controller::access::Source;
use serde_json::{Value, json};

/// Folders with manifests, from the root of the checkout.
const FOLDERS: [&str; 3] = ["e2e/samples/cluster", "config/samples", "crates/policy/src/fixtures"];
/// A longer file is cut into inputs of about this length.
const LENGTH: usize = 4096;

/// The seeds, in the same order each time.
///
/// # Panics
/// When the checkout that this was built from isn't there.
#[must_use]
pub fn all() -> Vec<String> {
    let files = FOLDERS.into_iter().flat_map(|folder| manifests(&root().join(folder)));
    files.flat_map(|file| inputs(&documents(&file))).chain(answers()).chain(checkouts()).collect()
}

/// Names of fields that the seeds use, in order.
pub fn fields() -> &'static [String] {
    static FIELDS: LazyLock<Vec<String>> = LazyLock::new(|| {
        let mut found = BTreeSet::new();
        let files = FOLDERS.into_iter().flat_map(|folder| manifests(&root().join(folder)));
        files.flat_map(|file| documents(&file)).for_each(|document| collect(&document, &mut found));
        found.into_iter().filter(|name| name.len() <= 63).collect()
    });
    &FIELDS
}

/// The inputs that were kept, with their names, in order.
///
/// # Panics
/// When the checkout that this was built from isn't there.
#[must_use]
pub fn kept() -> Vec<(PathBuf, Vec<u8>)> {
    let files = files(&root().join("fuzz/kept"));
    files.into_iter().map(|file| (file.clone(), read(&file))).collect()
}

/// The checkout.
#[must_use]
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap_or(Path::new("."))
}

/// Overlays: one for each way to change an object, each object on a line of its own, as mutations want it.
fn checkouts() -> Vec<String> {
    let container = json!({ "name": "app", "image": "nginx:1", "env": [{ "name": "A", "value": "1" }], "ports": [{ "containerPort": 80 }] });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web" },
        "spec": { "template": { "spec": { "containers": [container], "volumes": [{ "name": "a", "configMap": { "name": "made" } }] } } },
    });
    let merge = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": "web", "annotations": null },
        "spec": { "template": { "spec": { "containers": [{ "name": "app", "env": [{ "name": "A", "$patch": "delete" }] }, { "name": "b" }] } } },
    });
    let operations = json!([
        { "op": "copy", "from": "/spec", "path": "/spec/copy" }, { "op": "add", "path": "/spec/template/spec/containers/-", "value": {} },
    ]);
    let select = json!({ "kind": "Dep.*", "name": "web" });
    let replacement = json!({
        "source": { "kind": "Deployment", "fieldPath": "spec.template.spec.containers.[name=app].image", "options": { "delimiter": ":", "index": 1 } },
        "targets": [{ "select": select, "fieldPaths": ["metadata.annotations.tag"], "options": { "create": true } }],
    });
    let fields = [
        json!({ "patches": [{ "path": "merge.yaml" }] }),
        json!({ "patches": [{ "path": "operations.yaml", "target": select }] }),
        json!({ "namePrefix": "a-", "namespace": "shop", "labels": [{ "pairs": { "a": "b" }, "includeSelectors": true }] }),
        json!({ "images": [{ "name": "nginx", "newTag": "2" }], "replicas": [{ "name": "web", "count": 2 }] }),
        json!({ "configMapGenerator": [{ "name": "made", "literals": ["a=b"], "files": ["merge.yaml"] }] }),
        json!({ "replacements": [replacement] }),
    ];
    let of = |fields: &Value| {
        let mut it = fields.clone();
        it["resources"] = json!(["object.yaml"]);
        format!(
            "== top/kustomization.yaml\n{it}\n== top/object.yaml\n{deployment}\n== top/merge.yaml\n{merge}\n== top/operations.yaml\n{operations}\n"
        )
    };
    fields.iter().map(of).collect()
}

/// What isn't in any manifest: the lines of a watch that hold no object, and a refusal.
fn answers() -> Vec<String> {
    let meta = json!({ "name": "web", "namespace": "shop", "resourceVersion": "7" });
    let ends = json!({ "resourceVersion": "9", "annotations": { "k8s.io/initial-events-end": "true" } });
    let gone = json!({
        "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": 409, "reason": "Conflict",
        "message": "Apply failed with 1 conflict: conflict with \"kubectl\" using policy/v1: .spec.maxUnavailable",
        "details": { "name": "web", "kind": "poddisruptionbudgets", "retryAfterSeconds": 1, "causes": [
            { "reason": "FieldManagerConflict", "message": "conflict with \"kubectl\"", "field": ".spec.maxUnavailable" },
        ] },
    });
    let denied = json!({
        "kind": "Status", "code": 403, "reason": "Forbidden", "status": "Failure", "metadata": {},
        "message": "poddisruptionbudgets.policy \"web\" is forbidden: User \"system:serviceaccount:a:b\" cannot patch resource \"poddisruptionbudgets\" in API group \"policy\" in the namespace \"shop\"",
        "details": { "name": "web", "group": "policy", "kind": "poddisruptionbudgets" },
    });
    let event = |kind: &str, object: &Value| json!({ "type": kind, "object": object });
    vec![
        format!(
            "event Deployment {}\nevent Deployment {}\nevent Deployment {}",
            event("ADDED", &json!({ "metadata": meta })),
            event("DELETED", &json!({ "metadata": meta })),
            event("BOOKMARK", &json!({ "metadata": ends })),
        ),
        format!("event Pod {}\nrefusal {gone}\nrefusal {denied}", event("ERROR", &gone)),
        format!(
            "page Namespace {}",
            json!({ "metadata": { "resourceVersion": "3", "continue": "next" }, "items": [{ "metadata": meta }, null] })
        ),
    ]
}

/// The documents as lines, some of them to an input.
fn inputs(documents: &[Value]) -> Vec<String> {
    let mut inputs: Vec<String> = Vec::new();
    for line in documents.iter().filter_map(line) {
        match inputs.last_mut() {
            Some(last) if last.len() + line.len() < LENGTH => *last = format!("{last}\n{line}"),
            Some(_) | None => inputs.push(line),
        }
    }
    inputs
}

fn line(document: &Value) -> Option<String> {
    let source = Source::all().find(|source| document["kind"] == source.as_str())?;
    Some(format!("object {} {document}", source.as_str()))
}

fn collect(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            into.extend(map.keys().cloned());
            map.values().for_each(|value| collect(value, into));
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Those that can be read: some fixtures are broken on purpose.
fn documents(file: &Path) -> Vec<Value> {
    let text = String::from_utf8_lossy(&read(file)).into_owned();
    text.split("\n---\n").filter_map(|document| serde_saphyr::from_str(document).ok()).collect()
}

fn manifests(folder: &Path) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|file| file.extension().is_some_and(|extension| extension == "yaml")).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found: Vec<PathBuf> = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

fn read(file: &Path) -> Vec<u8> {
    fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}
