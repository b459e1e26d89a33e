//! The whole system on a real control plane, one module per story.

mod admission;
mod bad_input;
mod brake;
mod decision_table;
mod drains;
mod evictions;
mod faults;
mod first_budget;
mod forgotten;
mod gate;
mod kills;
mod leadership;
mod levels;
mod optional_kinds;
mod overlap;
mod permissions;
mod pod_security;
mod quiet;
mod reads;
mod sealed_vault;
mod servers;
mod soak;
mod telling;
mod upgrades;
mod withdrawal;
mod write_rules;
