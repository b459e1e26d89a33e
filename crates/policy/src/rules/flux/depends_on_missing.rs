//! `depends-on-missing`: something waits for what isn't there, and so waits for ever.
//!
//! Not judged where something makes Flux objects that files don't show (a ResourceSet with inputs from elsewhere).

use holdfast_model::repository::{Flux, Identity};
use holdfast_model::{ObjectKey, Repository};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DependsOnMissing,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "something of Flux depends on what isn't there",
    prose: include_str!("depends_on_missing.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    if flux.generates {
        return;
    }
    let kustomizations: Vec<_> = flux.kustomizations.iter().map(|it| (&it.identity, &it.depends_on)).collect();
    let releases: Vec<_> = flux.releases.iter().map(|it| (&it.identity, &it.depends_on)).collect();
    for all in [kustomizations, releases] {
        let there = |key: &ObjectKey| all.iter().any(|(identity, _)| is(identity, key));
        for (identity, depends_on) in all.iter().filter(|(_, depends_on)| !depends_on.is_empty()) {
            let mut holds = true;
            for (index, key) in depends_on.iter().enumerate().filter(|(_, key)| !there(key)) {
                holds = false;
                let kind = identity.subject.kind;
                let message = format!("it depends on {kind} {key}, which isn't there: it is never applied");
                let remedy = elsewhere(key, identity, flux);
                answers.fails(identity, Problem::at(format!("spec.dependsOn[{index}].name"), message, remedy));
            }
            if holds {
                answers.holds();
            }
        }
    }
}

fn is(identity: &Identity, key: &ObjectKey) -> bool {
    identity.subject.namespace == key.namespace && identity.subject.name == key.name
}

/// Most often it is there, in another namespace.
fn elsewhere(key: &ObjectKey, identity: &Identity, flux: &Flux) -> String {
    let kustomizations = flux.kustomizations.iter().map(|it| &it.identity);
    let mut others = kustomizations.chain(flux.releases.iter().map(|it| &it.identity));
    let other = others.find(|it| it.subject.kind == identity.subject.kind && it.subject.name == key.name);
    match other {
        Some(other) => format!("add namespace: {} to the dependency", other.subject.namespace),
        None => "correct the name, or remove the dependency".to_owned(),
    }
}
