//! `talos-kubernetes-skew`: a version of Kubernetes that the version of Talos beside it doesn't run.
//!
//! Two versions belong together when one file pins both, when there is only one of each, or when they are what the upgrades
//! of a cluster aim at. A Talos that the table doesn't know is not judged.

use holdfast_model::Repository;
use holdfast_model::repository::{Pinned, Product, Talos, Version};

use super::{Stated, releases};
use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::TalosKubernetesSkew,
    domain: Domain::Talos,
    severity: Severity::High,
    summary: "the pinned versions of Talos and Kubernetes do not fit each other",
    prose: include_str!("talos_kubernetes_skew.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let talos = &repository.talos;
    for (system, stated) in pairs(talos) {
        let Some((oldest, newest)) = releases::kubernetes_of(system) else { continue };
        let version = stated.version;
        if version.major == 1 && (oldest..=newest).contains(&version.minor) {
            answers.holds();
            continue;
        }
        let minor = format!("v{}.{}", system.major, system.minor);
        let message =
            format!("Kubernetes {version} doesn't run on Talos {system}, which takes v1.{oldest} to v1.{newest}");
        let remedy = match version.minor < oldest {
            true => format!("upgrade Kubernetes to v1.{oldest} or later before Talos becomes {minor}"),
            false => format!("stay at Kubernetes v1.{newest}, or upgrade Talos first"),
        };
        stated.fails(answers, Problem::at("", message, remedy));
    }
}

/// The versions of Talos and Kubernetes that belong together.
fn pairs(talos: &Talos) -> Vec<(&Version, Stated<'_>)> {
    let pinned = |product: Product| talos.pinned.iter().filter(move |pinned| pinned.product == product);
    let beside = |system: &Pinned| pinned(Product::Kubernetes).find(|it| it.file == system.file).map(Stated::of_file);
    let mut pairs: Vec<_> =
        pinned(Product::Talos).filter_map(|system| Some((&system.version, beside(system)?))).collect();
    if pairs.is_empty() {
        let only = |product: Product| <[Stated<'_>; 1]>::try_from(Stated::all(talos, product)).ok();
        if let (Some([system]), Some([kubernetes])) = (only(Product::Talos), only(Product::Kubernetes)) {
            pairs.push((system.version, kubernetes));
        }
    }
    let mut seen = Vec::new();
    pairs.retain(|(system, stated)| {
        let pair = (*system, stated.version);
        !seen.contains(&pair) && {
            seen.push(pair);
            true
        }
    });
    pairs
}
