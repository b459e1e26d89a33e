//! `volume-not-restricted`: a volume that says where its storage is, instead of a claim.
//!
//! As long as nothing asks for restricted, a PersistentVolume keeps nobody from naming the server all the same: then it doesn't apply.

use holdfast_pod_security::Check as Made;

use super::TemplateCase;
use crate::rules::{Check, Rule, Verdict};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::VolumeNotRestricted,
    domain: Domain::PodSecurity,
    severity: Severity::Low,
    summary: "a volume says where its storage is",
    prose: include_str!("volume_not_restricted.md"),
    check: Check::Template(check),
};

fn check(case: &TemplateCase<'_>) -> Verdict {
    if !case.aims_at_restricted {
        return Verdict::NotApplicable;
    }
    case.restricted("its pods say where storage is", &[Made::RestrictedVolumes])
}
