//! The request of one attempt, and what follows it, in a task that nothing cancels.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep};

use super::held::Open;
use super::pass::Pass;
use super::{Asked, GRACE, Initialiser};
use crate::init::claim::{Claim, Reading, Stage};
use crate::init::failed::Failed;
use crate::init::next::{Spooled, Step};
use crate::init::order::Order;
use crate::init::server::{B, Sent};
use crate::settings::Settings;
use crate::view::between;

/// A request isn't sent later than this after its claim said that it would be: by then another may be about to take it.
const PROMPT: Duration = Duration::from_secs(30);
/// The pause after a step that failed, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// When a claim said that its request is sent now. By two clocks: one of them stands still while a machine sleeps, people set the other.
#[derive(Clone, Copy)]
struct Began(Instant, Timestamp);

impl Began {
    fn now() -> Self {
        Self(Instant::now(), Timestamp::now())
    }

    fn is_recent(self) -> Result<(), Failed> {
        let Self(began, at) = self;
        let late = PROMPT < began.elapsed() || PROMPT < between(at, Timestamp::now());
        if late { Err(Failed::TooLate) } else { Ok(()) }
    }
}

/// The request of one attempt, and what follows it.
pub(super) struct Task {
    pub(super) this: Initialiser,
    pub(super) of: String,
    /// As they were when it was claimed: the request is sent by these.
    pub(super) settings: Settings,
    pub(super) order: Order,
}

impl Task {
    pub(super) async fn run(self, claim: Claim) {
        let deadline = Instant::now() + GRACE;
        match self.send(&claim).await {
            Ok(()) => {
                self.this.inner.troubles.lock().remove(&self.of);
                self.follow(deadline).await;
            }
            Err(failed) => {
                self.note(failed);
                self.give_back(&claim, deadline).await;
            }
        }
    }

    fn pass<'a>(&'a self, settings: &'a Settings, order: &'a Order) -> Pass<'a> {
        let asked = Asked { settings, order, view: None, sighting: None, leads: false };
        Pass { this: &self.this, asked, cluster: self.this.cluster(settings), alone: false }
    }

    /// What the resource asks for by now.
    fn wanted(&self) -> (Settings, Order) {
        let wanted = self.this.inner.working.lock().get(&self.of).cloned();
        wanted.unwrap_or_else(|| (self.settings.clone(), self.order.clone()))
    }

    /// Sends the request, unless anything isn't as it was when it was claimed.
    async fn send(&self, claim: &Claim) -> Result<(), Failed> {
        let (plan, spool) = (self.order.plan.as_ref(), &self.this.inner.spool);
        let pass = self.pass(&self.settings, &self.order);
        let plan = plan.map_err(|why| Failed::Plan(why.clone()))?;
        let b = self.same_pod(&pass, claim).await?;
        if b.is_initialised().await? {
            return Err(Failed::InitialisedMeanwhile);
        }
        let began = self.announce(&pass, claim).await?;
        began.is_recent()?;
        spool.mark(&claim.attempt)?;
        // Once more: whoever was stopped in between must not send what somebody gave up meanwhile.
        if let Err(late) = began.is_recent() {
            spool.unmark(&claim.attempt)?;
            return Err(late);
        }
        match b.send(plan).await {
            Sent::Answered(shares, root) => {
                self.this.inner.held.take_in(Open {
                    attempt: claim.attempt.clone(),
                    of: self.of.clone(),
                    resource: self.settings.name.clone(),
                    secret: plan.secret.clone(),
                    asked: plan.shares,
                    recipients: plan.recipients.clone(),
                    shares,
                    root,
                });
                Ok(())
            }
            Sent::Never(error) => {
                spool.unmark(&claim.attempt)?;
                Err(error.into())
            }
            Sent::Unknown(error) => Err(Failed::AnswerLost(error)),
        }
    }

    /// The server in the pod that was claimed, and in no other.
    async fn same_pod<'a>(&self, pass: &'a Pass<'_>, claim: &Claim) -> Result<B<'a>, Failed> {
        let door = pass.cluster.door(&claim.pod).await?;
        if door.is_some_and(|door| door.uid == claim.pod_uid && !door.leaving) {
            return pass.b(claim).await;
        }
        Err(Failed::OtherPod(claim.pod.clone()))
    }

    /// Says in the claim that the request may be sent from now on: nobody gives it up while it is on its way, and whoever gave
    /// it up before has kept it from being sent.
    async fn announce(&self, pass: &Pass<'_>, claim: &Claim) -> Result<Began, Failed> {
        let (began, read) = (Began::now(), pass.cluster.claim().await?);
        match &read.reading {
            Reading::Claim(found) if found == claim => {}
            Reading::Claim(_) | Reading::Vacant | Reading::Unreadable(_) => return Err(Failed::ClaimChanged),
        }
        pass.cluster.put(&read, &claim.at(Stage::Claimed, Timestamp::now())).await?;
        Ok(began)
    }

    /// Drops the claim of a request that certainly was never sent, so that whoever leads by now begins anew at once.
    async fn give_back(&self, claim: &Claim, deadline: Instant) {
        let pass = self.pass(&self.settings, &self.order);
        let mut pause = PAUSES.0;
        while Instant::now() < deadline {
            let Err(failed) = self.give_back_once(&pass, claim).await else { return };
            self.note(failed);
            sleep(pause).await;
            pause = (pause * 2).min(PAUSES.1);
        }
    }

    async fn give_back_once(&self, pass: &Pass<'_>, claim: &Claim) -> Result<(), Failed> {
        // With a mark it may have been sent.
        if self.this.inner.spooled(&claim.attempt)? != Spooled::Nothing {
            return Ok(());
        }
        let read = pass.cluster.claim().await?;
        match &read.reading {
            Reading::Claim(found) if found.attempt == claim.attempt => pass.cluster.vacate(&read).await,
            // Somebody else dropped it.
            Reading::Claim(_) | Reading::Vacant | Reading::Unreadable(_) => Ok(()),
        }
    }

    /// Tries what didn't come about when the answer came.
    fn bring(&self) {
        if let Err(failed) = self.this.inner.held.bring(&self.of, &self.this.inner.spool) {
            self.note(failed);
        }
    }

    /// Everything after the answer, tried again until it is done or the time is over.
    async fn follow(&self, deadline: Instant) {
        let mut pause = PAUSES.0;
        while Instant::now() < deadline {
            let (settings, order) = self.wanted();
            let pass = self.pass(&settings, &order);
            self.bring();
            let done = match pass.decide().await {
                Ok((read, step)) => match step {
                    Step::Store | Step::ProveAdmin | Step::RevokeRoot(_) => pass.act(&step, read).await,
                    Step::Wipe => {
                        if let Err(failed) = pass.act(&step, read).await {
                            self.note(failed);
                        }
                        return;
                    }
                    Step::Wait(_) => Err(Failed::NotYet),
                    Step::Rest | Step::Claim(_) | Step::Send | Step::Discard | Step::Stuck(_) => return,
                },
                Err(failed) => Err(failed),
            };
            match done {
                Ok(()) => {
                    pause = PAUSES.0;
                    self.this.inner.troubles.lock().remove(&self.of);
                }
                Err(failed) => {
                    self.note(failed);
                    // What keeps the step from being done may keep this from being written, too.
                    let _ = pass.touch().await;
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    fn note(&self, failed: Failed) {
        let (namespace, name, class) = (&self.settings.namespace, &self.settings.name, failed.class());
        tracing::warn!(namespace, name, ?class, error = %failed, "an initialisation doesn't go on for now");
        self.this.inner.troubles.lock().insert(self.of.clone(), Arc::new(failed));
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.this.inner.working.lock().remove(&self.of);
    }
}
