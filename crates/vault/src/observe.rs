//! A look at everything that one resource is about: the pods of B one by one, A, and the token between them.
//!
//! There are two kinds. A *whole* look asks everything and tries the token out. A *glance* asks each server one thing, in a
//! form in which only "as before" is an answer; anything else makes the look a whole one. So a quiet server costs one
//! request in an interval, and nothing is concluded from a glance that wasn't seen in a whole look.

mod login;
mod pods;
mod reach;
mod set;
mod token;
mod trial;

pub(crate) use login::{NoToken, Session, account_token};
pub(crate) use pods::{pod_server, server_name};
pub(crate) use set::Secrets;

use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod as RawPod;
use kube::Client as Kube;
use secrecy::SecretString;

use crate::claim::{Birth, Phase};
use crate::client::{Client, Clients};
use crate::rehearsal::{Ignorance, Ledger, Outcome, Trial, Witness, judge};
use crate::settings::Settings;
use crate::view::{Content, Login, Lookup, Reach, RoleSight, Target, TokenView, TransitView, View, Wiring};

/// What a look needs beside the settings.
pub(crate) struct Eyes {
    pub(crate) kube: Kube,
    pub(crate) clients: Clients,
    /// Whether only Secrets with our label are read, as nothing else proves that their author may.
    pub(crate) require_label: bool,
}

/// What is remembered between looks.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) ledger: Ledger,
    pub(crate) passing_since: Option<Timestamp>,
    /// The containers that were seen unsealed.
    pub(crate) unsealed: std::collections::BTreeSet<crate::rehearsal::ContainerId>,
    /// What the token's renewal or mint warned of.
    pub(crate) capped: Option<String>,
    pub(crate) session: Session,
    /// Our login to B.
    of_b: Session,
    whole: Option<Whole>,
}

/// What a glance compares with.
struct Whole {
    target: Target,
    transit: TransitView,
    token: TokenView,
    rehearsal: Outcome,
    birth: Birth,
    a: Client,
    secret: Option<SecretString>,
    doors: pods::Doors,
}

/// What a look found.
pub(crate) struct Look {
    pub(crate) view: View,
    /// B's token, for a renewal.
    pub(crate) secret: Option<SecretString>,
    /// When the token was made by us; `None` when it wasn't, or the Secret wasn't read.
    pub(crate) minted: Option<Timestamp>,
    /// A, for what is done next; `None` when its settings make no sense.
    pub(crate) a: Option<Client>,
}

impl Eyes {
    /// One glance: `None` when anything isn't as it was, or there was no whole look yet.
    pub(crate) async fn glance(settings: &Settings, seen: &Seen, pods: &[Arc<RawPod>]) -> Option<Look> {
        let whole = seen.whole.as_ref().filter(|whole| is_settled(&whole.rehearsal, &seen.ledger))?;
        let (same_pods, same_a) = tokio::join!(
            pods::are_as_before(settings, pods, &whole.target, &whole.doors),
            trial::decrypts(&whole.a, settings, whole.secret.as_ref(), &seen.ledger),
        );
        if !(same_pods && same_a) {
            return None;
        }
        let view = View {
            now: Timestamp::now(),
            target: whole.target.clone(),
            transit: whole.transit.clone(),
            token: whole.token.clone(),
            rehearsal: whole.rehearsal.clone(),
            passing_since: seen.passing_since,
            birth: whole.birth.clone(),
        };
        Some(Look { view, secret: whole.secret.clone(), minted: None, a: Some(whole.a.clone()) })
    }

    /// A whole look.
    pub(crate) async fn look(&self, settings: &Settings, seen: &mut Seen, pods: &[Arc<RawPod>], birth: Birth) -> Look {
        let secrets = Secrets::new(&self.kube, settings, self.require_label);
        let (set, (content, secret, minted)) =
            tokio::join!(set::observe(&self.kube, settings), token::content(&secrets, settings));
        let wiring = set.as_ref().map(|set| set.wiring.clone()).ok();
        let ((pods, doors), (transit, lookup, role, trial, a)) = tokio::join!(
            pods::observe(self, settings, &secrets, set.as_ref().ok(), pods, &seen.unsealed),
            self.try_out(settings, &secrets, &mut seen.session, secret.as_ref(), &seen.ledger),
        );
        let now = Timestamp::now();
        let mut target = Target { set, pods, login: Login::NotConfigured };
        // Before an initialisation is complete our role there needn't be made yet.
        if birth.claim.as_ref().is_none_or(Phase::is_complete) {
            self.ask_who_votes(settings, &secrets, &mut seen.of_b, &mut target, &doors).await;
        }
        seen.unsealed.extend(target.unsealed().filter_map(crate::view::Pod::container_id));
        let rehearsal = conclude(&content, wiring.as_ref(), trial.as_ref(), &seen.ledger, &transit.reach);
        if let Some(trial) = &trial {
            seen.ledger = std::mem::take(&mut seen.ledger).after(trial, &witness(&target), now);
        }
        seen.passing_since = (rehearsal == Outcome::Passed).then(|| seen.passing_since.unwrap_or(now));
        let token = TokenView { content, lookup, role, capped: seen.capped.clone() };
        if let Some(a) = &a {
            seen.whole = Some(Whole {
                target: target.clone(),
                transit: transit.clone(),
                token: token.clone(),
                rehearsal: rehearsal.clone(),
                birth: birth.clone(),
                a: a.clone(),
                secret: secret.clone(),
                doors,
            });
        }
        let view = View { now, target, transit, token, rehearsal, passing_since: seen.passing_since, birth };
        Look { view, secret, minted, a }
    }

    /// Logs in to the server that leads, where the spec says how, and asks it who votes.
    async fn ask_who_votes(
        &self,
        settings: &Settings,
        secrets: &Secrets<'_>,
        session: &mut Session,
        target: &mut Target,
        doors: &pods::Doors,
    ) {
        let Some(auth) = &settings.target.auth else { return };
        target.login = Login::Untried;
        let active = target.pods.iter().find(|pod| pod.is_active()).and_then(|pod| doors.get(&pod.uid));
        let Some(active) = active else { return };
        target.login = session.refresh(&self.kube, Some(auth), secrets, active).await;
        let Some(voters) = session.voters(active).await else { return };
        for pod in &mut target.pods {
            pod.voter = voters.get(&pod.name).copied();
        }
    }

    async fn try_out(
        &self,
        settings: &Settings,
        secrets: &Secrets<'_>,
        session: &mut Session,
        secret: Option<&SecretString>,
        ledger: &Ledger,
    ) -> (TransitView, Lookup, RoleSight, Option<Trial>, Option<Client>) {
        let unasked = |reach| {
            let transit = TransitView { reach, facts: None, login: Login::Untried, key: None };
            (transit, Lookup::Unseen, RoleSight::Unseen, None, None)
        };
        let a = match reach::client(&self.clients, settings, secrets).await {
            Ok(a) => a,
            Err(reach) => return unasked(reach),
        };
        let (reach, facts) = reach::ask(&a).await;
        if reach != Reach::Answers {
            let (mut transit, lookup, role, trial, _) = unasked(reach);
            transit.facts = facts;
            return (transit, lookup, role, trial, Some(a));
        }
        let login = session.refresh(&self.kube, settings.transit.auth.as_ref(), secrets, &a).await;
        let key = session.key(&a, settings).await;
        let (lookup, trial) = match secret {
            Some(secret) => trial::run(&a, settings, secret, ledger, key.as_ref()).await,
            None => (Lookup::Unseen, None),
        };
        let role = session.role(&a, settings, &lookup).await;
        (TransitView { reach, facts, login, key }, lookup, role, trial, Some(a))
    }
}

/// Whether only a change at A or B could tell more than the last whole look did, so that a glance is enough until then.
fn is_settled(rehearsal: &Outcome, ledger: &Ledger) -> bool {
    match rehearsal {
        Outcome::Passed => true,
        // What B is sealed with is told by its next start, which a glance sees. Once that is proven the next whole look passes.
        Outcome::Unknown(Ignorance::NoEvidence) => ledger.proven.is_none(),
        Outcome::Unknown(
            Ignorance::TokenExternal | Ignorance::TokenNotWired | Ignorance::NoCanary | Ignorance::Untried(_),
        )
        | Outcome::Failed(..) => false,
    }
}

/// What is known about B's next start.
fn conclude(
    content: &Content,
    wiring: Option<&Wiring>,
    trial: Option<&Trial>,
    ledger: &Ledger,
    reach: &Reach,
) -> Outcome {
    if let Some(cause) = reach.cause() {
        return Outcome::Failed(cause, reach.message());
    }
    match (content, wiring) {
        (Content::External, _) => return Outcome::Unknown(Ignorance::TokenExternal),
        (Content::Malformed(what), _) => {
            let message = format!("what the Secret holds is no token: {}", what.as_str());
            return Outcome::Failed(crate::cause::Cause::TokenMalformed, message);
        }
        (Content::NoSecret | Content::NoKey, _) => {
            return Outcome::Failed(crate::cause::Cause::TokenMissing, "there is no token in the Secret".to_owned());
        }
        (Content::Refused(_) | Content::Unseen, _) => {
            return Outcome::Unknown(Ignorance::Untried("the Secret of the token wasn't read".to_owned()));
        }
        (Content::Present, Some(Wiring::Unused | Wiring::SubPath(_))) => {
            return Outcome::Unknown(Ignorance::TokenNotWired);
        }
        (Content::Present, Some(Wiring::Env(_) | Wiring::File(_)) | None) => {}
    }
    match trial {
        Some(trial) => judge(trial, ledger),
        None => Outcome::Unknown(Ignorance::Untried("the token wasn't tried".to_owned())),
    }
}

fn witness(target: &Target) -> Witness {
    let active = target.pods.iter().find(|pod| pod.is_active()).and_then(crate::view::Pod::container_id);
    Witness { active, running: target.pods.iter().filter_map(crate::view::Pod::container_id).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cause::Cause;

    #[test]
    fn a_glance_is_enough_for_an_adopted_server_until_it_has_started_anew() {
        let (adopted, started) = (Ledger::default(), Ledger { proven: Some(1), ..Ledger::default() });
        assert!(is_settled(&Outcome::Unknown(Ignorance::NoEvidence), &adopted));
        assert!(!is_settled(&Outcome::Unknown(Ignorance::NoEvidence), &started));
        assert!(is_settled(&Outcome::Passed, &started));
        assert!(!is_settled(&Outcome::Unknown(Ignorance::NoCanary), &adopted));
        assert!(!is_settled(&Outcome::Failed(Cause::TokenDead, String::new()), &started));
    }
}
