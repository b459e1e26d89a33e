//! Who leads, as everybody else in the process sees it.
//!
//! `is_leader` is a comparison of two numbers, cheap enough to be asked before every single write, and true only until a
//! deadline that nothing but a renewal moves. All times are of our own monotonic clock.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
    time::Duration,
};

use k8s_openapi::api::coordination::v1::Lease;
use parking_lot::Mutex;
use tokio::{sync::watch, time::Instant};

use super::record::{HEARTBEAT, holder};

/// What the Lease said when it was last seen.
#[derive(Debug)]
struct Sighting {
    holder: Option<String>,
    beat: Option<String>,
    beat_at: Instant,
    trouble: Option<String>,
}

#[derive(Debug)]
struct Shared {
    origin: Instant,
    /// Until when we lead, in milliseconds since `origin`.
    deadline: AtomicU64,
    sighting: Mutex<Sighting>,
    transitions: watch::Sender<bool>,
}

/// A handle to ask who leads.
#[derive(Debug, Clone)]
pub struct Leadership {
    shared: Arc<Shared>,
    transitions: watch::Receiver<bool>,
}

impl Leadership {
    pub(super) fn new(always: bool) -> Self {
        let (sender, transitions) = watch::channel(always);
        let now = Instant::now();
        let sighting = Sighting { holder: None, beat: None, beat_at: now, trouble: None };
        let shared = Shared {
            origin: now,
            deadline: AtomicU64::new(if always { u64::MAX } else { 0 }),
            sighting: Mutex::new(sighting),
            transitions: sender,
        };
        Self { shared: Arc::new(shared), transitions }
    }

    /// Whether we may write, now.
    pub fn is_leader(&self) -> bool {
        self.shared.millis(Instant::now()) < self.shared.deadline.load(SeqCst)
    }

    /// Waits until leadership is won or lost; returns which.
    pub async fn changed(&mut self) -> bool {
        match self.transitions.changed().await {
            Ok(()) => *self.transitions.borrow_and_update() && self.is_leader(),
            // The election is over; nothing will change any more.
            Err(_) => std::future::pending().await,
        }
    }

    /// Who held the Lease when it was last seen.
    pub fn holder(&self) -> Option<String> {
        self.shared.sighting.lock().holder.clone()
    }

    /// For how long the leader's heartbeat hasn't changed; from our start, as long as none was seen.
    pub fn heartbeat_age(&self) -> Duration {
        self.shared.sighting.lock().beat_at.elapsed()
    }

    /// Why the last look at the Lease, or its renewal, failed.
    pub fn trouble(&self) -> Option<String> {
        self.shared.sighting.lock().trouble.clone()
    }

    /// How long we still lead without another renewal; `None` when we don't.
    pub(super) fn time_left(&self, now: Instant) -> Option<Duration> {
        let left = self.shared.deadline.load(SeqCst).saturating_sub(self.shared.millis(now));
        (0 < left).then(|| Duration::from_millis(left))
    }

    pub(super) fn lead_until(&self, deadline: Instant) {
        self.shared.deadline.store(self.shared.millis(deadline), SeqCst);
        self.shared.sighting.lock().trouble = None;
        if self.publish(true) {
            tracing::info!("leadership won");
        }
    }

    pub(super) fn step_down(&self, reason: &'static str) {
        self.shared.deadline.store(0, SeqCst);
        self.shared.sighting.lock().trouble = None;
        if self.publish(false) {
            tracing::warn!(reason, holder = self.holder(), "leadership lost");
        }
    }

    /// A look or renewal failed. We still lead until the deadline.
    pub(super) fn failed(&self, error: &str) {
        let known = self.shared.sighting.lock().trouble.replace(error.to_owned());
        if known.as_deref() != Some(error) {
            tracing::warn!(error, "the lease can't be read or renewed");
        }
        if !self.is_leader() && self.publish(false) {
            tracing::warn!(reason = "not renewed in time", "leadership lost");
        }
    }

    pub(super) fn saw(&self, lease: &Lease) {
        let holder = lease.spec.as_ref().and_then(holder);
        self.shared.sighting.lock().holder = holder.map(str::to_owned);
        let annotations = lease.metadata.annotations.as_ref();
        if let Some(beat) = annotations.and_then(|annotations| annotations.get(HEARTBEAT)) {
            self.saw_beat(beat);
        }
    }

    pub(super) fn saw_beat(&self, beat: &str) {
        let mut sighting = self.shared.sighting.lock();
        if sighting.beat.as_deref() != Some(beat) {
            sighting.beat = Some(beat.to_owned());
            sighting.beat_at = Instant::now();
        }
    }

    fn publish(&self, leads: bool) -> bool {
        self.shared.transitions.send_if_modified(|published| std::mem::replace(published, leads) != leads)
    }
}

impl Shared {
    fn millis(&self, at: Instant) -> u64 {
        let since = at.saturating_duration_since(self.origin);
        // Saturating is 585 million years away.
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }
}
