//! `prune-off`: what leaves Git stays in the cluster. Information: around what must never be deleted it is on purpose.

use holdfast_model::Repository;

use super::answer;
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::PruneOff,
    domain: Domain::Flux,
    severity: Severity::Info,
    summary: "what leaves Git stays in the cluster",
    prose: include_str!("prune_off.md"),
    check: Check::Files(check),
};

/// Kustomizations of Flux itself: without it nobody would bring it back.
const FLUX: [&str; 3] = ["flux-instance", "flux-operator", "flux-system"];

fn check(repository: &Repository, answers: &mut Answers) {
    let (on, off): (Vec<_>, Vec<_>) = repository
        .flux
        .kustomizations
        .iter()
        .partition(|it| it.prune || FLUX.contains(&it.identity.subject.name.as_str()));
    let remedy = "set spec.prune: true, unless this must never be deleted by a commit";
    let problem = || Problem::at("spec.prune", "prune is off: what leaves Git stays in the cluster".to_owned(), remedy);
    let failing = off.iter().map(|kustomization| (&kustomization.identity, problem())).collect();
    answer(&repository.flux, answers, on.len(), failing, |many, names| {
        let message = format!("{many} Kustomizations don't prune, so what leaves Git stays in the cluster: {names}");
        Problem::at("spec.patches", message, "patch spec.prune: true into all of them here")
    });
}
