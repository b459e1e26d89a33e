//! Pod templates of workloads.
//!
//! A template without containers is left out: it was inferred from the values of a chart that isn't at hand, and what it
//! doesn't say, the chart may.

use holdfast_model::WorkloadKind;
use holdfast_model::repository::{Amounts, Container, Template};

use super::identity::identity;
use crate::{Node, Object};

/// The most containers that are read of one template.
const MOST: usize = 64;

const POD_SPEC: &str = "spec.template.spec";
const POD_SPEC_OF_CRONJOB: &str = "spec.jobTemplate.spec.template.spec";

pub(super) fn read(object: &Object, templates: &mut Vec<Template>) {
    let Some(kind) = kind(object) else { return };
    let at = match kind {
        WorkloadKind::CronJob => POD_SPEC_OF_CRONJOB,
        WorkloadKind::Deployment
        | WorkloadKind::StatefulSet
        | WorkloadKind::DaemonSet
        | WorkloadKind::ReplicaSet
        | WorkloadKind::Job => POD_SPEC,
    };
    let Some(spec) = at.split('.').try_fold(&object.root, |node, key| node.get(key)) else { return };
    let whole = Amounts::default();
    let pod = spec.get("resources");
    let (requests, limits) = pod.map_or((whole, whole), |pod| (given(pod, "requests"), given(pod, "limits")));
    let mut containers: Vec<Container> = Vec::new();
    for list in ["containers", "initContainers"] {
        let items = spec.get(list).map_or(&[][..], Node::items);
        for (index, item) in items.iter().enumerate().take(MOST) {
            let mut container = container(item, format!("{at}.{list}[{index}]"), list == "initContainers");
            container.requests = container.requests.or(requests);
            container.limits = container.limits.or(limits);
            containers.push(container);
        }
    }
    if containers.is_empty() {
        return;
    }
    templates.push(Template {
        identity: identity(object, kind.kind().as_str()),
        kind,
        replicas: replicas(object),
        at,
        spread: spreads(spec),
        priority: text(spec, "priorityClassName").map(Into::into),
        containers,
    });
}

/// The kind of a workload that a person writes; a ReplicaSet is a Deployment's.
fn kind(object: &Object) -> Option<WorkloadKind> {
    match (object.group(), object.kind.as_str()) {
        ("apps", "Deployment") => Some(WorkloadKind::Deployment),
        ("apps", "StatefulSet") => Some(WorkloadKind::StatefulSet),
        ("apps", "DaemonSet") => Some(WorkloadKind::DaemonSet),
        ("batch", "CronJob") => Some(WorkloadKind::CronJob),
        ("batch", "Job") => Some(WorkloadKind::Job),
        (_, _) => None,
    }
}

fn container(node: &Node, at: String, init: bool) -> Container {
    let resources = node.get("resources");
    let amounts = |which| resources.map(|resources| given(resources, which)).unwrap_or_default();
    let limits = amounts("limits");
    Container {
        name: text(node, "name").unwrap_or_default().into(),
        at: at.into(),
        image: text(node, "image").map(Into::into),
        initializes: init && text(node, "restartPolicy") != Some("Always"),
        // What has a limit and no request asks for its limit.
        requests: amounts("requests").or(limits),
        limits,
    }
}

fn given(resources: &Node, which: &str) -> Amounts {
    let given = |name: &str| resources.at(&[which, name]).is_some_and(|amount| !amount.is_null());
    Amounts { cpu: given("cpu"), memory: given("memory") }
}

fn replicas(object: &Object) -> Option<u32> {
    object.root.at(&["spec", "replicas"])?.as_integer().and_then(|replicas| u32::try_from(replicas).ok())
}

fn spreads(spec: &Node) -> bool {
    let anti = spec.at(&["affinity", "podAntiAffinity"]);
    let rules = ["requiredDuringSchedulingIgnoredDuringExecution", "preferredDuringSchedulingIgnoredDuringExecution"];
    let filled = |node: &Node| !node.items().is_empty();
    spec.get("topologySpreadConstraints").is_some_and(filled)
        || anti.is_some_and(|anti| rules.iter().any(|rule| anti.get(rule).is_some_and(filled)))
}

fn text<'a>(node: &'a Node, key: &str) -> Option<&'a str> {
    node.get(key)?.as_str().filter(|text| !text.is_empty())
}
