//! CloudNativePG clusters, and the floors of autoscalers.

use holdfast_model::WorkloadKind;
use holdfast_model::repository::{Database, Disruption, Floor};

use super::identity::identity;
use crate::{Node, Object};

pub(super) fn read(object: &Object, disruption: &mut Disruption) {
    let spec = object.root.get("spec");
    match (object.group(), object.kind.as_str()) {
        ("postgresql.cnpg.io", "Cluster") => disruption.databases.push(database(object, spec)),
        ("autoscaling", "HorizontalPodAutoscaler") => {
            disruption.floors.extend(floor(object, spec, "minReplicas", 1));
        }
        ("keda.sh", "ScaledObject") => disruption.floors.extend(floor(object, spec, "minReplicaCount", 0)),
        (_, _) => {}
    }
}

fn database(object: &Object, spec: Option<&Node>) -> Database {
    let field = |path: &[&str]| spec.and_then(|spec| spec.at(path));
    let hibernation = object.root.at(&["metadata", "annotations", "cnpg.io/hibernation"]);
    Database {
        identity: identity(object, "Cluster"),
        instances: field(&["instances"]).and_then(number).unwrap_or(1),
        budget: field(&["enablePDB"]).and_then(Node::as_bool).unwrap_or(true),
        hibernated: hibernation.and_then(Node::as_str) == Some("on"),
        maintained: field(&["nodeMaintenanceWindow", "inProgress"]).and_then(Node::as_bool).unwrap_or(false),
    }
}

fn floor(object: &Object, spec: Option<&Node>, least: &str, absent: u32) -> Option<Floor> {
    let spec = spec?;
    let target = spec.get("scaleTargetRef")?;
    let kind = match target.get("kind").and_then(Node::as_str) {
        Some("Deployment") | None => WorkloadKind::Deployment,
        Some("StatefulSet") => WorkloadKind::StatefulSet,
        Some(_) => return None,
    };
    Some(Floor {
        namespace: object.namespace.as_str().into(),
        kind,
        name: target.get("name")?.as_str()?.into(),
        least: spec.get(least).and_then(number).unwrap_or(absent),
    })
}

fn number(node: &Node) -> Option<u32> {
    u32::try_from(node.as_integer()?).ok()
}
