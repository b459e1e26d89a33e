//! The way from bytes to plans without a server, for the fuzzer and its kept inputs.
//!
//! What a watch would have been sent is decoded and taken into the facts by the very functions that the watches use, and
//! the plans are those that the engine would make. The controller itself uses none of this. Absent: a client, a clock,
//! anything that is written.

use holdfast_api::{DisruptionPolicy, DrainReadiness, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::Cluster;
use holdfast_model::shapes::{OfShape, Shape};
use holdfast_policy::{NamespacePlan, plan_namespace};
use holdfast_runtime::failure::{Failure, said};
use jiff::Timestamp;
use kube::Resource;
use kube::core::Status;
use serde::de::DeserializeOwned;

use super::watch::{Change, Seen, wire};
use super::{observe_exception, observe_facts, observe_policy, observe_readiness, observe_security};
use crate::access::Source;
use crate::view::Facts;

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent<'a> {
    /// A line of a watch.
    Event(&'a [u8]),
    /// A page of a list, with all there is.
    Page(&'a str),
    /// A list that holds nothing.
    Nothing,
}

/// Facts that are fed with what API servers send.
#[derive(Default)]
pub struct Feed {
    facts: Facts,
}

impl Feed {
    /// Takes a line of a watch in; one that isn't an event changes nothing.
    pub fn event(&mut self, source: Source, line: &[u8]) {
        self.take(source, Sent::Event(line));
    }

    /// Takes a page in as a whole list: what isn't in it is gone. One that isn't a list changes nothing.
    pub fn page(&mut self, source: Source, text: &str) {
        self.take(source, Sent::Page(text));
    }

    /// Forgets everything, by lists in which nothing is.
    pub fn forget(&mut self) {
        Source::all().for_each(|source| self.take(source, Sent::Nothing));
    }

    /// Reads a refusal, as writers and watches do; returns its reason when it is one.
    #[must_use]
    pub fn refusal(answer: &[u8]) -> Option<&'static str> {
        let status: Status = serde_json::from_slice(answer).ok()?;
        let failure = Failure::of(&kube::Error::Api(Box::new(status.clone())));
        failure.class();
        said(&kube::Error::Api(Box::new(status)));
        Some(failure.reason())
    }

    /// The facts of the cluster.
    #[must_use]
    pub fn cluster(&self) -> &Cluster {
        &self.facts.cluster
    }

    /// How many policies and exceptions are known.
    #[must_use]
    pub fn policies(&self) -> usize {
        let policies = &self.facts.policies;
        policies.count_policies().0 + policies.count_security().0 + policies.count_exceptions().0
    }

    /// The plans of all namespaces.
    #[must_use]
    pub fn plans(&self, now: Timestamp) -> Vec<NamespacePlan> {
        let (cluster, policies) = (&self.facts.cluster, self.facts.policies.parsed());
        let views = cluster.namespace_names().filter_map(|name| cluster.namespace(name));
        views.map(|view| plan_namespace(view, &policies, now)).collect()
    }

    fn take(&mut self, source: Source, sent: Sent<'_>) {
        let facts = &mut self.facts;
        match source {
            Source::DisruptionPolicy => take::<DisruptionPolicy>(sent, |change| drop(observe_policy(facts, change))),
            Source::NamespaceSecurityPolicy => {
                take::<NamespaceSecurityPolicy>(sent, |change| drop(observe_security(facts, change)));
            }
            Source::PolicyException => take::<PolicyException>(sent, |change| drop(observe_exception(facts, change))),
            Source::DrainReadiness => take::<DrainReadiness>(sent, |change| drop(observe_readiness(facts, change))),
            Source::Facts(kind) => kind.with_shape(Taking { facts, sent }),
        }
    }
}

/// Facts of one kind.
struct Taking<'f, 's> {
    facts: &'f mut Facts,
    sent: Sent<'s>,
}

impl OfShape for Taking<'_, '_> {
    type Output = ();

    fn of<S: Shape>(self) {
        let facts = self.facts;
        take::<S>(self.sent, |change| drop(observe_facts(facts, change)));
    }
}

/// What a watch makes of it.
fn take<K: Resource + DeserializeOwned>(sent: Sent<'_>, mut sink: impl FnMut(Change<K>)) {
    match sent {
        Sent::Nothing => sink(Change::Listed { seen: Seen::default() }),
        Sent::Event(line) => match wire::parse_event::<K>(line) {
            Ok(wire::Event::Seen(object)) => sink(object.into_change()),
            Ok(wire::Event::Deleted(meta)) => {
                sink(Change::Deleted { namespace: meta.namespace, name: meta.name.unwrap_or_default() });
            }
            Ok(wire::Event::Bookmark { .. }) | Err(_) => {}
        },
        Sent::Page(text) => {
            let Ok(page) = wire::parse_page::<K>(text) else { return };
            let mut seen = Seen::default();
            for object in page.objects {
                let (namespace, name) = object.key();
                seen.insert(namespace, name);
                sink(object.into_change());
            }
            sink(Change::Listed { seen });
        }
    }
}
