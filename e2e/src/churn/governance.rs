//! What an administrator does: policies come, change and go, and so do the definitions of software that need not be there.

use fastrand::Rng;
use serde_json::{Value, json};

use super::step::{Id, Kind, Operation, Step};
use super::tenancy::{GROUPS, HOME};

/// The definitions that come and go, of `e2e/crds`.
const DEFINITIONS: [&str; 3] = ["helmreleases.yaml", "kustomizations.yaml", "scaledobjects.yaml"];
/// How many policies there are at most. The first is about everything, is always there and enforces, so that there are budgets.
const POLICIES: usize = 4;
/// This one may be in Report mode, and selects half of the namespaces: in the others there are budgets at any time.
const REPORTING: usize = 1;
const LIMITS: [fn() -> Value; 4] = [|| json!(1), || json!(2), || json!("25%"), || json!("50%")];

/// The policies and definitions, and what becomes of them.
pub(super) struct Governance {
    rng: Rng,
    policies: Vec<Policy>,
    defined: [bool; DEFINITIONS.len()],
    serial: usize,
}

struct Policy {
    name: String,
    there: bool,
}

impl Governance {
    pub(super) fn new(rng: Rng) -> Self {
        let policies = (0..POLICIES).map(|at| Policy { name: format!("churn-{at}"), there: true });
        Self { rng, policies: policies.collect(), defined: [true; DEFINITIONS.len()], serial: 0 }
    }

    /// Makes the policies.
    pub(super) fn beginning(&mut self) -> Vec<Operation> {
        let steps: Vec<Step> = (0..POLICIES).map(|at| self.written(at)).collect();
        vec![Operation::new("begin", steps)]
    }

    /// What happens next.
    pub(super) fn next(&mut self) -> Operation {
        match self.rng.u8(..10) {
            0..6 => {
                let at = self.rng.usize(..POLICIES);
                if self.policies[at].there {
                    return Operation::new("change a policy", vec![self.written(at)]);
                }
                self.policy_comes_or_goes(at)
            }
            6..8 => {
                let at = self.rng.usize(1..POLICIES);
                self.policy_comes_or_goes(at)
            }
            _ => self.definition_comes_or_goes(),
        }
    }

    /// One that comes back has its old name, or one that was never used.
    fn policy_comes_or_goes(&mut self, at: usize) -> Operation {
        let there = self.policies[at].there;
        self.policies[at].there = !there;
        if there {
            return Operation::new("delete a policy", vec![Step::Delete(self.id(at))]);
        }
        if self.rng.bool() {
            self.serial += 1;
            self.policies[at].name = format!("churn-{at}-{}", self.serial);
        }
        Operation::new("make a policy", vec![self.written(at)])
    }

    fn definition_comes_or_goes(&mut self) -> Operation {
        let at = self.rng.usize(..DEFINITIONS.len());
        self.defined[at] = !self.defined[at];
        match self.defined[at] {
            true => Operation::new("define a kind", vec![Step::Define(DEFINITIONS[at])]),
            false => Operation::new("undefine a kind", vec![Step::Undefine(DEFINITIONS[at])]),
        }
    }

    fn id(&self, at: usize) -> Id {
        Id::new(Kind::Policy, "", self.policies[at].name.clone())
    }

    /// The policy with a new spec. The first asks for everything, the others for some namespaces or some workloads.
    fn written(&mut self, at: usize) -> Step {
        let rng = &mut self.rng;
        let unready = ["AlwaysAllow", "IfHealthyBudget"][rng.usize(..2)];
        let mut spec = json!({
            "mode": if at == REPORTING && rng.bool() { "Report" } else { "Enforce" },
            "maxUnavailable": LIMITS[rng.usize(..LIMITS.len())](),
            "priority": if at == 0 { 0 } else { rng.i32(1..4) },
            "unhealthyPodEvictionPolicy": unready,
            "namespaceSelector": { "matchExpressions": [{ "key": HOME, "operator": "Exists" }] },
        });
        if at == REPORTING || (0 < at && rng.bool()) {
            spec["namespaceSelector"] = json!({ "matchLabels": { HOME: GROUPS[rng.usize(..2)] } });
        }
        if 0 < at && rng.bool() {
            spec["workloadSelector"] = json!({ "matchLabels": { "tier": GROUPS[rng.usize(..2)] } });
        }
        Step::Apply(self.id(at), json!({ "spec": spec }))
    }
}
