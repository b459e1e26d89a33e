//! Releases of charts that aren't read, whose pods need something of the node that level baseline forbids: by what the chart is for,
//! or by values that ask for it. What such fields are called in a pod they are called in values too, as charts hand them on.

use holdfast_pod_security::is_usual;

use super::Release;
use super::values::is_empty;
use crate::Node;

/// Charts whose pods need the node's network, its files, or all rights.
const CHARTS: [&str; 20] = [
    "cilium",
    "csi-driver-nfs",
    "csi-driver-smb",
    "democratic-csi",
    "fluent-bit",
    "intel-device-plugins-gpu",
    "longhorn",
    "metallb",
    "miroir",
    "multus",
    "node-feature-discovery",
    "node-problem-detector",
    "openebs",
    "prometheus-node-exporter",
    "prometheus-smartctl-exporter",
    "promtail",
    "proxmox-csi-plugin",
    "rook-ceph",
    "spegel",
    "victoria-logs-collector",
];

/// Fields of a pod that baseline wants to be false.
const RIGHTS: [&str; 4] = ["hostIPC", "hostNetwork", "hostPID", "privileged"];

/// Whether a release needs something of the node, as far as its chart's name and its values say it. Where no chart is known, its own
/// name stands for it.
pub(super) fn is_of_node(release: &Release<'_>) -> bool {
    let chart = release.chart.as_ref().map_or(&*release.name, |chart| &*chart.name);
    let brings_node_exporter = || {
        let enabled = release.value(&["nodeExporter", "enabled"]).and_then(Node::as_bool);
        chart == "kube-prometheus-stack" && enabled != Some(false)
    };
    CHARTS.contains(&chart) || brings_node_exporter() || asks(&release.values)
}

/// Whether something in the values asks for what level baseline forbids. Bounded by the depth of the document.
fn asks(values: &Node) -> bool {
    let here = values.entries().any(|entry| match &*entry.key {
        key if RIGHTS.contains(&key) => entry.value.as_bool() == Some(true),
        "hostPath" => entry.value.get("path").is_some_and(|path| !is_empty(path)),
        "capabilities" => {
            let added = entry.value.get("add").map(Node::items).unwrap_or_default();
            added.iter().filter_map(Node::as_str).any(|capability| !is_usual(capability))
        }
        _ => entry.value.as_str().is_some_and(asks_in_text),
    });
    here || values.entries().any(|entry| asks(&entry.value)) || values.items().iter().any(asks)
}

/// Whether a text asks for it: a template of pods that a runner makes later.
fn asks_in_text(text: &str) -> bool {
    let right = |line: &str| {
        line.trim().trim_start_matches("- ").strip_suffix(": true").is_some_and(|key| RIGHTS.contains(&key))
    };
    text.contains('\n') && text.lines().any(right)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::FileId;
    use crate::yaml::{self, Limits};

    #[track_caller]
    fn check(values: &str, expected: bool) {
        let parsed = yaml::parse(FileId::NONE, values.as_bytes(), &Limits::default());
        assert_eq!(asks(&parsed.documents[0]), expected, "{values}");
    }

    #[test]
    fn fields_of_a_pod_are_found_wherever_a_chart_takes_them() {
        check("securityContext: {capabilities: {add: [NET_RAW]}}", true);
        check("agent: {pod: {hostNetwork: true}}", true);
        check("extraVolumes: [{name: dev, hostPath: {path: /dev}}]", true);
        check("securityContext: {capabilities: {add: [NET_BIND_SERVICE], drop: [ALL]}, privileged: false}", false);
        check("config: {pod.yaml: \"spec:\\n  containers:\\n  - securityContext:\\n      privileged: true\\n\"}", true);
        check("hostNetwork: {enabled: false}", false);
        check("ingress: {hostPath: ''}", false);
    }
}
