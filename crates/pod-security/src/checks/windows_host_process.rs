//! `windowsHostProcess`: no container is a process of a Windows node.

use std::borrow::Cow;

use super::setters::setters;
use crate::facts::PodFacts;
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;

pub(crate) const V1_0: Revision =
    Revision { holds: |pod| !pod.securities().any(|security| security.host_process), explain };

fn explain(pod: &PodFacts) -> Explanation {
    let bad = pod.placed_securities().filter(|(_, security)| security.host_process);
    let offences = bad.map(|(place, _)| {
        let path = Path::new(place, "securityContext.windowsOptions.hostProcess");
        Offence::set(path, Some(Cow::Borrowed("true")), "false")
    });
    Explanation {
        reason: "hostProcess",
        detail: setters(pod, |security| security.host_process)
            + " must not set securityContext.windowsOptions.hostProcess=true",
        offences: offences.collect(),
    }
}
