//! Fills the view: one watch per kind of the table `access`.
//!
//! A watch event becomes facts and is dropped. Nothing is decided, and nothing but the view is edited.

mod feed;
pub(crate) mod watch;

use std::sync::Arc;

use holdfast_api::{DisruptionPolicy, DrainReadiness, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::shapes::{OfShape, Shape};
use holdfast_model::{Cluster, ObjectKey, Touched};
use holdfast_runtime::supervise::Supervisor;
use kube::{Client, Resource};
use serde::de::DeserializeOwned;
use tokio_util::sync::CancellationToken;

use crate::access::Source;
use crate::metrics::Metrics;
use crate::view::{Facts, View};
pub use feed::Feed;
use watch::{Change, Reason, Relist, Seen, Watch};

/// Starts a watch for each source.
pub(crate) struct Observer<'a> {
    pub(crate) client: Client,
    pub(crate) view: Arc<View>,
    pub(crate) metrics: Metrics,
    pub(crate) supervisor: &'a mut Supervisor,
    pub(crate) stop: CancellationToken,
}

impl Observer<'_> {
    /// Starts them all; returns what asks each for a fresh list.
    pub(crate) fn start(mut self) -> Vec<Relist> {
        Source::all().map(|source| self.observe(source)).collect()
    }

    fn observe(&mut self, source: Source) -> Relist {
        match source {
            Source::DisruptionPolicy => self.watch::<DisruptionPolicy>(source, observe_policy),
            Source::NamespaceSecurityPolicy => self.watch::<NamespaceSecurityPolicy>(source, observe_security),
            Source::PolicyException => self.watch::<PolicyException>(source, observe_exception),
            Source::DrainReadiness => self.watch::<DrainReadiness>(source, observe_readiness),
            Source::Facts(kind) => kind.with_shape(Watching { observer: self, source }),
        }
    }

    fn watch<K>(&mut self, source: Source, observe: fn(&mut Facts, Change<K>) -> Touched) -> Relist
    where
        K: Resource<DynamicType = ()> + DeserializeOwned + Send + 'static,
    {
        let watch = Watch::<K>::new(self.client.clone(), &());
        let watch = if source.is_upgrade() { watch.telling_versions(&()) } else { watch };
        let watch = match source.fields() {
            Some(fields) => watch.only(fields),
            None => watch,
        };
        let watch = if source.has_watch_cache() { watch } else { watch.without_bookmarks() };
        let relist = watch.relist();
        let (view, metrics, stop) = (Arc::clone(&self.view), self.metrics.clone(), self.stop.clone());
        self.supervisor.spawn(source.as_str(), async move {
            let run = watch.run(move |change| take(&view, &metrics, source, change, observe));
            tokio::select! {
                biased;
                () = stop.cancelled() => Ok::<(), std::convert::Infallible>(()),
                never = run => match never {},
            }
        });
        relist
    }
}

/// The facts of one kind.
struct Watching<'o, 'a> {
    observer: &'o mut Observer<'a>,
    source: Source,
}

impl OfShape for Watching<'_, '_> {
    type Output = Relist;

    fn of<S: Shape>(self) -> Relist {
        self.observer.watch::<S>(self.source, observe_facts)
    }
}

/// What a watch says goes into the view, and how far the source can be trusted with it.
fn take<K>(
    view: &View,
    metrics: &Metrics,
    source: Source,
    change: Change<K>,
    observe: fn(&mut Facts, Change<K>) -> Touched,
) {
    metrics.watched(source.as_str(), &change);
    match change {
        Change::Connected => view.connected(source),
        Change::Disconnected(interruption) => {
            tell(source, &interruption);
            let absent = interruption.reason.is_without_objects();
            view.disconnected(source, interruption);
            // A kind that the server doesn't know has no objects; of one that it has in another version none are known.
            if absent {
                view.edit(|facts| observe(facts, Change::Listed { seen: Seen::default() }));
            }
        }
        Change::Listed { seen } => {
            view.edit(|facts| observe(facts, Change::Listed { seen }));
            view.listed(source);
        }
        change @ (Change::Applied(_) | Change::Deleted { .. } | Change::Malformed { .. }) => {
            if let Change::Malformed { namespace, name, error, .. } = &change {
                tracing::warn!(kind = source.as_str(), namespace, name, error, "an object can't be read");
            }
            view.edit(|facts| observe(facts, change));
        }
    }
}

/// A quiet connection is only looked after: whether anything is wrong, making it again will show, and say.
fn tell(source: Source, interruption: &watch::Interruption) {
    let (kind, reason) = (source.as_str(), interruption.reason.as_str());
    let expected = match interruption.reason {
        Reason::Idle => true,
        Reason::Absent => source.is_optional(),
        Reason::Expired => !source.has_watch_cache(),
        reason => reason.is_routine(),
    };
    if expected {
        tracing::debug!(kind, reason, "watch ended");
    } else {
        tracing::warn!(kind, reason, error = interruption.message, "watch interrupted");
    }
}

fn observe_facts<S: Shape>(facts: &mut Facts, change: Change<S>) -> Touched {
    observe_into(&mut facts.cluster, change)
}

/// Takes what a watch says of a kind into the cluster.
pub(crate) fn observe_into<S: Shape>(cluster: &mut Cluster, change: Change<S>) -> Touched {
    match change {
        Change::Applied(object) => cluster.apply(object),
        Change::Deleted { namespace, name } => cluster.delete(S::KIND, &key(namespace.as_deref(), &name)),
        Change::Malformed { namespace, name, error, .. } => {
            cluster.apply_unreadable(S::KIND, &key(namespace.as_deref(), &name), &error)
        }
        Change::Listed { seen } => cluster.reset(S::KIND, |key| seen.contains(Some(&key.namespace), &key.name)),
        Change::Connected | Change::Disconnected(_) => Touched::Nothing,
    }
}

fn observe_policy(facts: &mut Facts, change: Change<DisruptionPolicy>) -> Touched {
    let policies = &mut facts.policies;
    match change {
        Change::Applied(policy) => policies.apply_policy(policy),
        Change::Deleted { name, .. } => policies.delete_policy(&name),
        Change::Malformed { name, error, .. } => policies.unreadable_policy(&name, error),
        Change::Listed { seen } => policies.retain_policies(|name| seen.contains(None, name)),
        Change::Connected | Change::Disconnected(_) => Touched::Nothing,
    }
}

fn observe_security(facts: &mut Facts, change: Change<NamespaceSecurityPolicy>) -> Touched {
    let policies = &mut facts.policies;
    match change {
        Change::Applied(policy) => policies.apply_security(policy),
        Change::Deleted { name, .. } => policies.delete_security(&name),
        Change::Malformed { name, error, .. } => policies.unreadable_security(&name, error),
        Change::Listed { seen } => policies.retain_security(|name| seen.contains(None, name)),
        Change::Connected | Change::Disconnected(_) => Touched::Nothing,
    }
}

fn observe_exception(facts: &mut Facts, change: Change<PolicyException>) -> Touched {
    let policies = &mut facts.policies;
    match change {
        Change::Applied(exception) => policies.apply_exception(exception),
        Change::Deleted { namespace, name } => policies.delete_exception(&key(namespace.as_deref(), &name)),
        Change::Malformed { namespace, name, error, .. } => {
            policies.unreadable_exception(key(namespace.as_deref(), &name), error)
        }
        Change::Listed { seen } => policies.retain_exceptions(|key| seen.contains(Some(&key.namespace), &key.name)),
        Change::Connected | Change::Disconnected(_) => Touched::Nothing,
    }
}

fn observe_readiness(facts: &mut Facts, change: Change<DrainReadiness>) -> Touched {
    let readiness = &mut facts.readiness;
    match change {
        Change::Applied(object) => readiness.apply(object),
        Change::Deleted { .. } => readiness.delete(),
        Change::Malformed { error, .. } => readiness.unreadable(error),
        Change::Listed { seen } => readiness.retain(|name| seen.contains(None, name)),
        Change::Connected | Change::Disconnected(_) => Touched::Nothing,
    }
}

fn key(namespace: Option<&str>, name: &str) -> ObjectKey {
    ObjectKey::new(namespace.unwrap_or_default(), name)
}
