//! Budgets, replicas, and what a drain does to them.

pub(super) mod budget_contested;
pub(super) mod budget_loose;
pub(super) mod budget_matches_nothing;
pub(super) mod budget_missing;
pub(super) mod budget_not_synced;
pub(super) mod budget_selects_all;
pub(super) mod budget_selects_daemonset;
pub(super) mod budget_selects_job;
pub(super) mod budget_without_controller;
pub(super) mod budget_would_block;
pub(super) mod budgets_overlap;
pub(super) mod cnpg_single_instance;
pub(super) mod drain_blocked;
pub(super) mod drain_blocked_by_placement;
pub(super) mod drain_blocked_when_unready;
pub(super) mod exception_expired;
pub(super) mod hpa_below_min_available;
pub(super) mod object_unreadable;
pub(super) mod priority_class_missing;
pub(super) mod quorum_even;
pub(super) mod replicas_not_spread;
pub(super) mod replicas_on_one_node;
pub(super) mod selector_invalid;
pub(super) mod selector_shared;
pub(super) mod singleton;

/// A patch of a budget: one pod may go, whatever was said before.
const ONE_MAY_GO: &str = "spec:\n  minAvailable: null\n  maxUnavailable: 1";
