//! What there is, for people who want to check that nothing was overlooked.

use std::collections::BTreeSet;

use ecow::EcoString;
use holdfast_model::Text;
use holdfast_model::repository::{Inventory, Item, Listing};

use super::observe::Names;
use crate::facts::Paths;
use crate::flux::{HELM, KUSTOMIZE};
use crate::raw::{Raw, RawObject};
use crate::{FileId, Node, Object};

/// The list that an object belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    HelmReleases,
    Kustomizations,
    Workloads,
    Budgets,
}

fn list(group: &str, kind: &str) -> Option<List> {
    match (group, kind) {
        (HELM, "HelmRelease") => Some(List::HelmReleases),
        (KUSTOMIZE, "Kustomization") => Some(List::Kustomizations),
        ("apps", "Deployment" | "StatefulSet" | "DaemonSet") | ("batch", "CronJob" | "Job") => Some(List::Workloads),
        ("policy", "PodDisruptionBudget") => Some(List::Budgets),
        _ => None,
    }
}

/// What there is in a cluster, object by object.
#[derive(Debug, Default)]
pub(super) struct Stock {
    inventory: Inventory,
    namespaces: Names,
}

impl Stock {
    /// Adds an object; `chart` is that of a HelmRelease.
    pub(super) fn take(&mut self, object: &Object, chart: Option<&EcoString>, paths: &dyn Paths) {
        self.namespaces.add(if object.is("", "Namespace") { &object.name } else { &object.namespace });
        let Some(list) = list(object.group(), &object.kind) else { return };
        let Some(mut item) = item(&object.root, &object.kind, &object.namespace, &object.name, paths) else { return };
        item.reachable = true;
        item.chart = chart.map(|chart| chart.as_str().into());
        listing(&mut self.inventory, list).items.push(item);
    }

    /// All of it; `named` are the namespaces that only Flux and Helm name.
    pub(super) fn finish(mut self, named: &BTreeSet<EcoString>) -> Inventory {
        self.inventory.namespaces = self.namespaces.with(named).map(|name| Text::from(name.as_str())).collect();
        sort(&mut self.inventory);
        self.inventory
    }
}

/// Adds what stands in files that nobody reaches.
pub(crate) fn unreached_items(inventory: &mut Inventory, raw: &Raw<'_>, files: &BTreeSet<FileId>, paths: &dyn Paths) {
    for object in raw.objects.iter().filter(|object| files.contains(&object.file.id)) {
        let RawObject { root, kind, name, .. } = object;
        let Some(list) = list(object.group(), kind) else { continue };
        let Some(item) = item(root, kind, object.namespace().unwrap_or_default(), name, paths) else { continue };
        listing(inventory, list).items.push(item);
    }
    sort(inventory);
}

fn item(root: &Node, kind: &str, namespace: &str, name: &str, paths: &dyn Paths) -> Option<Item> {
    let field = |name: &str| root.at(&["spec", name]);
    let one = || matches!(kind, "Deployment" | "StatefulSet").then_some(1);
    let replicas = field("replicas").and_then(Node::as_integer).and_then(|count| u32::try_from(count).ok());
    Some(Item {
        kind: kind.into(),
        namespace: namespace.into(),
        name: name.into(),
        position: paths.position(root.origin)?,
        reachable: false,
        suspended: field("suspend").and_then(Node::as_bool).unwrap_or(false),
        chart: None,
        replicas: if field("replicas").is_some() { replicas } else { one() },
    })
}

fn listing(inventory: &mut Inventory, list: List) -> &mut Listing {
    match list {
        List::HelmReleases => &mut inventory.helm_releases,
        List::Kustomizations => &mut inventory.kustomizations,
        List::Workloads => &mut inventory.workloads,
        List::Budgets => &mut inventory.budgets,
    }
}

fn sort(inventory: &mut Inventory) {
    for list in [List::HelmReleases, List::Kustomizations, List::Workloads, List::Budgets] {
        let key = |item: &Item| (item.position.clone(), item.namespace.clone(), item.name.clone());
        listing(inventory, list).items.sort_by_cached_key(key);
    }
}
