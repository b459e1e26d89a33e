//! The decision about disruption budgets, from objects to writes.
//!
//! `table`: each row of the decision table, in both directions. `writes`: how what was decided is written and withdrawn.
//! `exceptions`: who is exempt. `settings`: what a policy may say. `unreadable`: what waits until it can be read.
//! `properties`: what holds for any cluster.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

mod exceptions;
mod properties;
mod settings;
mod table;
mod unreadable;
mod world;
mod writes;
