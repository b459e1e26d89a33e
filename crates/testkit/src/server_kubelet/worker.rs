//! The kubelet's work on one pod, by its UID: look, act, report, again and again.
//!
//! Each step does what is due and no more, so an order of the test, a change of the pod and the end of a server are all met the
//! same way. While there is no power nothing is done.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Pod};
use kube::api::{Api, DeleteParams, Patch, PatchParams, Preconditions};
use kube::{Error, ResourceExt as _};
use tokio::sync::watch;
use tokio::time::sleep;

use super::environment::Sources;
use super::life::{Ended, Life, State};
use super::report::Subject;
use super::seat::{Occupied, Permit, Seat};
use super::volumes::Room;
use super::{PodFacts, Shared};
use crate::cache::{fingerprint, say};
use crate::kubeconfig::write_private;
use crate::vault::{Command, Exit};

/// Between two looks at a process.
const TICK: Duration = Duration::from_millis(50);
/// Between two looks at its health.
const PROBE_PERIOD: Duration = Duration::from_millis(250);
/// A second is what a real probe gives; a machine that builds meanwhile may need more.
const PROBE_PATIENCE: Duration = Duration::from_secs(2);
/// Before what was missing is looked for again.
const RETRY: Duration = Duration::from_millis(500);

pub(super) struct Worker {
    shared: Arc<Shared>,
    seat: Arc<Seat>,
    uid: String,
    pod: watch::Receiver<Option<Pod>>,
    /// When the pod was first seen.
    since: Timestamp,
    life: Life,
    reported: Option<Life>,
    /// How many ends the next wait follows.
    ends: u32,
    /// When the next start is due.
    due: Instant,
    probed: Option<Instant>,
}

/// Whether there is more to do.
#[derive(PartialEq, Eq)]
enum Next {
    More,
    Done,
}

/// Why a container can't be started now, as its state says it.
struct Obstacle(&'static str, anyhow::Error);

impl Worker {
    pub(super) fn new(shared: Arc<Shared>, seat: Arc<Seat>, uid: String, pod: watch::Receiver<Option<Pod>>) -> Self {
        Self {
            shared,
            seat,
            uid,
            pod,
            since: Timestamp::now(),
            life: Life::new(),
            reported: None,
            ends: 0,
            due: Instant::now(),
            probed: None,
        }
    }

    pub(super) async fn live(mut self) {
        let mut permits = self.seat.permits();
        loop {
            match self.step().await {
                Ok(Next::Done) => return,
                Ok(Next::More) => {}
                Err(error) => self.complain(&error),
            }
            // The sender of the pods ends only with us.
            tokio::select! {
                _ = self.pod.changed() => {}
                _ = permits.changed() => {}
                () = sleep(TICK) => {}
            }
        }
    }

    async fn step(&mut self) -> Result<Next> {
        let pod = self.pod.borrow_and_update().clone();
        let Some(pod) = pod else {
            // Removed by force: the kubelet of a real node notices too, and kills.
            self.seat.clear(&self.uid);
            return Ok(Next::Done);
        };
        if self.seat.permit() == Permit::Dark {
            return Ok(Next::More);
        }
        if pod.metadata.deletion_timestamp.is_some() {
            self.leave(&pod).await?;
            return Ok(Next::More);
        }
        let container = self.container(&pod)?;
        self.notice_the_end(container)?;
        self.start_when_due(&pod, container).await?;
        self.probe().await?;
        self.report(&pod, &container.name).await?;
        Ok(Next::More)
    }

    fn container<'a>(&self, pod: &'a Pod) -> Result<&'a Container> {
        let mut containers = pod.spec.iter().flat_map(|spec| &spec.containers);
        let wanted = self.shared.container.as_ref();
        let found = containers.find(|container| wanted.is_none_or(|name| *name == container.name));
        found.with_context(|| format!("{} has no container {wanted:?}", pod.name_any()))
    }

    /// Ends the server and removes the pod; that it is gone is learnt from the watch.
    async fn leave(&mut self, pod: &Pod) -> Result<()> {
        let asked = pod.metadata.deletion_grace_period_seconds.unwrap_or_default();
        let grace = Duration::from_secs(asked.try_into().unwrap_or_default()).min(self.shared.grace);
        let began = Instant::now();
        self.seat.terminate(&self.uid)?;
        while let Occupied::Running = self.seat.look(&self.uid)?
            && began.elapsed() < grace
        {
            sleep(TICK).await;
        }
        if self.seat.permit() == Permit::Dark {
            return Ok(());
        }
        self.seat.clear(&self.uid);
        let parameters = DeleteParams {
            grace_period_seconds: Some(0),
            preconditions: Some(Preconditions { uid: Some(self.uid.clone()), ..Preconditions::default() }),
            ..DeleteParams::default()
        };
        tolerate(self.pods().delete(&pod.name_any(), &parameters).await.map(drop))
    }

    fn notice_the_end(&mut self, container: &Container) -> Result<()> {
        let State::Running { id, since } = &self.life.state else { return Ok(()) };
        let exit = match self.seat.look(&self.uid)? {
            Occupied::Running => return Ok(()),
            Occupied::Ended(exit) => Some(exit),
            // Lost in a power failure; so says the runtime then.
            Occupied::No => None,
        };
        let (id, since, at) = (id.clone(), *since, Timestamp::now());
        self.ends = if exit.is_some() { self.ends } else { 0 };
        self.due = Instant::now() + self.shared.back_off.after(self.ends);
        self.ends += 1;
        self.life.ends(match exit {
            None => Ended { id, code: 255, reason: "Unknown", message: None, since, at },
            Some(Exit { code, log }) => Ended {
                id,
                code,
                reason: if code == 0 { "Completed" } else { "Error" },
                message: (says_its_log(container) && code != 0).then_some(log),
                since,
                at,
            },
        });
        Ok(())
    }

    async fn start_when_due(&mut self, pod: &Pod, container: &Container) -> Result<()> {
        if let State::Running { .. } = self.life.state {
            return Ok(());
        }
        let wait = self.due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            // Only after the end itself was reported.
            if let State::Ended(_) = self.life.state
                && self.reported.as_ref() == Some(&self.life)
            {
                let message = format!("back-off {wait:.0?} restarting failed container={}", container.name);
                self.life.waits("CrashLoopBackOff", message);
            }
            return Ok(());
        }
        if self.seat.permit() != Permit::May {
            return Ok(());
        }
        if let Err(Obstacle(reason, error)) = self.start(pod, container).await {
            self.life.waits(reason, format!("{error:#}"));
            self.due = Instant::now() + RETRY;
        }
        Ok(())
    }

    async fn start(&mut self, pod: &Pod, container: &Container) -> Result<(), Obstacle> {
        let facts = self.facts(pod, container).await?;
        let creation = |error| Obstacle("CreateContainerError", error);
        let text = (self.shared.configure)(&facts).map_err(creation)?;
        let config = self.seat.home.join("server.hcl");
        write_private(&config, &facts.mounts.translate(&text)).map_err(creation)?;
        let command = Command {
            program: &self.shared.program,
            config: &config,
            environment: &facts.environment,
            home: &self.seat.home,
            log: &self.seat.log,
        };
        if self.seat.start(&self.uid, &command).map_err(creation)? {
            let start = self.seat.starts().to_be_bytes();
            let id = format!("containerd://{}", fingerprint(&[self.uid.as_bytes(), &start]));
            self.life.starts(id, Timestamp::now());
        }
        Ok(())
    }

    /// Everything that the container needs, read now.
    async fn facts(&self, pod: &Pod, container: &Container) -> Result<PodFacts, Obstacle> {
        let (client, namespace) = (&self.shared.client, self.shared.namespace.as_str());
        let folder = self.shared.folder.path().join("volumes").join(&self.uid);
        let room = Room { client, namespace, folder: &folder };
        let mounted = room.prepare(pod, container).await;
        let (mounts, disks) = mounted.map_err(|error| Obstacle("ContainerCreating", error))?;
        let sources = Sources { client, namespace, pod, ip: self.seat.ip() };
        let variables = sources.variables(container).await;
        let variables = variables.map_err(|error| Obstacle("CreateContainerConfigError", error))?;
        let data = disks.first().cloned().unwrap_or_else(|| folder.join("data"));
        fs::create_dir_all(&data).map_err(|error| Obstacle("ContainerCreating", error.into()))?;
        self.seat.has_disks(disks);
        let name = pod.name_any();
        Ok(PodFacts {
            ordinal: name.rsplit_once('-').and_then(|(_, ordinal)| ordinal.parse().ok()).unwrap_or_default(),
            name,
            ip: self.seat.ip(),
            data,
            environment: variables.into_iter().map(|(name, value)| (name, mounts.translate(&value))).collect(),
            mounts,
            shared: Arc::clone(&self.shared),
        })
    }

    async fn probe(&mut self) -> Result<()> {
        let State::Running { .. } = self.life.state else { return Ok(()) };
        if self.probed.is_some_and(|probed| probed.elapsed() < PROBE_PERIOD) {
            return Ok(());
        }
        let endpoint = self.shared.endpoint(self.seat.ip())?.patience(PROBE_PATIENCE);
        // No answer is as good as a bad one.
        let health = endpoint.health().await.unwrap_or_default();
        self.life.ready = [200, 429].contains(&health);
        self.probed = Some(Instant::now());
        Ok(())
    }

    async fn report(&mut self, pod: &Pod, container: &str) -> Result<()> {
        // A power failure meanwhile took the kubelet too.
        if self.reported.as_ref() == Some(&self.life) || self.seat.permit() == Permit::Dark {
            return Ok(());
        }
        let subject = Subject { pod, container, ip: self.seat.ip(), since: self.since };
        let patch = Patch::Strategic(subject.patch(&self.life, Timestamp::now()));
        let life = self.life.clone();
        tolerate(self.pods().patch_status(&pod.name_any(), &PatchParams::default(), &patch).await.map(drop))?;
        self.reported = Some(life);
        Ok(())
    }

    fn pods(&self) -> Api<Pod> {
        Api::namespaced(self.shared.client.clone(), &self.shared.namespace)
    }

    /// What the API server refuses is for a person to see; that it is away is the test's doing.
    fn complain(&self, error: &anyhow::Error) {
        match error.downcast_ref::<Error>() {
            Some(Error::Api(_)) | None => say(&format!("the kubelet of {}: {error:#}", self.shared.namespace)),
            Some(_) => {}
        }
    }
}

/// The pod is gone, or another has its name: the watch will tell.
fn tolerate(result: Result<(), Error>) -> Result<()> {
    match result {
        Err(Error::Api(status)) if [404, 409].contains(&status.code) => Ok(()),
        result => Ok(result?),
    }
}

/// Whether the container wants the end of its log as the message of its end.
fn says_its_log(container: &Container) -> bool {
    container.termination_message_policy.as_deref() == Some("FallbackToLogsOnError")
}
