//! What only files have: the Flux graph, Talos configuration, pipelines, documents, and the inventory of it all.
//!
//! One for each cluster of a checkout (what a Flux root reaches), and one for the checkout as a whole (workflows,
//! documents). Facts only, one module for each domain; each fact carries its [`Subject`], so that a rule needs nothing
//! else to say what it is about. Whoever reads files fills it.

mod disruption;
mod flux;
mod helm;
mod identity;
mod inventory;
pub mod problems;
mod resources;
mod template;

pub use disruption::{Database, Disruption, Floor};
pub use flux::{Action, Chart, Flux, Follows, Kustomization, Release, Source, SourceRef};
pub use helm::{Checked, Helm, Rejected};
pub use identity::Identity;
pub use inventory::{Inventory, Item, Listing};
pub use resources::{Autoscaled, Defaults, Resources};
pub use template::{Amounts, Container, Template};

/// The facts of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// What was read.
    pub inventory: Inventory,
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
