//! `source-unverified`: artifacts of OCI registries whose signatures nobody checks. Information, once for a cluster.

use holdfast_model::Repository;
use holdfast_model::repository::Chart;

use super::root;
use crate::rules::{Answers, Check, Problem, Rule, named};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::SourceUnverified,
    domain: Domain::Flux,
    severity: Severity::Info,
    summary: "signatures of charts and artifacts aren't verified",
    prose: include_str!("source_unverified.md"),
    check: Check::Files(check),
};

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let artifacts = flux.sources.iter().filter(|source| source.identity.subject.kind == "OCIRepository");
    let artifacts = artifacts.map(|source| (source.identity.subject.name.as_str(), source.verified));
    let charts = flux.releases.iter().filter_map(|release| match &release.chart {
        Chart::Named { source: Some(source), verified, .. } => {
            let is_oci = flux.source(source).is_some_and(|source| source.oci);
            is_oci.then_some((release.identity.subject.name.as_str(), *verified))
        }
        Chart::Named { source: None, .. } | Chart::Referenced(_) | Chart::Missing => None,
    });
    let (verified, others): (Vec<_>, Vec<_>) = artifacts.chain(charts).partition(|(_, verified)| *verified);
    verified.iter().for_each(|_| answers.holds());
    let (Some(root), false) = (root(flux), others.is_empty()) else { return };
    let all = verified.len() + others.len();
    let names = named(others.iter().map(|(name, _)| *name));
    let message = format!(
        "{} of {all} charts and artifacts of OCI registries are taken without a look at a signature: {names}",
        others.len()
    );
    let remedy = "add spec.verify with provider: cosign and matchOIDCIdentity to the sources whose publisher signs";
    answers.fails(root, Problem::at("", message, remedy));
}
