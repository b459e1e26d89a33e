//! What carries upgrades out: tuppr's TalosUpgrade and KubernetesUpgrade, system-upgrade-controller's Plan, and the
//! TalosControlPlane of Cluster API.
//!
//! Only what they say of their progress is read, and only what changes when they get on: not `lastUpdated` or `message`,
//! which change also while nothing moves.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::{Shape, count, custom_resource, meta};
use crate::facts::{Fact, Progress, Upgrade};
use crate::{Kind, Text};

/// A TalosUpgrade of tuppr (`tuppr/api/v1alpha1/talosupgrade_types.go`).
#[derive(Clone, Debug, Deserialize)]
pub struct TalosUpgrade {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    status: Option<TupprStatus>,
}

custom_resource!(TalosUpgrade, Kind::TalosUpgrade, "talosupgrades", k8s_openapi::ClusterResourceScope);

/// A KubernetesUpgrade of tuppr (`tuppr/api/v1alpha1/kubernetesupgrade_types.go`).
#[derive(Clone, Debug, Deserialize)]
pub struct KubernetesUpgrade {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    status: Option<TupprStatus>,
}

custom_resource!(KubernetesUpgrade, Kind::KubernetesUpgrade, "kubernetesupgrades", k8s_openapi::ClusterResourceScope);

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct TupprStatus {
    phase: Option<Text>,
    /// The first of a batch; older versions know only this.
    current_node: Option<Text>,
    current_nodes: Option<Vec<Text>>,
    completed_nodes: Option<Vec<IgnoredAny>>,
    failed_nodes: Option<Vec<IgnoredAny>>,
}

/// A Plan of system-upgrade-controller (`system-upgrade-controller/pkg/apis/upgrade.cattle.io/v1/types.go`).
#[derive(Clone, Debug, Deserialize)]
pub struct Plan {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    status: Option<PlanStatus>,
}

custom_resource!(Plan, Kind::Plan, "plans");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct PlanStatus {
    applying: Option<Vec<Text>>,
}

/// A TalosControlPlane (`cluster-api-control-plane-provider-talos/api/v1alpha3/taloscontrolplane_types.go`).
#[derive(Clone, Debug, Deserialize)]
pub struct TalosControlPlane {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: ControlPlaneSpec,
    status: Option<ControlPlaneStatus>,
}

custom_resource!(TalosControlPlane, Kind::TalosControlPlane, "taloscontrolplanes");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct ControlPlaneSpec {
    replicas: Option<i32>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ControlPlaneStatus {
    replicas: Option<i32>,
    ready_replicas: Option<i32>,
    conditions: Option<Vec<MachinesCondition>>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct MachinesCondition {
    r#type: Text,
    status: Text,
    reason: Text,
}

/// The condition that is false exactly while machines of an old spec are replaced: no count of the status tells that.
const UP_TO_DATE: &str = "MachinesSpecUpToDate";
/// A phase of our own making: the provider writes no reason when only the number of machines is about to change.
const RESIZING: &str = "Resizing";

impl TupprStatus {
    fn upgrade(self) -> Upgrade {
        let phase = self.phase.unwrap_or_default();
        let done = length(self.completed_nodes.as_deref());
        let mut nodes = self.current_nodes.unwrap_or_default();
        if nodes.is_empty() {
            nodes.extend(self.current_node.filter(|node| !node.is_empty()));
        }
        Upgrade {
            progress: tuppr_progress(&phase, done),
            phase,
            nodes: nodes.into(),
            done,
            failed: length(self.failed_nodes.as_deref()),
        }
    }
}

/// `tuppr/api/v1alpha1/shared_types.go`. Between two batches it is Pending for a moment, with what is done already
/// (`internal/controller/talosupgrade/jobs.go`); a new run begins without.
fn tuppr_progress(phase: &str, done: u32) -> Progress {
    match phase {
        "HealthChecking" | "PreHook" | "Draining" | "Upgrading" | "Rebooting" | "PostHook" => Progress::Active,
        "Pending" if 0 < done => Progress::Active,
        "" | "Pending" | "Completed" | "Failed" | "MaintenanceWindow" => Progress::Idle,
        _ => Progress::Unknown,
    }
}

impl Shape for TalosUpgrade {
    const KIND: Kind = Kind::TalosUpgrade;

    fn fact(self) -> Fact {
        Fact::Upgrade(self.status.unwrap_or_default().upgrade())
    }
}

impl Shape for KubernetesUpgrade {
    const KIND: Kind = Kind::KubernetesUpgrade;

    fn fact(self) -> Fact {
        Fact::Upgrade(self.status.unwrap_or_default().upgrade())
    }
}

impl Shape for Plan {
    const KIND: Kind = Kind::Plan;

    fn fact(self) -> Fact {
        let nodes = self.status.unwrap_or_default().applying.unwrap_or_default();
        let (progress, phase) = if nodes.is_empty() { (Progress::Idle, "") } else { (Progress::Active, "Applying") };
        Fact::Upgrade(Upgrade { progress, phase: phase.into(), nodes: nodes.into(), done: 0, failed: 0 })
    }
}

impl Shape for TalosControlPlane {
    const KIND: Kind = Kind::TalosControlPlane;

    fn fact(self) -> Fact {
        let status = self.status.unwrap_or_default();
        let outdated = status.conditions.iter().flatten().find(|condition| condition.r#type == UP_TO_DATE);
        let rolling = outdated.filter(|condition| condition.status == "False");
        // The provider's own default of spec.replicas. Without a status it hasn't begun.
        let resizing = status.replicas.is_some_and(|replicas| replicas != self.spec.replicas.unwrap_or(1));
        let (progress, phase) = match rolling {
            Some(condition) => (Progress::Active, condition.reason.clone()),
            None if resizing => (Progress::Active, RESIZING.into()),
            None => (Progress::Idle, Text::default()),
        };
        // One more machine, or one more that is ready, is movement too.
        let done = count(status.ready_replicas.unwrap_or(0)).saturating_add(count(status.replicas.unwrap_or(0)));
        Fact::Upgrade(Upgrade { progress, phase, nodes: [].into(), done, failed: 0 })
    }
}

fn length(list: Option<&[IgnoredAny]>) -> u32 {
    list.map_or(0, |list| u32::try_from(list.len()).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    //! What each of them says, in the words of its own project.

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;

    fn read<S: Shape>(rest: Value) -> Upgrade {
        let mut object = rest;
        object["metadata"] = json!({ "name": "x" });
        let Fact::Upgrade(upgrade) = serde_json::from_value::<S>(object).unwrap().fact() else {
            panic!("an upgrade becomes an upgrade")
        };
        upgrade
    }

    fn names(upgrade: &Upgrade) -> Vec<&str> {
        upgrade.nodes.iter().map(Text::as_str).collect()
    }

    #[rstest]
    #[case::not_seen_yet(json!({}), Progress::Idle)]
    #[case::empty(json!({ "status": {} }), Progress::Idle)]
    #[case::null(json!({ "status": null }), Progress::Idle)]
    #[case::pending(json!({ "status": { "phase": "Pending" } }), Progress::Idle)]
    #[case::between_two(json!({ "status": { "phase": "Pending", "completedNodes": ["a"] } }), Progress::Active)]
    #[case::first(json!({ "status": { "phase": "HealthChecking" } }), Progress::Active)]
    #[case::hook(json!({ "status": { "phase": "PreHook" } }), Progress::Active)]
    #[case::drain(json!({ "status": { "phase": "Draining" } }), Progress::Active)]
    #[case::upgrade(json!({ "status": { "phase": "Upgrading" } }), Progress::Active)]
    #[case::reboot(json!({ "status": { "phase": "Rebooting" } }), Progress::Active)]
    #[case::last(json!({ "status": { "phase": "PostHook" } }), Progress::Active)]
    #[case::done(json!({ "status": { "phase": "Completed", "completedNodes": ["a"] } }), Progress::Idle)]
    #[case::failed(json!({ "status": { "phase": "Failed" } }), Progress::Idle)]
    #[case::later(json!({ "status": { "phase": "MaintenanceWindow", "completedNodes": ["a"] } }), Progress::Idle)]
    #[case::newer(json!({ "status": { "phase": "Verifying" } }), Progress::Unknown)]
    fn the_phases_of_tuppr(#[case] status: Value, #[case] expected: Progress) {
        assert_eq!(read::<TalosUpgrade>(status.clone()).progress, expected);
        assert_eq!(read::<KubernetesUpgrade>(status).progress, expected);
    }

    #[test]
    fn the_nodes_of_tuppr_in_either_spelling() {
        let of = |status: Value| read::<TalosUpgrade>(json!({ "status": status }));
        assert_eq!(names(&of(json!({ "currentNode": "a" }))), ["a"]);
        assert_eq!(names(&of(json!({ "currentNode": "a", "currentNodes": ["a", "b"] }))), ["a", "b"]);
        assert_eq!(names(&of(json!({ "currentNode": "", "currentNodes": null }))), [""; 0]);
        let upgrade = of(json!({ "completedNodes": ["a", "b"], "failedNodes": [{ "nodeName": "c" }] }));
        assert_eq!((upgrade.done, upgrade.failed), (2, 1));
    }

    #[test]
    fn what_changes_while_nothing_moves_is_not_read() {
        let of = |updated: &str| {
            read::<TalosUpgrade>(
                json!({ "status": { "phase": "Draining", "lastUpdated": updated, "message": updated } }),
            )
        };
        assert_eq!(of("2026-11-25T08:00:00Z"), of("2026-11-25T08:00:10Z"));
    }

    #[rstest]
    #[case(json!({}), Progress::Idle, &[])]
    #[case(json!({ "status": { "applying": [] } }), Progress::Idle, &[])]
    #[case(json!({ "status": { "applying": ["a", "b"] } }), Progress::Active, &["a", "b"])]
    fn a_plan_is_under_way_while_it_is_applied(
        #[case] status: Value,
        #[case] expected: Progress,
        #[case] nodes: &[&str],
    ) {
        let upgrade = read::<Plan>(status);
        assert_eq!((upgrade.progress, names(&upgrade)), (expected, nodes.to_vec()));
    }

    fn control_plane(spec: Value, replicas: i32, up_to_date: &str) -> Value {
        let condition =
            json!({ "type": "MachinesSpecUpToDate", "status": up_to_date, "reason": "RollingUpdateInProgress" });
        json!({ "spec": spec, "status": { "replicas": replicas, "readyReplicas": replicas, "conditions": [condition] } })
    }

    #[rstest]
    #[case::new(json!({ "spec": { "replicas": 3 } }), Progress::Idle, "")]
    #[case::settled(control_plane(json!({ "replicas": 3 }), 3, "True"), Progress::Idle, "")]
    #[case::one_unless_told(control_plane(json!({}), 1, "True"), Progress::Idle, "")]
    #[case::surging(control_plane(json!({ "replicas": 3 }), 4, "False"), Progress::Active, "RollingUpdateInProgress")]
    #[case::rolling(control_plane(json!({ "replicas": 3 }), 3, "False"), Progress::Active, "RollingUpdateInProgress")]
    #[case::growing(control_plane(json!({ "replicas": 5 }), 3, "True"), Progress::Active, "Resizing")]
    fn a_control_plane_is_under_way_while_machines_change(
        #[case] object: Value,
        #[case] expected: Progress,
        #[case] phase: &str,
    ) {
        let upgrade = read::<TalosControlPlane>(object);
        assert_eq!((upgrade.progress, upgrade.phase.as_str()), (expected, phase));
    }

    #[test]
    fn another_shape_is_an_error_of_this_object() {
        for status in [json!("Draining"), json!({ "phase": 3 }), json!({ "currentNodes": "a" }), json!([1])] {
            let object = json!({ "metadata": { "name": "x" }, "status": status });
            assert!(serde_json::from_value::<TalosUpgrade>(object).is_err(), "{status}");
        }
    }
}
