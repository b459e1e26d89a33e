//! A checkout and what was judged of it: its clusters, and what concerns none of them or all.

use holdfast_gitops::{Checkout, Places, Sources};
use holdfast_model::{Cluster, Locate, Located, Subject};
use holdfast_policy::Audit;
use holdfast_policy::drain::outlook::stated_nodes;
use holdfast_policy::pod_security::Server;
use holdfast_report::{Baseline, Input, Part, Report, Selection};
use jiff::Timestamp;

use super::Policies;

/// A checkout that was judged.
pub(super) struct Judged {
    checkout: Everywhere,
    /// Of each cluster, in their order.
    clusters: Vec<Audit>,
    /// Of the checkout as a whole.
    whole: Audit,
    /// What its files say of the API server.
    server: Server,
}

impl Judged {
    /// Judges a checkout.
    pub(super) fn new(mut checkout: Checkout, policies: &Policies, selection: &Selection, now: Timestamp) -> Self {
        let narrowed = |mut audit: Audit| {
            audit.retain(|rule| selection.wants(rule));
            audit
        };
        let server = Server::stated(&checkout.repository.talos);
        let nodes = stated_nodes(&checkout.repository.talos, checkout.clusters.len());
        let clusters = checkout.clusters.iter_mut().map(|it| {
            let policies = policies.of(it, &server).on_nodes(nodes);
            narrowed(holdfast_policy::audit(&it.cluster, &it.repository, &policies, now))
        });
        let clusters = clusters.collect();
        let (none, in_force) = (Cluster::default(), holdfast_policy::Policies::default());
        let whole = narrowed(holdfast_policy::audit(&none, &checkout.repository, &in_force, now));
        Self { checkout: Everywhere(checkout), clusters, whole, server }
    }

    /// What is told of it.
    pub(super) fn report<'a>(&'a self, name: &'a str) -> Report<'a> {
        let Everywhere(checkout) = &self.checkout;
        let places = checkout.clusters.iter().map(|cluster| &cluster.places);
        let clusters = self.clusters.iter().zip(places).map(|(audit, places)| Part { audit, locate: places });
        let parts: Vec<Part<'_>> = clusters.chain([Part { audit: &self.whole, locate: &self.checkout }]).collect();
        let files: &Sources = &checkout.sources;
        let inventory = &checkout.repository.inventory;
        Report::new(&parts, Input { name, version: env!("CARGO_PKG_VERSION"), inventory, server: &self.server, files })
    }

    /// What it has, to be left out of another report.
    pub(super) fn baseline(&self) -> Baseline {
        Baseline::of(&self.report(""))
    }
}

/// Knows the places of every cluster, for what is judged across them.
struct Everywhere(Checkout);

impl Everywhere {
    fn first<'a, T>(&'a self, ask: impl Fn(&'a Places) -> Option<T>) -> Option<T> {
        self.0.clusters.iter().find_map(|cluster| ask(&cluster.places))
    }
}

impl Locate for Everywhere {
    fn locate(&self, subject: &Subject, field: &str) -> Option<Located> {
        self.first(|places| places.locate(subject, field)).or_else(|| self.0.sources.locate(subject, field))
    }

    fn line(&self, file: &str, line: u32) -> Option<String> {
        self.0.sources.line(file, line)
    }

    fn api_version(&self, subject: &Subject) -> Option<&str> {
        self.first(|places| places.api_version(subject))
    }
}
