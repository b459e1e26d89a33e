//! Charts and their values.

pub(super) mod crd_policy_unset;
pub(super) mod helm_test_missing;
pub(super) mod values_rejected;
