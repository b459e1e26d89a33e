//! VaultTransitUnseals, of which is read which StatefulSet they are about and whether that would unseal itself again.
//!
//! Their controller is another program, and may not run: a status for another generation than the present one tells of
//! something else, and counts as none. When it was written isn't read, since a status that is still true isn't written again.
//! No Secret is involved: what is read is what the resource tells everybody.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde::Deserialize;

use super::{Shape, custom_resource, meta};
use crate::facts::{Fact, FluxHints, Prospect, Refusal, Unseal};
use crate::{Kind, Text};

/// The condition that is the verdict.
const WOULD_START: &str = "WouldStart";
/// So much is kept of what was seen, and of what to do: it ends up in a status of ours, once for each pod.
const LONGEST: usize = 512;

/// A VaultTransitUnseal.
#[derive(Clone, Debug, Deserialize)]
pub struct VaultTransitUnseal {
    #[serde(deserialize_with = "meta::slim")]
    metadata: ObjectMeta,
    #[serde(default)]
    spec: UnsealSpec,
    status: Option<UnsealStatus>,
}

custom_resource!(VaultTransitUnseal, Kind::VaultTransitUnseal, "vaulttransitunseals");

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct UnsealSpec {
    target: Target,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Target {
    stateful_set_ref: StatefulSetRef,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct StatefulSetRef {
    name: Text,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct UnsealStatus {
    observed_generation: Option<i64>,
    conditions: Option<Vec<Verdict>>,
    diagnosis: Option<Diagnosis>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Verdict {
    r#type: Text,
    status: Text,
    reason: Text,
    message: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Diagnosis {
    cause: Text,
    message: String,
    remedy: String,
}

impl UnsealStatus {
    fn prospect(self, generation: Option<i64>) -> Prospect {
        if self.observed_generation != generation {
            return Prospect::Unjudged;
        }
        let mut conditions = self.conditions.into_iter().flatten();
        let Some(verdict) = conditions.find(|condition| condition.r#type == WOULD_START) else {
            return Prospect::Unjudged;
        };
        match verdict.status.as_str() {
            "True" => Prospect::Unseals,
            "False" => Prospect::StaysSealed(Box::new(verdict.refusal(self.diagnosis))),
            _ => Prospect::Unproven,
        }
    }
}

impl Verdict {
    /// The diagnosis tells the cause that is furthest upstream, and the remedy; the condition stands in for one that isn't there.
    fn refusal(self, diagnosis: Option<Diagnosis>) -> Refusal {
        let told = diagnosis.filter(|diagnosis| !diagnosis.cause.is_empty());
        let Diagnosis { cause, message, remedy } =
            told.unwrap_or(Diagnosis { cause: self.reason, message: self.message, remedy: String::new() });
        Refusal { cause, seen: cut(message), remedy: cut(remedy) }
    }
}

fn cut(mut text: String) -> Box<str> {
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
    }
    text.into()
}

impl Shape for VaultTransitUnseal {
    const KIND: Kind = Kind::VaultTransitUnseal;

    fn fact(self) -> Fact {
        let prospect = self.status.map_or(Prospect::Unjudged, |status| status.prospect(self.metadata.generation));
        let flux = FluxHints::of(&self.metadata);
        Fact::Unseal(Unseal { stateful_set: self.spec.target.stateful_set_ref.name, prospect, flux })
    }
}

#[cfg(test)]
mod tests {
    //! What a status comes to: whatever isn't said, or was said of something else, isn't known.

    use rstest::rstest;
    use serde_json::{Value, json};

    use super::*;
    use crate::builders::{Manifest, UnsealBuilder, unseal};

    fn read(object: impl Manifest) -> Unseal {
        let shape: VaultTransitUnseal = serde_json::from_value(object.build()).unwrap();
        let Fact::Unseal(unseal) = shape.fact() else { panic!("a VaultTransitUnseal becomes an unseal") };
        unseal
    }

    fn vault() -> UnsealBuilder {
        unseal("infra/vault").of_stateful_set("vault")
    }

    /// A status that no condition has.
    fn perhaps() -> Value {
        let mut object = vault().starts().build();
        object["status"]["conditions"][0]["status"] = json!("Perhaps");
        object
    }

    #[rstest]
    #[case::never_judged(vault(), Prospect::Unjudged)]
    #[case::an_empty_status(vault().with("/status", json!({})), Prospect::Unjudged)]
    #[case::no_status(vault().with("/status", Value::Null), Prospect::Unjudged)]
    #[case::no_such_condition(vault().with("/status/observedGeneration", 1), Prospect::Unjudged)]
    #[case::no_conditions(vault().starts().with("/status/conditions", Value::Null), Prospect::Unjudged)]
    #[case::yes(vault().starts(), Prospect::Unseals)]
    #[case::no_evidence(vault().unproven("NoEvidence"), Prospect::Unproven)]
    #[case::a_status_that_is_none(perhaps(), Prospect::Unproven)]
    #[case::yes_to_what_was_asked_before(vault().starts().with("/metadata/generation", 2), Prospect::Unjudged)]
    #[case::no_to_what_was_asked_before(
        vault().stays_sealed("TokenDead", "", "").with("/metadata/generation", 2), Prospect::Unjudged
    )]
    #[case::yes_to_nobody_knows_what(vault().starts().with("/status/observedGeneration", Value::Null), Prospect::Unjudged)]
    fn what_is_not_said_is_not_known(#[case] object: impl Manifest, #[case] expected: Prospect) {
        let read = read(object);
        assert_eq!((read.stateful_set.as_str(), read.prospect), ("vault", expected));
    }

    #[track_caller]
    fn check(object: impl Manifest, cause: &str, seen: &str, remedy: &str) {
        let Prospect::StaysSealed(refusal) = read(object).prospect else { panic!("it stays sealed") };
        assert_eq!((refusal.cause.as_str(), &*refusal.seen, &*refusal.remedy), (cause, seen, remedy));
    }

    #[test]
    fn a_no_comes_with_the_diagnosis_or_what_the_condition_says() {
        let no = vault().stays_sealed("TokenDenied", "the token may not decrypt.", "Mend the policy.");
        check(no.clone(), "TokenDenied", "the token may not decrypt.", "Mend the policy.");
        check(no.clone().with("/status/diagnosis", Value::Null), "TokenDenied", "the token may not decrypt.", "");
        check(no.clone().with("/status/diagnosis", json!({})), "TokenDenied", "the token may not decrypt.", "");
        check(
            no.with("/status/diagnosis/cause", "TransitSealed"),
            "TransitSealed",
            "the token may not decrypt.",
            "Mend the policy.",
        );
    }

    #[test]
    fn no_more_is_kept_than_a_person_reads() {
        let long = "ä".repeat(LONGEST + 1);
        check(vault().stays_sealed("TokenDead", &long, &long), "TokenDead", &long[2..], &long[2..]);
    }

    #[test]
    fn what_changes_while_the_verdict_stands_is_not_read() {
        let no = || vault().stays_sealed("TokenDead", "it is dead", "Make a new one.");
        let mut later = no()
            .with("/status/diagnosis/since", "2026-11-26T08:00:00Z")
            .with("/status/token", json!({ "expireTime": "2026-11-26T08:00:00Z" }))
            .build();
        later["status"]["conditions"][0]["lastTransitionTime"] = json!("2026-11-26T08:00:00Z");
        assert_eq!(read(no()), read(later));
    }

    #[test]
    fn another_shape_is_an_error_of_this_object() {
        for (at, value) in
            [("/spec/target", json!("vault")), ("/status/conditions", json!("all")), ("/status", json!(1))]
        {
            assert!(
                serde_json::from_value::<VaultTransitUnseal>(vault().with(at, value.clone()).build()).is_err(),
                "{value}"
            );
        }
    }
}
