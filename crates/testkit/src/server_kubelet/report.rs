//! A pod's status as a kubelet writes it.

use std::net::Ipv4Addr;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use serde_json::{Value, json};

use super::life::{Ended, Life, State};

/// What is reported about.
pub(super) struct Subject<'a> {
    pub(super) pod: &'a Pod,
    /// The container whose server is run.
    pub(super) container: &'a str,
    pub(super) ip: Ipv4Addr,
    /// When the kubelet first saw the pod.
    pub(super) since: Timestamp,
}

impl Subject<'_> {
    /// A strategic merge patch: conditions of others, such as the scheduler's, stay.
    pub(super) fn patch(&self, life: &Life, now: Timestamp) -> Value {
        let containers = self.pod.spec.iter().flat_map(|spec| &spec.containers);
        let statuses: Vec<Value> = containers.map(|container| self.container_status(container, life)).collect();
        let phase = if life.has_run() { "Running" } else { "Pending" };
        let ip = self.ip.to_string();
        json!({
            "metadata": {"uid": self.pod.metadata.uid},
            "status": {
                "phase": phase,
                "podIP": ip,
                "podIPs": [{"ip": ip}],
                "startTime": self.since.to_string(),
                "conditions": [
                    self.condition("PodReadyToStartContainers", true, now),
                    self.condition("Initialized", true, now),
                    self.condition("ContainersReady", life.ready, now),
                    self.condition("Ready", life.ready, now),
                ],
                "containerStatuses": statuses,
            },
        })
    }

    fn condition(&self, kind: &str, holds: bool, now: Timestamp) -> Value {
        let status = if holds { "True" } else { "False" };
        let conditions = self.pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
        let same = conditions.filter(|known| known.type_ == kind && known.status == status);
        let since = same.last().and_then(|known| known.last_transition_time.as_ref()).map(|time| time.0);
        let reason = if holds { Value::Null } else { json!("ContainersNotReady") };
        let since = since.unwrap_or(now).to_string();
        json!({"type": kind, "status": status, "reason": reason, "lastTransitionTime": since})
    }

    fn container_status(&self, container: &Container, life: &Life) -> Value {
        let image = container.image.as_deref().unwrap_or_default();
        if container.name != self.container {
            let state = json!({"running": {"startedAt": self.since.to_string()}});
            return json!({
                "name": container.name, "image": image, "imageID": "", "restartCount": 0,
                "ready": true, "started": true, "state": state,
            });
        }
        let id = match &life.state {
            State::Waiting { .. } => life.last.as_ref().map(|last| &last.id),
            State::Running { id, .. } | State::Ended(Ended { id, .. }) => Some(id),
        };
        json!({
            "name": container.name,
            "image": image,
            "imageID": "",
            "containerID": id,
            "restartCount": life.restarts,
            "ready": life.ready,
            "started": matches!(life.state, State::Running { .. }),
            "state": state(&life.state),
            "lastState": life.last.as_ref().map_or(json!({}), |ended| json!({"terminated": terminated(ended)})),
        })
    }
}

fn state(state: &State) -> Value {
    match state {
        State::Waiting { reason, message } => json!({"waiting": {"reason": reason, "message": message}}),
        State::Running { since, .. } => json!({"running": {"startedAt": since.to_string()}}),
        State::Ended(ended) => json!({"terminated": terminated(ended)}),
    }
}

fn terminated(ended: &Ended) -> Value {
    json!({
        "containerID": ended.id,
        "exitCode": ended.code,
        "reason": ended.reason,
        "message": ended.message,
        "startedAt": ended.since.to_string(),
        "finishedAt": ended.at.to_string(),
    })
}
