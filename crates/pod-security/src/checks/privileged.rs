//! `privileged`: no container is root on the node.

use std::borrow::Cow;

use super::setters::names;
use crate::facts::PodFacts;
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::containers;

pub(crate) const V1_0: Revision =
    Revision { holds: |pod| !pod.containers().iter().any(|container| container.security().privileged), explain };

fn explain(pod: &PodFacts) -> Explanation {
    let bad = names(pod, |container| container.security().privileged);
    let offences = pod.placed().filter(|(_, container)| container.security().privileged).map(|(place, _)| {
        Offence::set(Path::new(place, "securityContext.privileged"), Some(Cow::Borrowed("true")), "false")
    });
    Explanation {
        reason: "privileged",
        detail: containers(&bad) + " must not set securityContext.privileged=true",
        offences: offences.collect(),
    }
}
