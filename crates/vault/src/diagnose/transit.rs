//! What can be wrong with A.

use super::{Diagnosis, Limits};
use crate::cause::Cause;
use crate::view::{KeyFacts, Login, View};

pub(super) fn silent(view: &View, _: &Limits) -> Option<Diagnosis> {
    let reach = &view.transit.reach;
    reach.cause().map(|cause| Diagnosis::new(cause, reach.message()))
}

pub(super) fn login_refused(view: &View, _: &Limits) -> Option<Diagnosis> {
    refused(&view.transit.login, "the transit server").or_else(|| refused(&view.target.login, "the server itself"))
}

fn refused(login: &Login, by: &str) -> Option<Diagnosis> {
    match login {
        Login::Refused(said) => {
            Some(Diagnosis::new(Cause::LoginRefused, format!("our own login to {by} is refused: {said}")))
        }
        Login::NotConfigured | Login::Works | Login::ByToken { .. } | Login::Untried => None,
    }
}

/// What would let the key be lost, or leave.
pub(super) fn unguarded(view: &View, _: &Limits) -> Option<Diagnosis> {
    let Some(Some(KeyFacts { deletion_allowed, exportable, .. })) = &view.transit.key else { return None };
    let trouble = match (deletion_allowed, exportable) {
        (true, true) => "may be deleted and exported",
        (true, false) => "may be deleted",
        (false, true) => "may be exported",
        (false, false) => return None,
    };
    Some(Diagnosis::new(Cause::KeyUnguarded, format!("the transit key {trouble}")))
}
