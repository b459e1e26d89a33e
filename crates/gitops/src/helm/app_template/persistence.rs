//! The volumes of app-template: claims that it makes, and what each pod mounts.

use super::{App, naming};
use crate::Node;
use crate::helm::fields::{Fields, list, object};
use crate::helm::values::is_empty;
use crate::node::Entry;

fn kind(entry: &Entry) -> &str {
    entry.value.get("type").and_then(Node::as_str).filter(|kind| !kind.is_empty()).unwrap_or("persistentVolumeClaim")
}

fn existing_claim(entry: &Entry) -> Option<&Node> {
    entry.value.get("existingClaim").filter(|claim| !is_empty(claim))
}

/// The items for which a claim is made.
fn made<'a>(app: &App<'a>) -> Vec<&'a Entry> {
    let items = app.items("persistence").into_iter();
    items.filter(|entry| kind(entry) == "persistentVolumeClaim" && existing_claim(entry).is_none()).collect()
}

/// The claims that the chart makes.
pub(super) fn claims(app: &App<'_>) -> Vec<Node> {
    let items = made(app);
    let claims = items.iter().map(|entry| {
        let name = naming::resource(app, &entry.key, &entry.value, items.len());
        let request = Fields::at(entry.at).with_some("storage", entry.value.get("size").cloned());
        let resources = Fields::at(entry.at).with("requests", request.node());
        let modes = entry.value.get("accessMode").map(|mode| list(mode.origin, [mode.clone()]));
        let class = entry.value.get("storageClass").filter(|class| !is_empty(class)).cloned();
        let spec = Fields::at(entry.at)
            .with_some("accessModes", modes)
            .with_some("storageClassName", class)
            .with("resources", resources.node());
        let metadata = app.metadata(name, &entry.value, None);
        object(entry.at, "v1", "PersistentVolumeClaim", metadata).with("spec", spec.node()).node()
    });
    claims.collect()
}

/// Whether an item is mounted in a controller's pods: everywhere, unless it says where.
fn is_mounted(entry: &Entry, controller: &Entry) -> bool {
    let given = |path: &[&str]| entry.value.at(path).is_some_and(|mounts| !is_empty(mounts));
    let global = given(&["globalMounts"]);
    let advanced = given(&["advancedMounts"]);
    global || !advanced || given(&["advancedMounts", &controller.key])
}

/// The volumes of a controller's pods.
pub(super) fn volumes(app: &App<'_>, controller: &Entry) -> Option<Node> {
    let claims = made(app);
    let items = app.items("persistence").into_iter().filter(|entry| is_mounted(entry, controller));
    let volumes: Vec<Node> = items.filter_map(|entry| volume(app, entry, claims.len())).collect();
    (!volumes.is_empty()).then(|| list(controller.at, volumes))
}

fn volume(app: &App<'_>, entry: &Entry, claims: usize) -> Option<Node> {
    let fields = Fields::at(entry.at).text("name", entry.key.clone());
    let given = |name: &str| entry.value.get(name).filter(|value| !is_empty(value));
    let copied = |names: &[(&str, &str)]| {
        let copy = |fields: Fields, (from, to): &(&str, &str)| {
            fields.with_some(to, given(from).map(|value| app.resolved(value)))
        };
        names.iter().fold(Fields::at(entry.at), copy).node()
    };
    let volume = match kind(entry) {
        "persistentVolumeClaim" => {
            let claim = Fields::at(entry.at);
            let claim = match existing_claim(entry) {
                Some(name) => claim.with("claimName", app.resolved(name)),
                None => claim.text("claimName", naming::resource(app, &entry.key, &entry.value, claims)),
            };
            fields.with("persistentVolumeClaim", claim.node())
        }
        "configMap" => fields.with("configMap", copied(&[("name", "name"), ("defaultMode", "defaultMode")])),
        "secret" => fields.with("secret", copied(&[("name", "secretName"), ("defaultMode", "defaultMode")])),
        "emptyDir" => fields.with("emptyDir", copied(&[("medium", "medium"), ("sizeLimit", "sizeLimit")])),
        "hostPath" => fields.with("hostPath", copied(&[("hostPath", "path"), ("hostPathType", "type")])),
        "nfs" => fields.with("nfs", copied(&[("server", "server"), ("path", "path")])),
        "custom" => {
            let spec = entry.value.get("volumeSpec")?;
            spec.entries().fold(fields, |fields, field| fields.with(&field.key, field.value.clone()))
        }
        _ => return None,
    };
    Some(volume.node())
}

/// What a container mounts.
pub(super) fn mounts(app: &App<'_>, controller: &Entry, container: &str) -> Option<Node> {
    let mut mounts = Vec::new();
    for entry in app.items("persistence").into_iter().filter(|entry| is_mounted(entry, controller)) {
        let global = entry.value.get("globalMounts").map(Node::items).unwrap_or_default();
        let own = entry.value.at(&["advancedMounts", &controller.key, container]).map(Node::items).unwrap_or_default();
        let nowhere = entry.value.get("advancedMounts").is_none_or(is_empty) && global.is_empty();
        if nowhere {
            mounts.push(mount(entry, None));
        }
        mounts.extend(global.iter().chain(own).map(|given| mount(entry, Some(given))));
    }
    (!mounts.is_empty()).then(|| list(controller.at, mounts))
}

fn mount(entry: &Entry, given: Option<&Node>) -> Node {
    let fields = Fields::at(given.map_or(entry.at, |given| given.origin)).text("name", entry.key.clone());
    let field = |name: &str| given.and_then(|given| given.get(name)).filter(|value| !is_empty(value)).cloned();
    let fields = match field("path").or_else(|| default_path(entry)) {
        Some(path) => fields.with("mountPath", path),
        None => fields.text("mountPath", ecow::eco_format!("/{}", entry.key)),
    };
    fields.with_some("subPath", field("subPath")).with_some("readOnly", field("readOnly")).node()
}

/// A path of the host is mounted at the same path, when none is given.
fn default_path(entry: &Entry) -> Option<Node> {
    (kind(entry) == "hostPath").then(|| entry.value.get("hostPath").cloned()).flatten()
}
