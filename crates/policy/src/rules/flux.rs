//! Kustomizations, HelmReleases and sources, as Flux runs them.
//!
//! Everything is judged as it is after the patches of its parents. What most of a cluster lacks is one finding, at the
//! Kustomization above them: one patch there mends them all, and a list of a hundred helps nobody.

pub(super) mod alert_missing;
pub(super) mod chart_version_mutable;
pub(super) mod depends_on_cycle;
pub(super) mod depends_on_missing;
pub(super) mod drift_detection_off;
pub(super) mod image_tag_mutable;
pub(super) mod interval_missing;
pub(super) mod prune_off;
pub(super) mod receiver_missing;
pub(super) mod remediation_missing;
pub(super) mod retry_interval_missing;
pub(super) mod source_unverified;
pub(super) mod suspended;
pub(super) mod timeout_missing;
pub(super) mod unreachable;

use std::collections::BTreeMap;

use holdfast_model::Text;
use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::repository::{Flux, Identity};

use super::{Answers, Problem, named};

/// So many of one kind are each a finding; more, when they are most of all, are one.
const FEW: usize = 3;

/// An interval, in seconds, that is short enough to stand in for a time-out or a retry.
const SHORT: u64 = 15 * 60;

/// Whether there is anything of Flux.
fn is_used(flux: &Flux) -> bool {
    !flux.kustomizations.is_empty() || !flux.releases.is_empty() || !flux.instances.is_empty()
}

/// Where something is said that concerns a whole cluster: the Kustomization above most others, else what Flux begins with.
pub(super) fn root(flux: &Flux) -> Option<&Identity> {
    let mut children: BTreeMap<(&Text, &Text), usize> = BTreeMap::new();
    for owner in flux.kustomizations.iter().filter_map(|it| it.identity.owner.as_ref()) {
        match owner.kind {
            FluxKind::Kustomization => *children.entry((&owner.key.namespace, &owner.key.name)).or_default() += 1,
            FluxKind::HelmRelease => {}
        }
    }
    let many = |it: &Identity| children.get(&(&it.subject.namespace, &it.subject.name)).copied();
    let identities = flux.kustomizations.iter().map(|kustomization| &kustomization.identity);
    let parents = identities.clone().filter(|identity| many(identity).is_some());
    // The first of those with as many: `max_by_key` takes the last.
    parents
        .rev()
        .max_by_key(|identity| many(identity))
        .or_else(|| flux.instances.first())
        .or_else(|| identities.clone().next())
        .or_else(|| flux.releases.first().map(|release| &release.identity))
}

/// Answers for each that fails, or once for all that a patch at the root reaches, when they are many and more than those that
/// hold.
fn answer(
    flux: &Flux,
    answers: &mut Answers,
    holding: usize,
    failing: Vec<(&Identity, Problem)>,
    together: impl FnOnce(usize, &str) -> Problem,
) {
    (0..holding).for_each(|_| answers.holds());
    let root = root(flux).filter(|_| FEW < failing.len() && holding < failing.len());
    let Some(root) = root else {
        failing.into_iter().for_each(|(identity, problem)| answers.fails(identity, problem));
        return;
    };
    let makers = Makers::of(flux, root);
    let (below, apart): (Vec<_>, Vec<_>) = failing.into_iter().partition(|(identity, _)| makers.is_below(identity));
    let each = if FEW < below.len() {
        let names = named(below.iter().map(|(identity, _)| identity.subject.name.as_str()));
        answers.fails(root, together(below.len(), &names));
        apart
    } else {
        below.into_iter().chain(apart).collect()
    };
    each.into_iter().for_each(|(identity, problem)| answers.fails(identity, problem));
}

/// Who makes which Kustomization, and what is below the root of them.
struct Makers<'a> {
    owners: BTreeMap<(&'a Text, &'a Text), &'a FluxOwner>,
    root: (&'a Text, &'a Text),
    /// Whether the root is one that makes others, and not what stands in for one, such as a FluxInstance: that makes everything.
    makes_others: bool,
}

impl<'a> Makers<'a> {
    fn of(flux: &'a Flux, root: &'a Identity) -> Self {
        let key = |it: &'a Identity| (&it.subject.namespace, &it.subject.name);
        let identities = flux.kustomizations.iter().map(|it| &it.identity);
        let owners: BTreeMap<_, _> = identities.filter_map(|it| Some((key(it), it.owner.as_ref()?))).collect();
        let makers = Self { owners, root: key(root), makes_others: false };
        let makes_others = makers.owners.values().any(|owner| makers.is_root(owner));
        Self { makes_others, ..makers }
    }

    fn is_root(&self, owner: &FluxOwner) -> bool {
        owner.kind == FluxKind::Kustomization && (&owner.key.namespace, &owner.key.name) == self.root
    }

    /// Whether the root makes something, by others or by itself.
    fn is_below(&self, identity: &Identity) -> bool {
        let above = |owner: &&FluxOwner| self.owners.get(&(&owner.key.namespace, &owner.key.name)).copied();
        // No chain is longer than there are Kustomizations; two that make each other end it.
        let mut chain = std::iter::successors(identity.owner.as_ref(), above).take(self.owners.len() + 1);
        !self.makes_others || chain.any(|owner| self.is_root(owner))
    }
}

#[cfg(test)]
mod tests;
