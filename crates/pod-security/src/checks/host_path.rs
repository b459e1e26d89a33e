//! `hostPathVolumes`: no volume is a path of the node. At restricted, `restrictedVolumes` says this and more.

use super::volumes::instead_of;
use crate::facts::PodFacts;
use crate::table::{Explanation, Revision};
use crate::wording::named;

pub(crate) const V1_0: Revision =
    Revision { holds: |pod| !pod.volumes.iter().any(|(_, volume)| volume.sources.has_host_path()), explain };

fn explain(pod: &PodFacts) -> Explanation {
    let bad = pod.volumes.iter().filter(|(_, volume)| volume.sources.has_host_path());
    let names: Vec<&str> = bad.clone().map(|(_, volume)| &*volume.name).collect();
    Explanation {
        reason: "hostPath volumes",
        detail: named("volume", "volumes", &names),
        offences: bad.map(|(index, _)| instead_of(*index, "hostPath")).collect(),
    }
}
