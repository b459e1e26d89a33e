//! The writes that wait, by namespace.
//!
//! Bounded: what doesn't fit is counted and planned again later. Namespaces take turns, so that a large one doesn't keep
//! the others waiting; one with a withdrawal that must not wait goes first. Of one object at most one write is known here,
//! waiting or under way. While the server asks to be left alone nothing is handed out, whatever it is: each writer would
//! only be refused again.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

use holdfast_model::{ObjectKey, Text};
use holdfast_policy::disruption::Write;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// At most so many writes wait.
const CAPACITY: usize = 10_000;
/// However long the server asks us to wait, it is asked again after this.
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// A write that waits or is under way.
#[derive(Debug, Clone)]
pub(crate) struct Job {
    pub(crate) write: Write,
    /// When the event that led to it was seen.
    pub(crate) since: Instant,
}

/// The writes that wait.
#[derive(Default)]
pub(crate) struct Queue {
    inner: Mutex<Inner>,
    more: Notify,
    idle: Notify,
}

#[derive(Default)]
struct Inner {
    waiting: HashMap<Text, VecDeque<Job>>,
    turns: VecDeque<Text>,
    under_way: HashSet<ObjectKey>,
    length: usize,
    paused_until: Option<Instant>,
}

impl Queue {
    /// Puts the writes of the newest plan in the place of those that still wait for this namespace. Returns how many
    /// didn't fit.
    pub(crate) fn replace(&self, namespace: &Text, jobs: Vec<Job>) -> usize {
        let mut inner = self.inner.lock();
        inner.forget(namespace);
        let room = CAPACITY.saturating_sub(inner.length);
        let overflow = jobs.len().saturating_sub(room);
        let jobs: VecDeque<Job> = jobs.into_iter().take(room).collect();
        if jobs.is_empty() {
            self.tell_if_idle(&inner);
            return overflow;
        }
        inner.length += jobs.len();
        if jobs.front().is_some_and(is_urgent) {
            inner.turns.push_front(namespace.clone());
        } else {
            inner.turns.push_back(namespace.clone());
        }
        let wake = jobs.len();
        inner.waiting.insert(namespace.clone(), jobs);
        drop(inner);
        for _ in 0..wake.min(super::WRITERS) {
            self.more.notify_one();
        }
        overflow
    }

    /// Forgets everything that waits.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock();
        inner.waiting.clear();
        inner.turns.clear();
        inner.length = 0;
        self.tell_if_idle(&inner);
    }

    /// Whether a write of this object is under way.
    pub(crate) fn is_under_way(&self, key: &ObjectKey) -> bool {
        self.inner.lock().under_way.contains(key)
    }

    /// A write has come to its end.
    pub(crate) fn ended(&self, key: &ObjectKey) {
        let mut inner = self.inner.lock();
        inner.under_way.remove(key);
        self.tell_if_idle(&inner);
    }

    /// Returns as soon as nothing waits and nothing is under way.
    pub(crate) async fn idle(&self) {
        loop {
            let idle = self.idle.notified();
            if self.len() == 0 {
                return;
            }
            idle.await;
        }
    }

    fn tell_if_idle(&self, inner: &Inner) {
        if inner.length() == 0 {
            self.idle.notify_waiters();
        }
    }

    /// How many wait or are under way.
    pub(crate) fn len(&self) -> usize {
        self.inner.lock().length()
    }

    /// Hands out nothing for so long, unless it is paused for longer already.
    pub(crate) fn pause(&self, wait: Duration) {
        let until = Instant::now() + wait.min(LONGEST_PAUSE);
        let mut inner = self.inner.lock();
        inner.paused_until = inner.paused_until.max(Some(until));
    }

    /// The next write, as soon as there is one; it is under way from then on. Safe to cancel.
    pub(crate) async fn next(&self) -> Job {
        loop {
            let more = self.more.notified();
            let paused_until = {
                let mut inner = self.inner.lock();
                let paused_until = inner.paused_until.filter(|until| Instant::now() < *until);
                if paused_until.is_none()
                    && let Some(job) = inner.pop()
                {
                    return job;
                }
                paused_until
            };
            match paused_until {
                Some(until) => sleep_until(until).await,
                None => more.await,
            }
        }
    }
}

impl Inner {
    fn length(&self) -> usize {
        self.length + self.under_way.len()
    }

    fn forget(&mut self, namespace: &Text) {
        if let Some(jobs) = self.waiting.remove(namespace) {
            self.length -= jobs.len();
            self.turns.retain(|turn| turn != namespace);
        }
    }

    fn pop(&mut self) -> Option<Job> {
        let namespace = self.turns.pop_front()?;
        let jobs = self.waiting.get_mut(&namespace)?;
        let job = jobs.pop_front();
        if jobs.is_empty() {
            self.waiting.remove(&namespace);
        } else {
            self.turns.push_back(namespace);
        }
        let job = job?;
        self.length -= 1;
        self.under_way.insert(job.write.key().clone());
        Some(job)
    }
}

fn is_urgent(job: &Job) -> bool {
    match &job.write {
        Write::Withdraw { reason, .. } => reason.is_urgent(),
        Write::Create(_) | Write::Update { .. } => false,
    }
}
