//! The judgement: which checks are made at a level and version, and what they say about a pod.

use crate::facts::PodFacts;
use crate::level::Level;
use crate::table::{Revision, Row, TABLE};
use crate::version::Version;
use crate::violation::Violation;

/// Everything that a level and version forbid of a pod, in the server's order. Allocates nothing when that is nothing.
///
/// [`Version::Latest`], and any version that is newer than [`Version::NEWEST_KNOWN`], is judged as that one. To say what
/// a certain server does with `latest`, ask for the server's own version.
pub fn evaluate(level: Level, version: Version, pod: &PodFacts) -> Vec<Violation> {
    let broken = made(level, version).filter(|(_, revision)| !(revision.holds)(pod));
    let violations = broken.map(|(row, revision)| {
        let explanation = (revision.explain)(pod);
        Violation {
            check: row.check,
            reason: explanation.reason,
            detail: explanation.detail,
            offences: explanation.offences,
        }
    });
    violations.collect()
}

/// Whether a level and version allow a pod. Allocates nothing, and stops at the first check that doesn't.
pub fn allows(level: Level, version: Version, pod: &PodFacts) -> bool {
    made(level, version).all(|(_, revision)| (revision.holds)(pod))
}

/// The strictest level that allows a pod.
pub fn strictest(version: Version, pod: &PodFacts) -> Level {
    if allows(Level::Restricted, version, pod) {
        Level::Restricted
    } else if allows(Level::Baseline, version, pod) {
        Level::Baseline
    } else {
        Level::Privileged
    }
}

/// The checks that are made, as they were at that version.
pub(crate) fn made(level: Level, version: Version) -> impl Iterator<Item = (&'static Row, &'static Revision)> {
    let minor = version.minor();
    let is_made = move |row: &&Row| match (level, row.check.level()) {
        (Level::Privileged, _) | (Level::Baseline, Level::Restricted) => false,
        (Level::Baseline, _) => true,
        (Level::Restricted, _) => row.overridden.is_none_or(|since| minor < since),
    };
    let current = move |row: &'static Row| {
        let (_, revision) = row.revisions.iter().rev().find(|(since, _)| *since <= minor)?;
        Some((row, revision))
    };
    TABLE.iter().filter(is_made).filter_map(current)
}
