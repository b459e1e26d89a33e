//! Namespaces with real workloads of every kind, and budgets over them.

use anyhow::{Context as _, Result};
use fastrand::Rng;
use holdfast_e2e::Tenant;
use k8s_openapi::api::core::v1::Pod;
use kube::api::Api;
use kube::{Client, ResourceExt as _};
use serde_json::{Value, json};

use super::{budgets, create};

/// How many nodes there are, and so pods of a DaemonSet.
pub(super) const NODES: u16 = 3;
/// A custom resource with a scale, and one without; nobody makes pods for either but this test.
pub(super) const DEFINITIONS: &str = r"
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: fleets.evict.example.com}
spec:
  group: evict.example.com
  scope: Namespaced
  names: {kind: Fleet, listKind: FleetList, plural: fleets, singular: fleet}
  versions:
    - name: v1
      served: true
      storage: true
      subresources: {scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}, status: {}}
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: herds.evict.example.com}
spec:
  group: evict.example.com
  scope: Namespaced
  names: {kind: Herd, listKind: HerdList, plural: herds, singular: herd}
  versions:
    - name: v1
      served: true
      storage: true
      schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}
";

/// A namespace.
pub(super) struct Home {
    pub(super) namespace: String,
    /// How many pods there will be.
    pub(super) pods: usize,
    workloads: Vec<Workload>,
    budgets: Vec<Value>,
    /// How many of the budgets are there before the pods.
    early: usize,
    /// Every so many pods one stops being ready.
    sick: usize,
}

struct Workload {
    name: String,
    kind: Kind,
    replicas: usize,
    labels: Value,
    unready: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Deployment,
    StatefulSet,
    Parallel,
    DaemonSet,
    ReplicaSet,
    Job,
    FinishedJob,
    Bare,
    Fleet,
    Herd,
}

const KINDS: [Kind; 16] = [
    Kind::Deployment,
    Kind::Deployment,
    Kind::Deployment,
    Kind::Deployment,
    Kind::StatefulSet,
    Kind::StatefulSet,
    Kind::Parallel,
    Kind::Parallel,
    Kind::ReplicaSet,
    Kind::ReplicaSet,
    Kind::DaemonSet,
    Kind::Job,
    Kind::FinishedJob,
    Kind::Bare,
    Kind::Fleet,
    Kind::Herd,
];

/// As many namespaces as it takes until they have at least this many pods.
pub(super) fn draw(rng: &mut Rng, prefix: &str, pods: usize) -> Vec<Home> {
    let mut homes: Vec<Home> = Vec::new();
    while homes.iter().map(|home| home.pods).sum::<usize>() < pods {
        homes.push(Home::draw(rng, format!("{prefix}{}", homes.len())));
    }
    homes
}

impl Home {
    fn draw(rng: &mut Rng, namespace: String) -> Self {
        let workloads: Vec<_> = (0..rng.usize(5..10)).map(|at| Workload::draw(rng, at)).collect();
        let apps: Vec<String> = workloads.iter().map(|workload| workload.name.clone()).collect();
        let budgets: Vec<_> = (0..rng.usize(3..10)).map(|at| budgets::spec(rng, at, &apps)).collect();
        let pods = workloads.iter().map(Workload::pods).sum();
        Self { namespace, pods, workloads, early: rng.usize(..=budgets.len()), budgets, sick: rng.usize(4..20) }
    }

    pub(super) fn is_sick(&self, pod: usize) -> bool {
        pod % self.sick == self.sick / 2
    }

    pub(super) async fn make(&self, client: &Client) -> Result<()> {
        let tenant = Tenant::move_in(client.clone(), &self.namespace).await?;
        let specs = || self.budgets.iter().enumerate();
        for (at, spec) in specs().take(self.early) {
            create(&tenant.budgets(), budget(at, spec)).await?;
        }
        for workload in &self.workloads {
            workload.make(&tenant).await.with_context(|| format!("{:?} {}", workload.kind, workload.name))?;
        }
        for (at, spec) in specs().skip(self.early) {
            create(&tenant.budgets(), budget(at, spec)).await?;
        }
        Ok(())
    }
}

fn budget(at: usize, spec: &Value) -> Value {
    json!({ "metadata": { "name": format!("budget-{at}") }, "spec": spec })
}

impl Workload {
    fn draw(rng: &mut Rng, at: usize) -> Self {
        let name = format!("app-{at}");
        let kind = KINDS[rng.usize(..KINDS.len())];
        let mut labels = json!({ "app": name });
        if let Some(tier) = budgets::tier(rng) {
            labels["tier"] = json!(tier);
        }
        let unready = rng.u8(..5) == 0 && kind != Kind::FinishedJob;
        if unready {
            labels["unready"] = json!("true");
        }
        if kind == Kind::FinishedJob {
            labels["finishes"] = json!("true");
        }
        Self { name, kind, replicas: rng.usize(..6), labels, unready }
    }

    /// How many pods there will be.
    fn pods(&self) -> usize {
        match self.kind {
            Kind::DaemonSet => usize::from(NODES),
            // The second waits until the first is ready, for ever.
            Kind::StatefulSet if self.unready => self.replicas.min(1),
            Kind::Job | Kind::FinishedJob => self.replicas.max(1),
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::Parallel
            | Kind::ReplicaSet
            | Kind::Bare
            | Kind::Fleet
            | Kind::Herd => self.replicas,
        }
    }

    async fn make(&self, tenant: &Tenant) -> Result<()> {
        match self.kind {
            Kind::Bare => self.make_pods(tenant, json!([])).await,
            Kind::Fleet | Kind::Herd => {
                let made = tenant.apply(self.owner()).await?;
                let reference = json!({
                    "apiVersion": "evict.example.com/v1", "kind": format!("{:?}", self.kind), "name": self.name,
                    "uid": made.uid(), "controller": true,
                });
                self.make_pods(tenant, json!([reference])).await
            }
            Kind::Deployment
            | Kind::StatefulSet
            | Kind::Parallel
            | Kind::DaemonSet
            | Kind::ReplicaSet
            | Kind::Job
            | Kind::FinishedJob => tenant.apply(self.maker()).await.map(drop),
        }
    }

    /// Of a custom resource the replicas that it says need not be the pods that there are.
    fn owner(&self) -> Value {
        let replicas = self.replicas + self.name.len() % 2;
        json!({
            "apiVersion": "evict.example.com/v1", "kind": format!("{:?}", self.kind),
            "metadata": { "name": self.name }, "spec": { "replicas": replicas },
        })
    }

    async fn make_pods(&self, tenant: &Tenant, owners: Value) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
        for at in 0..self.replicas {
            let name = format!("{}-{at}", self.name);
            let metadata = json!({ "name": name, "labels": self.labels, "ownerReferences": owners });
            create(&pods, json!({ "metadata": metadata, "spec": pod_spec() })).await?;
        }
        Ok(())
    }

    fn maker(&self) -> Value {
        let template = json!({ "metadata": { "labels": self.labels }, "spec": pod_spec() });
        let selector = json!({ "matchLabels": { "app": self.name } });
        let of = |version: &str, kind: &str, spec: Value| json!({ "apiVersion": version, "kind": kind, "metadata": { "name": self.name }, "spec": spec });
        let replicated = |kind: &str| {
            of("apps/v1", kind, json!({ "replicas": self.replicas, "selector": selector, "template": template }))
        };
        match self.kind {
            Kind::StatefulSet => replicated("StatefulSet"),
            Kind::Parallel => {
                holdfast_e2e::set(replicated("StatefulSet"), "/spec/podManagementPolicy", json!("Parallel"))
            }
            Kind::DaemonSet => of("apps/v1", "DaemonSet", json!({ "selector": selector, "template": template })),
            Kind::ReplicaSet => replicated("ReplicaSet"),
            Kind::Job | Kind::FinishedJob => {
                let template = holdfast_e2e::set(template.clone(), "/spec/restartPolicy", json!("Never"));
                let count = self.pods();
                of("batch/v1", "Job", json!({ "parallelism": count, "completions": count, "template": template }))
            }
            Kind::Deployment | Kind::Bare | Kind::Fleet | Kind::Herd => replicated("Deployment"),
        }
    }
}

fn pod_spec() -> Value {
    json!({ "terminationGracePeriodSeconds": 0, "containers": [{ "name": "main", "image": "example.com/app:1" }] })
}
