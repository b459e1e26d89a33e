//! LimitRanges and VerticalPodAutoscalers.

use holdfast_model::repository::{Amounts, Autoscaled, Defaults, Resources};

use crate::{Node, Object};

pub(super) fn read(object: &Object, resources: &mut Resources) {
    match (object.group(), object.kind.as_str()) {
        ("", "LimitRange") => resources.defaults.extend(defaults(object)),
        ("autoscaling.k8s.io", "VerticalPodAutoscaler") => resources.autoscaled.extend(autoscaled(object)),
        (_, _) => {}
    }
}

fn defaults(object: &Object) -> Option<Defaults> {
    let limits = object.root.at(&["spec", "limits"])?.items().iter();
    let mut containers = limits.filter(|limit| limit.get("type").and_then(Node::as_str) == Some("Container"));
    let container = containers.next()?;
    let given = |which: &str| Amounts {
        cpu: container.at(&[which, "cpu"]).is_some(),
        memory: container.at(&[which, "memory"]).is_some(),
    };
    let limits = given("default");
    // What has a default limit and no default request is given its limit as its request.
    Some(Defaults { namespace: object.namespace.as_str().into(), requests: given("defaultRequest").or(limits), limits })
}

/// Only a mode that sets requests; `Off` recommends.
fn autoscaled(object: &Object) -> Option<Autoscaled> {
    let mode = object.root.at(&["spec", "updatePolicy", "updateMode"]).and_then(Node::as_str);
    let target = object.root.at(&["spec", "targetRef"]).filter(|_| mode != Some("Off"))?;
    Some(Autoscaled {
        namespace: object.namespace.as_str().into(),
        kind: target.get("kind")?.as_str()?.into(),
        name: target.get("name")?.as_str()?.into(),
    })
}
