//! Objects into the facts of a cluster, decoded as a watch decodes them.

use std::collections::{BTreeMap, BTreeSet};

use ecow::EcoString;
use foldhash::HashMap;
use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::facts::OfFiles;
use holdfast_model::repository::problems::ProblemKind;
use holdfast_model::shapes::{OfShape, Shape};
use holdfast_model::{Cluster, Kind, ObjectKey, Text};
use serde::de::DeserializeOwned;

use crate::decode::DecodeError;
use crate::flux::{HELM, KUSTOMIZE};
use crate::trouble::Trouble;
use crate::{Object, Origin};

/// What a cluster holds.
#[derive(Debug, Default)]
pub(crate) struct Observed {
    pub(crate) cluster: Cluster,
    pub(crate) policies: Vec<DisruptionPolicy>,
    pub(crate) security: Vec<NamespaceSecurityPolicy>,
    pub(crate) exceptions: Vec<PolicyException>,
    pub(crate) troubles: Vec<Trouble>,
    /// Namespaces that something is put into.
    used: Names,
    /// Namespaces that somebody wrote down, and where.
    written: BTreeMap<EcoString, Written>,
}

/// Where a namespace is written down: its metadata, and its labels, which a patch may give it.
#[derive(Clone, Copy, Debug)]
struct Written {
    at: Origin,
    labels: Option<Origin>,
}

/// Releases of which it isn't known what their pods are, by namespace and name, and whether they need the node.
pub(crate) type Unread = BTreeMap<(EcoString, EcoString), bool>;

impl Observed {
    /// Reads objects of the cluster, all of them in order.
    pub(super) fn take(&mut self, objects: &[Object]) {
        for object in objects {
            match kind(object) {
                Some(kind) => kind.with_shape(Decoding { cluster: &mut self.cluster, object }),
                None if object.group() == holdfast_api::GROUP => own(self, object),
                None => {}
            }
            if object.is("", "Namespace") {
                let metadata = object.root.get("metadata");
                let labels = metadata.and_then(|metadata| metadata.get("labels"));
                let at = metadata.unwrap_or(&object.root).origin;
                self.written.insert(object.name.clone(), Written { at, labels: labels.map(|labels| labels.origin) });
            }
            if !matches!(object.group(), KUSTOMIZE | HELM) {
                self.used.add(&object.namespace);
            }
        }
    }

    /// Adds namespaces that nobody wrote down: each is there all the same once something is put into it. `named` are those
    /// that only Flux and Helm name.
    pub(super) fn add_namespaces(&mut self, named: &BTreeSet<EcoString>) {
        for name in self.used.with(named).filter(|name| !self.written.contains_key(*name)) {
            self.cluster.assume_namespace(name);
        }
    }

    /// Notes what only files tell of namespaces that somebody wrote down; `unread` are releases, with their namespaces.
    pub(super) fn note_of_namespaces(&mut self, unread: &Unread) {
        let mut made: HashMap<Origin, usize> = HashMap::default();
        for written in self.written.values() {
            *made.entry(written.at).or_default() += 1;
        }
        for (name, Written { at, labels }) in &self.written {
            let here = unread.range((name.clone(), EcoString::new())..);
            let here = here.take_while(|((namespace, _), _)| namespace == name);
            let names = |of_node: bool| {
                let such = here.clone().filter(move |(_, needs)| **needs == of_node);
                such.map(|((_, release), _)| Text::from(release.as_str())).collect()
            };
            let of_a_patch = labels.is_some_and(|labels| labels.file() != at.file());
            let of_files = OfFiles {
                has_labels: labels.is_some(),
                shares_its_file: 1 < made[at] && !of_a_patch,
                unread: names(false),
                of_node: names(true),
            };
            self.cluster.note_of_files(name, of_files);
        }
    }
}

/// Names of namespaces.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<EcoString>);

impl Names {
    /// Adds a name, unless it is that of none.
    pub(super) fn add(&mut self, name: &EcoString) {
        if !name.is_empty() && !self.0.contains(name) {
            self.0.insert(name.clone());
        }
    }

    /// All of these and those, in order.
    pub(super) fn with<'a>(&'a self, others: &'a BTreeSet<EcoString>) -> impl Iterator<Item = &'a EcoString> {
        self.0.union(others)
    }
}

fn kind(object: &Object) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| object.is(kind.group(), kind.as_str()))
}

struct Decoding<'a> {
    cluster: &'a mut Cluster,
    object: &'a Object,
}

impl OfShape for Decoding<'_> {
    type Output = ();

    fn of<S: Shape>(self) {
        let Self { cluster, object } = self;
        match object.whole().decode::<S>() {
            Ok(shape) => {
                cluster.apply(shape);
            }
            Err(error) if is_unknown(object, &error) => {}
            Err(error) => {
                let key = ObjectKey::new(object.namespace.as_str(), object.name.as_str());
                cluster.apply_unreadable(S::KIND, &key, &error.to_string());
            }
        }
    }
}

/// Whether it only doesn't decode because the value of a variable isn't known here.
fn is_unknown(object: &Object, error: &DecodeError) -> bool {
    object.root.find(&error.field).node.as_str().is_some_and(|text| text.contains("${"))
}

/// Our own custom resources: what the cluster would honour is honoured here.
fn own(observed: &mut Observed, object: &Object) {
    match &*object.kind {
        "DisruptionPolicy" => match read(object) {
            Ok(policy) => observed.policies.push(policy),
            Err(error) => observed.troubles.push(unreadable(object, &error)),
        },
        "NamespaceSecurityPolicy" => match read(object) {
            Ok(policy) => observed.security.push(policy),
            Err(error) => observed.troubles.push(unreadable(object, &error)),
        },
        "PolicyException" => match read(object) {
            Ok(exception) => observed.exceptions.push(exception),
            Err(error) => observed.troubles.push(unreadable(object, &error)),
        },
        _ => {}
    }
}

fn read<T: DeserializeOwned>(object: &Object) -> Result<T, DecodeError> {
    object.whole().decode()
}

fn unreadable(object: &Object, error: &DecodeError) -> Trouble {
    let message = format!("{} {} can't be read, and is not honoured: {error}", object.kind, object.name);
    Trouble::in_file(ProblemKind::FileUnreadable, error.origin, message)
}
