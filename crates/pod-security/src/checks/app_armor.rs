//! `appArmorProfile`: AppArmor isn't turned off, by field or by annotation.
//!
//! The cure is to say nothing: the runtime then uses its profile where the node has AppArmor, and a node without it
//! still takes the pod.

use std::collections::BTreeSet;

use super::setters::setters;
use crate::facts::{PodFacts, Profile, Security};
use crate::path::Path;
use crate::shape::APP_ARMOR_ANNOTATION;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{counted, go_quoted, json, quoted};

pub(crate) const V1_0: Revision = Revision { holds, explain };

fn holds(pod: &PodFacts) -> bool {
    !pod.securities().any(is_bad) && bad_annotations(pod).next().is_none()
}

fn is_bad(security: &Security) -> bool {
    bad(security).is_some()
}

fn bad(security: &Security) -> Option<&Profile> {
    security.app_armor.as_ref().filter(|profile| !profile.is_confined())
}

fn bad_annotations(pod: &PodFacts) -> impl Iterator<Item = (&str, &str)> {
    pod.annotations().filter(|(key, value)| {
        key.starts_with(APP_ARMOR_ANNOTATION)
            && !value.is_empty()
            && *value != "runtime/default"
            && !value.starts_with("localhost/")
    })
}

fn explain(pod: &PodFacts) -> Explanation {
    let mut offences = Vec::new();
    let mut values = BTreeSet::new();
    for (place, security) in pod.placed_securities() {
        if let Some(profile) = bad(security) {
            values.insert(profile.name());
            let path = Path::new(place, "securityContext.appArmorProfile");
            offences.push(Offence::remove(path, format!("{{\"type\":{}}}", json(profile.name())).into()));
        }
    }
    let mut annotations = Vec::new();
    for (key, value) in bad_annotations(pod) {
        annotations.push(format!("{key}={}", go_quoted(value)));
        offences.push(Offence::remove(Path::annotation(key), json(value)));
    }
    annotations.sort_unstable();

    let count = values.len() + annotations.len();
    let listed = quoted(values.into_iter().chain(annotations.iter().map(String::as_str)));
    let fields = pod.securities().any(is_bad).then(|| setters(pod, is_bad));
    let annotations =
        (!annotations.is_empty()).then(|| counted("annotation", "annotations", annotations.len()).to_owned());
    let subject = fields.into_iter().chain(annotations).collect::<Vec<_>>().join(" and ");
    Explanation {
        reason: counted("forbidden AppArmor profile", "forbidden AppArmor profiles", count),
        detail: format!("{subject} must not set AppArmor profile type to {listed}"),
        offences,
    }
}
