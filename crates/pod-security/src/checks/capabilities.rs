//! `capabilities_baseline` and `capabilities_restricted`: what of root's rights a container may have.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::setters::names;
use crate::facts::{Container, Drop, PodFacts};
use crate::path::{ADDED, Path, Place};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{containers, json, quoted};

pub(crate) const BASELINE_V1_0: Revision = Revision {
    holds: |pod| !pod.containers().iter().any(|container| adds(container, is_usual)),
    explain: explain_baseline,
};

pub(crate) const RESTRICTED_V1_22: Revision = Revision { holds: holds_restricted, explain: explain_restricted };

/// A container of Windows can't have the field.
pub(crate) const RESTRICTED_V1_25: Revision =
    Revision { holds: |pod| pod.is_windows || holds_restricted(pod), explain: explain_restricted };

/// What runtimes give by default, but for `NET_RAW`.
pub(crate) const USUAL: [&str; 13] = [
    "AUDIT_WRITE",
    "CHOWN",
    "DAC_OVERRIDE",
    "FOWNER",
    "FSETID",
    "KILL",
    "MKNOD",
    "NET_BIND_SERVICE",
    "SETFCAP",
    "SETGID",
    "SETPCAP",
    "SETUID",
    "SYS_CHROOT",
];

/// Whether a container may add a capability at level baseline.
#[must_use]
pub fn is_usual(capability: &str) -> bool {
    USUAL.contains(&capability)
}

fn is_harmless(capability: &str) -> bool {
    capability == "NET_BIND_SERVICE"
}

fn added(container: &Container) -> &[Box<str>] {
    container.security().capabilities.as_ref().map_or(&[], |capabilities| &capabilities.add)
}

fn adds(container: &Container, may: fn(&str) -> bool) -> bool {
    !added(container).iter().all(|name| may(name))
}

/// What is dropped, unless that is all.
fn drops_too_little(container: &Container) -> Option<&[Box<str>]> {
    match container.security().capabilities.as_ref().map(|capabilities| &capabilities.drop) {
        None => Some(&[]),
        Some(Drop::Some(names)) => Some(names),
        Some(Drop::All) => None,
    }
}

fn holds_restricted(pod: &PodFacts) -> bool {
    let holds = |container| drops_too_little(container).is_none() && !adds(container, is_harmless);
    pod.containers().iter().all(holds)
}

fn explain_baseline(pod: &PodFacts) -> Explanation {
    let mut offences = Vec::new();
    for (place, container) in pod.placed() {
        remove_added(place, container, is_usual, &mut offences);
    }
    Explanation { reason: "non-default capabilities", detail: detail_of_added(pod, is_usual), offences }
}

fn explain_restricted(pod: &PodFacts) -> Explanation {
    let mut offences = Vec::new();
    for (place, container) in pod.placed() {
        if let Some(dropped) = drops_too_little(container) {
            let value = (!dropped.is_empty()).then(|| json_list(dropped));
            let path = Path::new(place.clone(), "securityContext.capabilities.drop");
            offences.push(Offence::set(path, value, r#"["ALL"]"#));
        }
        remove_added(place, container, is_harmless, &mut offences);
    }
    let missing = names(pod, |container| drops_too_little(container).is_some());
    let mut details = Vec::with_capacity(2);
    if !missing.is_empty() {
        details.push(containers(&missing) + r#" must set securityContext.capabilities.drop=["ALL"]"#);
    }
    if pod.containers().iter().any(|container| adds(container, is_harmless)) {
        details.push(detail_of_added(pod, is_harmless));
    }
    Explanation { reason: "unrestricted capabilities", detail: details.join("; "), offences }
}

fn detail_of_added(pod: &PodFacts, may: fn(&str) -> bool) -> String {
    let bad = names(pod, |container| adds(container, may));
    let added = pod.containers().iter().flat_map(added).map(|name| &**name);
    let added: BTreeSet<&str> = added.filter(|name| !may(name)).collect();
    format!("{} must not include {} in securityContext.capabilities.add", containers(&bad), quoted(added))
}

fn remove_added(place: Place, container: &Container, may: fn(&str) -> bool, offences: &mut Vec<Offence>) {
    for (index, name) in (0..).zip(added(container)).filter(|(_, name)| !may(name)) {
        let path = Path::new(place.clone(), ADDED).item(index);
        offences.push(Offence::remove(path, json(name)));
    }
}

fn json_list(names: &[Box<str>]) -> Cow<'static, str> {
    let names: Vec<_> = names.iter().map(|name| json(name)).collect();
    format!("[{}]", names.join(",")).into()
}
