//! `restrictedVolumes`: volumes are of a kind that says nothing about nodes or storage servers.
//!
//! The cure is an empty folder in the place of what was there: it leaves the mounts valid.

use std::collections::BTreeSet;

use crate::facts::PodFacts;
use crate::fix::Fix;
use crate::path::{Path, Place};
use crate::shape::Volume;
use crate::table::{Explanation, Revision};
use crate::violation::Offence;
use crate::wording::{counted, json, named, quoted};

pub(crate) const V1_0: Revision =
    Revision { holds: |pod| !pod.volumes.iter().any(|(_, volume)| is_bad(volume)), explain };

fn is_bad(volume: &Volume) -> bool {
    !volume.sources.is_allowed()
}

fn explain(pod: &PodFacts) -> Explanation {
    let bad = pod.volumes.iter().filter(|(_, volume)| is_bad(volume));
    let names: Vec<&str> = bad.clone().map(|(_, volume)| &*volume.name).collect();
    let kinds = bad.clone().map(|(_, volume)| volume.sources.restricted().next().unwrap_or("unknown"));
    let kinds: BTreeSet<&str> = kinds.collect();
    Explanation {
        reason: "restricted volume types",
        detail: format!(
            "{} {} {} {}",
            named("volume", "volumes", &names),
            counted("uses", "use", names.len()),
            counted("restricted volume type", "restricted volume types", kinds.len()),
            quoted(kinds),
        ),
        offences: bad.flat_map(|(index, volume)| offences(*index, volume)).collect(),
    }
}

fn offences(index: u32, volume: &Volume) -> Vec<Offence> {
    let mut offences: Vec<_> = volume.sources.restricted().map(|kind| instead_of(index, kind)).collect();
    if offences.is_empty() {
        // A kind of a newer release, whose key isn't kept.
        let path = Path::new(Place::Pod, "volumes").item(index);
        offences.push(Offence::remove(path, format!("{{\"name\":{}}}", json(&volume.name)).into()));
    }
    offences
}

/// An empty folder instead of this kind of volume.
pub(super) fn instead_of(index: u32, kind: &'static str) -> Offence {
    let path = Path::new(Place::Pod, "volumes").item(index).then(kind);
    let fix = Fix::Replace { path: path.clone(), by: "emptyDir", value: "{}" };
    // What the source says isn't kept: it decides nothing.
    Offence { path, value: Some("{}".into()), fix }
}
