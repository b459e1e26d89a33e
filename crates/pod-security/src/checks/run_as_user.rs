//! `runAsUser`: no user is root by number. The cure is to name none: the image's holds, which `runAsNonRoot` watches.

use super::setters::setters;
use crate::facts::{PodFacts, User};
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;

pub(crate) const V1_23: Revision = Revision { holds, explain };

/// Root in a pod with users of its own is nobody on the node.
pub(crate) const V1_35: Revision = Revision { holds: |pod| pod.own_users || holds(pod), explain };

fn holds(pod: &PodFacts) -> bool {
    !pod.securities().any(|security| security.user == Some(User::Root))
}

fn explain(pod: &PodFacts) -> Explanation {
    let bad = pod.placed_securities().filter(|(_, security)| security.user == Some(User::Root));
    let offences = bad.map(|(place, _)| Offence::remove(Path::new(place, "securityContext.runAsUser"), "0".into()));
    Explanation {
        reason: "runAsUser=0",
        detail: setters(pod, |security| security.user == Some(User::Root)) + " must not set runAsUser=0",
        offences: offences.collect(),
    }
}
