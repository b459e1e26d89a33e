//! What makes a finding the same finding in two runs: what is wrong with what, not the line it stands on.
//!
//! Rule, object, field and owner. Positions in lists are left out of the field, so that another order changes nothing; what
//! only has a line (a step of a workflow) is known by that line's text. Of findings that are the same in all of this the
//! second, third ... are numbered. Words of a message don't count: rewording one would make everything new.

use std::collections::HashMap;
use std::fmt;

use holdfast_policy::Finding;
use sha2::{Digest as _, Sha256};

/// The name of the scheme; another one makes every finding new.
pub(crate) const SCHEME: &str = "holdfast/v1";

/// What findings are recognised by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Fingerprint(u128);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// Numbers those that would be the same.
#[derive(Debug, Default)]
pub(crate) struct Fingerprints(HashMap<Fingerprint, u32>);

impl Fingerprints {
    /// The fingerprint of the next finding; `text` is that of its line, for findings that only have one.
    pub(crate) fn next(&mut self, finding: &Finding, text: &str) -> Fingerprint {
        let first = fingerprint(finding, text, 0);
        let many = self.0.entry(first).or_default();
        *many += 1;
        if *many == 1 { first } else { fingerprint(finding, text, *many) }
    }
}

fn fingerprint(finding: &Finding, text: &str, number: u32) -> Fingerprint {
    let subject = &finding.subject;
    let owner = finding.owner.as_ref().map(ToString::to_string).unwrap_or_default();
    let number = number.to_string();
    let field = without_positions(&finding.field);
    let parts =
        [SCHEME, finding.rule.id(), subject.kind, &subject.namespace, &subject.name, &field, &owner, text, &number];
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part);
        // The zero ends the part: no field can run into the next one.
        hash.update([0]);
    }
    let hash: [u8; 32] = hash.finalize().into();
    Fingerprint(hash.iter().take(16).fold(0, |sum, byte| sum << 8 | u128::from(*byte)))
}

fn without_positions(field: &str) -> String {
    let mut plain = String::with_capacity(field.len());
    let mut inside = false;
    for c in field.chars() {
        inside = if c == ']' { false } else { inside };
        if !(inside && c.is_ascii_digit()) {
            plain.push(c);
        }
        inside |= c == '[';
    }
    plain
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use holdfast_model::Subject;
    use holdfast_policy::RuleId;

    use super::*;

    fn finding(field: &'static str, message: &str) -> Finding {
        let rule = RuleId::DrainBlocked;
        Finding {
            rule,
            severity: rule.rule().severity,
            subject: Subject { kind: "PodDisruptionBudget", namespace: "shop".into(), name: "web".into() },
            field: Cow::Borrowed(field),
            position: None,
            message: message.to_owned(),
            remedy: Cow::Borrowed("delete it"),
            patch: None,
            workloads: Vec::new(),
            owner: None,
            policy: None,
            excepted: None,
        }
    }

    #[track_caller]
    fn check(a: (&Finding, &str), b: (&Finding, &str), same: bool) {
        let of = |(finding, text)| Fingerprints::default().next(finding, text);
        assert_eq!(of(a) == of(b), same, "{a:?} and {b:?}");
    }

    #[test]
    fn another_wording_is_the_same_finding() {
        check((&finding("spec", "1 of 1 must stay"), ""), (&finding("spec", "2 of 2 must stay"), ""), true);
    }

    #[test]
    fn another_order_of_a_list_is_the_same_finding() {
        check((&finding("spec.containers[0].image", "m"), ""), (&finding("spec.containers[12].image", "m"), ""), true);
        check((&finding("spec.a1[0].image", "m"), ""), (&finding("spec.a2[0].image", "m"), ""), false);
    }

    #[test]
    fn another_field_object_or_line_is_another_finding() {
        check((&finding("spec", "m"), ""), (&finding("spec.minAvailable", "m"), ""), false);
        let mut other = finding("spec", "m");
        other.subject.namespace = "shops".into();
        check((&finding("spec", "m"), ""), (&other, ""), false);
        check((&finding("", "m"), "uses: a@v1"), (&finding("", "m"), "uses: b@v1"), false);
    }

    #[test]
    fn the_same_twice_is_two_findings_and_the_first_keeps_its_fingerprint() {
        let (mut one, mut two) = (Fingerprints::default(), Fingerprints::default());
        let it = finding("spec", "m");
        let (first, second) = (two.next(&it, ""), two.next(&it, ""));
        assert_ne!(first, second);
        assert_eq!(one.next(&it, ""), first);
    }

    #[test]
    fn fingerprints_are_the_same_on_every_machine() {
        let told = Fingerprints::default().next(&finding("spec", "m"), "").to_string();
        assert_eq!(
            told, "0f92e86dac7fbad86161b61dac249384",
            "a changed scheme makes every baseline worthless: rename SCHEME"
        );
    }
}
