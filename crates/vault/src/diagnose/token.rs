//! What can be wrong with B's token and its key.

use super::{Diagnosis, Limits};
use crate::cause::Cause;
use crate::rehearsal::Outcome;
use crate::view::{Content, Lookup, Role, RoleSight, View, Wiring, between};

/// What stands in the Secret, before anybody is asked about it.
pub(super) fn absent(view: &View, _: &Limits) -> Option<Diagnosis> {
    match &view.token.content {
        Content::NoSecret => Some(Diagnosis::new(Cause::TokenMissing, "there is no such Secret")),
        Content::NoKey => Some(Diagnosis::new(Cause::TokenMissing, "the Secret doesn't have the key")),
        Content::Refused(said) => {
            Some(Diagnosis::new(Cause::NotPermitted, format!("the Secret of the token may not be read: {said}")))
        }
        Content::Malformed(what) => {
            Some(Diagnosis::new(Cause::TokenMalformed, format!("what the Secret holds is no token: {}", what.as_str())))
        }
        Content::External | Content::Unseen | Content::Present => None,
    }
}

pub(super) fn dead(view: &View, _: &Limits) -> Option<Diagnosis> {
    match &view.token.lookup {
        Lookup::Dead => Some(Diagnosis::new(Cause::TokenDead, "the transit server doesn't know the token (any more)")),
        Lookup::Alive { .. } | Lookup::Blind | Lookup::Unseen => None,
    }
}

pub(super) fn rehearsed(view: &View, _: &Limits) -> Option<Diagnosis> {
    match &view.rehearsal {
        Outcome::Failed(cause, message) => Some(Diagnosis::new(*cause, message.clone())),
        Outcome::Passed | Outcome::Unknown(_) => None,
    }
}

pub(super) fn not_wired(view: &View, _: &Limits) -> Option<Diagnosis> {
    if view.token.content == Content::External {
        return None;
    }
    match &view.target.set.as_ref().ok()?.wiring {
        Wiring::Unused => Some(Diagnosis::new(
            Cause::TokenNotWired,
            "the pod template doesn't use the Secret, so a new token there changes nothing",
        )),
        Wiring::SubPath(path) => Some(Diagnosis::new(
            Cause::TokenNotWired,
            format!("the Secret is mounted at {path} by subPath, where a new token never arrives"),
        )),
        Wiring::Env(_) | Wiring::File(_) => None,
    }
}

pub(super) fn unsafe_role(view: &View, _: &Limits) -> Option<Diagnosis> {
    let Lookup::Alive { renewable, orphan, root, makes_keys, .. } = &view.token.lookup else { return None };
    let told = |message: &str| Some(Diagnosis::new(Cause::TokenRoleUnsafe, message));
    if *root {
        return told("it is a root token: it may do anything, and would make a lost key anew without a word");
    }
    if *makes_keys == Some(true) {
        return told("the token may `create` on encrypt: it would make a lost key anew without a word");
    }
    if !orphan {
        return told("the token isn't an orphan: it dies with the token that made it");
    }
    if !renewable {
        return told("the token can't be renewed");
    }
    match &view.token.role {
        RoleSight::Unseen => None,
        RoleSight::Gone(name) => {
            told(&format!("there is no role {name}: the token can't be renewed, nor another made"))
        }
        RoleSight::Seen(role) => flaw(role).and_then(|flaw| told(&flaw)),
    }
}

fn flaw(role: &Role) -> Option<String> {
    let name = &role.name;
    if role.period.is_none() {
        return Some(format!("the role {name} has no token_period: its tokens end"));
    }
    if let Some(max) = role.explicit_max {
        let hours = max.as_secs() / 3600;
        return Some(format!("the role {name} has a token_explicit_max_ttl of {hours} h: its tokens end then"));
    }
    if !role.orphan {
        return Some(format!("the role {name} makes tokens that aren't orphans: they die with their parent"));
    }
    if !role.renewable {
        return Some(format!("the role {name} makes tokens that can't be renewed"));
    }
    (!role.default_policy)
        .then(|| format!("the role {name} has token_no_default_policy: its tokens can't renew themselves"))
}

pub(super) fn capped(view: &View, _: &Limits) -> Option<Diagnosis> {
    let warning = view.token.capped.as_ref()?;
    Some(Diagnosis::new(Cause::TokenCapped, format!("the transit server warned: {warning}")))
}

/// Renewals fail, or there are none and the end comes near.
pub(super) fn expiring(view: &View, limits: &Limits) -> Option<Diagnosis> {
    let Lookup::Alive { ends: Some(ends), life, renewable, .. } = &view.token.lookup else { return None };
    let left = between(view.now, *ends);
    if *renewable {
        // Due when `renew_at` percent are over; half of what remained then has gone by since.
        let due = life.mul_f64(f64::from(100 - limits.renew_at.min(100)) / 100.0);
        return (left < due / 2)
            .then(|| Diagnosis::new(Cause::TokenExpiring, format!("the token wasn't renewed and ends at {ends:.0}")));
    }
    (left < limits.survive_outage)
        .then(|| Diagnosis::new(Cause::TokenExpiring, format!("the token can't be renewed and ends at {ends:.0}")))
}
