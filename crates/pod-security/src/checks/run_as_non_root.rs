//! `runAsNonRoot`: the runtime has to refuse root. The pod can say so for all its containers.

use std::borrow::Cow;

use super::setters::{names, setters};
use crate::facts::{Container, PodFacts, Security};
use crate::path::{Path, Place};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::containers;

pub(crate) const V1_0: Revision = Revision { holds, explain };

/// Root in a pod with users of its own is nobody on the node.
pub(crate) const V1_35: Revision = Revision { holds: |pod| pod.own_users || holds(pod), explain };

const FIELD: &str = "securityContext.runAsNonRoot";

fn holds(pod: &PodFacts) -> bool {
    !pod.securities().any(is_bad)
        && (pod.security().run_as_non_root.is_some() || !pod.containers().iter().any(is_silent))
}

fn is_bad(security: &Security) -> bool {
    security.run_as_non_root == Some(false)
}

fn is_silent(container: &Container) -> bool {
    container.security().run_as_non_root.is_none()
}

fn explain(pod: &PodFacts) -> Explanation {
    let silent = names(pod, is_silent);
    let detail = if pod.securities().any(is_bad) {
        setters(pod, is_bad) + " must not set securityContext.runAsNonRoot=false"
    } else {
        ["pod or ", &containers(&silent), " must set securityContext.runAsNonRoot=true"].concat()
    };
    let mut offences: Vec<Offence> = pod
        .placed_securities()
        .filter(|(_, security)| is_bad(security))
        .map(|(place, _)| Offence::set(Path::new(place, FIELD), Some(Cow::Borrowed("false")), "true"))
        .collect();
    // One change for all that say nothing, which the message leaves out when others say the wrong thing.
    if pod.security().run_as_non_root.is_none() && !silent.is_empty() {
        offences.insert(0, Offence::set(Path::new(Place::Pod, FIELD), None, "true"));
    }
    Explanation { reason: "runAsNonRoot != true", detail, offences }
}
