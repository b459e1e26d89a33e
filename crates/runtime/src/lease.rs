//! Leader election over a Lease, and the leader's heartbeat on it.
//!
//! Invariants: at most one candidate leads at a time, as long as each write ends within `DURATION - RENEW_DEADLINE` of
//! being allowed. A lease is expired when *we* saw it unchanged for the time that its holder asked for, by our own
//! monotonic clock: clocks of other machines don't matter, a holder that asks for an hour gets it, and one that asks for
//! less than `DURATION` gets `DURATION`. A leader stops being one by the mere passing of time, so a process that was
//! paused isn't leader when it goes on, and what it was about to send stays unsent (`fence`). Each write carries the
//! resourceVersion it is based on, so somebody who was faster wins. The Lease may be deleted or edited by hand at any time: its leader makes it again, or gives it up at its next
//! renewal; the others wait for `DURATION` after each such edit, also one that makes them the holder. (A candidate that
//! starts in the two seconds after it was deleted is the one case in which two may lead, until the older one looks.)
//!
//! Takes over at most `DURATION` and one round trip after the last renewal was seen, and at once after a release.
//! Verbs: get, create, update. Absent: watches, force, a wish to be the leader again before the own lease has expired.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, Client, api::PostParams};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

mod fence;
mod heartbeat;
mod leadership;
mod record;
mod take;
#[cfg(test)]
mod tests;

pub(crate) use fence::connect;
pub use heartbeat::{Heartbeat, Ticket};
pub use leadership::Leadership;
pub use take::{LeaseError, release, take};

use crate::failure::said;
use heartbeat::Pulse;
use record::{Observer, Standing};

/// How long a lease of ours holds without renewal: by then its leader has stopped, and what it had sent is over.
pub const DURATION: Duration = Duration::from_secs(15);
/// How long after its last renewal a leader stops by itself. Whoever took the Lease away has to wait no longer than this.
const RENEW_DEADLINE: Duration = Duration::from_secs(10);
/// How often the leader renews and the others look.
const RETRY: Duration = Duration::from_secs(2);
/// How long one look or renewal may take.
const ANSWER: Duration = Duration::from_secs(5);

/// How often one step looks again because somebody was faster.
const TRIES: usize = 3;

/// Which Lease, and as whom.
#[derive(Debug, Clone)]
pub struct Candidacy {
    /// Of the Lease.
    pub namespace: String,
    /// Of the Lease.
    pub name: String,
    /// Of the candidate, as of [`identity`]: no other process may ever have it.
    pub identity: String,
    /// Whose the fields are that are written.
    pub field_manager: &'static str,
}

/// The pod's name and something random: a pod that comes back under its name must not take itself for the leader.
pub fn identity(pod: &str) -> String {
    format!("{pod}_{:08x}", fastrand::u32(..))
}

/// How a look at the Lease ended.
enum Outcome {
    Leading,
    /// Another holds it, unless renewed until then.
    Waiting {
        until: Instant,
    },
}

/// Takes part in the election, as a task of its own.
pub struct Elector {
    api: Api<Lease>,
    candidacy: Candidacy,
    elect: bool,
    pulse: Pulse,
    leadership: Leadership,
    observer: Observer,
    /// The Lease as we last wrote it; none when the next step has to look first.
    held: Option<Lease>,
}

impl Elector {
    /// One candidate, whose heartbeat is refreshed only while each of `hearts` beats. Without election (`elect`) there
    /// must be one replica, which always leads and touches no Lease.
    pub fn new(client: Client, candidacy: Candidacy, elect: bool, hearts: impl Into<Vec<Heartbeat>>) -> Self {
        Self {
            api: Api::namespaced(client, &candidacy.namespace),
            leadership: Leadership::new(!elect),
            candidacy,
            elect,
            pulse: Pulse::new(hearts.into()),
            observer: Observer::default(),
            held: None,
        }
    }

    /// To ask who leads, from elsewhere.
    pub fn leadership(&self) -> Leadership {
        self.leadership.clone()
    }

    /// Runs until `stop`; then releases the Lease. What writes must have stopped before `stop` is given.
    pub async fn run(mut self, stop: CancellationToken) {
        loop {
            let round = async {
                let wait = self.round().await;
                sleep(wait).await;
            };
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                () = round => {}
            }
        }
        if self.elect {
            self.resign().await;
        }
    }

    /// One look or renewal; returns how long until the next.
    async fn round(&mut self) -> Duration {
        if !self.elect {
            self.beat_alone();
            return RETRY;
        }
        let started = Instant::now();
        let patience = self.leadership.time_left(started).map_or(ANSWER, |left| left.min(ANSWER));
        match timeout(patience, self.attempt()).await {
            Ok(Ok(Outcome::Leading)) => self.leadership.lead_until(started + RENEW_DEADLINE),
            Ok(Ok(Outcome::Waiting { until })) => {
                self.leadership.step_down("held by another");
                return until.saturating_duration_since(Instant::now()).min(jittered(RETRY));
            }
            Ok(Err(error)) => self.leadership.failed(&said(&error)),
            Err(_) => self.leadership.failed("no answer in time"),
        }
        // Awake when our time is up, so that its end is told at once.
        let left = self.leadership.time_left(Instant::now());
        left.map_or_else(|| jittered(RETRY), |left| left.min(RETRY))
    }

    /// Looks, and takes or renews what is free or ours. Somebody who was faster makes it look again.
    async fn attempt(&mut self) -> kube::Result<Outcome> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.try_once().await {
                Err(kube::Error::Api(status)) if [404, 409].contains(&status.code) && tries < TRIES => {}
                outcome => return outcome,
            }
        }
    }

    /// Whatever fails, the next try begins with a look.
    async fn try_once(&mut self) -> kube::Result<Outcome> {
        let (name, identity) = (&self.candidacy.name, &self.candidacy.identity);
        let found = match self.held.take() {
            Some(lease) => Some(lease),
            None => self.api.get_opt(name).await?,
        };
        let beat = self.pulse.beat();
        let now = record::now();
        let standing = match &found {
            Some(lease) => self.observer.judge(lease, identity, self.leadership.is_leader(), Instant::now()),
            None => self.observer.judge_absent(self.leadership.is_leader(), Instant::now()),
        };
        found.iter().for_each(|lease| self.leadership.saw(lease));
        if let Standing::Held { until } = standing {
            return Ok(Outcome::Waiting { until });
        }
        if let Err(heart) = &beat {
            tracing::debug!(task = heart, "nothing that is due is completed; the heartbeat is not refreshed");
        }
        let is_there = found.is_some();
        let lease = match found {
            None => record::first(&self.candidacy, DURATION, now, beat.is_ok()),
            Some(lease) => record::next(lease, identity, DURATION, now, beat.is_ok()),
        };
        self.observer.claim(&lease);
        let params = params(&self.candidacy);
        let written = match is_there {
            false => self.api.create(&params, &lease).await?,
            true => self.api.replace(name, &params, &lease).await?,
        };
        if let Ok(beat) = &beat {
            self.pulse.beaten(beat);
        }
        self.leadership.saw(&written);
        self.held = Some(written);
        Ok(Outcome::Leading)
    }

    fn beat_alone(&mut self) {
        if let Ok(beat) = self.pulse.beat() {
            self.pulse.beaten(&beat);
            self.leadership.saw_beat(&Timestamp::now().to_string());
        }
    }

    /// Hands the Lease back, if it may be ours.
    async fn resign(&mut self) {
        let may_be_ours = self.held.is_some() || self.leadership.is_leader();
        self.leadership.step_down("shutting down");
        if !may_be_ours {
            return;
        }
        let name = &self.candidacy.name;
        let client = self.api.clone().into_client();
        match timeout(ANSWER, release(client, &self.candidacy)).await {
            Ok(Ok(())) => tracing::info!(name, "lease released"),
            Ok(Err(error)) => tracing::warn!(name, %error, "lease not released"),
            Err(_) => tracing::warn!(name, "lease not released in time"),
        }
    }
}

fn params(candidacy: &Candidacy) -> PostParams {
    PostParams { field_manager: Some(candidacy.field_manager.to_owned()), ..PostParams::default() }
}

fn jittered(duration: Duration) -> Duration {
    duration.mul_f64(1.0 + 0.2 * fastrand::f64())
}
