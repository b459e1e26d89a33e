//! How it looks, for both readers.

use holdfast_pod_security::{Level, PodFacts, Version, evaluate, strictest};

use super::{JudgedObject, LocatedViolation, PodSecurity, Written, write_pod_security_human, write_pod_security_json};
use crate::{Detail, Look};

fn judged(asked: Option<Level>, kind: &'static str, name: &str, pod_at: &'static str, pod: &str) -> JudgedObject {
    let pod: PodFacts = serde_json::from_str(pod).unwrap();
    let level = asked.unwrap_or_else(|| strictest(Version::Latest, &pod));
    let next = if asked.is_some() || level == Level::Restricted { level } else { Level::ALL[level as usize + 1] };
    let found = evaluate(next, Version::Latest, &pod);
    let written = |line| move |value: &str| Written { value: serde_json::from_str(value).ok(), line, column: 9 };
    JudgedObject {
        file: "apps/web.yaml".to_owned(),
        line: 3,
        kind,
        namespace: Some("shop".to_owned()),
        name: name.to_owned(),
        pod_at,
        level,
        allowed: asked.is_none() || found.is_empty(),
        violations: found
            .into_iter()
            .zip(10..)
            .map(|(violation, line)| LocatedViolation {
                written: violation
                    .offences
                    .iter()
                    .map(|offence| written(line)(offence.value.as_deref().unwrap_or_default()))
                    .collect(),
                violation,
            })
            .collect(),
    }
}

/// One that keeps nothing, one that keeps much, one that keeps everything.
fn objects(asked: Option<Level>) -> Vec<JudgedObject> {
    let web = r#"{"spec": {"hostPID": true, "containers": [{"name": "web\u001b[31m", "securityContext": {"privileged": true,
        "capabilities": {"add": ["SYS_ADMIN", "NET_ADMIN"]}}}]}}"#;
    let tidy = r#"{"spec": {"containers": [{"name": "tidy", "securityContext": {"allowPrivilegeEscalation": false}}],
        "securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}}}}"#;
    let quiet = r#"{"spec": {"securityContext": {"runAsNonRoot": true, "seccompProfile": {"type": "RuntimeDefault"}},
        "containers": [{"name": "q", "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}}]}}"#;
    vec![
        judged(asked, "Deployment", "web", "spec.template.", web),
        judged(asked, "CronJob", "tidy", "spec.jobTemplate.spec.template.", tidy),
        judged(asked, "Pod", "quiet", "", quiet),
    ]
}

fn human(asked: Option<Level>, version: Version, detail: Detail) -> String {
    let objects = objects(asked);
    let told = PodSecurity { objects: &objects, asked, version };
    let mut text = Vec::new();
    write_pod_security_human(&told, Look { colour: false, width: 100 }, detail, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn each_is_told_its_strictest_level_and_what_the_next_forbids() {
    insta::assert_snapshot!(human(None, Version::Latest, Detail::Usual));
}

#[test]
fn a_level_that_was_asked_for_allows_or_refuses() {
    insta::assert_snapshot!(human(Some(Level::Restricted), Version::Minor(99), Detail::Usual));
}

#[test]
fn a_hook_reads_one_line_for_each_place() {
    insta::assert_snapshot!(human(Some(Level::Baseline), Version::Minor(35), Detail::Quiet));
}

#[test]
fn a_program_reads_json() {
    let objects = objects(Some(Level::Baseline));
    let told = PodSecurity { objects: &objects, asked: Some(Level::Baseline), version: Version::Minor(35) };
    let mut text = Vec::new();
    write_pod_security_json(&told, &mut text).unwrap();
    insta::assert_snapshot!(String::from_utf8(text).unwrap());
}

#[test]
fn when_all_are_allowed_it_says_so() {
    let objects = [objects(Some(Level::Restricted)).pop().unwrap()];
    let told = PodSecurity { objects: &objects, asked: Some(Level::Restricted), version: Version::Minor(35) };
    let mut text = Vec::new();
    write_pod_security_human(&told, Look { colour: false, width: 100 }, Detail::Usual, &mut text).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("✔ The object is allowed by restricted of v1.35."), "{text}");
}
