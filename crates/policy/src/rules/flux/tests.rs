//! What the rules about Flux say of facts that no fixture shows well.

use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::repository::{Flux, Identity, Kustomization};
use holdfast_model::{ObjectKey, Subject};

use super::{answer, root};
use crate::rules::{Answers, Problem};

/// Kustomizations as `name` or `name below parent`.
fn flux(written: &[&str]) -> Flux {
    let kustomizations = written.iter().map(|written| {
        let (name, parent) =
            written.split_once(" below ").map_or((*written, None), |(name, parent)| (name, Some(parent)));
        let subject = Subject { kind: "Kustomization", namespace: "flux-system".into(), name: name.into() };
        let key = |name| ObjectKey::new("flux-system", name);
        let owner = parent.map(|parent| FluxOwner { kind: FluxKind::Kustomization, key: key(parent) });
        Kustomization {
            identity: Identity { owner, ..Identity::of(subject) },
            interval: Some(3600),
            retry_interval: false,
            timeout: false,
            waits: false,
            prune: true,
            depends_on: Vec::new(),
            source: None,
        }
    });
    Flux { kustomizations: kustomizations.collect(), ..Flux::default() }
}

/// What is said of these when those named fail and so many others hold.
#[track_caller]
fn check(written: &[&str], failing: &[&str], holding: usize, expected: &[&str]) {
    let flux = flux(written);
    let problem = || Problem::at("spec", "each".to_owned(), "mend it");
    let named =
        |name: &&&str| flux.kustomizations.iter().map(|it| &it.identity).find(|it| it.subject.name.as_str() == **name);
    let failing = failing.iter().filter_map(|name| named(&name)).map(|identity| (identity, problem())).collect();
    let mut answers = Answers::default();
    answer(&flux, &mut answers, holding, failing, |many, names| {
        Problem::at("spec.patches", format!("{many}: {names}"), "mend them")
    });
    let said: Vec<String> =
        answers.failures.iter().map(|it| format!("{}: {}", it.identity.subject.name, it.problem.message)).collect();
    assert_eq!(said, expected);
    assert_eq!(answers.holds, holding);
}

const TREE: [&str; 6] =
    ["flux-system", "apps below flux-system", "a below apps", "b below apps", "c below apps", "d below apps"];

#[test]
fn the_root_is_the_kustomization_above_most() {
    let name = |written: &[&str]| root(&flux(written)).map(|root| root.subject.name.to_string());
    assert_eq!(name(&TREE).as_deref(), Some("apps"));
    assert_eq!(name(&["a", "b"]).as_deref(), Some("a"));
    assert_eq!(name(&[]), None);
}

#[test]
fn a_few_are_each_told() {
    check(&TREE, &["a", "b"], 0, &["a: each", "b: each"]);
}

#[test]
fn many_are_told_once_where_one_patch_mends_them() {
    check(&TREE, &["a", "b", "c", "d"], 3, &["apps: 4: a, b, c, d"]);
}

#[test]
fn many_among_more_that_hold_are_each_told() {
    check(&TREE, &["a", "b", "c", "d"], 4, &["a: each", "b: each", "c: each", "d: each"]);
}

#[test]
fn what_a_patch_at_the_root_does_not_reach_is_said_apart() {
    let written: Vec<&str> = TREE.iter().copied().chain(["repositories"]).collect();
    check(&written, &["a", "b", "c", "d", "repositories"], 0, &["apps: 4: a, b, c, d", "repositories: each"]);
}
