//! `seLinuxOptions`: the type is one for containers, user and role are the runtime's.

use std::collections::BTreeSet;

use super::setters::setters;
use crate::facts::{PodFacts, SeLinux, Security};
use crate::path::{Path, Place};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{json, named};

pub(crate) const V1_0: Revision =
    Revision { holds: |pod| holds(pod, &TYPES_V1_0), explain: |pod| explain(pod, &TYPES_V1_0) };

pub(crate) const V1_31: Revision =
    Revision { holds: |pod| holds(pod, &TYPES_V1_31), explain: |pod| explain(pod, &TYPES_V1_31) };

pub(crate) const TYPES_V1_0: [&str; 4] = ["", "container_t", "container_init_t", "container_kvm_t"];
pub(crate) const TYPES_V1_31: [&str; 5] =
    ["", "container_t", "container_init_t", "container_kvm_t", "container_engine_t"];

fn holds(pod: &PodFacts, types: &[&str]) -> bool {
    !pod.securities().any(|security| is_bad(security, types))
}

fn is_bad(security: &Security, types: &[&str]) -> bool {
    let is_bad = |label: &SeLinux| !types.contains(&&*label.kind) || !label.user.is_empty() || !label.role.is_empty();
    security.se_linux.as_deref().is_some_and(is_bad)
}

fn explain(pod: &PodFacts, types: &[&str]) -> Explanation {
    let labels = || pod.securities().filter_map(|security| security.se_linux.as_deref());
    let bad_types = labels().map(|label| &*label.kind).filter(|kind| !types.contains(kind));
    let bad_types: Vec<&str> = bad_types.collect::<BTreeSet<_>>().into_iter().collect();
    let mut bad = Vec::with_capacity(3);
    if !bad_types.is_empty() {
        bad.push(named("type", "types", &bad_types));
    }
    if labels().any(|label| !label.user.is_empty()) {
        bad.push("user may not be set".to_owned());
    }
    if labels().any(|label| !label.role.is_empty()) {
        bad.push("role may not be set".to_owned());
    }
    let subject = setters(pod, |security| is_bad(security, types));
    let places = pod.placed_securities();
    let labels = places.filter_map(|(place, security)| Some((place, security.se_linux.as_deref()?)));
    Explanation {
        reason: "seLinuxOptions",
        detail: format!("{subject} set forbidden securityContext.seLinuxOptions: {}", bad.join("; ")),
        offences: labels.flat_map(|(place, label)| offences(&place, label, types)).collect(),
    }
}

fn offences(place: &Place, label: &SeLinux, types: &[&str]) -> Vec<Offence> {
    let fields = [
        (!types.contains(&&*label.kind), "securityContext.seLinuxOptions.type", &label.kind),
        (!label.user.is_empty(), "securityContext.seLinuxOptions.user", &label.user),
        (!label.role.is_empty(), "securityContext.seLinuxOptions.role", &label.role),
    ];
    let bad = fields.into_iter().filter(|(is_bad, ..)| *is_bad);
    bad.map(|(_, field, value)| Offence::remove(Path::new(place.clone(), field), json(value))).collect()
}
