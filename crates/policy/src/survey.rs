//! A namespace, indexed so that a selector finds what it covers without looking at every pod.
//!
//! Pods with the same labels and the same maker are one [`Group`]; each workload's template is in a group too, so that
//! what a selector *would* cover is found like what it covers. Built once for each plan; costs what the namespace holds.

use std::collections::BTreeSet;

use foldhash::{HashMap, HashMapExt as _};
use holdfast_model::facts::{Budget, Pod, Workload};
use holdfast_model::selector::Selector;
use holdfast_model::{Labels, NamespaceView, PodOwner, Text};

/// Pods and templates that look the same to every selector and have the same maker.
#[derive(Clone, Debug)]
pub struct Group<'a> {
    /// Their labels.
    pub labels: &'a Labels,
    /// Who makes them.
    pub maker: PodOwner,
    /// The pods that are there.
    pub pods: Vec<(&'a Text, &'a Pod)>,
}

/// A budget with its name.
pub(crate) type Named<'a> = (&'a Text, &'a Budget);

/// A namespace with an index by labels.
#[derive(Clone, Debug)]
pub struct Survey<'a> {
    /// What is surveyed.
    pub view: NamespaceView<'a>,
    groups: Vec<Group<'a>>,
    by_label: HashMap<(&'a Text, &'a Text), Vec<usize>>,
    budgets: Vec<Named<'a>>,
    /// Which budgets cover pods with these labels.
    covering: HashMap<&'a Labels, Vec<usize>>,
    /// Which budgets that we hold name this workload in their annotation.
    naming: HashMap<&'a str, Vec<usize>>,
}

impl<'a> Survey<'a> {
    /// Surveys a namespace.
    #[must_use]
    pub fn new(view: NamespaceView<'a>) -> Self {
        let groups = group(view);
        let mut by_label: HashMap<_, Vec<usize>> = HashMap::new();
        for (at, group) in groups.iter().enumerate() {
            for (key, value) in group.labels.iter() {
                by_label.entry((key, value)).or_default().push(at);
            }
        }
        let budgets = view.budgets().collect();
        let mut survey = Self { view, groups, by_label, budgets, covering: HashMap::new(), naming: HashMap::new() };
        survey.index_budgets();
        survey
    }

    fn index_budgets(&mut self) {
        for (at, (_, budget)) in self.budgets.iter().enumerate() {
            for group in budget.selection.selector().map(|selector| self.found(selector)).unwrap_or_default() {
                let covering = self.covering.entry(self.groups[group].labels).or_default();
                // Groups of other makers may have the same labels.
                if covering.last() != Some(&at) {
                    covering.push(at);
                }
            }
            if let Some(workload) = budget.workload.as_deref().filter(|_| budget.is_held()) {
                self.naming.entry(workload).or_default().push(at);
            }
        }
    }

    /// What a selector covers, now or as soon as it is made.
    pub fn covered(&self, selector: &Selector) -> Vec<&Group<'a>> {
        self.found(selector).into_iter().map(|at| &self.groups[at]).collect()
    }

    /// The budgets over what a selector covers, by name.
    pub fn budgets_over(&self, selector: &Selector) -> impl Iterator<Item = Named<'a>> {
        let covered = self.found(selector);
        let covering = covered.iter().filter_map(|at| self.covering.get(self.groups[*at].labels));
        let found: BTreeSet<usize> = covering.flatten().copied().collect();
        found.into_iter().map(|at| self.budgets[at])
    }

    /// All groups.
    pub(crate) fn groups(&self) -> &[Group<'a>] {
        &self.groups
    }

    /// The budgets that cover pods with these labels, by name.
    pub(crate) fn covering(&self, labels: &Labels) -> impl Iterator<Item = Named<'a>> {
        self.covering.get(labels).into_iter().flatten().map(|at| self.budgets[*at])
    }

    /// Whether a budget covers pods with the labels of this workload's template.
    #[must_use]
    pub fn has_budget(&self, workload: &Workload) -> bool {
        self.covering.contains_key(&workload.template)
    }

    /// The budgets that we hold and that name this workload in their annotation, by name.
    pub fn naming(&self, workload: &str) -> impl Iterator<Item = Named<'a>> {
        self.naming.get(workload).into_iter().flatten().map(|at| self.budgets[*at])
    }

    /// The groups that match, in order. Of the pairs that the selector demands the one that fewest groups have is looked
    /// up: a label that every workload of a chart has would find them all.
    pub(crate) fn found(&self, selector: &Selector) -> Vec<usize> {
        let matching = |at: &usize| selector.matches(self.groups[*at].labels);
        match selector.demands().min_by_key(|(key, values)| self.having(key, values).count()) {
            None => (0..self.groups.len()).filter(matching).collect(),
            Some((key, values)) => {
                // The same value may be listed twice, which the API accepts.
                let found: BTreeSet<usize> = self.having(key, values).collect();
                found.into_iter().filter(matching).collect()
            }
        }
    }

    /// The groups whose label of this key has one of these values.
    fn having<'s>(&'s self, key: &'s Text, values: &'s [Text]) -> impl Iterator<Item = usize> + 's {
        values.iter().filter_map(move |value| self.by_label.get(&(key, value))).flatten().copied()
    }
}

fn group(view: NamespaceView<'_>) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut known: HashMap<(&Labels, PodOwner), usize> = HashMap::new();
    let templates =
        view.workloads().map(|workload| (&workload.template, PodOwner::Workload(workload.id.clone()), None));
    let pods = view.pods().map(|(name, pod)| (&pod.labels, view.owner_of(pod), Some((name, pod))));
    for (labels, maker, pod) in templates.chain(pods) {
        let at = *known.entry((labels, maker.clone())).or_insert_with(|| {
            groups.push(Group { labels, maker, pods: Vec::new() });
            groups.len() - 1
        });
        groups[at].pods.extend(pod);
    }
    groups
}
