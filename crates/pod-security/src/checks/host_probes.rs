//! `hostProbesAndHostLifecycle`: probes and hooks go to the pod itself. The node makes them, so they could go anywhere
//! that it reaches.

use std::collections::BTreeSet;

use super::setters::names;
use crate::facts::PodFacts;
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{containers, counted, json, quoted};

pub(crate) const V1_34: Revision =
    Revision { holds: |pod| pod.containers().iter().all(|container| container.hosts().is_empty()), explain };

fn explain(pod: &PodFacts) -> Explanation {
    // Sorted, and each once: the only check that does this with containers.
    let bad: BTreeSet<&str> = names(pod, |container| !container.hosts().is_empty()).into_iter().collect();
    let bad: Vec<&str> = bad.into_iter().collect();
    let mut offences = Vec::new();
    let mut hosts = BTreeSet::new();
    for (place, container) in pod.placed() {
        for host in container.hosts() {
            hosts.insert(&*host.host);
            offences.push(Offence::remove(Path::new(place.clone(), host.field), json(&host.host)));
        }
    }
    Explanation {
        reason: "probe or lifecycle host",
        detail: format!(
            "{} {} {} {}",
            containers(&bad),
            counted("uses", "use", bad.len()),
            counted("probe or lifecycle host", "probe or lifecycle hosts", hosts.len()),
            quoted(hosts),
        ),
        offences,
    }
}
