//! `hostNamespaces`: the pod doesn't share the node's network, processes or memory.

use std::borrow::Cow;

use crate::facts::PodFacts;
use crate::path::{Path, Place};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;

pub(crate) const V1_0: Revision = Revision { holds: |pod| shared(pod).next().is_none(), explain };

fn shared(pod: &PodFacts) -> impl Iterator<Item = &'static str> {
    let all = [(pod.host_network, "hostNetwork"), (pod.host_pid, "hostPID"), (pod.host_ipc, "hostIPC")];
    all.into_iter().filter(|(shared, _)| *shared).map(|(_, field)| field)
}

fn explain(pod: &PodFacts) -> Explanation {
    let offence = |field| Offence::set(Path::new(Place::Pod, field), Some(Cow::Borrowed("true")), "false");
    Explanation {
        reason: "host namespaces",
        detail: shared(pod).map(|field| format!("{field}=true")).collect::<Vec<_>>().join(", "),
        offences: shared(pod).map(offence).collect(),
    }
}
