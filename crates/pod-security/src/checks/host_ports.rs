//! `hostPorts`: no port is opened on the node.

use std::collections::BTreeSet;

use super::setters::names;
use crate::facts::PodFacts;
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{containers, counted};

pub(crate) const V1_0: Revision = Revision {
    holds: |pod| !pod.containers().iter().any(|container| container.host_ports().next().is_some()),
    explain,
};

fn explain(pod: &PodFacts) -> Explanation {
    let bad = names(pod, |container| container.host_ports().next().is_some());
    let mut offences = Vec::new();
    // Sorted as text, as the server does.
    let mut ports = BTreeSet::new();
    for (place, container) in pod.placed() {
        for port in container.host_ports() {
            ports.insert(port.host.to_string());
            let path = Path::new(place.clone(), "ports").item(port.index).then("hostPort");
            offences.push(Offence::remove(path, port.host.to_string().into()));
        }
    }
    Explanation {
        reason: "hostPort",
        detail: format!(
            "{} {} {} {}",
            containers(&bad),
            counted("uses", "use", bad.len()),
            counted("hostPort", "hostPorts", ports.len()),
            ports.into_iter().collect::<Vec<_>>().join(", "),
        ),
        offences,
    }
}
