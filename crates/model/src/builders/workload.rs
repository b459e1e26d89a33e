//! Whatever makes pods.

use serde_json::{Value, json};

use super::{Manifest, map, name_of, object, push};
use crate::{Kind, WorkloadKind};

/// A workload. Unless told otherwise it selects and makes pods with the label `app: <name>` and has one replica.
#[derive(Clone, Debug)]
pub struct WorkloadBuilder {
    json: Value,
    kind: WorkloadKind,
}

impl Manifest for WorkloadBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.json
    }
}

/// A Deployment.
#[must_use]
pub fn deployment(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::Deployment, path).selecting([("app", name_of(path))])
}

/// A StatefulSet.
#[must_use]
pub fn stateful_set(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::StatefulSet, path).selecting([("app", name_of(path))])
}

/// A DaemonSet.
#[must_use]
pub fn daemon_set(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::DaemonSet, path).selecting([("app", name_of(path))])
}

/// A ReplicaSet of its own, or with [`WorkloadBuilder::of_deployment`] of a Deployment.
#[must_use]
pub fn replica_set(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::ReplicaSet, path).selecting([("app", name_of(path))])
}

/// A Job.
#[must_use]
pub fn job(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::Job, path)
}

/// A CronJob.
#[must_use]
pub fn cron_job(path: &str) -> WorkloadBuilder {
    workload(WorkloadKind::CronJob, path)
}

fn workload(kind: WorkloadKind, path: &str) -> WorkloadBuilder {
    WorkloadBuilder { json: object(kind.kind(), path), kind }.template([("app", name_of(path))])
}

impl WorkloadBuilder {
    /// Sets `spec.replicas`.
    #[must_use]
    pub fn replicas(mut self, count: i64) -> Self {
        self.json["spec"]["replicas"] = count.into();
        self
    }

    /// Sets the whole selector.
    #[must_use]
    pub fn selector(mut self, selector: Value) -> Self {
        self.json["spec"]["selector"] = selector;
        self
    }

    /// Selects by `matchLabels`.
    #[must_use]
    pub fn selecting<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let labels = map(pairs);
        self.selector(json!({ "matchLabels": labels }))
    }

    /// Sets the labels of the pods it makes.
    #[must_use]
    pub fn template<'a>(mut self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.template_json()["metadata"]["labels"] = map(pairs);
        self
    }

    /// Makes pods with these labels and selects by them.
    #[must_use]
    pub fn of_pods<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)> + Clone) -> Self {
        self.template(pairs.clone()).selecting(pairs)
    }

    /// Adds a container.
    #[must_use]
    pub fn image(mut self, image: &str) -> Self {
        push(&mut self.template_json()["spec"]["containers"], json!({ "name": "main", "image": image }));
        self
    }

    /// Gives the last container an argument.
    #[must_use]
    pub fn argument(mut self, argument: &str) -> Self {
        push(&mut self.container()["args"], argument.into());
        self
    }

    /// Gives the last container an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        push(&mut self.container()["env"], json!({ "name": name, "value": value }));
        self
    }

    /// Replaces all pods at once.
    #[must_use]
    pub fn recreating(mut self) -> Self {
        self.json["spec"]["strategy"]["type"] = "Recreate".into();
        self
    }

    /// Mounts a persistent volume claim.
    #[must_use]
    pub fn with_volume(mut self) -> Self {
        let volume = json!({ "name": "data", "persistentVolumeClaim": { "claimName": "data" } });
        push(&mut self.template_json()["spec"]["volumes"], volume);
        self
    }

    /// Says by annotation that its replicas vote.
    #[must_use]
    pub fn voting(self) -> Self {
        self.annotated("holdfast.dev/quorum", "true")
    }

    /// Belongs to a Deployment, as a ReplicaSet does.
    #[must_use]
    pub fn of_deployment(self, name: &str) -> Self {
        self.owned_by(Kind::Deployment.api_version(), "Deployment", name)
    }

    fn container(&mut self) -> &mut Value {
        let containers = &mut self.template_json()["spec"]["containers"];
        let last = containers.as_array().map_or(0, Vec::len).saturating_sub(1);
        &mut containers[last]
    }

    fn template_json(&mut self) -> &mut Value {
        let spec = &mut self.json["spec"];
        match self.kind {
            WorkloadKind::CronJob => &mut spec["jobTemplate"]["spec"]["template"],
            WorkloadKind::Deployment
            | WorkloadKind::StatefulSet
            | WorkloadKind::DaemonSet
            | WorkloadKind::ReplicaSet
            | WorkloadKind::Job => &mut spec["template"],
        }
    }
}
