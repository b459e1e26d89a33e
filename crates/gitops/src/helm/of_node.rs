//! Values that ask for something of the node, of charts that aren't read. What such fields are called in a pod they are called in
//! values too, as charts hand them on.

use holdfast_pod_security::is_usual;

use super::values::is_empty;
use crate::Node;

/// Whether something in the values asks for what level baseline forbids. Bounded by the depth of the document.
pub(super) fn asks(values: &Node) -> bool {
    let here = values.entries().any(|entry| match &*entry.key {
        "hostNetwork" | "hostPID" | "hostIPC" | "privileged" => entry.value.as_bool() == Some(true),
        "hostPath" => entry.value.get("path").is_some_and(|path| !is_empty(path)),
        "capabilities" => {
            let added = entry.value.get("add").map(Node::items).unwrap_or_default();
            added.iter().filter_map(Node::as_str).any(|capability| !is_usual(capability))
        }
        _ => false,
    });
    here || values.entries().any(|entry| asks(&entry.value)) || values.items().iter().any(asks)
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
        check("hostNetwork: {enabled: false}", false);
        check("ingress: {hostPath: ''}", false);
    }
}
