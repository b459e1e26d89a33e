//! The tables at the end: what was, what is, and what only a person can mend.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table, presets::UTF8_FULL_CONDENSED};
use holdfast_policy::disruption::{Outcome, WorkloadState};
use holdfast_policy::drain::{NodeForecast, Verdict};
use holdfast_policy::{Finding, NamespacePlan, Severity};

use super::picture::Picture;

/// The cluster in numbers, before anything is done.
pub(crate) fn before(title: &str, picture: &Picture) -> String {
    let evictions = picture.evictions();
    let missing = count(picture, |outcome| outcome.state() == WorkloadState::Missing);
    let blocked = findings(picture).filter(|finding| finding.severity == Severity::Critical).count();
    let workloads = picture.plans.iter().map(|plan| plan.outcomes.len()).sum::<usize>();
    let namespaces = picture.plans.iter().filter(|plan| !plan.outcomes.is_empty()).count();
    let mut told = format!(
        "{title}: {workloads} Deployments and StatefulSets in {namespaces} namespaces.\n  \
         {missing:>3} could lose all their pods to one drain: they have no disruption budget.\n  \
         {blocked:>3} times a budget makes a drain impossible.",
    );
    if 0 < evictions.ready {
        told.push_str(&format!(
            "\n  {:>3} of {} pods: the Eviction API refuses, asked without evicting.",
            evictions.refused, evictions.ready
        ));
    }
    told
}

/// What is different now.
pub(crate) fn changes(before: &Picture, after: &Picture) -> String {
    let mut table = new_table(["Namespace", "Workload", "Replicas", "Before", "After"]);
    for (plan, outcome) in outcomes(after) {
        let was = described(before, plan, outcome);
        let is = described(after, plan, outcome);
        if was != is {
            table.add_row([plan.namespace.to_string(), outcome.workload.to_string(), replicas(outcome), was, is]);
        }
    }
    let evictions = after.evictions();
    format!(
        "What Holdfast changed\n{table}\n  {} budgets of ours; still refused by the Eviction API: {} of {} pods, all because of budgets that aren't ours.",
        after.plans.iter().map(|plan| plan.owned).sum::<usize>(),
        evictions.refused,
        evictions.ready,
    )
}

/// What draining each node would do, before and after.
pub(crate) fn drains(before: &Picture, after: &Picture) -> String {
    let mut table = new_table(["Node", "Before", "After", "Who stands in the way now"]);
    for node in &after.forecast.nodes {
        let was = before.forecast.nodes.iter().find(|known| known.node == node.node).map_or_else(String::new, verdict);
        let mut names: Vec<String> = node
            .blockers
            .iter()
            .flat_map(|blocker| {
                let named = blocker.budgets.iter().chain(blocker.unseal());
                named.map(|name| format!("{}/{name}", blocker.pod.namespace))
            })
            .collect();
        names.sort();
        names.dedup();
        table.add_row([node.node.to_string(), was, verdict(node), names.join(", ")]);
    }
    let blocked = after.forecast.count(Verdict::Blocks);
    let nodes = after.forecast.nodes.len();
    format!(
        "Drain forecast (`holdfast drain` says how to mend it)\n{table}\n  {blocked} of {nodes} nodes can't be drained."
    )
}

fn verdict(node: &NodeForecast) -> String {
    match node.blockers.len() {
        0 => node.verdict.as_str().to_owned(),
        1 => format!("{} (1 pod)", node.verdict.as_str()),
        pods => format!("{} ({pods} pods)", node.verdict.as_str()),
    }
}

/// What only a person can mend, worst first.
pub(crate) fn attention(picture: &Picture) -> String {
    let mut found: Vec<&Finding> = findings(picture).filter(|finding| Severity::Low < finding.severity).collect();
    found.sort_by(|a, b| a.order(b));
    let mut table = new_table(["", "Object", "What is wrong, and what to do", "Edit"]);
    for finding in &found {
        let owner = finding.owner.as_ref().map_or_else(|| "the object itself".to_owned(), ToString::to_string);
        table.add_row([finding.severity.to_string(), finding.subject.to_string(), finding.sentence(), owner]);
    }
    format!("What needs you ({} findings; `docs/rules/` says more)\n{table}", found.len())
}

/// What is right as it is, and why.
pub(crate) fn left_alone(picture: &Picture) -> String {
    let number = |state| count(picture, |outcome| outcome.state() == state);
    format!(
        "Left alone on purpose: {} with one replica (a budget would only block the drain), {} scaled to zero, {} that somebody \
         else's budget or operator looks after, {} for which none can be made, {} excepted.",
        number(WorkloadState::Singleton),
        number(WorkloadState::ScaledToZero),
        number(WorkloadState::Yielded),
        number(WorkloadState::Unable),
        number(WorkloadState::Excepted),
    )
}

fn described(picture: &Picture, plan: &NamespacePlan, outcome: &Outcome) -> String {
    let budgets = picture.budgets_of(&plan.namespace, &outcome.workload);
    if budgets.is_empty() {
        let exposed = 1 < outcome.bounds.ceiling;
        return if exposed { "no budget: all may go at once".to_owned() } else { "no budget needed".to_owned() };
    }
    let refused = picture.refused.get(&(plan.namespace.clone(), outcome.workload.clone()));
    let blocked = refused.is_some_and(|evictions| 0 < evictions.ready && evictions.refused == evictions.ready);
    let told =
        budgets.iter().map(|(name, limit, ours)| format!("{limit} ({})", if *ours { "ours" } else { name.as_str() }));
    let told = told.collect::<Vec<_>>().join(", ");
    if blocked { format!("{told}: blocks a drain") } else { told }
}

fn replicas(outcome: &Outcome) -> String {
    let bounds = outcome.bounds;
    if bounds.floor == bounds.ceiling {
        bounds.floor.to_string()
    } else {
        format!("{}-{}", bounds.floor, bounds.ceiling)
    }
}

fn outcomes(picture: &Picture) -> impl Iterator<Item = (&NamespacePlan, &Outcome)> {
    picture.plans.iter().flat_map(|plan| plan.outcomes.iter().map(move |outcome| (plan, outcome)))
}

fn findings(picture: &Picture) -> impl Iterator<Item = &Finding> {
    picture.plans.iter().flat_map(|plan| &plan.findings).filter(|finding| finding.excepted.is_none())
}

fn count(picture: &Picture, is_meant: impl Fn(&Outcome) -> bool) -> usize {
    outcomes(picture).filter(|(_, outcome)| is_meant(outcome)).count()
}

/// A table as wide as the terminal.
pub(crate) fn new_table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    if table.width().is_none() {
        table.set_width(140);
    }
    table.set_header(header.map(|title| Cell::new(title).set_alignment(CellAlignment::Left)));
    table
}
