//! A namespace, indexed so that a selector finds what it covers without looking at every pod.
//!
//! Pods with the same labels and the same maker are one [`Group`]; each workload's template is in a group too, so that
//! what a selector *would* cover is found like what it covers. Built once for each plan; costs what the namespace holds.

use std::collections::{BTreeSet, HashMap};

use holdfast_model::facts::Pod;
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

/// A namespace with an index by labels.
#[derive(Clone, Debug)]
pub struct Survey<'a> {
    /// What is surveyed.
    pub view: NamespaceView<'a>,
    groups: Vec<Group<'a>>,
    by_label: HashMap<(&'a Text, &'a Text), Vec<usize>>,
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
        Self { view, groups, by_label }
    }

    /// What a selector covers, now or as soon as it is made.
    pub fn covered(&self, selector: &Selector) -> Vec<&Group<'a>> {
        let matching = |group: &&Group<'a>| selector.matches(group.labels);
        match selector.pairs() {
            None => self.groups.iter().filter(matching).collect(),
            Some((key, values)) => {
                // The same value may be listed twice, which the API accepts.
                let found = values.iter().filter_map(|value| self.by_label.get(&(key, value))).flatten();
                let found: BTreeSet<usize> = found.copied().collect();
                found.into_iter().map(|at| &self.groups[at]).filter(matching).collect()
            }
        }
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
