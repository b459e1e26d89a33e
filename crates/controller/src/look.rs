//! Looks at a cluster without changing it, for commands that answer a person from a laptop.
//!
//! The watches of the controller, over just the kinds that are asked for: what is seen is whole, or it isn't shown. Nothing is
//! written, nothing is retried for long: whoever waits at a prompt wants to know what is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use holdfast_model::shapes::{OfShape, Shape};
use holdfast_model::{Cluster, Kind};
use kube::Client;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::access::Source;
use crate::observe::observe_into;
use crate::observe::watch::{Change, Interruption, Reason, Watch};

/// How long a kind may take to be listed, or stay disconnected.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long further changes are collected before it is shown again.
const SETTLE: Duration = Duration::from_millis(250);

/// Why it can't be looked at.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// Something has to be changed by a person.
    #[error("{kind} can't be read: {why}")]
    Refused {
        /// What can't be read.
        kind: Kind,
        /// What the API server says.
        why: String,
    },
    /// It didn't come in time.
    #[error("not within {} seconds: {}", PATIENCE.as_secs(), list(.0))]
    TooLate(Vec<(Kind, String)>),
}

fn list(late: &[(Kind, String)]) -> impl fmt::Display {
    late.iter().map(|(kind, why)| format!("{kind} ({why})")).collect::<Vec<_>>().join(", ")
}

/// What is seen so far.
#[derive(Default)]
struct Sight {
    cluster: Cluster,
    kinds: BTreeMap<Kind, State>,
}

#[derive(Clone, Debug)]
struct State {
    listed: bool,
    since: Instant,
    trouble: Option<Interruption>,
}

impl State {
    fn is_whole(&self) -> bool {
        self.listed && self.trouble.is_none()
    }
}

/// Shows the cluster, with these kinds of objects, as soon as it is known as a whole, and again whenever it has changed,
/// until `show` breaks off.
///
/// # Errors
/// When a kind can't be read, or not in time. A kind that the server doesn't know has no objects.
pub async fn look(
    client: Client,
    kinds: &[Kind],
    mut show: impl FnMut(&Cluster) -> ControlFlow<()>,
) -> Result<(), LookError> {
    let sight = Arc::new(Mutex::new(Sight::default()));
    let changed = Arc::new(Notify::new());
    let mut watching = JoinSet::new();
    for kind in kinds {
        let state = State { listed: false, since: Instant::now(), trouble: None };
        sight.lock().kinds.insert(*kind, state);
        kind.with_shape(Looking { client: &client, sight: &sight, changed: &changed, watching: &mut watching });
    }
    loop {
        // Asked for before it is looked at, or a change in between would go by.
        let next = changed.notified();
        if is_whole(&sight.lock())? {
            if show(&sight.lock().cluster).is_break() {
                return Ok(());
            }
            next.await;
            sleep(SETTLE).await;
        } else {
            // Time is what it waits for too.
            let _ = timeout(SETTLE, next).await;
        }
    }
}

/// Whether all is known; an error when something won't be.
fn is_whole(sight: &Sight) -> Result<bool, LookError> {
    let mut late = Vec::new();
    for (kind, state) in sight.kinds.iter().filter(|(_, state)| !state.is_whole()) {
        let said = state.trouble.as_ref().map(|trouble| trouble.message.clone());
        match state.trouble.as_ref().map(|trouble| trouble.reason) {
            Some(Reason::NotPermitted | Reason::Unauthorized | Reason::Refused) => {
                return Err(LookError::Refused { kind: *kind, why: said.unwrap_or_default() });
            }
            _ if PATIENCE < state.since.elapsed() => {
                late.push((*kind, said.unwrap_or_else(|| "no answer".to_owned())));
            }
            _ => {}
        }
    }
    if !late.is_empty() {
        return Err(LookError::TooLate(late));
    }
    Ok(sight.kinds.values().all(State::is_whole))
}

struct Looking<'a> {
    client: &'a Client,
    sight: &'a Arc<Mutex<Sight>>,
    changed: &'a Arc<Notify>,
    watching: &'a mut JoinSet<()>,
}

impl OfShape for Looking<'_> {
    type Output = ();

    fn of<S: Shape>(self) {
        let (sight, changed) = (Arc::clone(self.sight), Arc::clone(self.changed));
        let watch = Watch::<S>::new(self.client.clone(), &());
        self.watching
            .spawn(async move { match watch.run(move |change| take(&mut sight.lock(), &changed, change)).await {} });
    }
}

fn take<S: Shape>(sight: &mut Sight, changed: &Notify, change: Change<S>) {
    let Some(state) = sight.kinds.get_mut(&S::KIND) else { return };
    match &change {
        Change::Listed { .. } => state.listed = true,
        Change::Connected => state.trouble = None,
        Change::Disconnected(interruption) => {
            // A kind that the server doesn't know has no objects; a connection that ended as agreed is made again at once.
            let absent = interruption.reason == Reason::Absent && Source::Facts(S::KIND).is_optional();
            state.listed |= absent;
            if !absent && !interruption.reason.is_routine() {
                if state.trouble.is_none() {
                    state.since = Instant::now();
                }
                state.trouble = Some(interruption.clone());
            }
        }
        Change::Applied(_) | Change::Deleted { .. } | Change::Malformed { .. } => {}
    }
    let tells = match &change {
        Change::Disconnected(_) | Change::Listed { .. } | Change::Connected => true,
        Change::Applied(_) | Change::Deleted { .. } | Change::Malformed { .. } => false,
    };
    let touched = observe_into(&mut sight.cluster, change);
    if tells || !touched.is_nothing() {
        changed.notify_one();
    }
}
