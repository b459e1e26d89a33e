//! What configuration tells the scheduler.

use holdfast_model::repository::Talos;

use crate::Node;

/// Adds what a document says.
pub(super) fn read(document: &Node, talos: &mut Talos) {
    // Since Talos 1.14 it may be a document of its own.
    let own = || {
        let is_own = document.get("kind").and_then(Node::as_str) == Some("KubeSchedulerConfig");
        document.get("config").filter(|_| is_own)
    };
    let config = document.at(&["cluster", "scheduler", "config"]).or_else(own);
    talos.spreads |= config.is_some_and(spreads);
}

/// Whether replicas without a topology spread of their own get one over nodes (`PodTopologySpreadArgs`, `defaultConstraints`),
/// whether it insists or only prefers.
fn spreads(config: &Node) -> bool {
    let text = |node: &Node, key: &str, wanted: &str| node.get(key).and_then(Node::as_str) == Some(wanted);
    let over_nodes = |constraint: &Node| text(constraint, "topologyKey", "kubernetes.io/hostname");
    let plugin = |plugin: &Node| {
        let args = plugin.get("args").filter(|_| text(plugin, "name", "PodTopologySpread"));
        args.is_some_and(|args| items(args, "defaultConstraints").iter().any(over_nodes))
    };
    items(config, "profiles").iter().any(|profile| items(profile, "pluginConfig").iter().any(plugin))
}

fn items<'a>(node: &'a Node, key: &str) -> &'a [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}
