//! The conditions: each a verdict of its own, with its reason.

use holdfast_api::vault_transit_unseal::{Tristate, VaultCondition, WantedCondition};

use super::Pass;
use crate::cause::{Cause, Gravity};
use crate::claim::{Keys, Phase};
use crate::init::kept::Kept;
use crate::rehearsal::Outcome;
use crate::settings::Invalid;
use crate::view::{Answer, Content, Login, Lookup, Reach, Server, ServerFacts, View, between};

type Verdict = (Tristate, &'static str, String);

fn wanted(kind: VaultCondition, (status, reason, message): Verdict) -> WantedCondition {
    WantedCondition { kind, status, reason, message }
}

/// Every condition of a resource that was looked at.
pub(super) fn conditions(pass: &Pass<'_>) -> Vec<WantedCondition> {
    let view = pass.view;
    let mut all = vec![
        wanted(VaultCondition::Ready, ready(pass)),
        wanted(VaultCondition::Initialized, initialised(view)),
        wanted(VaultCondition::Unsealed, unsealed(view)),
        wanted(VaultCondition::TransitReachable, reachable(view)),
        wanted(VaultCondition::TokenHealthy, token(pass)),
        wanted(VaultCondition::WouldStart, would_start(view)),
        wanted(VaultCondition::ColdStart, cold_start(pass)),
        wanted(VaultCondition::RecoveryKeysStored, recovery_keys(pass)),
    ];
    if let Some(found) = pass.diagnosis.filter(|found| found.cause.gravity() == Gravity::Stalled) {
        all.push(wanted(VaultCondition::Stalled, (Tristate::True, found.cause.as_str(), found.message.clone())));
    }
    all
}

/// The conditions of a resource that can't mean anything: the verdicts aren't known.
pub(super) fn invalid(why: &Invalid) -> Vec<WantedCondition> {
    let verdict = |status| (status, "InvalidSpec", why.to_string());
    let verdicts = [VaultCondition::Unsealed, VaultCondition::WouldStart, VaultCondition::ColdStart];
    let unknown =
        verdicts.map(|kind| wanted(kind, (Tristate::Unknown, "InvalidSpec", "the spec makes no sense".to_owned())));
    let mut all = vec![
        wanted(VaultCondition::Ready, verdict(Tristate::False)),
        wanted(VaultCondition::Stalled, verdict(Tristate::True)),
    ];
    all.extend(unknown);
    all
}

/// It serves, and nothing that is known keeps it from starting again.
fn ready(pass: &Pass<'_>) -> Verdict {
    let worst = pass.diagnosis.map(|found| (found.cause.gravity(), found));
    match worst {
        Some((Gravity::Down | Gravity::Stalled, found)) => {
            (Tristate::False, found.cause.as_str(), found.message.clone())
        }
        Some((Gravity::Advice | Gravity::Risk, _)) | None => {
            match unborn(pass.view).unwrap_or_else(|| unsealed(pass.view)) {
                (Tristate::True, ..) => {
                    (Tristate::True, "Serving", "it serves, and nothing known keeps it from starting again".to_owned())
                }
                (status, reason, message) => (status, reason, message),
            }
        }
    }
}

/// Until its initialisation is complete nobody may rely on a server: what it holds may have to be given up.
fn unborn(view: &View) -> Option<Verdict> {
    let claim = view.birth.claim.as_ref().filter(|claim| !claim.is_complete())?;
    Some((Tristate::False, "InitIncomplete", format!("its initialisation is at {}", claim.as_str())))
}

fn initialised(view: &View) -> Verdict {
    match view.target.state() {
        Server::Initialised => (Tristate::True, "Initialised", "the server is initialised".to_owned()),
        Server::Blank => (Tristate::False, "NotInitialised", "no pod is initialised".to_owned()),
        Server::Unseen => {
            (Tristate::Unknown, "NoAnswer", "no pod says that it is, and not every pod answers".to_owned())
        }
    }
}

fn unsealed(view: &View) -> Verdict {
    let pods = &view.target.pods;
    let Ok(set) = &view.target.set else {
        return (Tristate::Unknown, "TargetUnknown", "the StatefulSet wasn't read".to_owned());
    };
    let serving = view.target.unsealed().count();
    let wanted = usize::try_from(set.replicas).unwrap_or(usize::MAX);
    if wanted == 0 {
        return (Tristate::False, "ScaledToZero", "the StatefulSet asks for no pods".to_owned());
    }
    if wanted <= serving {
        return (Tristate::True, "Unsealed", format!("{serving} of {wanted} pods are unsealed"));
    }
    let silent = pods.iter().any(|pod| matches!(pod.answer, Answer::Unseen(_) | Answer::Garbled(_)));
    let sealed = pods.iter().any(crate::view::Pod::is_sealed);
    match (serving, sealed, silent) {
        (0, false, true) => (Tristate::Unknown, "NoAnswer", "no pod answers".to_owned()),
        (_, true, _) => (Tristate::False, "Sealed", format!("{serving} of {wanted} pods are unsealed")),
        (_, false, _) => (Tristate::False, "PodsMissing", format!("{serving} of {wanted} pods are unsealed")),
    }
}

fn reachable(view: &View) -> Verdict {
    let message = view.transit.reach.message();
    match view.transit.reach.cause() {
        None => (Tristate::True, "Answers", message),
        Some(cause) => (Tristate::False, cause.as_str(), message),
    }
}

fn token(pass: &Pass<'_>) -> Verdict {
    let token = &pass.view.token;
    let risks = [
        Cause::TokenMissing,
        Cause::TokenMalformed,
        Cause::TokenDead,
        Cause::TokenDenied,
        Cause::TokenRoleUnsafe,
        Cause::TokenCapped,
        Cause::TokenExpiring,
        Cause::TokenNotWired,
    ];
    if let Some(found) = pass.diagnosis.filter(|found| risks.contains(&found.cause)) {
        return (Tristate::False, found.cause.as_str(), found.message.clone());
    }
    match (&token.content, &token.lookup) {
        (Content::External, _) => (Tristate::Unknown, "External", "the token is known to the server alone".to_owned()),
        (_, Lookup::Alive { .. }) => (Tristate::True, "Alive", "the token lives, and can be renewed".to_owned()),
        (_, Lookup::Dead) => (Tristate::False, "TokenDead", "the transit server doesn't know the token".to_owned()),
        (_, Lookup::Blind) => (
            Tristate::Unknown,
            "MayNotLook",
            "the token may not look at itself: its policy `default` is missing".to_owned(),
        ),
        (_, Lookup::Unseen) => (Tristate::Unknown, "NotAsked", "the token wasn't looked at".to_owned()),
    }
}

fn would_start(view: &View) -> Verdict {
    match &view.rehearsal {
        Outcome::Passed => {
            let message = "all that its start needs was done with its own token, as seen from the controller";
            (Tristate::True, "Rehearsed", message.to_owned())
        }
        Outcome::Failed(cause, message) => (Tristate::False, cause.as_str(), message.clone()),
        Outcome::Unknown(ignorance) => (Tristate::Unknown, ignorance.as_str(), ignorance.message()),
    }
}

/// After everything was off: A starts by itself, and the token outlives the outage.
fn cold_start(pass: &Pass<'_>) -> Verdict {
    let (view, limits) = (pass.view, &pass.settings.allowed.limits);
    if let Some(circle) = pass.circle {
        return (Tristate::False, "Circular", in_a_circle(circle));
    }
    // What it said last holds while it is silent.
    let told = view.transit.facts.as_ref().map(|facts| facts.seal_type.as_str());
    let Some(seal) = told.or(pass.transit_seal) else {
        return (Tristate::Unknown, "TransitUnknown", "the transit server says nothing of its own seal".to_owned());
    };
    if seal == "shamir" && !pass.settings.transit_unseals_itself {
        let message = "the transit server is sealed with shares: people have to unseal it, and until then nothing that it seals starts";
        return (Tristate::False, "TransitNeedsPeople", message.to_owned());
    }
    let dies_too = match &view.transit.login {
        Login::Works => false,
        Login::ByToken { ends } => ends.is_some_and(|ends| between(view.now, ends) < limits.survive_outage),
        Login::NotConfigured | Login::Refused(_) | Login::Untried => true,
    };
    if life(view) < limits.survive_outage && dies_too {
        let message = "the token lives for less than spec.coldStart.surviveOutage without a renewal, and nobody could make a new one afterwards";
        return (Tristate::False, "OutageLongerThanToken", message.to_owned());
    }
    match (&view.rehearsal, &view.transit.reach) {
        (Outcome::Failed(cause, message), Reach::Answers) => (Tristate::False, cause.as_str(), message.clone()),
        _ => (
            Tristate::True,
            "Survives",
            "nothing that is known or declared keeps it from starting after an outage".to_owned(),
        ),
    }
}

fn in_a_circle(circle: &[(String, String)]) -> String {
    let names: Vec<String> =
        circle.iter().chain(circle.first()).map(|(namespace, name)| format!("{namespace}/{name}")).collect();
    format!("{}: after everything was off none of them can start first", names.join(" needs "))
}

/// For how long the token lives after a renewal: what is left changes from look to look, which is no news.
fn life(view: &View) -> std::time::Duration {
    match &view.token.lookup {
        Lookup::Alive { ends: Some(_), life, .. } => *life,
        Lookup::Alive { ends: None, .. } | Lookup::Dead | Lookup::Blind | Lookup::Unseen => std::time::Duration::MAX,
    }
}

fn recovery_keys(pass: &Pass) -> Verdict {
    let view = pass.view;
    let not_stored =
        (Tristate::False, "NotStored", "an initialisation was begun, and its keys aren't stored".to_owned());
    match (&view.birth.claim, &view.birth.keys) {
        (None, _) => (
            Tristate::Unknown,
            "External",
            "it wasn't initialised by us, so who keeps its recovery keys isn't known".to_owned(),
        ),
        (Some(Phase::Unreadable { why }), _) => (Tristate::Unknown, "ClaimUnreadable", why.clone()),
        (Some(Phase::Claimed { .. }), _) => not_stored,
        (Some(Phase::Complete { .. }), _) if pass.settings.keys_elsewhere => (
            Tristate::Unknown,
            "External",
            "spec.recovery.custody says that somebody else keeps the recovery keys".to_owned(),
        ),
        (Some(Phase::Stored { .. } | Phase::AdminProven { .. } | Phase::Complete { .. }), None) => not_stored,
        (Some(Phase::Stored { .. } | Phase::AdminProven { .. } | Phase::Complete { .. }), Some(keys)) => {
            kept(view, keys)
        }
    }
}

/// What was stored is there, and the server still asks for as many.
fn kept(view: &View, keys: &Keys) -> Verdict {
    let Keys { secret, count, kept } = keys;
    let made_since = |facts: &&ServerFacts| facts.initialised && facts.shares != 0 && facts.shares != u32::from(*count);
    let Some(kept) = kept else {
        return (Tristate::Unknown, "NotSeen", format!("the Secret {secret} couldn't be read"));
    };
    match (kept, view.target.server().filter(made_since)) {
        (Kept::Stored, Some(facts)) => {
            let message =
                format!("{count} shares are stored, and the server has {}: they were made anew", facts.shares);
            (Tristate::False, Kept::Changed.as_str(), message)
        }
        (Kept::Stored, None) => (Tristate::True, kept.as_str(), format!("{count} shares are in the Secret {secret}")),
        (Kept::NoneExist | Kept::Changed | Kept::Lost, _) => (
            Tristate::False,
            kept.as_str(),
            format!("the {count} shares aren't in the Secret {secret} as they were stored"),
        ),
    }
}
