//! A pass's part in an initialisation: what its claim says, the next step, and what is told of it.

use k8s_openapi::api::core::v1::ObjectReference;

use super::Keeper;
use crate::claim::{Birth, Phase};
use crate::diagnose::{Diagnosis, diagnose};
use crate::init::gate::Closed;
use crate::init::order::Order;
use crate::init::verdict::with_initialisation;
use crate::init::{self, Progress};
use crate::observe::Look;
use crate::settings::Settings;
use crate::view::View;

/// Why a controller initialises nothing.
const NO_SPOOL: &str = "the controller runs without --spool, where the answer would be kept";

impl Keeper {
    /// What an initialisation by us has come to; it isn't asked after where none is wanted and none was ever seen.
    pub(super) async fn birth(&self, settings: &Settings, order: &Order) -> Birth {
        let known = self.resource().is_some_and(|resource| self.before(&resource).initialization.is_some());
        match &self.shared.initialiser {
            Some(initialiser) if order.wanted || known => initialiser.told(settings, order).await,
            Some(_) => Birth::default(),
            None if known => Birth { claim: Some(Phase::Unreadable { why: NO_SPOOL.to_owned() }), ..Birth::default() },
            None => Birth::default(),
        }
    }

    /// Does the next step of an initialisation; `None` where there is nothing to initialise, and nothing was.
    pub(super) async fn initialise(&self, settings: &Settings, order: &Order, look: &Look) -> Option<Progress> {
        if !order.wanted && look.view.birth.claim.is_none() {
            return None;
        }
        let Some(initialiser) = &self.shared.initialiser else {
            let closed = Closed::Preparation(NO_SPOOL.to_owned());
            let step = Some(init::Step::Wait(init::Wait::Closed(closed)));
            return Some(Progress { phase: None, step, failed: None });
        };
        let leads = self.shared.leadership.is_leader();
        Some(initialiser.advance(init::Asked { settings, order, view: Some(&look.view), leads }).await)
    }

    /// How far an initialisation came, and what keeps it from going on, is an event each time.
    pub(super) fn tell_initialisation(&mut self, about: &ObjectReference, view: &View, init: Option<&Progress>) {
        let failed = init.and_then(|progress| progress.failed.as_ref()).map(ToString::to_string);
        let now = (view.birth.claim.as_ref().map(Phase::as_str), failed.clone());
        let before = std::mem::replace(&mut self.initialisation, now);
        let hands = &self.shared.hands;
        if let Some(phase) = view.birth.claim.as_ref().filter(|phase| before.0 != Some(phase.as_str())) {
            let attempt = phase.attempt().unwrap_or("unknown");
            let note = format!("attempt {attempt}: {}", phase.note());
            hands.announce(about, phase.as_str(), "Initialize", false, note);
        }
        if let Some(failed) = failed.filter(|failed| before.1.as_ref() != Some(failed)) {
            hands.announce(about, "InitializationFailed", "Initialize", true, failed);
        }
    }
}

/// What is wrong, its initialisation included.
pub(super) fn found(view: &View, settings: &Settings, init: Option<&Progress>) -> Option<Diagnosis> {
    let found = diagnose(view, &settings.allowed.limits);
    let Some(Progress { step: Some(step), failed, .. }) = init else { return found };
    with_initialisation(found, step, view.birth.claim.as_ref(), failed.as_deref())
}
