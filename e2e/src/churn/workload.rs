//! One workload, and what people and operators do to it.
//!
//! What is remembered here is only what was asked for, so that the next change makes sense; what came of it nobody here
//! knows, and no test relies on it.

use fastrand::Rng;
use serde_json::{Value, json};

use super::step::{Id, Kind, Operation, Step};
use super::tenancy::GROUPS;

/// A Deployment or StatefulSet with what was made for it.
pub(super) struct Workload {
    kind: Kind,
    name: String,
    /// Whether it has pods; a Deployment without is paused.
    runs: bool,
    there: bool,
    replicas: usize,
    /// The label by which policies select workloads, and the one its pods keep.
    tier: &'static str,
    pods_tier: &'static str,
    revision: usize,
    ignored: bool,
    /// Which kind of Flux object lists it, when one does.
    flux: Kind,
    with: With,
}

/// What there is beside it.
#[derive(Default)]
struct With {
    autoscaler: bool,
    scaled_object: bool,
    /// The name of somebody's budget.
    budget: Option<String>,
    exception: bool,
    release: bool,
    stray: bool,
    /// Somebody edited the budget of ours.
    edited: bool,
}

impl Workload {
    /// One that isn't made yet.
    pub(super) fn new(name: String, runs: bool, rng: &mut Rng) -> Self {
        let kind = if runs && rng.u8(..4) == 0 { Kind::StatefulSet } else { Kind::Deployment };
        let tier = GROUPS[rng.usize(..2)];
        let flux = if rng.bool() { Kind::Release } else { Kind::Kustomization };
        let replicas = replicas(rng);
        Self {
            kind,
            name,
            runs,
            there: true,
            replicas,
            tier,
            pods_tier: tier,
            revision: 1,
            ignored: false,
            flux,
            with: With::default(),
        }
    }

    pub(super) fn runs(&self) -> bool {
        self.runs
    }

    pub(super) fn is_there(&self) -> bool {
        self.there
    }

    /// The namespace went: what was beside it went too.
    pub(super) fn forget(&mut self) {
        self.with = With::default();
    }

    pub(super) fn made(&self, home: &str) -> Step {
        Step::Apply(self.id(home), self.manifest())
    }

    /// Its end, and that of everything made for it.
    pub(super) fn gone(&self, home: &str) -> Vec<Step> {
        let With { autoscaler, scaled_object, budget, exception, release, stray, edited } = &self.with;
        let beside = [
            (*autoscaler, Kind::Autoscaler, self.name.clone()),
            (*scaled_object, Kind::ScaledObject, self.name.clone()),
            (budget.is_some(), Kind::Budget, budget.clone().unwrap_or_default()),
            (*exception, Kind::Exception, self.name.clone()),
            (*release, self.flux, self.name.clone()),
            (*stray, Kind::Pod, self.stray_name()),
            // What somebody edited isn't ours to withdraw any more.
            (*edited, Kind::Budget, self.our_budget()),
            (self.there, self.kind, self.name.clone()),
        ];
        let left = beside.into_iter().filter(|(there, ..)| *there);
        left.map(|(_, kind, name)| Step::Delete(Id::new(kind, home, name))).collect()
    }

    pub(super) fn scale(&mut self, home: &str, rng: &mut Rng) -> Operation {
        self.replicas = replicas(rng);
        Operation::new("scale", self.if_there(home))
    }

    pub(super) fn roll(&mut self, home: &str, _: &mut Rng) -> Operation {
        self.revision += 1;
        Operation::new("roll", self.if_there(home))
    }

    /// Without what is beside it: an autoscaler or a budget may outlive its workload, and wait for it.
    pub(super) fn come_or_go(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if self.there && !seldom(rng) {
            return self.roll(home, rng);
        }
        self.there = !self.there;
        match self.there {
            true => Operation::new("deploy", vec![self.made(home)]),
            false => Operation::new("delete", vec![Step::Delete(self.id(home))]),
        }
    }

    pub(super) fn relabel(&mut self, home: &str, rng: &mut Rng) -> Operation {
        self.tier = GROUPS[rng.usize(..2)];
        Operation::new("relabel", self.if_there(home))
    }

    pub(super) fn opt_out_or_in(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if !self.ignored && !seldom(rng) {
            return self.scale(home, rng);
        }
        self.ignored = !self.ignored;
        Operation::new("opt out or in", self.if_there(home))
    }

    pub(super) fn autoscale(&mut self, home: &str, rng: &mut Rng) -> Operation {
        let (least, more) = (rng.usize(1..4), rng.usize(..3));
        let spec = json!({
            "scaleTargetRef": { "apiVersion": "apps/v1", "kind": self.kind.as_str(), "name": self.name },
            "minReplicas": least, "maxReplicas": least + more,
        });
        let id = Id::new(Kind::Autoscaler, home, self.name.clone());
        Operation::new("autoscaler", vec![come_change_go(&mut self.with.autoscaler, id, spec, rng)])
    }

    pub(super) fn autoscale_by_events(&mut self, home: &str, rng: &mut Rng) -> Operation {
        let (least, more) = (rng.usize(..4), rng.usize(1..4));
        let spec = json!({
            "scaleTargetRef": { "kind": self.kind.as_str(), "name": self.name },
            "minReplicaCount": least, "maxReplicaCount": least + more,
        });
        let id = Id::new(Kind::ScaledObject, home, self.name.clone());
        Operation::new("scaled object", vec![come_change_go(&mut self.with.scaled_object, id, spec, rng)])
    }

    /// Under a name of its own, or under the one that ours would have.
    pub(super) fn budget_of_somebody(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if self.with.budget.is_none() && !seldom(rng) {
            return self.scale(home, rng);
        }
        let limits = [json!({ "maxUnavailable": 1 }), json!({ "minAvailable": "100%" }), json!({ "minAvailable": 1 })];
        let mut spec = limits[rng.usize(..3)].clone();
        spec["selector"] = json!({ "matchLabels": { "app": self.name } });
        let mut there = self.with.budget.is_some();
        let known = self.with.budget.take();
        // Where ours is, a person would change it, which is another operation.
        let ours = rng.u8(..4) == 0 && !self.there;
        let name = known.unwrap_or_else(|| if ours { self.our_budget() } else { format!("theirs-{}", self.name) });
        let step = come_change_go(&mut there, Id::new(Kind::Budget, home, name.clone()), spec, rng);
        self.with.budget = there.then_some(name);
        Operation::new("budget of somebody", vec![step])
    }

    /// For ever, or for a few seconds.
    pub(super) fn except(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if !self.with.exception && !seldom(rng) {
            return self.scale(home, rng);
        }
        let mut spec = json!({
            "target": { "kind": self.kind.as_str(), "name": self.name },
            "rules": ["budget-missing"], "reason": "churn", "owner": "churn",
        });
        if rng.bool() {
            spec["expiresAt"] = json!(format!("+{}", rng.u8(2..10)));
        }
        let id = Id::new(Kind::Exception, home, self.name.clone());
        Operation::new("exception", vec![come_change_go(&mut self.with.exception, id, spec, rng)])
    }

    /// A HelmRelease or Kustomization whose inventory lists it.
    pub(super) fn release(&mut self, home: &str, _: &mut Rng) -> Operation {
        self.with.release = !self.with.release;
        let id = Id::new(self.flux, home, self.name.clone());
        if !self.with.release {
            return Operation::new("release", vec![Step::Delete(id)]);
        }
        let entry = format!("{home}_{}_apps_{}", self.name, self.kind.as_str());
        let status = json!({ "inventory": { "entries": [{ "id": entry, "v": "v1" }] } });
        let made = Step::Apply(id.clone(), json!({ "spec": {} }));
        Operation::new("release", vec![made, Step::Tell(id, status)])
    }

    /// A pod of nobody's that its selector would match too.
    pub(super) fn stray(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if !self.with.stray && !seldom(rng) {
            return self.scale(home, rng);
        }
        self.with.stray = !self.with.stray;
        let id = Id::new(Kind::Pod, home, self.stray_name());
        let pod = json!({ "metadata": { "labels": { "app": self.name } }, "spec": containers(1) });
        Operation::new("stray pod", vec![if self.with.stray { Step::Apply(id, pod) } else { Step::Delete(id) }])
    }

    /// A person edits a budget of ours; later it is deleted, so that ours can come again.
    pub(super) fn edit_ours(&mut self, home: &str, rng: &mut Rng) -> Operation {
        if !self.with.edited && !seldom(rng) {
            return self.scale(home, rng);
        }
        self.with.edited = !self.with.edited;
        let id = Id::new(Kind::Budget, home, self.our_budget());
        let edit = json!({ "spec": { "maxUnavailable": rng.u8(2..9) } });
        Operation::new("edit ours", vec![if self.with.edited { Step::Edit(id, edit) } else { Step::Delete(id) }])
    }

    pub(super) fn delete_ours(&mut self, home: &str, _: &mut Rng) -> Operation {
        self.with.edited = false;
        Operation::new("delete ours", vec![Step::Delete(Id::new(Kind::Budget, home, self.our_budget()))])
    }

    /// Its present form, if it is there; else the change shows when it comes.
    fn if_there(&self, home: &str) -> Vec<Step> {
        self.there.then(|| self.made(home)).into_iter().collect()
    }

    fn id(&self, home: &str) -> Id {
        Id::new(self.kind, home, self.name.clone())
    }

    fn our_budget(&self) -> String {
        format!("{}-{}", self.name, self.kind.as_str().to_lowercase())
    }

    fn stray_name(&self) -> String {
        format!("stray-{}", self.name)
    }

    fn manifest(&self) -> Value {
        let mut metadata = json!({ "labels": { "tier": self.tier } });
        if self.ignored {
            metadata["annotations"] =
                json!({ "holdfast.dev/ignore": "budget-missing", "holdfast.dev/reason": "churn" });
        }
        let labels = json!({ "app": self.name, "tier": self.pods_tier });
        let mut spec = json!({
            "replicas": self.replicas,
            "selector": { "matchLabels": { "app": self.name } },
            "template": { "metadata": { "labels": labels }, "spec": containers(self.revision) },
        });
        match (self.kind == Kind::StatefulSet, self.runs) {
            (true, _) => spec["podManagementPolicy"] = json!("Parallel"),
            (false, true) => {}
            (false, false) => spec["paused"] = json!(true),
        }
        json!({ "metadata": metadata, "spec": spec })
    }
}

/// What takes a budget away begins seldom, so that most of what could have one has one.
fn seldom(rng: &mut Rng) -> bool {
    rng.u8(..5) == 0
}

fn replicas(rng: &mut Rng) -> usize {
    [0, 1, 1, 2, 2, 2, 3, 3][rng.usize(..8)]
}

fn containers(revision: usize) -> Value {
    let container = json!({ "name": "main", "image": format!("example.com/app:{revision}") });
    json!({ "terminationGracePeriodSeconds": 0, "containers": [container] })
}

/// Makes what isn't there; of what is there as much is changed as deleted.
fn come_change_go(there: &mut bool, id: Id, spec: Value, rng: &mut Rng) -> Step {
    let goes = *there && rng.bool();
    *there = !goes;
    if goes { Step::Delete(id) } else { Step::Apply(id, json!({ "spec": spec })) }
}
