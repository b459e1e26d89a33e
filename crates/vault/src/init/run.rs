//! Does what `next` says.
//!
//! The request and what follows it run in a task of their own, which neither the loss of the lead nor the end of a pass
//! cancels; the process waits for it when it ends. What the task doesn't get done is carried on pass by pass.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client as Kube;
use parking_lot::Mutex;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::task::TaskTracker;

use super::admin;
use super::claim::{Claim, Reading, Recorded, Stage};
use super::failed::Failed;
use super::gate::{self, Closed, Go};
use super::kept::{Kept, judge};
use super::next::{By, Facts, Holder, Server, Spooled, Step, next};
use super::objects::{Cluster, Put, Read};
use super::order::{Order, Plan};
use super::random_id;
use super::server::{B, Sent};
use super::spool::{Answer, Spool, Trouble};
use crate::claim::Phase;
use crate::client::Clients;
use crate::execute::audit;
use crate::settings::Settings;
use crate::view::View;

/// For how long a process that ends waits for a request and what follows it.
pub const GRACE: Duration = Duration::from_secs(150);
/// A request isn't sent later than this after its claim was written: by then another may be about to take it.
const PROMPT: Duration = Duration::from_secs(30);
/// The pause after a step that failed, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// What one pass knows.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The resource.
    pub settings: &'a Settings,
    /// What it asks for.
    pub order: &'a Order,
    /// What was seen of B and A in this pass; `None` where nobody looked, as this process doesn't lead.
    pub view: Option<&'a View>,
    /// Whether this process leads.
    pub leads: bool,
}

/// What came of one pass.
#[derive(Debug)]
pub struct Progress {
    /// What the claim said before; `None` when there is none, or it couldn't be read.
    pub phase: Option<Phase>,
    /// What was done, or is waited for; `None` when the claim couldn't be read.
    pub step: Option<Step>,
    /// Why it didn't come about, if it didn't. While a task works on it: why its last try didn't.
    pub failed: Option<Arc<Failed>>,
}

/// Initialises servers. One for a process.
#[derive(Clone)]
pub struct Initialiser {
    inner: Arc<Inner>,
}

struct Inner {
    kube: Kube,
    clients: Clients,
    spool: Spool,
    require_label: bool,
    /// The servers that a task works on.
    working: Mutex<BTreeSet<String>>,
    /// The answers that came to this process, whether they could be spooled or not.
    held: Mutex<BTreeMap<String, Answer>>,
    /// Why a task's last try failed, by server.
    troubles: Mutex<BTreeMap<String, Arc<Failed>>>,
    tasks: TaskTracker,
}

impl Initialiser {
    /// `kube` must write whether this process leads or not: whoever holds an answer stores it.
    #[must_use]
    pub fn new(kube: Kube, clients: Clients, spool: Spool, require_label: bool) -> Self {
        let inner = Inner {
            kube,
            clients,
            spool,
            require_label,
            working: Mutex::default(),
            held: Mutex::default(),
            troubles: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What the claim of a resource's server says, for its view; `None` when there is no claim.
    ///
    /// # Errors
    /// When it couldn't be read, from which nothing may be concluded.
    pub async fn phase(&self, settings: &Settings) -> Result<Option<Phase>, Failed> {
        let read = self.cluster(settings).claim().await?;
        Ok(self.phase_of(&read.reading, settings))
    }

    /// How the recovery keys stand that we stored; `None` when we stored none.
    ///
    /// # Errors
    /// When claim or keys couldn't be read.
    pub async fn kept(&self, settings: &Settings) -> Result<Option<Kept>, Failed> {
        let cluster = self.cluster(settings);
        let Reading::Claim(claim) = cluster.claim().await?.reading else { return Ok(None) };
        let Some(recorded) = claim.recorded() else { return Ok(None) };
        let data = cluster.stored(&recorded.secret).await?;
        Ok(Some(judge(&claim.attempt, recorded, data.as_ref())))
    }

    /// Does the next step, if there is one to be done. Cancelling it loses nothing.
    pub async fn advance(&self, asked: Asked<'_>) -> Progress {
        let of = of(asked.settings);
        let pass = Pass { this: self, asked, cluster: self.cluster(asked.settings), alone: true };
        let decided = match pass.decide().await {
            Ok(decided) => decided,
            Err(failed) => return Progress { phase: None, step: None, failed: Some(Arc::new(failed)) },
        };
        let (read, step) = decided;
        let phase = self.phase_of(&read.reading, asked.settings);
        let failed = match pass.act(&step, read).await {
            Ok(()) => self.inner.troubles.lock().get(&of).cloned(),
            Err(failed) => Some(Arc::new(failed)),
        };
        Progress { phase, step: Some(step), failed }
    }

    /// Waits for what was begun, at most for `GRACE`. Returns whether it all ended.
    pub async fn drained(&self) -> bool {
        self.inner.tasks.close();
        timeout(GRACE, self.inner.tasks.wait()).await.is_ok()
    }

    fn cluster<'a>(&'a self, settings: &'a Settings) -> Cluster<'a> {
        Cluster { kube: &self.inner.kube, settings, require_label: self.inner.require_label }
    }

    fn phase_of(&self, reading: &Reading, settings: &Settings) -> Option<Phase> {
        match reading {
            Reading::Vacant => None,
            Reading::Unreadable(why) => Some(Phase::Unreadable { why: why.to_string() }),
            Reading::Claim(claim) => {
                let ours = claim.holder == self.inner.spool.id();
                let works = self.inner.working.lock().contains(&of(settings));
                let answered = ours && matches!(self.inner.spooled(&claim.attempt), Ok(Spooled::Answer));
                Some(claim.phase(works || answered || !ours && claim.is_fresh(Timestamp::now())))
            }
        }
    }
}

impl Inner {
    fn spooled(&self, attempt: &str) -> Result<Spooled, Trouble> {
        Ok(match (self.answer(attempt)?, self.spool.is_marked(attempt)?) {
            (Some(_), _) => Spooled::Answer,
            (None, true) => Spooled::Sent,
            (None, false) => Spooled::Nothing,
        })
    }

    fn answer(&self, attempt: &str) -> Result<Option<Answer>, Trouble> {
        let held = self.held.lock().get(attempt).cloned();
        if held.is_some() { Ok(held) } else { self.spool.answer(attempt) }
    }

    fn wipe(&self, attempt: &str) -> Result<(), Trouble> {
        self.held.lock().remove(attempt);
        self.spool.wipe(attempt)
    }
}

/// The server of a resource.
fn of(settings: &Settings) -> String {
    format!("{}/{}", settings.namespace, settings.target.set)
}

/// One look at the claim and what follows from it.
struct Pass<'a> {
    this: &'a Initialiser,
    asked: Asked<'a>,
    cluster: Cluster<'a>,
    /// Whether no task works on it but, perhaps, another one: the task itself doesn't wait for itself.
    alone: bool,
}

impl Pass<'_> {
    fn inner(&self) -> &Inner {
        &self.this.inner
    }

    async fn decide(&self) -> Result<(Read, Step), Failed> {
        let (order, now) = (self.asked.order, Timestamp::now());
        let of = of(self.asked.settings);
        let working = self.alone && self.inner().working.lock().contains(&of);
        let read = self.cluster.claim().await?;
        let (holder, spool) = match &read.reading {
            Reading::Claim(claim) => {
                let ours = claim.holder == self.inner().spool.id();
                (if ours { Holder::Us } else { Holder::Another }, self.inner().spooled(&claim.attempt)?)
            }
            Reading::Vacant | Reading::Unreadable(_) => {
                let answers = !self.inner().spool.answers_of(&of)?.is_empty();
                (Holder::Another, if answers { Spooled::Answer } else { Spooled::Nothing })
            }
        };
        let facts = Facts {
            holder,
            spool,
            working,
            server: self.server(&read.reading).await,
            gate: self.gate(&read.reading).await,
            claim: &read.reading,
            discard: &order.discard,
            leads: self.asked.leads,
            now,
        };
        let step = next(&facts);
        Ok((read, step))
    }

    async fn gate(&self, reading: &Reading) -> Result<Go, Closed> {
        let (Reading::Vacant, Some(view)) = (reading, self.asked.view) else { return Err(Closed::NotAsked) };
        let (order, tls) = (self.asked.order, self.asked.settings.target.tls);
        let facts = gate::Facts { order, tls, view, volumes: Some(&[]) };
        // The storage is listed only when nothing else is in the way.
        gate::check(facts)?;
        let volumes = self.cluster.volumes().await.ok();
        gate::check(gate::Facts { volumes: volumes.as_deref(), ..facts })
    }

    /// What B is: by the view where there is one, else by the pod that was claimed.
    async fn server(&self, reading: &Reading) -> Server {
        let Reading::Claim(claim) = reading else { return Server::Unseen };
        match self.asked.view {
            // What was seen before the claim was touched says nothing about it.
            Some(view) if view.now <= claim.touched => Server::Unseen,
            Some(view) => {
                let facts = |pod: &crate::view::Pod| pod.answer.facts().is_some_and(|facts| facts.initialised);
                match view.target.pods.iter().any(facts) {
                    true => Server::Initialised,
                    false if view.target.is_blank() => Server::Blank,
                    false => Server::Unseen,
                }
            }
            None => match self.b(claim).await {
                Ok(b) => match b.is_initialised().await {
                    Ok(true) => Server::Initialised,
                    Ok(false) => Server::Blank,
                    Err(_) => Server::Unseen,
                },
                Err(_) => Server::Unseen,
            },
        }
    }

    /// The server of the claim, wherever its pod is now.
    async fn b(&self, claim: &Claim) -> Result<B, Failed> {
        let absent = || Failed::NoAddress(claim.pod.clone());
        let ip = self.cluster.door(&claim.pod).await?.and_then(|door| door.ip).ok_or_else(absent)?;
        let settings = self.asked.settings;
        let ca = self.cluster.authority(settings.target.verify.ca_secret_ref.as_ref()).await?;
        Ok(B::new(&self.inner().clients, settings, &claim.server, ip, ca)?)
    }

    fn plan(&self) -> Result<&Plan, Failed> {
        self.asked.order.plan.as_ref().map_err(|why| Failed::Plan(why.clone()))
    }

    async fn act(&self, step: &Step, read: Read) -> Result<(), Failed> {
        let settings = self.asked.settings;
        match (step, &read.reading) {
            (Step::Claim(go), _) => self.claim(go, &read).await,
            (Step::Send, Reading::Claim(claim)) => self.start(claim.clone(), None),
            (Step::Store, Reading::Claim(claim)) => self.store(claim, &read).await,
            (Step::ProveAdmin, Reading::Claim(claim)) => self.prove(claim, &read).await,
            (Step::RevokeRoot(by), Reading::Claim(claim)) => self.revoke(*by, claim, &read).await,
            (Step::Wipe, Reading::Claim(claim)) => {
                self.inner().wipe(&claim.attempt)?;
                audit(settings, "wipe-spool", "success");
                Ok(())
            }
            (Step::Discard, Reading::Claim(claim)) => {
                self.cluster.vacate(&read).await?;
                audit(settings, "discard-attempt", "success");
                Ok(self.inner().wipe(&claim.attempt)?)
            }
            (Step::Rest | Step::Wait(_) | Step::Stuck(_), _) => Ok(()),
            // `next` gives these only for a claim.
            (
                Step::Send | Step::Store | Step::ProveAdmin | Step::RevokeRoot(_) | Step::Wipe | Step::Discard,
                Reading::Vacant | Reading::Unreadable(_),
            ) => Err(Failed::ClaimChanged),
        }
    }

    /// Tries out what comes later, claims, and starts the task.
    async fn claim(&self, go: &Go, read: &Read) -> Result<(), Failed> {
        let plan = self.plan()?;
        self.cluster.could_store(&plan.secret).await?;
        admin::prepare(&self.cluster, plan).await?;
        let (began, now) = (Instant::now(), Timestamp::now());
        let claim = Claim {
            attempt: random_id(),
            pod: go.pod.clone(),
            pod_uid: go.uid.clone(),
            server: format!("{}.{}.{}.svc", go.pod, go.service, self.asked.settings.namespace),
            holder: self.inner().spool.id().to_owned(),
            claimed: now,
            touched: now,
            stage: Stage::Claimed,
        };
        match self.cluster.put(read, &claim).await? {
            Put::Ours => {
                audit(self.asked.settings, "claim-initialisation", "success");
                self.start(claim, Some(began))
            }
            Put::Theirs => Err(Failed::ClaimChanged),
        }
    }

    /// Starts the task. `began` is before the claim was written; without it, the claim is written anew.
    fn start(&self, claim: Claim, began: Option<Instant>) -> Result<(), Failed> {
        let of = of(self.asked.settings);
        if !self.inner().working.lock().insert(of.clone()) {
            return Ok(());
        }
        self.inner().troubles.lock().remove(&of);
        let task = Task {
            this: self.this.clone(),
            of,
            settings: self.asked.settings.clone(),
            order: self.asked.order.clone(),
        };
        self.inner().tasks.spawn(async move { task.run(claim, began).await });
        Ok(())
    }

    async fn store(&self, claim: &Claim, read: &Read) -> Result<(), Failed> {
        let answer = self.inner().answer(&claim.attempt)?.ok_or(Failed::NoAnswer)?;
        // As it was asked for: the spec may say something else by now.
        self.cluster.store(&answer.secret, &answer.parts).await?;
        let (asked, got) = (answer.asked, answer.parts.count());
        if asked != got {
            return Err(Failed::Shares { asked, got });
        }
        audit(self.asked.settings, "store-recovery-keys", "success");
        let recorded = Recorded { secret: answer.secret.clone(), count: got, digest: answer.parts.digest() };
        self.come_to(Stage::Stored(recorded), claim, read).await
    }

    async fn prove(&self, claim: &Claim, read: &Read) -> Result<(), Failed> {
        let answer = self.inner().answer(&claim.attempt)?.ok_or(Failed::NoAnswer)?;
        let recorded = claim.recorded().ok_or(Failed::ClaimChanged)?.clone();
        // What isn't there any more must not be the price of a revoked root token.
        self.cluster.store(&recorded.secret, &answer.parts).await?;
        let accessor = admin::prove(&self.cluster, &self.b(claim).await?, &answer.root, self.plan()?).await?;
        audit(self.asked.settings, "prove-admin", "success");
        self.come_to(Stage::AdminProven(recorded, accessor), claim, read).await
    }

    async fn revoke(&self, by: By, claim: &Claim, read: &Read) -> Result<(), Failed> {
        let Stage::AdminProven(recorded, accessor) = &claim.stage else { return Err(Failed::ClaimChanged) };
        let b = self.b(claim).await?;
        match by {
            By::Itself => {
                let answer = self.inner().answer(&claim.attempt)?.ok_or(Failed::NoAnswer)?;
                b.end(&answer.root).await?;
            }
            By::Accessor => admin::revoke(&self.cluster, &b, self.plan()?, accessor).await?,
        }
        audit(self.asked.settings, "revoke-root", "success");
        self.come_to(Stage::Complete(recorded.clone()), claim, read).await
    }

    async fn come_to(&self, stage: Stage, claim: &Claim, read: &Read) -> Result<(), Failed> {
        match self.cluster.put(read, &claim.at(stage, Timestamp::now())).await? {
            Put::Ours => Ok(()),
            Put::Theirs => Err(Failed::ClaimChanged),
        }
    }
}

/// The request of one attempt, and what follows it.
struct Task {
    this: Initialiser,
    of: String,
    settings: Settings,
    order: Order,
}

impl Task {
    async fn run(self, claim: Claim, began: Option<Instant>) {
        let deadline = Instant::now() + GRACE;
        match self.send(&claim, began).await {
            Ok(()) => self.follow(deadline).await,
            Err(failed) => self.note(failed),
        }
    }

    fn pass(&self) -> Pass<'_> {
        let asked = Asked { settings: &self.settings, order: &self.order, view: None, leads: false };
        Pass { this: &self.this, asked, cluster: self.this.cluster(&self.settings), alone: false }
    }

    /// Sends the request, unless anything isn't as it was when it was claimed.
    async fn send(&self, claim: &Claim, began: Option<Instant>) -> Result<(), Failed> {
        let (pass, plan, spool) = (self.pass(), self.order.plan.as_ref(), &self.this.inner.spool);
        let plan = plan.map_err(|why| Failed::Plan(why.clone()))?;
        let b = self.same_pod(&pass, claim).await?;
        if b.is_initialised().await? {
            return Err(Failed::InitialisedMeanwhile);
        }
        let began = match began {
            Some(began) => began,
            None => self.renew(&pass, claim).await?,
        };
        if PROMPT < began.elapsed() {
            return Err(Failed::TooLate);
        }
        spool.mark(&claim.attempt)?;
        match b.send(plan).await {
            Sent::Answered(shares, root) => {
                let parts = plan.recipients.seal(&claim.attempt, &shares)?;
                let (attempt, of, secret) = (claim.attempt.clone(), self.of.clone(), plan.secret.clone());
                let answer = Answer { attempt, of, secret, asked: plan.shares, root, parts };
                self.this.inner.held.lock().insert(claim.attempt.clone(), answer.clone());
                audit(&self.settings, "initialise", "success");
                if let Err(trouble) = spool.keep(&answer) {
                    // It is stored all the same; only a crash before that loses it.
                    self.note(trouble.into());
                }
                Ok(())
            }
            Sent::Never(error) => {
                spool.unmark(&claim.attempt)?;
                Err(error.into())
            }
            Sent::Unknown(error) => Err(Failed::AnswerLost(error)),
        }
    }

    /// The server in the pod that was claimed. In another one, nothing was sent and nothing is: the claim is dropped.
    async fn same_pod(&self, pass: &Pass<'_>, claim: &Claim) -> Result<B, Failed> {
        let door = pass.cluster.door(&claim.pod).await?;
        if door.is_some_and(|door| door.uid == claim.pod_uid && !door.leaving) {
            return pass.b(claim).await;
        }
        let read = pass.cluster.claim().await?;
        if matches!(&read.reading, Reading::Claim(found) if found == claim) {
            pass.cluster.vacate(&read).await?;
        }
        Err(Failed::OtherPod(claim.pod.clone()))
    }

    /// Writes the claim anew, so that nobody gives it up while the request is on its way.
    async fn renew(&self, pass: &Pass<'_>, claim: &Claim) -> Result<Instant, Failed> {
        let (began, read) = (Instant::now(), pass.cluster.claim().await?);
        match &read.reading {
            Reading::Claim(found) if found == claim => {}
            Reading::Claim(_) | Reading::Vacant | Reading::Unreadable(_) => return Err(Failed::ClaimChanged),
        }
        match pass.cluster.put(&read, &claim.at(Stage::Claimed, Timestamp::now())).await? {
            Put::Ours => Ok(began),
            Put::Theirs => Err(Failed::ClaimChanged),
        }
    }

    /// Everything after the answer, tried again until it is done or the time is over.
    async fn follow(&self, deadline: Instant) {
        let pass = self.pass();
        let mut pause = PAUSES.0;
        while Instant::now() < deadline {
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
                    sleep(pause).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    }

    fn note(&self, failed: Failed) {
        let (namespace, name, class) = (&self.settings.namespace, &self.settings.name, failed.class());
        tracing::warn!(target: "holdfast_audit", act = "initialise", namespace, name, result = "failure", ?class, error = %failed);
        self.this.inner.troubles.lock().insert(self.of.clone(), Arc::new(failed));
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.this.inner.working.lock().remove(&self.of);
    }
}
