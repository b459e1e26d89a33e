//! Who set something: the pod, containers or both, as the server's messages begin.

use crate::facts::{Container, PodFacts, Security};
use crate::wording::containers;

/// `pod and containers "a", "b"`, of those that are bad.
pub(super) fn setters(pod: &PodFacts, is_bad: impl Fn(&Security) -> bool) -> String {
    let names = names(pod, |container| is_bad(container.security()));
    match (is_bad(pod.security()), &names[..]) {
        (true, []) => "pod".to_owned(),
        (true, names) => format!("pod and {}", containers(names)),
        (false, names) => containers(names),
    }
}

/// The names of the containers that are bad.
pub(super) fn names(pod: &PodFacts, is_bad: impl Fn(&Container) -> bool) -> Vec<&str> {
    pod.containers().iter().filter(|container| is_bad(container)).map(|container| &*container.name).collect()
}
