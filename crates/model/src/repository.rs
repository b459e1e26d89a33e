//! What only files have: the Flux graph, Talos configuration, pipelines, documents, and the inventory of it all.
//!
//! One for each cluster of a checkout (what a Flux root reaches), and one for the checkout as a whole (workflows,
//! documents). Facts only, one module for each domain; each fact carries its [`Subject`](crate::Subject), so that a rule needs nothing
//! else to say what it is about. Whoever reads files fills it.

mod disruption;
mod documents;
mod flux;
mod helm;
mod identity;
mod inventory;
mod network;
mod observability;
pub mod problems;
mod resources;
mod supply;
mod talos;
mod template;
mod version;

pub use disruption::{Database, Disruption, Floor};
pub use documents::{Documents, Topic};
pub use flux::{Action, Chart, Flux, Follows, Kustomization, Release, Source, SourceRef};
pub use helm::{Checked, Helm, Rejected};
pub use identity::Identity;
pub use inventory::{Absence, Inventory, Item, LeftOut, Listing};
pub use network::{Gateway, Ingress, Listener, Network, Protocol, Route, Serves, TlsMinimum};
pub use observability::{Alerts, LogStore, Monitor, Observability, Retention, Tracer};
pub use resources::{Autoscaled, Defaults, Resources};
pub use supply::{Build, Exposed, Guard, Looks, Pin, SopsFile, SopsRules, Supply, Use, Vessel};
pub use talos::{
    Admission, AdmissionSays, Health, Pinned, Product, Setting, Switch, Talos, TalosCluster, TalosNode, Upgrade,
};
pub use template::{Amounts, Container, Template};
pub use version::Version;

/// The facts of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// What was read.
    pub inventory: Inventory,
    /// Talos: configuration and upgrades.
    pub talos: Talos,
    /// Secrets in Git, and pipelines.
    pub supply: Supply,
    /// Who may talk to whom.
    pub network: Network,
    /// Alerts, objectives, traces and logs.
    pub observability: Observability,
    /// What a person can read.
    pub documents: Documents,
    /// What could not be read or followed.
    pub problems: problems::Problems,
    /// Pod templates, of every workload that is known whole.
    pub templates: Vec<Template>,
    /// What a drain meets.
    pub disruption: Disruption,
    /// Requests and limits.
    pub resources: Resources,
    /// The Flux graph.
    pub flux: Flux,
    /// Charts and their values.
    pub helm: Helm,
}

impl Repository {
    /// Takes from a cluster what can only be judged together with plain files: a TalosUpgrade and the talenv that it has
    /// to agree with, a backup of etcd and the configuration that lacks one. For the checkout's own facts.
    pub fn gather(&mut self, cluster: &mut Self) {
        self.talos.upgrades.append(&mut cluster.talos.upgrades);
        self.talos.backups.append(&mut cluster.talos.backups);
    }
}
