//! Events on the objects that people look at, as `kubectl describe` shows them.
//!
//! Best effort: a bounded queue, a bounded rate, dropped and counted beyond that and when another leads. An event's name
//! comes from what it says about which object, so that saying it again (after a restart, by the next leader) is answered
//! with 409 and changes nothing; what this process said lately it doesn't ask again. What an event is about is known to whoever says it; here it is only a type, which is made
//! a reference when the event is sent. Absent: retries, and series, which would be writes without news.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use k8s_openapi::api::events::v1::Event;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Client;
use kube::api::{Api, PostParams};
use lru::LruCache;
use parking_lot::Mutex;
use prometheus_client::metrics::counter::Counter;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use crate::lease::Leadership;

#[cfg(test)]
mod tests;

/// At most so many events wait.
const CAPACITY: usize = 2_000;
/// So many events a second, after a burst.
const RATE: NonZeroU32 = NonZeroU32::new(20).expect("invariant: twenty isn't zero");
const BURST: NonZeroU32 = NonZeroU32::new(100).expect("invariant: a hundred isn't zero");
/// How long one event may take.
const ANSWER: Duration = Duration::from_secs(5);
/// Where events about what has no namespace are kept (`kubernetes/pkg/apis/core/validation/events.go`).
const NOWHERE: &str = "default";
/// The longest note that the API server accepts, in bytes.
const LONGEST_NOTE: usize = 1024;

/// So many that were said are known, the latest.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(2_000).expect("invariant: two thousand isn't zero");
/// After so long a thing is news again: well within the hour for which an API server keeps an event (`--event-ttl`), so that
/// what goes on being true can be read at any time.
const NEWS: Duration = Duration::from_mins(30);

/// For how long an event lets the writes go first.
const COURTESY: Duration = Duration::from_secs(5);

/// The events that wait; each is about an `A`.
pub struct Events<A> {
    waiting: Mutex<VecDeque<Announcement<A>>>,
    more: Notify,
    dropped: Counter,
}

/// Something to be said about an object. Never with anything but names and numbers in it.
#[derive(Debug, Clone)]
pub struct Announcement<A> {
    /// The object.
    pub about: A,
    /// What happened, in PascalCase; at most 128 bytes.
    pub reason: &'static str,
    /// What was done or tried, in PascalCase; at most 128 bytes.
    pub action: &'static str,
    /// Whether a person should look.
    pub warning: bool,
    /// A sentence for a person. What is over 1024 bytes is cut off.
    pub note: String,
}

/// What sending them needs.
pub struct Teller {
    /// Which sends as long as we lead, as of [`of_leader`](crate::connections::of_leader).
    pub client: Client,
    /// Whether we lead; who doesn't tells nothing.
    pub leadership: Leadership,
    /// Who reports, such as `holdfast.dev/controller`.
    pub reporter: &'static str,
    /// The name of this replica. What is over 128 characters is cut off.
    pub instance: String,
    /// Ends it.
    pub stop: CancellationToken,
}

impl<A> Events<A> {
    /// None; `dropped` counts what can't be delivered.
    pub fn new(dropped: Counter) -> Self {
        Self { waiting: Mutex::default(), more: Notify::new(), dropped }
    }

    /// Adds one, unless 2,000 wait already; then it is dropped and counted.
    pub fn push(&self, announcement: Announcement<A>) {
        let mut waiting = self.waiting.lock();
        if CAPACITY <= waiting.len() {
            self.dropped.inc();
            return;
        }
        waiting.push_back(announcement);
        drop(waiting);
        self.more.notify_one();
    }

    /// Sends what waits, until told to stop. `find` says where the object is when its event is sent, and `None` when it is
    /// gone, which needs no event. `quiet` resolves while no writes wait, and is waited for at most five seconds for each
    /// event: what is to be written comes before what is told of it, as both take the same server's time.
    ///
    /// # Errors
    /// None; the type is that of a task.
    pub async fn run<Q: Future<Output = ()>>(
        &self,
        teller: Teller,
        find: impl Fn(&A) -> Option<ObjectReference>,
        quiet: impl Fn() -> Q,
    ) -> Result<(), Infallible> {
        let limiter: DefaultDirectRateLimiter = RateLimiter::direct(Quota::per_second(RATE).allow_burst(BURST));
        let mut said: LruCache<u64, Instant> = LruCache::new(REMEMBERED);
        loop {
            let announcement = tokio::select! {
                biased;
                () = teller.stop.cancelled() => return Ok(()),
                announcement = self.next() => announcement,
            };
            tokio::select! {
                () = teller.stop.cancelled() => return Ok(()),
                _ = timeout(COURTESY, quiet()) => {}
            }
            // What the next leader finds it tells by itself.
            if !teller.leadership.is_leader() {
                self.dropped.inc();
                continue;
            }
            let Some(regarding) = find(&announcement.about) else { continue };
            let id = announcement.id(&regarding);
            // A state that comes and goes says the same each time.
            if said.get(&id).is_some_and(|at| at.elapsed() < NEWS) {
                continue;
            }
            limiter.until_ready().await;
            if self.send(&teller, announcement, regarding).await {
                said.put(id, Instant::now());
            }
        }
    }

    async fn next(&self) -> Announcement<A> {
        loop {
            let more = self.more.notified();
            if let Some(announcement) = self.waiting.lock().pop_front() {
                return announcement;
            }
            more.await;
        }
    }

    /// Whether the API server has it now.
    async fn send(&self, teller: &Teller, announcement: Announcement<A>, regarding: ObjectReference) -> bool {
        let namespace = regarding.namespace.clone().unwrap_or_else(|| NOWHERE.to_owned());
        let event = announcement.event(regarding, &namespace, teller);
        let api: Api<Event> = Api::namespaced(teller.client.clone(), &namespace);
        let params = PostParams::default();
        match timeout(ANSWER, api.create(&params, &event)).await {
            Ok(Ok(_)) => return true,
            // Said already, by another replica or before a restart.
            Ok(Err(kube::Error::Api(status))) if status.code == 409 => return true,
            Ok(Err(error)) => tracing::debug!(%error, namespace, "an event could not be sent"),
            Err(_) => {}
        }
        self.dropped.inc();
        false
    }
}

impl<A> Announcement<A> {
    /// The same wherever and whenever the same is said of the same object.
    fn id(&self, regarding: &ObjectReference) -> u64 {
        let ObjectReference { namespace, name, uid, .. } = regarding;
        fnv1a(format!("{namespace:?}{name:?}{uid:?}{}{}", self.reason, self.note).as_bytes())
    }

    fn event(self, regarding: ObjectReference, namespace: &str, teller: &Teller) -> Event {
        let id = self.id(&regarding);
        let name = regarding.name.as_deref().unwrap_or_default();
        let cut: String = name.chars().take(200).collect();
        let now = Timestamp::now();
        Event {
            metadata: ObjectMeta {
                name: Some(format!("{}.{:016x}", cut.trim_end_matches(['.', '-']), id)),
                namespace: Some(namespace.to_owned()),
                ..ObjectMeta::default()
            },
            event_time: Some(MicroTime(now)),
            type_: Some(if self.warning { "Warning" } else { "Normal" }.to_owned()),
            reason: Some(self.reason.to_owned()),
            action: Some(self.action.to_owned()),
            note: Some(shortened(self.note)),
            reporting_controller: Some(teller.reporter.to_owned()),
            reporting_instance: Some(teller.instance.chars().take(128).collect()),
            regarding: Some(regarding),
            ..Event::default()
        }
    }
}

fn shortened(mut note: String) -> String {
    let mut end = LONGEST_NOTE.min(note.len());
    while !note.is_char_boundary(end) {
        end -= 1;
    }
    note.truncate(end);
    note
}

/// FNV-1a (RFC 9923), 64 bits: the same in every replica and every build.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
