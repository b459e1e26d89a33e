//! Fake kubelets: KWOK with the stages of `e2e/stages.yaml`, and the nodes it plays.
//!
//! Pods become Ready at once. The label `unready: "true"` on a pod makes it crash-loop, `probed: "true"` makes it wait for the
//! initialDelaySeconds of its readiness probe, `finishes: "true"` makes it succeed, `lingers: "true"` makes it take three seconds to go; one with `server: "true"` is left to a [`crate::ServerKubelet`]. Nodes have addresses, and leases that keep them from being declared lost.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use k8s_openapi::api::core::v1::{Node, NodeAddress, NodeStatus};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;
use kube::api::{Api, ListParams, ObjectMeta, PostParams};
use kube::{Client, ResourceExt as _};

use crate::component::{Component, Lifetime};
use crate::kubeconfig::write_private;

/// What a fake kubelet does with nodes and pods.
const STAGES: &str = include_str!("../../../e2e/stages.yaml");

/// The fake kubelets of one control plane, not started yet.
pub(crate) fn component(
    program: PathBuf,
    home: &Path,
    lifetime: Lifetime,
    kubeconfig: &Path,
    address: &str,
) -> Result<Component> {
    let stages = home.join("stages.yaml");
    write_private(&stages, STAGES)?;
    let arguments = vec![
        format!("--kubeconfig={}", kubeconfig.display()),
        format!("--config={}", stages.display()),
        "--manage-all-nodes=true".to_owned(),
        "--node-lease-duration-seconds=40".to_owned(),
        format!("--server-address={address}"),
    ];
    Ok(Component::new("kwok", program, home, lifetime, arguments))
}

/// Creates the nodes `node-0`, `node-1` and so on, spread over three zones.
pub async fn create_nodes(client: &Client, count: u16) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    for index in 0..count {
        nodes.create(&PostParams::default(), &node(index)).await?;
    }
    Ok(())
}

/// Fails unless `count` nodes are Ready and take pods.
pub(crate) async fn check_nodes(client: &Client, count: u16) -> Result<()> {
    let nodes: Api<Node> = Api::all(client.clone());
    let nodes = nodes.list(&ListParams::default()).await?;
    let waiting: Vec<String> = nodes.iter().filter(|node| !takes_pods(node)).map(Node::name_any).collect();
    ensure!(waiting.is_empty() && usize::from(count) <= nodes.items.len(), "nodes not ready: {waiting:?}");
    Ok(())
}

/// Ready, and no longer tainted as not ready, which is removed a little later.
fn takes_pods(node: &Node) -> bool {
    let conditions = node.status.iter().flat_map(|status| status.conditions.iter().flatten());
    let mut ready = conditions.filter(|condition| condition.type_ == "Ready" && condition.status == "True");
    let tainted = node.spec.as_ref().and_then(|spec| spec.taints.as_ref()).is_some_and(|taints| !taints.is_empty());
    ready.next().is_some() && !tainted
}

fn node(index: u16) -> Node {
    let name = format!("node-{index}");
    let labels = [
        ("kubernetes.io/hostname", name.clone()),
        ("kubernetes.io/os", "linux".to_owned()),
        ("kubernetes.io/arch", "amd64".to_owned()),
        ("topology.kubernetes.io/zone", format!("zone-{}", index % 3)),
    ];
    let [high, low] = index.to_be_bytes();
    let address = |type_: &str, address: String| NodeAddress { type_: type_.to_owned(), address };
    Node {
        metadata: ObjectMeta {
            name: Some(name.clone()),
            labels: Some(labels.map(|(key, value)| (key.to_owned(), value)).into()),
            ..ObjectMeta::default()
        },
        status: Some(NodeStatus {
            addresses: Some(vec![address("InternalIP", format!("10.64.{high}.{low}")), address("Hostname", name)]),
            capacity: Some(capacity()),
            ..NodeStatus::default()
        }),
        ..Node::default()
    }
}

fn capacity() -> BTreeMap<String, Quantity> {
    [("cpu", "64"), ("memory", "512Gi"), ("pods", "10000")]
        .map(|(resource, amount)| (resource.to_owned(), Quantity(amount.to_owned())))
        .into()
}
