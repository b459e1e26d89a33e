//! `volume-not-restricted`: a volume that says where its storage is, instead of a claim.
//!
//! A PersistentVolume keeps nobody from naming the server all the same, as long as nothing asks for restricted: then this is worth
//! knowing, and no more.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::VolumeNotRestricted,
    domain: Domain::PodSecurity,
    severity: Severity::Info,
    summary: "a volume says where its storage is",
    prose: include_str!("volume_not_restricted.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    case.restricted_as(
        case.aims_at_restricted.then_some(Severity::Low),
        "its pods say where storage is",
        &[Made::RestrictedVolumes],
    )
}
