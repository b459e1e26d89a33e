//! `allowPrivilegeEscalation`: each container has to say that no program gains rights.

use std::borrow::Cow;

use super::setters::names;
use crate::facts::{PodFacts, Security};
use crate::path::Path;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::containers;

pub(crate) const V1_8: Revision = Revision { holds, explain };

/// A container of Windows can't have the field.
pub(crate) const V1_25: Revision = Revision { holds: |pod| pod.is_windows || holds(pod), explain };

fn holds(pod: &PodFacts) -> bool {
    !pod.containers().iter().any(|container| is_bad(container.security()))
}

fn is_bad(security: &Security) -> bool {
    security.allow_privilege_escalation != Some(false)
}

fn explain(pod: &PodFacts) -> Explanation {
    let bad = names(pod, |container| is_bad(container.security()));
    let offences = pod.placed().filter(|(_, container)| is_bad(container.security())).map(|(place, container)| {
        let path = Path::new(place, "securityContext.allowPrivilegeEscalation");
        let value = container.security().allow_privilege_escalation.map(|_| Cow::Borrowed("true"));
        Offence::set(path, value, "false")
    });
    Explanation {
        reason: "allowPrivilegeEscalation != false",
        detail: containers(&bad) + " must set securityContext.allowPrivilegeEscalation=false",
        offences: offences.collect(),
    }
}
