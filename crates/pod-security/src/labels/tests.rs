//! Labels and what the server makes of them, as tables.

use std::collections::BTreeMap;

use rstest::rstest;

use super::*;

/// Reads `enforce=baseline warn-version=v1.30` and prints the policy, and the errors behind it.
#[track_caller]
fn check(labels: &str, defaults: Policy, expected: &str) {
    let pairs = labels.split_whitespace().map(|label| label.split_once('=').unwrap());
    let labels: BTreeMap<String, &str> =
        pairs.map(|(key, value)| (format!("pod-security.kubernetes.io/{key}"), value)).collect();
    let (policy, errors) = Policy::of(|key| labels.get(key).copied(), defaults);
    let mut told = format!("{} {} {}", policy.enforce, policy.audit, policy.warn);
    for error in errors {
        told += &format!("\n{error}");
    }
    assert_eq!(told, expected);
}

#[rstest]
#[case::nothing("", "privileged:latest privileged:latest privileged:latest")]
#[case::all_are_read(
    "enforce=baseline enforce-version=v1.24 audit=restricted audit-version=v1.25 warn=restricted warn-version=v1.26",
    "baseline:v1.24 restricted:v1.25 restricted:v1.26"
)]
#[case::warn_follows_enforce(
    "enforce=baseline enforce-version=v1.24",
    "baseline:v1.24 privileged:latest baseline:v1.24"
)]
#[case::but_keeps_its_version(
    "enforce=baseline enforce-version=v1.24 warn-version=v1.30",
    "baseline:v1.24 privileged:latest baseline:v1.30"
)]
#[case::and_what_was_asked_for(
    "enforce=restricted warn=privileged",
    "restricted:latest privileged:latest privileged:latest"
)]
#[case::a_version_alone_changes_no_level(
    "enforce-version=v1.24",
    "privileged:v1.24 privileged:latest privileged:latest"
)]
#[case::a_bad_enforce_means_restricted_and_warns_of_nothing(
    "enforce=Baseline",
    "restricted:latest privileged:latest privileged:latest\n\
     metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: \"Baseline\": \
     must be one of privileged, baseline, restricted"
)]
#[case::bad_others_mean_privileged(
    "audit=x audit-version=1.24 warn=y warn-version=v1",
    "privileged:latest privileged:latest privileged:latest\n\
     metadata.labels[pod-security.kubernetes.io/audit]: Invalid value: \"x\": \
     must be one of privileged, baseline, restricted\n\
     metadata.labels[pod-security.kubernetes.io/audit-version]: Invalid value: \"1.24\": \
     must be \"latest\" or \"v1.x\"\n\
     metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: \"y\": \
     must be one of privileged, baseline, restricted\n\
     metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: \"v1\": \
     must be \"latest\" or \"v1.x\""
)]
#[case::a_bad_warn_is_not_inherited(
    "enforce=restricted warn=y",
    "restricted:latest privileged:latest privileged:latest\n\
     metadata.labels[pod-security.kubernetes.io/warn]: Invalid value: \"y\": \
     must be one of privileged, baseline, restricted"
)]
fn what_labels_ask_for(#[case] labels: &str, #[case] expected: &str) {
    check(labels, Policy::PRIVILEGED, expected);
}

#[test]
fn defaults_hold_where_no_label_does() {
    let level_version = |level, minor| LevelVersion { level, version: Version::Minor(minor) };
    let defaults = Policy {
        enforce: level_version(Level::Baseline, 20),
        audit: level_version(Level::Restricted, 21),
        warn: level_version(Level::Restricted, 22),
    };
    check("", defaults, "baseline:v1.20 restricted:v1.21 restricted:v1.22");
    check("enforce=privileged", defaults, "privileged:v1.20 restricted:v1.21 restricted:v1.22");
    check("enforce-version=latest", defaults, "baseline:latest restricted:v1.21 restricted:v1.22");
}
