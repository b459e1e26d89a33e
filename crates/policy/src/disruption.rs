//! Budgets: which a workload should have, which of ours have to go, and what is wrong with any of them.
//!
//! [`plan_namespace`] is the whole decision about a namespace. It is calm (planning again after the plan was carried
//! out gives an empty plan, or just what had to wait until a budget of ours was seen to be gone), and it never wants two
//! budgets over one pod.

mod bounds;
mod brake;
mod confined;
mod operators;
mod plan;
mod quorum;
mod settings;
mod table;
mod tally;
mod wanted;
mod write;

pub use bounds::Bounds;
pub use brake::{Brake, Braking};
pub use confined::Confined;
pub(crate) use operators::custom_owner;
pub use plan::{NamespacePlan, Outcome, plan_namespace};
pub use quorum::is_quorum;
pub use settings::{Settings, SettingsError};
pub use table::{Case, Decision, decide};
pub use tally::{Tally, WorkloadState};
pub use wanted::{Terms, Wanted};
pub use write::{Preconditions, Reason, Write};
