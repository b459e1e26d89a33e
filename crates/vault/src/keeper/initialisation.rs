//! A pass's part in an initialisation: what its claim says, the next step, and what is told of it.

use holdfast_api::VaultTransitUnsealStatus;
use holdfast_api::vault_transit_unseal::InitializationPhase;
use k8s_openapi::api::core::v1::ObjectReference;

use super::{Keeper, Sight};
use crate::claim::{Birth, Keys, Phase};
use crate::diagnose::{Diagnosis, diagnose};
use crate::init::gate::Closed;
use crate::init::order::Order;
use crate::init::verdict::with_initialisation;
use crate::init::{self, Progress, Sighting};
use crate::observe::Look;
use crate::settings::Settings;
use crate::view::View;

/// Why a controller initialises nothing.
const NO_SPOOL: &str = "the controller runs without --spool, where the answer would be kept";

impl Keeper {
    /// What an initialisation by us has come to; it isn't asked after where none is wanted and none was ever seen.
    pub(super) async fn birth(&self, settings: &Settings, order: &Order) -> (Birth, Option<Sighting>) {
        let status = self.resource().map(|resource| self.before(&resource)).unwrap_or_default();
        let known = status.initialization.is_some();
        let unseen = |why: String| (last_known(&status, why), None);
        match &self.shared.initialiser {
            Some(initialiser) if order.wanted || known || initialiser.holds(settings) => {
                match initialiser.look(settings, order).await {
                    // Whatever was seen of it once was sealed with a key of A.
                    Ok((birth, sighting)) => {
                        let untouched = birth.untouched && !self.was_born(&status);
                        (Birth { untouched, ..birth }, Some(sighting))
                    }
                    Err(failed) => unseen(failed.to_string()),
                }
            }
            None if known => unseen(NO_SPOOL.to_owned()),
            Some(_) | None => (Birth::default(), None),
        }
    }

    fn was_born(&self, status: &VaultTransitUnsealStatus) -> bool {
        let evidence = &self.seen.ledger;
        let cluster = status.server.as_ref().and_then(|server| server.cluster_id.as_ref());
        cluster.is_some() || !evidence.canaries.is_empty() || evidence.proven.is_some()
    }

    /// Does the next step of an initialisation; `None` where there is nothing to initialise, and nothing was, and after a glance,
    /// as nothing is only glanced at before its initialisation is through.
    pub(super) async fn initialise(
        &self,
        settings: &Settings,
        order: &Order,
        look: &Look,
        sight: &Sight,
    ) -> Option<Progress> {
        let sighting = match sight {
            Sight::Glance => return None,
            Sight::Whole(sighting) => sighting.as_deref(),
        };
        if !order.wanted && look.view.birth.claim.is_none() {
            return None;
        }
        let Some(initialiser) = &self.shared.initialiser else {
            let closed = Closed::Preparation(NO_SPOOL.to_owned());
            let step = Some(init::Step::Wait(init::Wait::Closed(closed)));
            return Some(Progress { step, failed: None });
        };
        let leads = self.shared.leadership.is_leader();
        Some(initialiser.advance(init::Asked { settings, order, view: Some(&look.view), sighting, leads }).await)
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

/// What holds while the claim can't be read: one that was complete stays so, of any other nothing may be concluded.
fn last_known(status: &VaultTransitUnsealStatus, why: String) -> Birth {
    let known = status.initialization.as_ref().filter(|known| known.phase == Some(InitializationPhase::Complete));
    let Some(known) = known else { return Birth { claim: Some(Phase::Unreadable { why }), ..Birth::default() } };
    let attempt = known.attempt.clone().unwrap_or_default();
    let keys = known.secret_name.clone().map(|secret| Keys { secret, count: 0, kept: None });
    Birth { claim: Some(Phase::Complete { attempt }), keys, untouched: false }
}

/// What is wrong, its initialisation included.
pub(super) fn found(view: &View, settings: &Settings, init: Option<&Progress>) -> Option<Diagnosis> {
    let found = diagnose(view, &settings.allowed.limits);
    let Some(Progress { step: Some(step), failed, .. }) = init else { return found };
    with_initialisation(found, step, view.birth.claim.as_ref(), failed.as_deref())
}
