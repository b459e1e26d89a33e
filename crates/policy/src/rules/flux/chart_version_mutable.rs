//! `chart-version-mutable`: a chart that changes without a commit.
//!
//! A range, no version at all, or a tag that is meant to move; a branch, when the source isn't the checkout itself. A tag
//! that names a version holds, a digest most of all.

use holdfast_model::Repository;
use holdfast_model::repository::{Chart, Flux, Follows, Identity, Source, SourceRef};

use crate::rules::{Answers, Check, Problem, Rule, moves};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::ChartVersionMutable,
    domain: Domain::Flux,
    severity: Severity::Medium,
    summary: "a chart or artifact changes without a commit",
    prose: include_str!("chart_version_mutable.md"),
    check: Check::Files(check),
};

const REMEDY: &str = "write the exact version, and let Renovate propose the next";

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    for release in &flux.releases {
        match &release.chart {
            Chart::Named { version, source: Some(source), .. } => match source.kind.as_str() {
                "HelmRepository" => answer(version_of(version.as_deref()), &release.identity, answers),
                "GitRepository" => of_git(source, flux, &release.identity, answers),
                _ => {}
            },
            // An OCIRepository is judged where it stands, once for all releases of it.
            Chart::Named { source: None, .. } | Chart::Referenced(_) | Chart::Missing => {}
        }
    }
    for source in &flux.sources {
        let said = match source.identity.subject.kind {
            "OCIRepository" => of_artifact(source),
            "HelmChart" => match &source.follows {
                Follows::Range(range) => version_of(Some(range)).map(|(_, message)| ("spec.version", message)),
                Follows::Newest => version_of(None).map(|(_, message)| ("spec", message)),
                Follows::Digest | Follows::Tag(_) | Follows::Branch(_) => None,
            },
            _ => continue,
        };
        answer(said, &source.identity, answers);
    }
}

/// What is wrong: the field, and the message.
type Said = Option<(&'static str, String)>;

fn answer(said: Said, identity: &Identity, answers: &mut Answers) {
    match said {
        None => answers.holds(),
        Some((field, message)) => answers.fails(identity, Problem::at(field, message, REMEDY)),
    }
}

fn version_of(version: Option<&str>) -> Said {
    match version {
        None => Some(("spec.chart.spec", "no version: the newest chart is taken, whenever there is one".to_owned())),
        Some(version) if Follows::is_exact(version) => None,
        Some(version) => Some((
            "spec.chart.spec.version",
            format!("version {version:?} is a range: the chart changes without a commit"),
        )),
    }
}

fn of_artifact(source: &Source) -> Said {
    match &source.follows {
        Follows::Digest | Follows::Branch(_) => None,
        Follows::Tag(tag) if moves(tag) => {
            Some(("spec.ref.tag", format!("tag {tag:?} moves: the artifact changes without a commit")))
        }
        Follows::Tag(_) => None,
        Follows::Range(range) => {
            Some(("spec.ref.semver", format!("semver {range:?} is a range: the artifact changes without a commit")))
        }
        Follows::Newest => Some(("spec", "no ref: the tag latest is taken, which moves".to_owned())),
    }
}

/// A chart in a branch of somebody else's repository; the one that Kustomizations are read from is the checkout.
fn of_git(reference: &SourceRef, flux: &Flux, identity: &Identity, answers: &mut Answers) {
    let is_checkout = flux.kustomizations.iter().any(|kustomization| kustomization.source.as_ref() == Some(reference));
    let Some(source) = flux.source(reference).filter(|_| !is_checkout) else { return };
    let said = match &source.follows {
        Follows::Digest | Follows::Tag(_) => None,
        Follows::Range(range) => Some(format!("{} follows {range:?}", source.identity.subject)),
        Follows::Branch(branch) => Some(format!("{} follows branch {branch}", source.identity.subject)),
        Follows::Newest => Some(format!("{} follows branch master", source.identity.subject)),
    };
    let said = said.map(|said| ("spec.chart.spec.sourceRef", format!("{said}: the chart changes without a commit")));
    answer(said, identity, answers);
}
