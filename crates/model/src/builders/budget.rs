//! Disruption budgets: somebody's, ours, and ours that somebody edited.

use serde_json::{Value, json};

use super::{Manifest, map, object, push};
use crate::Kind;
use crate::shapes::{FIELD_MANAGER, MANAGED_BY, POLICY, WORKLOAD};

/// A budget. Unless told otherwise it is somebody else's, selects nothing and sets no bound.
#[derive(Clone, Debug)]
pub struct BudgetBuilder(Value);

impl Manifest for BudgetBuilder {
    fn json(&mut self) -> &mut Value {
        &mut self.0
    }
}

/// A budget.
#[must_use]
pub fn budget(path: &str) -> BudgetBuilder {
    BudgetBuilder(object(Kind::PodDisruptionBudget, path))
}

impl BudgetBuilder {
    /// Sets `spec.minAvailable`, a number or a percentage.
    #[must_use]
    pub fn min_available(mut self, amount: impl Into<Value>) -> Self {
        self.0["spec"]["minAvailable"] = amount.into();
        self
    }

    /// Sets `spec.maxUnavailable`, a number or a percentage.
    #[must_use]
    pub fn max_unavailable(mut self, amount: impl Into<Value>) -> Self {
        self.0["spec"]["maxUnavailable"] = amount.into();
        self
    }

    /// Selects by `matchLabels`.
    #[must_use]
    pub fn selecting<'a>(self, pairs: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let labels = map(pairs);
        self.selector(json!({ "matchLabels": labels }))
    }

    /// Sets the whole selector.
    #[must_use]
    pub fn selector(mut self, selector: Value) -> Self {
        self.0["spec"]["selector"] = selector;
        self
    }

    /// Lets pods go that aren't ready.
    #[must_use]
    pub fn always_allow(mut self) -> Self {
        self.0["spec"]["unhealthyPodEvictionPolicy"] = "AlwaysAllow".into();
        self
    }

    /// Was computed: the disruption controller has seen the present generation.
    #[must_use]
    pub fn synced(mut self) -> Self {
        self.0["status"]["observedGeneration"] = self.0["metadata"]["generation"].clone();
        self
    }

    /// Was counted like this, of which `(healthy, desired, expected)` are the numbers; nobody may go.
    #[must_use]
    pub fn counted_as(self, healthy: i32, desired: i32, expected: i32) -> Self {
        let mut counted = self.synced();
        counted.0["status"]["currentHealthy"] = healthy.into();
        counted.0["status"]["desiredHealthy"] = desired.into();
        counted.0["status"]["expectedPods"] = expected.into();
        counted.0["status"]["disruptionsAllowed"] = 0.into();
        counted
    }

    /// Could not be computed.
    #[must_use]
    pub fn failed_to_sync(mut self, message: &str) -> Self {
        let condition =
            json!({ "type": "DisruptionAllowed", "status": "False", "reason": "SyncFailed", "message": message });
        self.0["status"]["conditions"] = json!([condition]);
        self
    }

    /// Is ours: applied by us under this policy (name and UID) for this workload (`Deployment/web`).
    #[must_use]
    pub fn ours(self, policy: &str, policy_uid: &str, workload: &str) -> Self {
        let mut ours = self.labels([MANAGED_BY, (POLICY, policy)]).annotated(WORKLOAD, workload).applied();
        let owner = json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "DisruptionPolicy", "name": policy, "uid": policy_uid,
        });
        push(&mut ours.0["metadata"]["ownerReferences"], owner);
        ours
    }

    /// Was applied by our field manager, which is half of being ours.
    #[must_use]
    pub fn applied(self) -> Self {
        let fields =
            json!({ "f:metadata": { "f:labels": {} }, "f:spec": { "f:maxUnavailable": {}, "f:selector": {} } });
        self.managed_by(FIELD_MANAGER, "Apply", fields)
    }

    /// Was edited by somebody else, in its spec.
    #[must_use]
    pub fn edited_by(self, manager: &str) -> Self {
        self.managed_by(manager, "Update", json!({ "f:spec": { "f:maxUnavailable": {} } }))
    }

    /// Has this entry in its `managedFields`.
    #[must_use]
    pub fn managed_by(mut self, manager: &str, operation: &str, fields: Value) -> Self {
        let entry = json!({
            "manager": manager, "operation": operation, "apiVersion": "policy/v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields,
        });
        push(&mut self.0["metadata"]["managedFields"], entry);
        self
    }
}
