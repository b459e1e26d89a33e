//! Follows Kustomizations from a root, round by round.
//!
//! In a round everything whose variables are known is built at once; what is built may be Kustomizations for the next.
//! What waits for a ConfigMap that is never built gets what the checkout has under that name, else its variables count as
//! unknown. Each Kustomization is followed once, so a cycle ends by itself.

use std::collections::{BTreeSet, VecDeque};

use ecow::EcoString;
use foldhash::{HashMap, HashSet};
use holdfast_model::facts::{FluxKind, FluxOwner};
use holdfast_model::repository::problems::ProblemKind;
use holdfast_model::{Confidence, ObjectKey};
use rayon::prelude::*;

use super::build::{self, Built};
use super::kustomization::{Kustomization, SourceRef, VariableRef};
use super::roots::{Root, RootKind, urls_of};
use super::variables::Variables;
use super::{OPERATOR, SOURCE, resource_set};
use crate::checkout::Tree;
use crate::raw::{Raw, unpacked};
use crate::scope::is_cluster_wide;
use crate::trouble::Trouble;
use crate::{FileId, Node, Object, Origin};

/// More Kustomizations than any cluster has; an operator that makes them without end is stopped.
const MOST: usize = 20_000;

/// What a cluster comes to.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    pub(crate) objects: Vec<Object>,
    pub(crate) reached: HashSet<FileId>,
    pub(crate) troubles: Vec<Trouble>,
    /// How many Kustomizations were asked, and how many of them had no problem of a kind.
    pub(crate) asked: usize,
}

/// Follows a cluster from its root.
pub(crate) fn follow(tree: &Tree, raw: &Raw<'_>, root: &Root) -> Followed {
    let mut walk = Walk {
        tree,
        raw,
        root,
        followed: Followed::default(),
        known: HashMap::default(),
        seen: HashSet::default(),
        queue: VecDeque::new(),
    };
    match &root.kind {
        RootKind::Flux => walk.enqueue(root_kustomization(root)),
        RootKind::Overlay => {
            let built = build::overlay(tree, &root.folder);
            walk.absorb(built, None);
        }
        RootKind::Plain(files) => walk.plain(files),
    }
    walk.run();
    walk.followed
}

fn root_kustomization(root: &Root) -> Kustomization {
    let (namespace, name) = &root.key;
    match &root.object {
        Some(object) => Kustomization::new(object, namespace, name),
        None => {
            let made = Kustomization::new(&Node::made(crate::Value::Null), namespace, name);
            Kustomization { path: Some(root.folder.clone()), source: root.source.clone(), ..made }
        }
    }
}

struct Walk<'a> {
    tree: &'a Tree,
    raw: &'a Raw<'a>,
    root: &'a Root,
    followed: Followed,
    /// Objects by kind, namespace and name.
    known: HashMap<(EcoString, EcoString, EcoString), usize>,
    seen: HashSet<(EcoString, EcoString)>,
    queue: VecDeque<Kustomization>,
}

impl Walk<'_> {
    fn run(&mut self) {
        while !self.queue.is_empty() {
            let waiting: Vec<Kustomization> = self.queue.drain(..).collect();
            let with: Vec<_> = waiting.into_iter().map(|it| (self.variables(&it, false), it)).collect();
            let (ready, blocked): (Vec<_>, Vec<_>) = with.into_iter().partition(|(variables, _)| variables.is_some());
            let jobs: Vec<(Variables, Kustomization)> = if ready.is_empty() {
                blocked.into_iter().map(|(_, it)| (self.variables(&it, true).unwrap_or_default(), it)).collect()
            } else {
                self.queue.extend(blocked.into_iter().map(|(_, it)| it));
                ready.into_iter().filter_map(|(variables, it)| Some((variables?, it))).collect()
            };
            let built: Vec<Built> =
                jobs.par_iter().map(|(variables, it)| build::kustomization(self.tree, it, variables)).collect();
            for (built, (_, kustomization)) in built.into_iter().zip(&jobs) {
                self.absorb(built, Some(kustomization));
            }
        }
    }

    /// Puts a Kustomization into the queue, unless it was there already or can't be followed.
    fn enqueue(&mut self, kustomization: Kustomization) {
        let key = (kustomization.namespace.clone(), kustomization.name.clone());
        if MOST <= self.seen.len() || !self.seen.insert(key) {
            return;
        }
        self.followed.asked += 1;
        if let Some(source) = self.foreign(&kustomization) {
            let message = format!(
                "it is built from {} {}/{}, another source than this checkout, and isn't followed",
                source.kind, source.namespace, source.name
            );
            self.trouble(ProblemKind::Unsupported, &kustomization, message);
            return;
        }
        match kustomization.path.as_deref() {
            Some(folder) if self.tree.has_folder(folder) => self.queue.push_back(kustomization),
            Some(folder) => {
                let message = format!("there is no folder {folder:?} in this checkout, so nothing is applied");
                self.trouble(ProblemKind::PathMissing, &kustomization, message);
            }
            None => {
                let message = "its path leads out of the repository, so nothing is applied".to_owned();
                self.trouble(ProblemKind::PathMissing, &kustomization, message);
            }
        }
    }

    fn trouble(&mut self, kind: ProblemKind, kustomization: &Kustomization, message: String) {
        self.followed.troubles.push(Trouble::of(kind, kustomization, kustomization.path_at, message));
    }

    /// The source of a Kustomization, when it is known to be another than that of the root.
    fn foreign(&self, kustomization: &Kustomization) -> Option<SourceRef> {
        let source = kustomization.source.as_ref()?;
        if self.root.source.as_ref().is_some_and(|own| own.kind == source.kind && own.name == source.name) {
            return None;
        }
        let mut urls: BTreeSet<EcoString> = urls_of(source, self.raw).collect();
        urls.extend(self.built_url(source));
        let other = !urls.is_empty() && urls.is_disjoint(&self.root.urls);
        other.then(|| source.clone())
    }

    fn built_url(&self, source: &SourceRef) -> Option<EcoString> {
        let key = (source.kind.clone(), source.namespace.clone(), source.name.clone());
        let object = &self.followed.objects[*self.known.get(&key)?];
        let url = object.root.at(&["spec", "url"])?.as_str()?;
        (object.group() == SOURCE).then(|| super::roots::normal_url(url))
    }

    /// The variables of a Kustomization; none while an object that holds some may still be built.
    fn variables(&self, kustomization: &Kustomization, now: bool) -> Option<Variables> {
        let mut variables = Variables::default();
        for reference in &kustomization.substitute_from {
            let built = self.built(kustomization, reference);
            match built {
                Some(object) => variables.extend_from(&object.root),
                None if !now => return None,
                None => match self.written(kustomization, reference) {
                    Some(root) => variables.extend_from(root),
                    None => variables.open(),
                },
            }
        }
        variables.extend(kustomization.spec.at(&["postBuild", "substitute"]));
        Some(variables)
    }

    fn built(&self, kustomization: &Kustomization, reference: &VariableRef) -> Option<&Object> {
        let key = (reference.kind.clone(), kustomization.namespace.clone(), reference.name.clone());
        self.known.get(&key).map(|place| &self.followed.objects[*place])
    }

    fn written(&self, kustomization: &Kustomization, reference: &VariableRef) -> Option<&Node> {
        let near = self.raw.nearest(&reference.kind, &kustomization.namespace, &reference.name, &self.root.folder);
        near.map(|object| object.root)
    }

    fn plain(&mut self, files: &[FileId]) {
        for file in files.iter().filter_map(|id| self.tree.file_of(*id)) {
            self.followed.reached.insert(file.id);
            for root in file.documents.iter().flat_map(unpacked) {
                self.take(root.clone(), None, None);
            }
        }
    }

    fn absorb(&mut self, built: Built, kustomization: Option<&Kustomization>) {
        self.followed.reached.extend(built.files);
        self.followed.troubles.extend(built.troubles);
        let owner = kustomization.map(|it| FluxOwner {
            kind: FluxKind::Kustomization,
            key: ObjectKey::new(it.namespace.as_str(), it.name.as_str()),
        });
        let labelled = kustomization.map(|it| it.at);
        for root in built.objects {
            self.take(root, owner.as_ref(), labelled);
        }
    }

    /// Takes an object in: the first of a name is the one that counts. What is labelled is so by who is named there.
    fn take(&mut self, root: Node, owner: Option<&FluxOwner>, labelled: Option<Origin>) {
        let Some(object) = object(root, owner) else { return };
        let object = Object { labelled, ..object };
        let key = (object.kind.clone(), object.namespace.clone(), object.name.clone());
        if self.known.contains_key(&key) {
            return;
        }
        self.known.insert(key, self.followed.objects.len());
        if object.is(OPERATOR, "ResourceSet") {
            let (objects, troubles) = resource_set::expand(&object);
            self.followed.objects.push(object);
            self.followed.troubles.extend(troubles);
            for root in objects {
                self.take(root, owner, None);
            }
            return;
        }
        let inner = Kustomization::read(&object);
        self.followed.objects.push(object);
        if let Some(inner) = inner {
            self.enqueue(inner);
        }
    }
}

/// A document as an object; none when it is none.
pub(crate) fn object(root: Node, owner: Option<&FluxOwner>) -> Option<Object> {
    let text = |node: Option<&Node>| node.and_then(Node::as_str).map(EcoString::from);
    let (api_version, kind) = (text(root.get("apiVersion"))?, text(root.get("kind"))?);
    // Kustomize gives one to every kind that it doesn't know, and Flux takes it away from those that stand in none.
    let namespace = text(root.at(&["metadata", "namespace"])).filter(|_| !is_cluster_wide(&api_version, &kind));
    Some(Object {
        api_version,
        kind,
        namespace: namespace.unwrap_or_default(),
        name: text(root.at(&["metadata", "name"]))?,
        confidence: Confidence::Declared,
        owner: owner.cloned(),
        labelled: None,
        root,
    })
}

#[cfg(test)]
mod tests;
