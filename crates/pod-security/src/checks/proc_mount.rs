//! `procMount` and `procMount_restricted`: `/proc` stays masked. Both demand the same, at other levels and times.

use std::collections::BTreeSet;

use super::setters::names;
use crate::facts::PodFacts;
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{containers, json, quoted};

pub(crate) const V1_0: Revision = Revision { holds, explain };

/// Root in a pod with users of its own is nobody on the node.
pub(crate) const V1_35: Revision = Revision { holds: |pod| pod.own_users || holds(pod), explain };

fn holds(pod: &PodFacts) -> bool {
    // The default isn't kept.
    !pod.containers().iter().any(|container| container.security().proc_mount.is_some())
}

fn explain(pod: &PodFacts) -> Explanation {
    let bad = names(pod, |container| container.security().proc_mount.is_some());
    let kinds = pod.containers().iter().filter_map(|container| container.security().proc_mount.as_deref());
    let kinds: BTreeSet<&str> = kinds.collect();
    let offences = pod.placed().filter_map(|(place, container)| {
        let kind = container.security().proc_mount.as_deref()?;
        Some(Offence::remove(Path::new(place, "securityContext.procMount"), json(kind)))
    });
    Explanation {
        reason: "procMount",
        detail: format!("{} must not set securityContext.procMount to {}", containers(&bad), quoted(kinds)),
        offences: offences.collect(),
    }
}
