//! Does what `next` says.
//!
//! The request and what follows it run in a task of their own, which neither the loss of the lead nor the end of a pass
//! cancels; the process waits for it when it ends. What the task doesn't get done is carried on pass by pass.

mod pass;
mod task;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use kube::Client as Kube;
use parking_lot::Mutex;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::claim::Reading;
use super::failed::Failed;
use super::gate;
use super::kept::judge;
use super::next::{Spooled, Step};
use super::objects::Cluster;
use super::order::Order;
use super::spool::{Answer, Spool, Trouble};
use crate::claim::{Birth, Keys, Phase};
use crate::client::Clients;
use crate::settings::Settings;
use crate::view::View;

use pass::Pass;

/// For how long a process that ends waits for a request and what follows it.
pub const GRACE: Duration = Duration::from_secs(150);

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
    /// The servers that a task works on, each with what its resource asks for by now: a person who mends the spec isn't kept
    /// waiting for the task's end.
    working: Mutex<BTreeMap<String, (Settings, Order)>>,
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

    /// What is known of how a resource's server came to be, for its view.
    ///
    /// # Errors
    /// When the claim can't be read just now, from which nothing may be concluded.
    pub async fn told(&self, settings: &Settings, order: &Order) -> Result<Birth, Failed> {
        let cluster = self.cluster(settings);
        let reading = cluster.claim().await?.reading;
        let claim = self.phase_of(&reading, settings);
        let recorded = match &reading {
            Reading::Claim(claim) => claim.recorded().map(|recorded| (&claim.attempt, recorded)),
            Reading::Unreadable(_) => None,
            Reading::Vacant => {
                // A server without volumes keeps what it has where it can't be seen.
                let volumes = if order.wanted { cluster.volumes().await.unwrap_or_default() } else { Vec::new() };
                let untouched = !volumes.is_empty() && gate::untouched(order, &volumes).is_ok();
                return Ok(Birth { untouched, ..Birth::default() });
            }
        };
        let Some((attempt, recorded)) = recorded else { return Ok(Birth { claim, ..Birth::default() }) };
        let data = cluster.stored(&recorded.secret).await.ok();
        let kept = data.map(|data| judge(attempt, recorded, data.as_ref()));
        let keys = Keys { secret: recorded.secret.clone(), count: recorded.count, kept };
        Ok(Birth { claim, keys: Some(keys), untouched: false })
    }

    /// Whether the answer of an initialisation of a resource's server is here: nobody else can carry on with it.
    #[must_use]
    pub fn holds(&self, settings: &Settings) -> bool {
        let of = of(settings);
        let held = self.inner.held.lock().values().any(|answer| answer.of == of);
        // What can't be read is looked into, and the trouble told, where somebody acts on it.
        held || self.inner.spool.answers_of(&of).is_ok_and(|answers| !answers.is_empty())
    }

    /// Does the next step, if there is one to be done. Cancelling it loses nothing.
    pub async fn advance(&self, asked: Asked<'_>) -> Progress {
        let of = of(asked.settings);
        if let Some(wanted) = self.inner.working.lock().get_mut(&of) {
            *wanted = (asked.settings.clone(), asked.order.clone());
        }
        let pass = Pass { this: self, asked, cluster: self.cluster(asked.settings), alone: true };
        let decided = match pass.decide().await {
            Ok(decided) => decided,
            Err(failed) => return Progress { phase: None, step: None, failed: Some(Arc::new(failed)) },
        };
        let (read, step) = decided;
        let phase = self.phase_of(&read.reading, asked.settings);
        let failed = match pass.act(&step, read).await {
            // Whatever was in the way, it is through.
            Ok(()) if step == Step::Rest => {
                self.inner.troubles.lock().remove(&of);
                None
            }
            Ok(()) => self.inner.troubles.lock().get(&of).cloned(),
            Err(failed) => {
                // What keeps the step from being done may keep this from being written, too.
                let _ = pass.touch().await;
                Some(Arc::new(failed))
            }
        };
        Progress { phase, step: Some(step), failed }
    }

    /// Why the last tries of tasks failed.
    #[cfg(test)]
    pub(super) fn troubles(&self) -> Vec<Arc<Failed>> {
        self.inner.troubles.lock().values().cloned().collect()
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
                let works = self.inner.working.lock().contains_key(&of(settings));
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
