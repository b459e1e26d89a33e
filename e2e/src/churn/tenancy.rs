//! A few namespaces and what happens in them: workloads come, go, scale and roll, autoscalers and budgets of others with
//! them. Which operation comes next follows from the seed and from the operations before it, never from the cluster.
//!
//! The number of workloads stays about the same, and whatever is made for one goes with it.

use fastrand::Rng;
use serde_json::{Value, json};

use super::step::{Id, Kind, Operation, Step};
use super::workload::Workload;

/// The label by which policies select namespaces.
pub(super) const HOME: &str = "churn";
/// Its values, and the tiers by which policies select workloads.
pub(super) const GROUPS: [&str; 2] = ["a", "b"];

/// Namespaces in which one operation follows another.
pub(super) struct Tenancy {
    rng: Rng,
    homes: Vec<Home>,
    /// For names that were never used before.
    serial: usize,
}

/// One namespace.
struct Home {
    number: usize,
    name: String,
    group: Option<&'static str>,
    /// Whether somebody's budget covers a whole tier.
    wide: bool,
    workloads: Vec<Workload>,
}

/// What may be done to a workload, and how often out of a hundred.
type Change = fn(&mut Workload, &str, &mut Rng) -> Operation;
const CHANGES: [(u32, Change); 13] = [
    (20, Workload::scale),
    (14, Workload::roll),
    (9, Workload::come_or_go),
    (8, Workload::relabel),
    (4, Workload::opt_out_or_in),
    (10, Workload::autoscale),
    (9, Workload::autoscale_by_events),
    (12, Workload::budget_of_somebody),
    (4, Workload::except),
    (3, Workload::release),
    (2, Workload::stray),
    (3, Workload::edit_ours),
    (2, Workload::delete_ours),
];

impl Tenancy {
    /// So many namespaces, with so many workloads each; `first` is the number of the first namespace. Of the workloads
    /// every `running`th has pods.
    pub(super) fn new(mut rng: Rng, first: usize, homes: usize, workloads: usize, running: usize) -> Self {
        let mut serial = 0;
        let homes = (first..first + homes).map(|number| {
            let group = Some(GROUPS[number % GROUPS.len()]);
            let workloads = (0..workloads).map(|at| {
                serial += 1;
                Workload::new(format!("w{at}-{serial}"), at % running == 0, &mut rng)
            });
            Home { number, name: format!("churn-{number}"), group, wide: false, workloads: workloads.collect() }
        });
        let homes = homes.collect();
        Self { rng, homes, serial }
    }

    /// Makes the namespaces with what is in them.
    pub(super) fn beginning(&self) -> Vec<Operation> {
        self.homes.iter().map(|home| Operation::new("begin", home.made())).collect()
    }

    /// What happens next.
    pub(super) fn next(&mut self) -> Operation {
        let at = self.rng.usize(..self.homes.len());
        let home = &mut self.homes[at];
        match self.rng.u32(..400) {
            0..2 => home.remake(&mut self.rng, &mut self.serial),
            2..12 => home.relabel(&mut self.rng),
            12..18 if home.wide || self.rng.u8(..4) == 0 => home.budget_over_a_tier(),
            18..48 => home.replace(&mut self.rng, &mut self.serial),
            _ => home.change(&mut self.rng),
        }
    }
}

impl Home {
    fn change(&mut self, rng: &mut Rng) -> Operation {
        let workload = rng.usize(..self.workloads.len());
        let workload = &mut self.workloads[workload];
        let mut lot = rng.u32(..CHANGES.iter().map(|(weight, _)| weight).sum::<u32>());
        let chosen = CHANGES.iter().find(|(weight, _)| match lot.checked_sub(*weight) {
            Some(left) => {
                lot = left;
                false
            }
            None => true,
        });
        let (_, change) = chosen.expect("invariant: the lot is below the sum of the weights");
        change(workload, &self.name, rng)
    }

    /// One goes for good, with everything that was made for it, and another comes.
    fn replace(&mut self, rng: &mut Rng, serial: &mut usize) -> Operation {
        let at = rng.usize(..self.workloads.len());
        let old = &self.workloads[at];
        *serial += 1;
        let new = Workload::new(format!("w{at}-{serial}"), old.runs(), rng);
        let mut steps = old.gone(&self.name);
        rng.shuffle(&mut steps);
        steps.push(new.made(&self.name));
        self.workloads[at] = new;
        Operation::new("replace", steps)
    }

    fn relabel(&mut self, rng: &mut Rng) -> Operation {
        let (a, b) = (Some(GROUPS[0]), Some(GROUPS[1]));
        self.group = [a, a, a, b, b, b, None][rng.usize(..7)];
        Operation::new("label a namespace", vec![self.namespace()])
    }

    fn budget_over_a_tier(&mut self) -> Operation {
        self.wide = !self.wide;
        let id = Id::new(Kind::Budget, &self.name, "wide");
        let selector = json!({ "matchLabels": { "tier": GROUPS[0] } });
        let step = match self.wide {
            true => Step::Apply(id, json!({ "spec": { "maxUnavailable": 1, "selector": selector } })),
            false => Step::Delete(id),
        };
        Operation::new("a budget over a tier", vec![step])
    }

    /// The namespace is deleted with all that is in it; it comes back under its name, or another in its place.
    fn remake(&mut self, rng: &mut Rng, serial: &mut usize) -> Operation {
        let old = Id::new(Kind::Namespace, "", self.name.clone());
        let mut steps = vec![Step::Delete(old.clone())];
        match rng.bool() {
            true => steps.push(Step::AwaitGone(old)),
            false => {
                *serial += 1;
                self.name = format!("churn-{}-{serial}", self.number);
            }
        }
        self.wide = false;
        self.workloads.iter_mut().for_each(Workload::forget);
        steps.extend(self.made());
        Operation::new("remake a namespace", steps)
    }

    fn namespace(&self) -> Step {
        let labels: Value = self.group.map_or(json!({}), |group| json!({ HOME: group }));
        Step::Apply(Id::new(Kind::Namespace, "", self.name.clone()), json!({ "metadata": { "labels": labels } }))
    }

    fn made(&self) -> Vec<Step> {
        let workloads = self.workloads.iter().filter(|workload| workload.is_there());
        std::iter::once(self.namespace()).chain(workloads.map(|workload| workload.made(&self.name))).collect()
    }
}
