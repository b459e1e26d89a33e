//! Does what `next` says.
//!
//! The request and what follows it run in a task of their own, which neither the loss of the lead nor the end of a pass
//! cancels; the process waits for it when it ends. What the task doesn't get done is carried on pass by pass.

mod held;
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
use super::gate::{self, Volume};
use super::kept::judge;
use super::next::{Spooled, Step};
use super::objects::{Cluster, Read};
use super::order::Order;
use super::spool::{Answer, Spool, Trouble};
use crate::claim::{Birth, Keys, Phase};
use crate::client::Clients;
use crate::settings::Settings;
use crate::view::View;

use held::Held;
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
    /// What was seen of the claim in this pass, so that nobody asks for it again; `None` where nobody looked.
    pub sighting: Option<&'a Sighting>,
    /// Whether this process leads.
    pub leads: bool,
}

/// What a look saw of an initialisation.
#[derive(Clone, Debug)]
pub struct Sighting {
    read: Read,
    /// Whether a task was at work when the claim was read: what it says may be of before.
    working: bool,
    /// The storage of a StatefulSet that nobody has claimed and that is to be initialised; `None` when it couldn't be listed.
    volumes: Option<Vec<Volume>>,
}

/// What came of one pass.
#[derive(Debug)]
pub struct Progress {
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
    held: Held,
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
            held: Held::default(),
            troubles: Mutex::default(),
            tasks: TaskTracker::new(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// What is known of how a resource's server came to be, for its view, and for what follows in the same pass.
    ///
    /// # Errors
    /// When the claim can't be read just now, from which nothing may be concluded.
    pub async fn look(&self, settings: &Settings, order: &Order) -> Result<(Birth, Sighting), Failed> {
        let cluster = self.cluster(settings);
        let working = self.inner.working.lock().contains_key(&of(settings));
        let read = cluster.claim().await?;
        let vacant = matches!(read.reading, Reading::Vacant);
        let volumes = if vacant && order.wanted { cluster.volumes().await.ok() } else { None };
        let keys = match &read.reading {
            Reading::Claim(claim) => match claim.recorded() {
                Some(recorded) => {
                    let data = cluster.stored(&recorded.secret).await.ok();
                    let kept = data.map(|data| judge(&claim.attempt, recorded, data.as_ref()));
                    Some(Keys { secret: recorded.secret.clone(), count: recorded.count, kept })
                }
                None => None,
            },
            Reading::Vacant | Reading::Unreadable(_) => None,
        };
        // A server without volumes keeps what it has where it can't be seen.
        let untouched =
            volumes.as_ref().is_some_and(|volumes| !volumes.is_empty() && gate::untouched(order, volumes).is_ok());
        let birth = Birth { claim: self.phase_of(&read.reading, settings, working), keys, untouched };
        Ok((birth, Sighting { read, working, volumes }))
    }

    /// Whether the answer of an initialisation of a resource's server is here: nobody else can carry on with it.
    #[must_use]
    pub fn holds(&self, settings: &Settings) -> bool {
        // What can't be read is looked into, and the trouble told, where somebody acts on it.
        self.inner.has_of(&of(settings)).unwrap_or(false)
    }

    /// The resources of whose initialisations there is an answer here, by namespace and name.
    #[must_use]
    pub fn unfinished(&self) -> Vec<(String, String)> {
        let mut all = self.inner.held.resources();
        all.extend(self.inner.spool.answers().unwrap_or_default().iter().map(Answer::resource));
        all.sort();
        all.dedup();
        all
    }

    /// Does the next step, if there is one to be done. Cancelling it loses nothing.
    pub async fn advance(&self, asked: Asked<'_>) -> Progress {
        let of = of(asked.settings);
        if let Some(wanted) = self.inner.working.lock().get_mut(&of) {
            *wanted = (asked.settings.clone(), asked.order.clone());
        }
        let brought = self.inner.held.bring(&of, &self.inner.spool);
        let pass = Pass { this: self, asked, cluster: self.cluster(asked.settings), alone: true };
        let decided = match pass.decide().await {
            Ok(decided) => decided,
            Err(failed) => return Progress { step: None, failed: Some(Arc::new(failed)) },
        };
        let (read, step) = decided;
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
        let failed = failed.or_else(|| brought.err().map(Arc::new));
        Progress { step: Some(step), failed }
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

    fn phase_of(&self, reading: &Reading, settings: &Settings, working: bool) -> Option<Phase> {
        match reading {
            Reading::Vacant => None,
            Reading::Unreadable(why) => Some(Phase::Unreadable { why: why.to_string() }),
            Reading::Claim(claim) => {
                let ours = claim.holder == self.inner.spool.id();
                let works = working || self.inner.working.lock().contains_key(&of(settings));
                let answered = ours && matches!(self.inner.spooled(&claim.attempt), Ok(Spooled::Answer));
                Some(claim.phase(works || answered || !ours && claim.is_fresh(Timestamp::now())))
            }
        }
    }
}

impl Inner {
    fn spooled(&self, attempt: &str) -> Result<Spooled, Trouble> {
        let answered = self.held.has(attempt) || self.spool.answer(attempt)?.is_some();
        Ok(match (answered, self.spool.is_marked(attempt)?) {
            (true, _) => Spooled::Answer,
            (false, true) => Spooled::Sent,
            (false, false) => Spooled::Nothing,
        })
    }

    /// Whether there is an answer of a server.
    fn has_of(&self, of: &str) -> Result<bool, Trouble> {
        Ok(self.held.has_of(of) || self.spool.has_of(of)?)
    }

    fn answer(&self, attempt: &str) -> Result<Option<Answer>, Failed> {
        match self.held.answer(attempt)? {
            Some(answer) => Ok(Some(answer)),
            None => Ok(self.spool.answer(attempt)?),
        }
    }

    /// The spool first: an answer that is left there would be taken for one that somebody still needs.
    fn wipe(&self, attempt: &str) -> Result<(), Trouble> {
        self.spool.wipe(attempt)?;
        self.held.forget(attempt);
        Ok(())
    }
}

/// The server of a resource.
fn of(settings: &Settings) -> String {
    format!("{}/{}", settings.namespace, settings.target.set)
}
