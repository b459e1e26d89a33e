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
        let mut same = conditions.filter(|known| known.type_ == kind && known.status == status);
        let since = same.next().and_then(|known| known.last_transition_time.as_ref()).map(|time| time.0);
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

#[cfg(test)]
mod tests {
    use super::*;

    const SEEN: &str = "2026-01-01T00:00:00Z";
    const STARTED: &str = "2026-01-01T00:00:01Z";
    const ENDED: &str = "2026-01-01T00:00:09Z";

    fn at(time: &str) -> Timestamp {
        time.parse().unwrap()
    }

    fn pod() -> Pod {
        let pod = json!({
            "metadata": {"name": "vault-0", "uid": "u"},
            "spec": {"containers": [{"name": "vault", "image": "vault:1"}, {"name": "sidecar"}]},
            "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": SEEN}]},
        });
        serde_json::from_value(pod).unwrap()
    }

    fn reported(life: &Life) -> Value {
        let ip = Ipv4Addr::new(127, 77, 0, 1);
        Subject { pod: &pod(), container: "vault", ip, since: at(SEEN) }.patch(life, at(ENDED))["status"].clone()
    }

    fn ended() -> Ended {
        let (since, at) = (at(STARTED), at(ENDED));
        Ended { id: "containerd://1".to_owned(), code: 1, reason: "Error", message: None, since, at }
    }

    #[test]
    fn a_pod_is_pending_until_its_container_ran() {
        let mut life = Life::new();
        life.waits("CreateContainerConfigError", "no Secret".to_owned());
        let status = reported(&life);
        assert_eq!((&status["phase"], &status["podIP"]), (&json!("Pending"), &json!("127.77.0.1")));
        let waiting = json!({"reason": "CreateContainerConfigError", "message": "no Secret"});
        assert_eq!(status["containerStatuses"][0]["state"], json!({"waiting": waiting}));
        assert_eq!(status["containerStatuses"][1]["ready"], true);
    }

    #[test]
    fn a_crash_loop_shows_the_last_end_and_counts_the_starts() {
        let mut life = Life::new();
        life.starts("containerd://0".to_owned(), at(SEEN));
        life.ends(ended());
        assert_eq!(reported(&life)["containerStatuses"][0]["state"]["terminated"]["exitCode"], 1);
        assert_eq!(reported(&life)["containerStatuses"][0]["restartCount"], 0);
        life.waits("CrashLoopBackOff", String::new());
        let container = reported(&life)["containerStatuses"][0].clone();
        assert_eq!(container["lastState"]["terminated"]["finishedAt"], ENDED);
        assert_eq!(container["containerID"], "containerd://1");
        life.starts("containerd://2".to_owned(), at(ENDED));
        let status = reported(&life);
        assert_eq!((&status["phase"], &status["containerStatuses"][0]["restartCount"]), (&json!("Running"), &json!(1)));
        assert_eq!(status["containerStatuses"][0]["lastState"]["terminated"]["exitCode"], 1);
    }

    #[test]
    fn a_condition_keeps_its_time_until_it_changes() {
        let time = |life: &Life| reported(life)["conditions"][3]["lastTransitionTime"].clone();
        let mut life = Life::new();
        life.starts("containerd://0".to_owned(), at(STARTED));
        assert_eq!(time(&life), SEEN);
        life.ready = true;
        assert_eq!(time(&life), ENDED);
    }
}
