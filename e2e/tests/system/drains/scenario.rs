//! A scenario: nodes of its own, what is put on which of them, and how a drain of the first ends.
//!
//! In manifests `NAME` stands for the scenario's name, so that they can name its nodes and volumes.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::drainer::{Asks, is_drained};
use holdfast_e2e::{PATIENCE, Tenant};
use holdfast_policy::drain::{Drainer, Patience};
use holdfast_testkit::{eventually, give_up};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Api, ListParams, Patch, PatchParams, PostParams};
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

const CORDON: &str = "node.kubernetes.io/unschedulable";
const NOT_READY: &str = "node.kubernetes.io/not-ready";

/// How a drain of node `a` ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ends {
    Well,
    /// With so many pods that stay.
    Stuck(usize),
}

/// Who drains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// The real kubectl, which asks again.
    Kubectl,
    /// One that asks each pod once.
    OnePass,
    /// One that asks again for so many seconds.
    Patient(u32),
}

impl By {
    /// As it is forecast.
    pub(super) fn drainer(self) -> Drainer {
        match self {
            Self::Kubectl => Drainer::default(),
            Self::OnePass => Drainer::OnePass,
            Self::Patient(seconds) => Drainer::Retry(Patience::new(seconds)),
        }
    }

    /// How often one asks that isn't kubectl.
    pub(super) fn asks(self) -> Option<Asks> {
        match self {
            Self::Kubectl => None,
            Self::OnePass => Some(Asks::Once),
            Self::Patient(seconds) => Some(Asks::For(Duration::from_secs(seconds.into()))),
        }
    }
}

/// A scenario.
pub(super) struct Scenario {
    pub(super) name: &'static str,
    pub(super) ends: Ends,
    /// Pods with the same label `app` are taken for the same.
    pub(super) alike: bool,
    pub(super) by: By,
    nodes: BTreeMap<&'static str, Place>,
    steps: Vec<Step>,
}

/// A node.
#[derive(Default)]
struct Place {
    taints: Vec<Value>,
    labels: Vec<(&'static str, &'static str)>,
    /// Its processors, when they are few.
    cpu: Option<&'static str>,
    cordoned: bool,
}

enum Step {
    /// Applies these while only this node takes pods; so many pods of the namespace run afterwards.
    Put { on: &'static str, objects: Vec<Value>, running: usize },
    /// The pods with this label `app` on this node stop being ready.
    Sicken { app: &'static str, on: &'static str },
}

/// A pod on a node.
pub(super) struct Found {
    pub(super) name: String,
    pub(super) app: String,
    /// Whether a drain is about it: not those of DaemonSets and of the node itself.
    pub(super) is_drained: bool,
}

impl Scenario {
    /// With the nodes `a`, which is drained, and `b`.
    pub(super) fn new(name: &'static str, ends: Ends) -> Self {
        let nodes = [("a", Place::default()), ("b", Place::default())].into();
        Self { name, ends, alike: false, by: By::Kubectl, nodes, steps: Vec::new() }
    }

    pub(super) fn put(mut self, on: &'static str, running: usize, objects: impl IntoIterator<Item = Value>) -> Self {
        self.steps.push(Step::Put { on, objects: objects.into_iter().collect(), running });
        self
    }

    pub(super) fn sicken(mut self, app: &'static str, on: &'static str) -> Self {
        self.steps.push(Step::Sicken { app, on });
        self
    }

    pub(super) fn by(self, by: By) -> Self {
        Self { by, ..self }
    }

    /// Which of the replicas stays is chance.
    pub(super) fn alike(self) -> Self {
        Self { alike: true, ..self }
    }

    pub(super) fn with_node(mut self, node: &'static str) -> Self {
        self.nodes.entry(node).or_default();
        self
    }

    pub(super) fn without_another_node(mut self) -> Self {
        self.nodes.retain(|node, _| *node == "a");
        self
    }

    pub(super) fn tainted(mut self, node: &'static str, key: &str, effect: &str) -> Self {
        self.nodes.entry(node).or_default().taints.push(json!({ "key": key, "effect": effect }));
        self
    }

    pub(super) fn labelled(mut self, node: &'static str, key: &'static str, value: &'static str) -> Self {
        self.nodes.entry(node).or_default().labels.push((key, value));
        self
    }

    pub(super) fn with_processors(mut self, node: &'static str, cpu: &'static str) -> Self {
        self.nodes.entry(node).or_default().cpu = Some(cpu);
        self
    }

    pub(super) fn cordoned(mut self, node: &'static str) -> Self {
        self.nodes.entry(node).or_default().cordoned = true;
        self
    }

    pub(super) fn node(&self, node: &str) -> String {
        format!("{}-{node}", self.name)
    }

    /// Makes the nodes and what runs on them.
    pub(super) async fn set_up(&self, client: &Client) -> Result<()> {
        self.make(client).await.with_context(|| format!("setting up {}", self.name))
    }

    async fn make(&self, client: &Client) -> Result<()> {
        let tenant = Tenant::move_in(client.clone(), self.name).await?;
        let nodes: Api<Node> = Api::all(client.clone());
        for (node, place) in &self.nodes {
            nodes.create(&PostParams::default(), &serde_json::from_value(self.manifest(node, place))?).await?;
        }
        self.nodes_are(client, |_| true).await?;
        for (node, cpu) in self.nodes.iter().filter_map(|(node, place)| Some((node, place.cpu?))) {
            let patch = Patch::Merge(json!({ "status": { "allocatable": { "cpu": cpu } } }));
            nodes.patch_status(&self.node(node), &PatchParams::default(), &patch).await?;
        }
        for step in &self.steps {
            match step {
                Step::Put { on, objects, running } => {
                    self.nodes_are(client, |node| node != *on).await?;
                    self.put_there(client, &tenant, on, objects, *running).await?;
                }
                Step::Sicken { app, on } => self.make_sick(client, app, on).await?,
            }
        }
        self.nodes_are(client, |node| self.nodes[node].cordoned).await
    }

    /// Cordons these, beside those that are always, and no others.
    pub(super) async fn cordon(&self, client: &Client, nodes: &[&str]) -> Result<()> {
        self.nodes_are(client, |node| self.nodes[node].cordoned || nodes.contains(&node)).await
    }

    fn manifest(&self, node: &str, place: &Place) -> Value {
        let name = self.node(node);
        let mut labels = json!({ "kubernetes.io/hostname": name, "kubernetes.io/os": "linux", "scenario": self.name, "place": node });
        for (key, value) in &place.labels {
            labels[key] = json!(value);
        }
        json!({
            "metadata": { "name": name, "labels": labels },
            "spec": { "taints": place.taints, "unschedulable": true },
            "status": { "capacity": { "cpu": "64", "memory": "512Gi", "pods": "1000" } },
        })
    }

    /// Cordons these and no others, and waits until that is so: ready, and with the taint of a cordon only where it should be.
    async fn nodes_are(&self, client: &Client, cordoned: impl Fn(&str) -> bool) -> Result<()> {
        let nodes: Api<Node> = Api::all(client.clone());
        for node in self.nodes.keys() {
            let patch = Patch::Merge(json!({ "spec": { "unschedulable": cordoned(node) } }));
            nodes.patch(&self.node(node), &PatchParams::default(), &patch).await?;
        }
        eventually("the nodes to take pods where they should", PATIENCE * 4, async || {
            for node in self.nodes.keys() {
                let found = nodes.get(&self.node(node)).await?;
                let taints = found.spec.and_then(|spec| spec.taints).unwrap_or_default();
                let has = |key: &str| taints.iter().any(|taint| taint.key == key);
                let conditions = found.status.and_then(|status| status.conditions).unwrap_or_default();
                let ready = conditions.iter().any(|condition| condition.type_ == "Ready" && condition.status == "True");
                ensure!(ready && !has(NOT_READY) && has(CORDON) == cordoned(node), "{node}: {taints:?}");
            }
            Ok(())
        })
        .await
    }

    async fn put_there(
        &self,
        client: &Client,
        tenant: &Tenant,
        on: &str,
        objects: &[Value],
        running: usize,
    ) -> Result<()> {
        let before: Vec<String> = self.pods(client).await?.iter().map(kube::ResourceExt::name_any).collect();
        for object in objects {
            let text = object.to_string().replace("NAME", self.name);
            tenant.apply(serde_json::from_str(&text)?).await?;
        }
        let on = self.node(on);
        eventually(&format!("{running} running pods"), PATIENCE * 4, async || {
            let pods = self.pods(client).await?;
            let begun = |pod: &&Pod| {
                let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
                // One that waits for its probe isn't there yet.
                phase.is_some_and(|phase| phase != "Pending") && (label(pod, "probed").is_empty() || is_ready(pod))
            };
            for pod in pods.iter().filter(|pod| !before.contains(&pod.name_any()) && !is_of(pod, "DaemonSet")) {
                let node = node_of(pod).unwrap_or_default();
                if !node.is_empty() && node != on {
                    return Err(give_up(anyhow::anyhow!("{} was put on {node}, not on {on}", pod.name_any())));
                }
            }
            let found = pods.iter().filter(begun).count();
            ensure!(found == running && pods.len() == running, "{found} of {} run", pods.len());
            Ok(())
        })
        .await
    }

    async fn make_sick(&self, client: &Client, app: &str, on: &str) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), self.name);
        let on = self.node(on);
        let conditions =
            json!([{ "type": "Ready", "status": "False" }, { "type": "ContainersReady", "status": "False" }]);
        let patch = Patch::Strategic(json!({ "status": { "conditions": conditions } }));
        let found = self.pods(client).await?;
        let mut sick = found.iter().filter(|pod| label(pod, "app") == app && node_of(pod) == Some(&on)).peekable();
        ensure!(sick.peek().is_some(), "no pod of {app} is on {on}");
        for pod in sick {
            pods.patch_status(&pod.name_any(), &PatchParams::default(), &patch).await?;
        }
        Ok(())
    }

    /// The pods that are on a node now.
    pub(super) async fn pods_on(&self, client: &Client, node: &str) -> Result<Vec<Found>> {
        let pods = self.pods(client).await?;
        let here = pods.iter().filter(|pod| node_of(pod) == Some(node));
        let found = here.map(|pod| Found {
            name: pod.name_any(),
            app: label(pod, "app").to_owned(),
            is_drained: is_drained(pod),
        });
        Ok(found.collect())
    }

    /// How many pods there are.
    pub(super) async fn pods_there(&self, client: &Client) -> Result<usize> {
        Ok(self.pods(client).await?.len())
    }

    /// Waits until so many pods run and are ready, and there are no others.
    pub(super) async fn all_ready(&self, client: &Client, count: usize) -> Result<()> {
        eventually(&format!("{count} ready pods"), PATIENCE * 4, async || {
            let pods = self.pods(client).await?;
            let ready = pods.iter().filter(|pod| is_ready(pod) && pod.metadata.deletion_timestamp.is_none()).count();
            ensure!(ready == count && pods.len() == count, "{ready} of {} are ready", pods.len());
            Ok(())
        })
        .await
    }

    /// Waits until so many pods that stay are on nodes.
    pub(super) async fn all_placed(&self, client: &Client, count: usize) -> Result<()> {
        eventually(&format!("{count} pods on nodes"), PATIENCE, async || {
            let pods = self.pods(client).await?;
            let stay = pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none());
            let placed = stay.filter(|pod| node_of(pod).is_some()).count();
            ensure!(placed == count, "{placed} are");
            Ok(())
        })
        .await
    }

    /// How many pods are on no node.
    pub(super) async fn unplaced(&self, client: &Client) -> Result<usize> {
        Ok(self.pods(client).await?.iter().filter(|pod| node_of(pod).is_none()).count())
    }

    async fn pods(&self, client: &Client) -> Result<Vec<Pod>> {
        let pods: Api<Pod> = Api::namespaced(client.clone(), self.name);
        Ok(pods.list(&ListParams::default()).await?.items)
    }
}

fn is_ready(pod: &Pod) -> bool {
    let mut conditions = pod.status.iter().flat_map(|status| status.conditions.iter().flatten());
    conditions.any(|condition| condition.type_ == "Ready" && condition.status == "True")
}

fn label<'a>(pod: &'a Pod, key: &str) -> &'a str {
    pod.labels().get(key).map(String::as_str).unwrap_or_default()
}

fn node_of(pod: &Pod) -> Option<&str> {
    pod.spec.as_ref()?.node_name.as_deref()
}

fn is_of(pod: &Pod, kind: &str) -> bool {
    pod.owner_references().iter().any(|owner| owner.kind == kind)
}
