//! `depends-on-cycle`: things that wait for each other.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use holdfast_model::repository::Identity;
use holdfast_model::{ObjectKey, Repository};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::DependsOnCycle,
    domain: Domain::Flux,
    severity: Severity::High,
    summary: "things of Flux depend on each other in a circle",
    prose: include_str!("depends_on_cycle.md"),
    check: Check::Files(check),
};

/// Everything of one kind with what it depends on.
type Graph<'a> = BTreeMap<ObjectKey, (&'a Identity, &'a [ObjectKey])>;

fn check(repository: &Repository, answers: &mut Answers) {
    let flux = &repository.flux;
    let kustomizations = flux.kustomizations.iter().map(|it| (&it.identity, it.depends_on.as_slice()));
    let releases = flux.releases.iter().map(|it| (&it.identity, it.depends_on.as_slice()));
    let keyed = |(identity, depends_on)| (key(identity), (identity, depends_on));
    for graph in [kustomizations.map(keyed).collect::<Graph<'_>>(), releases.map(keyed).collect()] {
        let mut told: Vec<ObjectKey> = Vec::new();
        let knotted = knotted(&graph);
        for (start, (identity, depends_on)) in graph.iter().filter(|(_, (_, depends_on))| !depends_on.is_empty()) {
            let circle = if knotted.contains(start) { circle(start, &graph) } else { None };
            match circle {
                None => answers.holds(),
                // Once for each circle: at the first of those in it.
                Some(circle) if circle.iter().any(|key| told.contains(key)) => {}
                Some(circle) => {
                    let next = circle.get(1).unwrap_or(start);
                    let index = depends_on.iter().position(|key| key == next).unwrap_or_default();
                    let names: Vec<&str> = circle.iter().chain([start]).map(|key| key.name.as_str()).collect();
                    let message =
                        format!("a circle of dependencies: {}; none of them is ever applied", names.join(" -> "));
                    let problem = Problem::at(
                        format!("spec.dependsOn[{index}].name"),
                        message,
                        "remove one of these dependencies",
                    );
                    answers.fails(identity, problem);
                    told.extend(circle);
                }
            }
        }
    }
}

fn key(identity: &Identity) -> ObjectKey {
    ObjectKey { namespace: identity.subject.namespace.clone(), name: identity.subject.name.clone() }
}

/// What is left when all is taken away that waits for nothing that is left: circles, and what waits for them.
fn knotted<'a>(graph: &'a Graph<'_>) -> BTreeSet<&'a ObjectKey> {
    let mut waiting: BTreeMap<&ObjectKey, Vec<&ObjectKey>> = BTreeMap::new();
    let mut left: BTreeMap<&ObjectKey, usize> = BTreeMap::new();
    for (key, (_, depends_on)) in graph {
        let known = depends_on.iter().filter(|other| graph.contains_key(other));
        left.insert(key, known.clone().count());
        known.for_each(|other| waiting.entry(other).or_default().push(key));
    }
    let mut free: Vec<&ObjectKey> = left.iter().filter(|(_, count)| **count == 0).map(|(key, _)| *key).collect();
    while let Some(key) = free.pop() {
        left.remove(key);
        for other in waiting.get(key).into_iter().flatten() {
            if let Some(count) = left.get_mut(other) {
                *count -= 1;
                if *count == 0 {
                    free.push(other);
                }
            }
        }
    }
    left.into_keys().collect()
}

/// The shortest way from one back to itself, without the end.
fn circle(start: &ObjectKey, graph: &Graph<'_>) -> Option<Vec<ObjectKey>> {
    let mut from: BTreeMap<&ObjectKey, &ObjectKey> = BTreeMap::new();
    let mut queue = VecDeque::from([start]);
    while let Some(at) = queue.pop_front() {
        let Some((_, depends_on)) = graph.get(at) else { continue };
        for next in *depends_on {
            if next == start {
                let mut way = vec![at.clone()];
                let mut step = at;
                while let Some(before) = from.get(step) {
                    way.push((*before).clone());
                    step = before;
                }
                way.reverse();
                return Some(way);
            }
            if !from.contains_key(next) {
                from.insert(next, at);
                queue.push_back(next);
            }
        }
    }
    None
}
