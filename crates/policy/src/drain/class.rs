//! Which nodes pods may come back on, as far as nodes alone decide it: the same for all pods that ask for the same.

use std::cell::RefCell;
use std::rc::Rc;

use foldhash::{HashMap, HashSet};
use holdfast_model::facts::{CORDON, Constraints, NodeTerms, Placement, Room, Taint, Toleration};
use holdfast_model::{Labels, Text};

use super::nodes::NodeEntry;

/// The values that a label has on some nodes.
type Domains = Rc<HashSet<Text>>;

/// The classes of pods, found when first asked for.
#[derive(Default)]
pub(super) struct Classes<'a> {
    by_placement: RefCell<HashMap<&'a Placement, usize>>,
    known: RefCell<HashMap<Key<'a>, usize>>,
    classes: RefCell<Vec<Rc<Class>>>,
    /// The first node, in the order of a class, on which so much fits while nothing has been moved.
    first_fits: RefCell<HashMap<(usize, Room), usize>>,
    domains: RefCell<HashMap<(usize, &'a Text), Domains>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
struct Key<'a> {
    selector: &'a Labels,
    nodes: &'a NodeTerms,
    tolerations: &'a [Toleration],
}

/// Nodes for pods of one kind.
#[derive(Debug, Default)]
pub(super) struct Class {
    /// Those that selector and affinity ask for.
    pub(super) wanted: Vec<usize>,
    /// Of these, those whose taints the pods bear.
    pub(super) borne: Vec<usize>,
    /// Whether the pods bear a cordon too, so that they come also where no others do.
    pub(super) bears_cordon: bool,
    /// Of these, those that take pods now, the one with most room first.
    pub(super) open: Vec<usize>,
    /// Whether one that is borne hasn't said yet whether it is ready, and what room it has.
    pub(super) silent: bool,
}

impl<'a> Classes<'a> {
    /// The number of a pod's class, and its nodes.
    pub(super) fn of(&self, placement: &'a Placement, nodes: &[NodeEntry<'a>]) -> (usize, Rc<Class>) {
        let at = *self.by_placement.borrow_mut().entry(placement).or_insert_with(|| self.find(placement, nodes));
        (at, Rc::clone(&self.classes.borrow()[at]))
    }

    fn find(&self, placement: &'a Placement, nodes: &[NodeEntry<'a>]) -> usize {
        let constraints: &'a Constraints = placement;
        let key =
            Key { selector: &constraints.selector, nodes: &constraints.nodes, tolerations: &constraints.tolerations };
        *self.known.borrow_mut().entry(key).or_insert_with(|| {
            let mut classes = self.classes.borrow_mut();
            classes.push(Rc::new(Class::new(constraints, nodes)));
            classes.len() - 1
        })
    }

    /// Where to begin looking for a node that has so much room: none before it has.
    pub(super) fn first_fit(&self, class: usize, open: &[usize], wanted: Room, nodes: &[NodeEntry<'a>]) -> usize {
        *self
            .first_fits
            .borrow_mut()
            .entry((class, wanted))
            .or_insert_with(|| open.iter().position(|node| nodes[*node].free().holds(wanted)).unwrap_or(open.len()))
    }

    /// The values that a label has on the nodes that pods of a class want.
    pub(super) fn domains(&self, class: usize, topology: &'a Text, nodes: &[NodeEntry<'a>]) -> Domains {
        let found = || {
            let wanted = &self.classes.borrow()[class].wanted;
            Rc::new(wanted.iter().filter_map(|node| nodes[*node].domain(topology).cloned()).collect())
        };
        Rc::clone(self.domains.borrow_mut().entry((class, topology)).or_insert_with(found))
    }

    /// Pods have moved: what is known of the room is out of date.
    pub(super) fn moved(&mut self) {
        self.first_fits.get_mut().clear();
    }
}

impl Class {
    fn new(constraints: &Constraints, nodes: &[NodeEntry<'_>]) -> Self {
        let cordon = Taint { key: CORDON.into(), value: Text::default(), evicts: false };
        let bears_cordon = constraints.repelled_by([&cordon]).is_none();
        let mut class = Self { bears_cordon, ..Self::default() };
        for (at, entry) in nodes.iter().enumerate() {
            if !constraints.wants(entry.name, &entry.node.labels) {
                continue;
            }
            class.wanted.push(at);
            // What tells of its state is a taint as well, but one that ends.
            if constraints.repelled_by(entry.node.lasting_taints()).is_some() {
                continue;
            }
            class.borne.push(at);
            let closed =
                entry.node.cordoned && !bears_cordon || constraints.repelled_by(entry.node.passing_taints()).is_some();
            match (closed, entry.node.ready, entry.node.allocatable) {
                (true, _, _) | (_, Some(false), _) => {}
                (false, Some(true), Some(_)) => class.open.push(at),
                (false, _, _) => class.silent = true,
            }
        }
        class.open.sort_by_key(|node| {
            let free = nodes[*node].free();
            (std::cmp::Reverse((free.cpu, free.memory)), *node)
        });
        class
    }
}
