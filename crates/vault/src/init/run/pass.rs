//! One look at the claim, and the step that follows from it.

use std::collections::btree_map::Entry;

use jiff::Timestamp;

use super::task::Task;
use super::{Asked, Initialiser, Inner, of};
use crate::audit::{Act, told};
use crate::init::admin;
use crate::init::claim::{Claim, Reading, Recorded, Stage};
use crate::init::failed::Failed;
use crate::init::gate::{self, Closed, Go};
use crate::init::next::{By, Facts, Holder, Spooled, Step, next};
use crate::init::objects::{Cluster, Read};
use crate::init::order::Plan;
use crate::init::random_id;
use crate::init::server::B;
use crate::observe::server_name;
use crate::view::Server;

/// One look at the claim and what follows from it.
pub(super) struct Pass<'a> {
    pub(super) this: &'a Initialiser,
    pub(super) asked: Asked<'a>,
    pub(super) cluster: Cluster<'a>,
    /// Whether no task works on it but, perhaps, another one: the task itself doesn't wait for itself.
    pub(super) alone: bool,
}

impl Pass<'_> {
    fn inner(&self) -> &Inner {
        &self.this.inner
    }

    pub(super) async fn decide(&self) -> Result<(Read, Step), Failed> {
        let (order, now) = (self.asked.order, Timestamp::now());
        let of = of(self.asked.settings);
        let (read, was_working) = match self.asked.sighting {
            Some(sighting) => (sighting.read.clone(), sighting.working),
            None => (self.cluster.claim().await?, false),
        };
        // After the claim was read: a task that this pass doesn't know of mustn't have begun on what it says.
        let working = self.alone && (was_working || self.inner().working.lock().contains_key(&of));
        let (holder, spool) = match &read.reading {
            Reading::Claim(claim) => {
                let ours = claim.holder == self.inner().spool.id();
                (if ours { Holder::Us } else { Holder::Another }, self.inner().spooled(&claim.attempt)?)
            }
            Reading::Vacant | Reading::Unreadable(_) => {
                let answered = self.inner().has_of(&of)?;
                (Holder::Another, if answered { Spooled::Answer } else { Spooled::Nothing })
            }
        };
        let facts = Facts {
            holder,
            spool,
            working,
            server: self.server(&read.reading, holder).await,
            gate: self.gate(&read.reading).await,
            claim: &read.reading,
            wanted: order.wanted && (order.allow_http || self.asked.settings.target.tls),
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
        let volumes = match self.asked.sighting {
            Some(sighting) => sighting.volumes.clone(),
            None => self.cluster.volumes().await.ok(),
        };
        gate::check(gate::Facts { volumes: volumes.as_deref(), ..facts })
    }

    /// What B is: by the view where there is one, else, for whoever holds the claim, by the pod that was claimed.
    async fn server(&self, reading: &Reading, holder: Holder) -> Server {
        let Reading::Claim(claim) = reading else { return Server::Unseen };
        match self.asked.view {
            // What was seen before the claim was touched says nothing about it.
            Some(view) if view.now <= claim.touched => Server::Unseen,
            Some(view) => view.target.state(),
            None if holder == Holder::Another => Server::Unseen,
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
    pub(super) async fn b(&self, claim: &Claim) -> Result<B<'_>, Failed> {
        let absent = || Failed::NoAddress(claim.pod.clone());
        let ip = self.cluster.door(&claim.pod).await?.and_then(|door| door.ip).ok_or_else(absent)?;
        let settings = self.asked.settings;
        let ca = self.cluster.authority(settings.target.verify.ca_secret_ref.as_ref()).await?;
        B::new(&self.inner().clients, settings, &claim.server, ip, ca)
    }

    fn plan(&self) -> Result<&Plan, Failed> {
        self.asked.order.plan.as_ref().map_err(|why| Failed::Plan(why.clone()))
    }

    pub(super) async fn act(&self, step: &Step, read: Read) -> Result<(), Failed> {
        let settings = self.asked.settings;
        match (step, &read.reading) {
            (Step::Claim(go), _) => self.claim(go, &read).await,
            (Step::Send, Reading::Claim(claim)) => self.start(claim.clone()),
            (Step::Store, Reading::Claim(claim)) => self.store(claim, &read).await,
            (Step::ProveAdmin, Reading::Claim(claim)) => self.prove(claim, &read).await,
            (Step::RevokeRoot(by), Reading::Claim(claim)) => self.revoke(*by, claim, &read).await,
            (Step::Wipe, Reading::Claim(claim)) => {
                told(settings, Act::WipeSpool, &claim.attempt, async { Ok(self.inner().wipe(&claim.attempt)?) }).await
            }
            (Step::Discard, Reading::Claim(claim)) => {
                self.cluster.vacate(&read).await?;
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
        let now = Timestamp::now();
        let claim = Claim {
            attempt: random_id(),
            pod: go.pod.clone(),
            pod_uid: go.uid.clone(),
            server: server_name(&go.pod, &go.service, &self.asked.settings.namespace),
            holder: self.inner().spool.id().to_owned(),
            claimed: now,
            touched: now,
            stage: Stage::Unsent,
        };
        self.cluster.put(read, &claim).await?;
        self.start(claim)
    }

    fn start(&self, claim: Claim) -> Result<(), Failed> {
        let of = of(self.asked.settings);
        let (settings, order) = (self.asked.settings.clone(), self.asked.order.clone());
        match self.inner().working.lock().entry(of.clone()) {
            Entry::Occupied(_) => return Ok(()),
            Entry::Vacant(free) => free.insert((settings.clone(), order.clone())),
        };
        let task = Task { this: self.this.clone(), of, settings, order };
        self.inner().tasks.spawn(async move { task.run(claim).await });
        Ok(())
    }

    async fn store(&self, claim: &Claim, read: &Read) -> Result<(), Failed> {
        let answer = self.inner().answer(&claim.attempt)?.ok_or(Failed::NoAnswer)?;
        // As it was asked for: the spec may say something else by now.
        self.cluster.store(&answer.secret, &answer.parts).await?;
        let (asked, got) = (answer.asked, answer.made);
        if asked != got {
            return Err(Failed::Shares { asked, got });
        }
        let recorded = Recorded { secret: answer.secret.clone(), count: got, digest: answer.parts.digest() };
        self.come_to(Stage::Stored(recorded), claim, read).await
    }

    async fn prove(&self, claim: &Claim, read: &Read) -> Result<(), Failed> {
        let answer = self.inner().answer(&claim.attempt)?.ok_or(Failed::NoAnswer)?;
        let recorded = claim.recorded().ok_or(Failed::ClaimChanged)?.clone();
        // What isn't there any more must not be the price of a revoked root token.
        self.cluster.store(&recorded.secret, &answer.parts).await?;
        let (b, plan) = (self.b(claim).await?, self.plan()?);
        let proof = admin::prove(&self.cluster, &b, &answer.root, plan);
        let accessor = told(self.asked.settings, Act::ProveAdmin, &plan.admin.role, proof).await?;
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
        self.come_to(Stage::Complete(recorded.clone()), claim, read).await
    }

    /// Says in the claim that whoever has the answer is still there, so that nobody takes it for lost. Whether that works out or
    /// not, the next step is what it was.
    pub(super) async fn touch(&self) -> Result<(), Failed> {
        let (read, now) = (self.cluster.claim().await?, Timestamp::now());
        let Reading::Claim(claim) = &read.reading else { return Ok(()) };
        let ours = claim.holder == self.inner().spool.id() && self.inner().spooled(&claim.attempt)? == Spooled::Answer;
        if ours && claim.is_due(now) {
            return self.cluster.put(&read, &claim.at(claim.stage.clone(), now)).await;
        }
        Ok(())
    }

    async fn come_to(&self, stage: Stage, claim: &Claim, read: &Read) -> Result<(), Failed> {
        self.cluster.put(read, &claim.at(stage, Timestamp::now())).await
    }
}
