//! Facts of the Flux graph and of charts, read from objects.

use holdfast_model::Confidence;
use holdfast_model::repository::{Follows, Repository};

use super::{read, seconds};
use crate::yaml::{self, Limits};
use crate::{FileId, Node, Object};

fn parsed(text: &str) -> Vec<Node> {
    let parsed = yaml::parse(FileId::new(0).unwrap(), text.as_bytes(), &Limits::default());
    assert_eq!(parsed.error.map(|error| error.to_string()), None);
    parsed.documents
}

/// The facts of these objects; what isn't written of their metadata is of no matter here.
fn facts(text: &str) -> super::Flux {
    let mut repository = Repository::default();
    for root in parsed(text) {
        let field = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or_default().into();
        let object = Object {
            api_version: field("apiVersion"),
            kind: field("kind"),
            namespace: "shop".into(),
            name: "web".into(),
            root: root.clone(),
            confidence: Confidence::Declared,
            owner: None,
            labelled: None,
        };
        read(&object, &mut repository.flux);
    }
    repository.flux
}

#[track_caller]
fn check_duration(written: &str, expected: Option<u64>) {
    assert_eq!(seconds(&parsed(written)[0]), expected, "{written}");
}

#[track_caller]
fn check_follows(reference: &str, expected: Follows) {
    let text = format!(
        "{{apiVersion: source.toolkit.fluxcd.io/v1, kind: OCIRepository, spec: {{url: \"oci://r/web\", ref: {reference}}}}}"
    );
    assert_eq!(facts(&text).sources[0].follows, expected, "{reference}");
}

#[test]
fn a_duration_is_read_as_go_writes_it() {
    for (written, expected) in [("1h", 3600), ("1h30m", 5400), ("10m0s", 600), ("1.5h", 5400), ("90s", 90)] {
        check_duration(written, Some(expected));
    }
    for written in ["1d", "60", "\"\"", "h", "1h 30m", "5 m", "[1h]", "0s"] {
        check_duration(written, None);
    }
}

#[test]
fn the_most_exact_of_what_a_source_follows_wins() {
    check_follows("{tag: latest, digest: \"sha256:abc\"}", Follows::Digest);
    check_follows("{tag: 1.0.0, semver: 1.x}", Follows::Range("1.x".into()));
    check_follows("{tag: 1.0.0}", Follows::Tag("1.0.0".into()));
    check_follows("{}", Follows::Newest);
    check_follows("null", Follows::Newest);
}

#[test]
fn a_gate_that_is_patched_into_helm_controller_is_seen() {
    let gate = |on: bool| {
        format!(
            "{{apiVersion: helm.toolkit.fluxcd.io/v2, kind: HelmRelease, spec: {{values: {{instance: {{kustomize: \
             {{patches: [{{patch: \"- value: --feature-gates=OOMWatch=true,DefaultToRetryOnFailure={on}\"}}]}}}}}}}}}}"
        )
    };
    assert!(facts(&gate(true)).retries_by_default);
    assert!(!facts(&gate(false)).retries_by_default);
}

#[test]
fn what_has_the_wrong_form_is_passed_over() {
    for spec in ["null", "[]", "text", "{interval: 5, dependsOn: text, sourceRef: [], chart: 1, values: []}"] {
        for kind in
            ["kustomize.toolkit.fluxcd.io/v1, kind: Kustomization", "helm.toolkit.fluxcd.io/v2, kind: HelmRelease"]
        {
            let facts = facts(&format!("{{apiVersion: {kind}, spec: {spec}}}"));
            assert_eq!(facts.kustomizations.len() + facts.releases.len(), 1, "{kind} {spec}");
        }
    }
}
