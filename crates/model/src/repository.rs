//! What only files have: the Flux graph, Talos configuration, pipelines, documents, and the inventory of it all.
//!
//! One for each cluster of a checkout (what a Flux root reaches), and one for the checkout as a whole (workflows,
//! documents). Facts only, one module for each domain; each fact carries its [`Subject`], so that a rule needs nothing
//! else to say what it is about. Whoever reads files fills it.

mod inventory;
pub mod problems;

pub use inventory::{Inventory, Item, Listing};

/// The facts of files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Repository {
    /// What was read.
    pub inventory: Inventory,
    /// What could not be read or followed.
    pub problems: problems::Problems,
}
