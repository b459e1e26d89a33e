//! Requests and limits of containers.
//!
//! Nothing here asks for a limit on processor time: it throttles what could run, and many leave it out on purpose.

pub(super) mod memory_limit_missing;
pub(super) mod requests_missing;

use holdfast_model::repository::{Amounts, Container, Template};
use holdfast_model::{Repository, WorkloadKind};

use super::Problem;

/// Whether a workload runs on, so that what its containers use adds up. A Job is a moment.
fn runs_on(template: &Template) -> bool {
    match template.kind {
        WorkloadKind::Deployment | WorkloadKind::StatefulSet | WorkloadKind::DaemonSet | WorkloadKind::CronJob => true,
        WorkloadKind::ReplicaSet | WorkloadKind::Job => false,
    }
}

/// What the LimitRanges of its namespace give it: requests, limits.
fn defaults(template: &Template, repository: &Repository) -> (Amounts, Amounts) {
    let namespace = &template.identity.subject.namespace;
    let here = repository.resources.defaults.iter().filter(|defaults| defaults.namespace == *namespace);
    here.fold((Amounts::default(), Amounts::default()), |(requests, limits), defaults| {
        (requests.or(defaults.requests), limits.or(defaults.limits))
    })
}

/// The containers that run beside each other, and are judged.
fn containers(template: &Template) -> impl Iterator<Item = &Container> {
    template.containers.iter().filter(|container| !container.initializes)
}

/// A problem of these containers, at what the first of them says of requests or limits.
fn problem(containers: &[&Container], part: &str, message: String, remedy: &'static str) -> Problem {
    // What fails has a container that fails; were there none, the object itself would be shown.
    let field = containers.first().map(|container| format!("{}.resources.{part}", container.at)).unwrap_or_default();
    Problem::at(field, message, remedy)
}
