//! Operators that act, as small as they can be: each makes a budget that refuses while its pod is on the node, and gives way in its
//! own manner once the node is cordoned.
//!
//! What each does is what the real one does: CloudNativePG promotes another instance, so that the budget over the primary is about
//! another pod; Longhorn removes the budget of its instance manager; Rook puts budgets over the other hosts in place of the one
//! over all; KubeVirt starts the machine on another node, and the old pod ends; Strimzi's operator, told by the drain cleaner,
//! deletes the pod and makes another elsewhere (the real one under the same name, which keeps kubectl asking).

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{PATIENCE, Tenant, set};
use holdfast_testkit::{Manifests, eventually};
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::Client;
use kube::api::{Api, DeleteParams, Patch, PatchParams};
use serde_json::{Value, json};
use tokio::sync::watch;

/// The node from which they move, and one to which they do.
const FROM: &str = "node-0";
const TO: &str = "node-1";
/// Kinds and their groups, of which only the owners of pods are needed; CloudNativePG's is among those of all tests.
const DEFINITIONS: [(&str, &str, &str); 4] = [
    ("longhorn.io", "InstanceManager", "instancemanagers"),
    ("ceph.rook.io", "CephCluster", "cephclusters"),
    ("kubevirt.io", "VirtualMachineInstance", "virtualmachineinstances"),
    ("core.strimzi.io", "StrimziPodSet", "strimzipodsets"),
];

/// One of them, in a namespace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    CloudNativePg,
    Longhorn,
    Rook,
    KubeVirt,
    Strimzi,
}

impl Operator {
    pub(super) const ALL: [Self; 5] = [Self::CloudNativePg, Self::Longhorn, Self::Rook, Self::KubeVirt, Self::Strimzi];

    /// As it is called where it is told of.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::CloudNativePg => "CloudNativePG",
            Self::Longhorn => "Longhorn",
            Self::Rook => "Rook",
            Self::KubeVirt => "KubeVirt",
            Self::Strimzi => "Strimzi's drain cleaner",
        }
    }

    pub(super) fn namespace(self) -> &'static str {
        match self {
            Self::CloudNativePg => "postgres",
            Self::Longhorn => "longhorn-system",
            Self::Rook => "rook-ceph",
            Self::KubeVirt => "machines",
            Self::Strimzi => "kafka",
        }
    }

    /// The pod on the node whose eviction is refused.
    pub(super) fn guarded(self) -> &'static str {
        match self {
            Self::CloudNativePg => "pg-1",
            Self::Longhorn => "instance-manager-0",
            Self::Rook => "rook-ceph-osd-1",
            Self::KubeVirt => "virt-launcher-vm-1",
            Self::Strimzi => "kafka-0",
        }
    }

    /// The label of the operator's own pods.
    fn mark(self) -> (&'static str, &'static str) {
        match self {
            Self::CloudNativePg => ("app.kubernetes.io/name", "cloudnative-pg"),
            Self::Longhorn => ("app", "longhorn-manager"),
            Self::Rook => ("app", "rook-ceph-operator"),
            Self::KubeVirt => ("kubevirt.io", "virt-controller"),
            Self::Strimzi => ("app", "strimzi-drain-cleaner"),
        }
    }

    /// Its own pod, what it runs, and the budget.
    fn objects(self) -> Vec<Value> {
        let (key, value) = self.mark();
        let mut objects = vec![pod("operator", TO, &[(key, value)])];
        objects.extend(match self {
            Self::CloudNativePg => vec![
                owner("postgresql.cnpg.io/v1", "Cluster", "pg"),
                owned(pod("pg-1", FROM, &[("role", "primary")]), "postgresql.cnpg.io/v1", "Cluster", "pg"),
                owned(pod("pg-2", TO, &[("role", "replica")]), "postgresql.cnpg.io/v1", "Cluster", "pg"),
                budget("pg-primary", json!({ "minAvailable": 1 }), ("role", "primary")),
            ],
            // Every node has its own, with an owner of its own.
            Self::Longhorn => [("instance-manager-0", FROM), ("instance-manager-1", TO)]
                .into_iter()
                .flat_map(|(name, node)| {
                    let manager = pod(name, node, &[("manager", name)]);
                    [
                        owner("longhorn.io/v1", "InstanceManager", name),
                        owned(manager, "longhorn.io/v1", "InstanceManager", name),
                        budget(name, json!({ "minAvailable": 1 }), ("manager", name)),
                    ]
                })
                .collect(),
            Self::Rook => {
                let mut objects = vec![owner("ceph.rook.io/v1", "CephCluster", "rook-ceph")];
                let hosts = [FROM, FROM, TO];
                objects.extend(hosts.iter().enumerate().map(|(number, host)| disk(number, host)));
                objects.push(budget("rook-ceph-osd", json!({ "maxUnavailable": 1 }), ("app", "rook-ceph-osd")));
                objects
            }
            Self::KubeVirt => vec![
                owner("kubevirt.io/v1", "VirtualMachineInstance", "vm"),
                machine("virt-launcher-vm-1", FROM),
                budget("kubevirt-disruption-budget-vm", json!({ "minAvailable": 1 }), ("vm", "vm")),
            ],
            Self::Strimzi => vec![
                owner("core.strimzi.io/v1", "StrimziPodSet", "kafka"),
                broker("kafka-0", FROM),
                broker("kafka-1", TO),
                budget("kafka", json!({ "minAvailable": 2 }), ("app", "kafka")),
            ],
        });
        objects
    }

    /// What it does about the node that is cordoned.
    async fn gives_way(self, tenant: &Tenant) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
        let at_once = DeleteParams::default();
        match self {
            Self::CloudNativePg => {
                for (name, role) in [("pg-1", "replica"), ("pg-2", "primary")] {
                    let label = json!({ "metadata": { "labels": { "role": role } } });
                    pods.patch(name, &PatchParams::default(), &Patch::Merge(label)).await?;
                }
            }
            Self::Longhorn => drop(tenant.budgets().delete(self.guarded(), &at_once).await?),
            Self::Rook => {
                let others = budget("rook-ceph-osd-host-node-1", json!({ "maxUnavailable": 0 }), ("host", TO));
                tenant.budgets().delete("rook-ceph-osd", &at_once).await?;
                tenant.apply(others).await?;
            }
            Self::KubeVirt => {
                tenant.apply(machine("virt-launcher-vm-2", TO)).await?;
                runs_ready(&pods, "virt-launcher-vm-2").await?;
                pods.delete(self.guarded(), &at_once).await?;
            }
            Self::Strimzi => {
                pods.delete(self.guarded(), &at_once).await?;
                eventually("the end of the broker", PATIENCE, async || {
                    ensure!(pods.get_opt(self.guarded()).await?.is_none(), "it is still there");
                    Ok(())
                })
                .await?;
                // Under its old name kubectl would go on asking for it, on whatever node it is by then.
                tenant.apply(broker("kafka-2", TO)).await?;
            }
        }
        Ok(())
    }

    /// Makes everything, and waits until it runs and its budget refuses.
    pub(super) async fn set_up(self, client: &Client) -> Result<Tenant> {
        let tenant = Tenant::move_in(client.clone(), self.namespace()).await?;
        for object in self.objects() {
            eventually("its kind to be served", PATIENCE, async || tenant.apply(object.clone()).await).await?;
        }
        let pods: Api<Pod> = Api::namespaced(client.clone(), &tenant.name);
        for name in ["operator", self.instance(&pods).await?.as_str()] {
            runs_ready(&pods, name).await?;
        }
        Ok(tenant)
    }

    /// The full name of the guarded pod: that of a Deployment ends by chance.
    pub(super) async fn instance(self, pods: &Api<Pod>) -> Result<String> {
        eventually(&format!("pod {}", self.guarded()), PATIENCE, async || {
            let names = pods.list(&Default::default()).await?.items.into_iter().filter_map(|pod| pod.metadata.name);
            names.into_iter().find(|name| name.starts_with(self.guarded())).context("no such pod")
        })
        .await
    }

    /// Whether it runs itself, by its own pod.
    pub(super) async fn is_ready(self, tenant: &Tenant, ready: bool) -> Result<()> {
        let pods: Api<Pod> = Api::namespaced(tenant.client.clone(), &tenant.name);
        let status = if ready { "True" } else { "False" };
        let conditions = json!([{ "type": "Ready", "status": status }]);
        let patch = Patch::Strategic(json!({ "status": { "conditions": conditions } }));
        pods.patch_status("operator", &PatchParams::default(), &patch).await?;
        Ok(())
    }

    /// Acts, as soon as the node is cordoned and this says that it may.
    pub(super) async fn acts(self, tenant: &Tenant, mut may: watch::Receiver<bool>) -> Result<()> {
        let nodes: Api<Node> = Api::all(tenant.client.clone());
        eventually("a cordon", PATIENCE, async || {
            let cordoned = nodes.get(FROM).await?.spec.and_then(|spec| spec.unschedulable);
            ensure!(cordoned == Some(true), "none yet");
            Ok(())
        })
        .await?;
        may.wait_for(|may| *may).await?;
        self.gives_way(tenant).await.with_context(|| self.name())
    }
}

/// The definitions of their kinds.
pub(super) async fn define(client: &Client) -> Result<()> {
    for (group, kind, plural) in DEFINITIONS {
        let anything = json!({ "type": "object", "x-kubernetes-preserve-unknown-fields": true });
        let version =
            json!({ "name": "v1", "served": true, "storage": true, "schema": { "openAPIV3Schema": anything } });
        let definition = json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": { "name": format!("{plural}.{group}") },
            "spec": {
                "group": group, "scope": "Namespaced", "versions": [version],
                "names": { "kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": kind.to_lowercase() },
            },
        });
        Manifests::parse(&definition.to_string())?.apply(client, "e2e").await?;
    }
    Ok(())
}

async fn runs_ready(pods: &Api<Pod>, name: &str) -> Result<()> {
    eventually(&format!("pod {name} to be ready"), PATIENCE, async || {
        let status = pods.get(name).await?.status.unwrap_or_default();
        let ready = status.conditions.iter().flatten().any(|it| it.type_ == "Ready" && it.status == "True");
        ensure!(ready, "{:?}", status.phase);
        Ok(())
    })
    .await
}

fn pod(name: &str, node: &str, labels: &[(&str, &str)]) -> Value {
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name },
        "spec": {
            "nodeName": node, "terminationGracePeriodSeconds": 0,
            "containers": [{ "name": "main", "image": "example.com/app:1" }],
        },
    });
    for (key, value) in labels {
        pod["metadata"]["labels"][*key] = json!(value);
    }
    pod
}

fn machine(name: &str, node: &str) -> Value {
    owned(pod(name, node, &[("vm", "vm")]), "kubevirt.io/v1", "VirtualMachineInstance", "vm")
}

fn broker(name: &str, node: &str) -> Value {
    owned(pod(name, node, &[("app", "kafka")]), "core.strimzi.io/v1", "StrimziPodSet", "kafka")
}

/// A Deployment of one, bound to its host.
fn disk(number: usize, host: &str) -> Value {
    let name = format!("rook-ceph-osd-{number}");
    let labels = json!({ "app": "rook-ceph-osd", "osd": name, "host": host });
    let container = json!({ "name": "osd", "image": "example.com/ceph:1" });
    let spec = json!({
        "nodeSelector": { "kubernetes.io/hostname": host }, "terminationGracePeriodSeconds": 0, "containers": [container],
    });
    let deployment = json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": name },
        "spec": {
            "replicas": 1, "selector": { "matchLabels": { "osd": name } },
            "template": { "metadata": { "labels": labels }, "spec": spec },
        },
    });
    owned(deployment, "ceph.rook.io/v1", "CephCluster", "rook-ceph")
}

fn owner(version: &str, kind: &str, name: &str) -> Value {
    json!({ "apiVersion": version, "kind": kind, "metadata": { "name": name }, "spec": {} })
}

fn owned(object: Value, version: &str, kind: &str, name: &str) -> Value {
    let owner = json!({ "apiVersion": version, "kind": kind, "name": name, "controller": true });
    set(object, "/metadata/ownerReferences", json!([owner]))
}

fn budget(name: &str, limit: Value, (key, value): (&str, &str)) -> Value {
    let mut spec = limit;
    spec["selector"] = json!({ "matchLabels": { key: value } });
    json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": name }, "spec": spec })
}
