//! `seccompProfile_baseline` and `seccompProfile_restricted`: a profile that is set confines, and at restricted one is
//! set. Before 1.19 annotations said so. The pod can say so for all its containers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::setters::{names, setters};
use crate::facts::{Container, PodFacts, Profile, Security};
use crate::path::{Path, Place};
use crate::shape::{SECCOMP_ANNOTATION, SECCOMP_POD_ANNOTATION};
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{containers, counted, go_quoted, json, quoted};

pub(crate) const BASELINE_V1_0: Revision =
    Revision { holds: |pod| bad_annotations(pod).next().is_none(), explain: explain_annotations };

pub(crate) const BASELINE_V1_19: Revision =
    Revision { holds: |pod| !pod.securities().any(is_bad), explain: |pod| forbid(pod, bad_profiles(pod)) };

pub(crate) const RESTRICTED_V1_19: Revision = Revision { holds: is_confined, explain: explain_restricted };

/// A container of Windows can't have the field.
pub(crate) const RESTRICTED_V1_25: Revision =
    Revision { holds: |pod| pod.is_windows || is_confined(pod), explain: explain_restricted };

const REASON: &str = "seccompProfile";
const FIELD: &str = "securityContext.seccompProfile.type";
const CONFINED: &str = r#""RuntimeDefault""#;

/// Those of the pod and of containers that are there, with a value that doesn't confine.
fn bad_annotations(pod: &PodFacts) -> impl Iterator<Item = (&str, &str)> {
    pod.annotations().filter(|(key, value)| {
        let name = key.strip_prefix(SECCOMP_ANNOTATION);
        let named = |name| pod.containers().iter().any(|container| &*container.name == name);
        let confines = ["runtime/default", "docker/default"].contains(value) || value.starts_with("localhost/");
        (*key == SECCOMP_POD_ANNOTATION || name.is_some_and(named)) && !confines
    })
}

fn explain_annotations(pod: &PodFacts) -> Explanation {
    let bad: BTreeMap<String, Offence> = bad_annotations(pod)
        .map(|(key, value)| {
            (format!("{key}={}", go_quoted(value)), Offence::remove(Path::annotation(key), json(value)))
        })
        .collect();
    Explanation {
        reason: REASON,
        detail: format!(
            "forbidden {} {}",
            counted("annotation", "annotations", bad.len()),
            bad.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        ),
        offences: bad.into_values().collect(),
    }
}

fn bad(security: &Security) -> Option<&Profile> {
    security.seccomp.as_ref().filter(|profile| !profile.is_confined())
}

fn is_bad(security: &Security) -> bool {
    bad(security).is_some()
}

fn is_silent(container: &Container) -> bool {
    container.security().seccomp.is_none()
}

fn is_confined(pod: &PodFacts) -> bool {
    !pod.securities().any(is_bad) && (pod.security().seccomp.is_some() || !pod.containers().iter().any(is_silent))
}

fn explain_restricted(pod: &PodFacts) -> Explanation {
    let silent = names(pod, is_silent);
    let mut offences = Vec::new();
    // One change for all that say nothing, which the message leaves out when others say the wrong thing.
    if pod.security().seccomp.is_none() && !silent.is_empty() {
        offences.push(Offence::set(Path::new(Place::Pod, FIELD), None, CONFINED));
        offences.extend(contradiction(pod, None));
    }
    offences.extend(bad_profiles(pod));
    if pod.securities().any(is_bad) {
        return forbid(pod, offences);
    }
    let demand = r#" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost""#;
    Explanation { reason: REASON, detail: ["pod or ", &containers(&silent), demand].concat(), offences }
}

/// Somebody sets a profile that doesn't confine.
fn forbid(pod: &PodFacts, offences: Vec<Offence>) -> Explanation {
    let kinds: BTreeSet<&str> = pod.securities().filter_map(bad).map(Profile::name).collect();
    let subject = setters(pod, is_bad);
    Explanation {
        reason: REASON,
        detail: format!("{subject} must not set securityContext.seccompProfile.type to {}", quoted(kinds)),
        offences,
    }
}

fn bad_profiles(pod: &PodFacts) -> Vec<Offence> {
    let mut offences = Vec::new();
    let containers = pod.placed().map(|(place, container)| (place, Some(&*container.name), container.security()));
    for (place, name, security) in std::iter::once((Place::Pod, None, pod.security())).chain(containers) {
        if let Some(profile) = bad(security) {
            let value: Option<Cow<'static, str>> = (!profile.name().is_empty()).then(|| json(profile.name()));
            offences.push(Offence::set(Path::new(place, FIELD), value, CONFINED));
            offences.extend(contradiction(pod, name));
        }
    }
    offences
}

/// An annotation of the pod or container that says something else than the field will. The server refuses such a pod as
/// invalid, so it has to go too.
fn contradiction(pod: &PodFacts, container: Option<&str>) -> Option<Offence> {
    let is_meant = |key: &str| match container {
        None => key == SECCOMP_POD_ANNOTATION,
        Some(name) => key.strip_prefix(SECCOMP_ANNOTATION) == Some(name),
    };
    let (key, value) = pod.annotations().find(|(key, _)| is_meant(key))?;
    let agrees = ["runtime/default", "docker/default"].contains(&value);
    (!agrees).then(|| Offence::remove(Path::annotation(key), json(value)))
}
