//! The whole system on a real control plane, one module per story.

mod first_budget;
mod telling;
