//! What a look comes to, as the status tells it. Pure; written only when something but a time is different.

mod conditions;
mod memory;
mod parts;

pub use memory::{deleted, ledger, unsealed};

use std::collections::BTreeMap;

use holdfast_api::vault_transit_unseal::{
    DiagnosisStatus, NextStepStatus, VaultTransitUnsealStatus, WantedCondition, merge_vault_conditions,
};
use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::diagnose::Diagnosis;
use crate::init;
use crate::next_step::{Memory, Step, Wait};
use crate::rehearsal::Ledger;
use crate::settings::{Invalid, Settings};
use crate::view::View;

/// What a pass came to.
pub struct Pass<'a> {
    /// The resource.
    pub settings: &'a Settings,
    /// What was seen.
    pub view: &'a View,
    /// What is wrong.
    pub diagnosis: Option<&'a Diagnosis>,
    /// What is done next.
    pub step: &'a Step,
    /// What is done next about an initialisation; `None` where nobody asks for one.
    pub init: Option<&'a init::Step>,
    /// The way from this resource back to itself, each needing the next; `None` when there is none.
    pub circle: Option<&'a [(String, String)]>,
    /// The canaries.
    pub ledger: &'a Ledger,
    /// What was done before.
    pub memory: &'a Memory,
    /// The seal of A, as it was told last.
    pub transit_seal: Option<&'a str>,
    /// The value of `reconcile.fluxcd.io/requestedAt`.
    pub requested_at: Option<&'a str>,
}

/// The status that should be there, given the one that is: what didn't change keeps its time.
#[must_use]
pub fn status(pass: &Pass<'_>, before: &VaultTransitUnsealStatus) -> VaultTransitUnsealStatus {
    let now = pass.view.now;
    let wanted = conditions::conditions(pass);
    VaultTransitUnsealStatus {
        observed_generation: pass.settings.generation,
        last_handled_reconcile_at: pass.requested_at.map(str::to_owned),
        conditions: merged(before, &wanted, pass.settings.generation, now),
        diagnosis: pass.diagnosis.map(|found| diagnosis(found, before.diagnosis.as_ref(), now)),
        next_step: Some(next_step(turn(pass.step, pass.init), before.next_step.as_ref(), now)),
        server: parts::server(pass.view).or_else(|| before.server.clone()),
        transit: parts::transit(pass.view, before.transit.as_ref()),
        token: parts::token(pass.view, before.token.as_ref()),
        rehearsal: Some(parts::rehearsal(pass.view, pass.ledger)),
        initialization: parts::initialisation(pass.view, before.initialization.as_ref()),
        pods: parts::pods(pass.view, pass.memory),
    }
}

/// The status of a resource that can't mean anything: what was known is kept, as it is still true.
#[must_use]
pub fn invalid(
    why: &Invalid,
    generation: Option<i64>,
    before: &VaultTransitUnsealStatus,
    now: Timestamp,
) -> VaultTransitUnsealStatus {
    let wanted = conditions::invalid(why);
    let conditions = merged(before, &wanted, generation, now);
    VaultTransitUnsealStatus { observed_generation: generation, conditions, ..before.clone() }
}

fn merged(
    before: &VaultTransitUnsealStatus,
    wanted: &[WantedCondition],
    generation: Option<i64>,
    now: Timestamp,
) -> Vec<k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition> {
    merge_vault_conditions(&before.conditions, wanted, generation, now).0
}

fn diagnosis(found: &Diagnosis, before: Option<&DiagnosisStatus>, now: Timestamp) -> DiagnosisStatus {
    let cause = found.cause.as_str();
    let since = before.filter(|before| before.cause == cause).and_then(|before| before.since.clone());
    DiagnosisStatus {
        cause: cause.to_owned(),
        message: found.message.clone(),
        remedy: found.cause.remedy().to_owned(),
        since: Some(since.unwrap_or(Time(now))),
    }
}

/// Action and reason of what is told: an initialisation, unless something else is done or waited for that comes before it.
fn turn(step: &Step, init: Option<&init::Step>) -> (&'static str, &'static str) {
    match (step, init) {
        (Step::Rest | Step::Wait(Wait::ForPerson), Some(init)) if *init != init::Step::Rest => {
            (init.action(), init.reason())
        }
        (step, _) => (step.action(), step.reason()),
    }
}

fn next_step(
    (action, reason): (&'static str, &'static str),
    before: Option<&NextStepStatus>,
    now: Timestamp,
) -> NextStepStatus {
    let same = before.filter(|before| before.action == action && before.reason == reason);
    let since = same.and_then(|before| before.since.clone()).unwrap_or(Time(now));
    NextStepStatus { action: action.to_owned(), reason: reason.to_owned(), since: Some(since) }
}

/// When pods were deleted, by name, as it is kept in a status.
pub(crate) type Deletions = BTreeMap<String, Timestamp>;

#[cfg(test)]
mod tests;
