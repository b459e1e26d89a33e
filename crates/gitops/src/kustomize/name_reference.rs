//! Names in other objects follow when an object is renamed: a prefix, a suffix, a hash, another namespace.

use ecow::EcoString;
use foldhash::{HashMap, HashSet};

use super::collection::Collection;
use super::field_spec::{FieldSpec, Leaf, NotAContainer};
use super::id::{Gvk, Id};
use super::problem::{ProblemKind, Problems};
use super::reference_fields::{ALL, Target};
use super::resource::Resource;
use crate::{Node, Value};

/// An object that was called otherwise once, and so may be meant by an old name.
struct Candidate {
    id: Id,
    previous: Vec<Id>,
    prefixes: Vec<EcoString>,
    suffixes: Vec<EcoString>,
}

impl Candidate {
    fn of(resource: &Resource) -> Self {
        Self {
            id: resource.id(),
            previous: resource.previous_ids().collect(),
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }
}

/// Where an object is and was, as far as a namespace in a reference is concerned.
struct Seen {
    id: Id,
    first_namespace: EcoString,
}

/// Whoever names an object.
struct Referrer {
    id: Id,
    prefixes: Vec<EcoString>,
    suffixes: Vec<EcoString>,
    /// Namespaces of the service accounts that a RoleBinding names.
    bound: HashSet<EcoString>,
    role: Option<Gvk>,
}

/// Rewrites every name that means an object which is called otherwise now.
pub(super) fn follow(all: &mut Collection, problems: &mut Problems) {
    // Most kinds are named by nobody.
    let is_named = |it: &&Resource| it.previous_kinds().any(|kind| ALL.iter().any(|row| row.target.2 == *kind));
    let candidates: Vec<Candidate> = all.list.iter().filter(is_named).map(Candidate::of).collect();
    if candidates.is_empty() {
        return;
    }
    let mut by_kind: HashMap<EcoString, Vec<&Candidate>> = HashMap::default();
    for candidate in &candidates {
        let kinds: HashSet<&EcoString> = candidate.previous.iter().map(|id| &id.gvk.kind).collect();
        kinds.into_iter().for_each(|kind| by_kind.entry(kind.clone()).or_default().push(candidate));
    }
    let rows: Vec<_> = ALL.iter().filter_map(|row| Some((row, by_kind.get(row.target.2)?))).collect();
    let seen: Vec<Seen> = all
        .list
        .iter()
        .map(|it| Seen { id: it.id(), first_namespace: it.original_id().effective_namespace() })
        .collect();
    for resource in &mut all.list {
        let first = resource.original_id().gvk;
        let mut referrer = None;
        for (row, candidates) in &rows {
            for field in row.fields.iter().filter(|field| field.applies_to(&first)) {
                let referrer = referrer.get_or_insert_with(|| Referrer::of(resource));
                let search = Search { target: row.target, field, referrer, all: candidates, seen: &seen };
                follow_one(&mut resource.root, &search, problems);
            }
        }
    }
}

fn follow_one(root: &mut Node, search: &Search<'_>, problems: &mut Problems) {
    let mut ambiguous = None;
    let mut set = |node: &mut Node| {
        if let Err(Ambiguous(name)) = search.rewrite(node) {
            ambiguous = Some((name, node.origin));
        }
        Ok(())
    };
    // A path through something else is an object that no server takes; it is judged as it is.
    let _: Result<(), NotAContainer> = search.field.visit(root, Leaf::Nothing, crate::Origin::NONE, &mut set);
    if let Some((name, at)) = ambiguous {
        let message = format!("{name} could mean several of kind {}", search.target.2);
        problems.add(ProblemKind::Clash, at, message);
    }
}

/// A name that several objects had.
struct Ambiguous(EcoString);

struct Search<'a> {
    target: Target,
    field: &'a FieldSpec,
    referrer: &'a Referrer,
    all: &'a [&'a Candidate],
    seen: &'a [Seen],
}

impl Search<'_> {
    fn rewrite(&self, node: &mut Node) -> Result<(), Ambiguous> {
        match &mut node.value {
            Value::Null => Ok(()),
            Value::Sequence(items) => {
                if !items.iter().any(|item| item.as_mapping().is_some() || self.changes(item)) {
                    return Ok(());
                }
                items.make_mut().iter_mut().try_for_each(|item| match item.as_mapping() {
                    Some(_) => self.rewrite_mapping(item),
                    None => self.rewrite_scalar(item),
                })
            }
            Value::Mapping(_) => self.rewrite_mapping(node),
            Value::Bool(_) | Value::Integer(_) | Value::Float(_) | Value::String(_) => self.rewrite_scalar(node),
        }
    }

    fn changes(&self, node: &Node) -> bool {
        node.text().is_some_and(|name| self.all.iter().any(|candidate| was_called(candidate, &name)))
    }

    fn rewrite_scalar(&self, node: &mut Node) -> Result<(), Ambiguous> {
        let Some(name) = node.text() else { return Ok(()) };
        let same = |one: &Candidate, two: &Candidate| one.id.name == two.id.name;
        if let Some(meant) = self.find(&name, None, same)?
            && meant.id.name != name
        {
            node.value = Value::String(meant.id.name.clone());
        }
        Ok(())
    }

    fn rewrite_mapping(&self, node: &mut Node) -> Result<(), Ambiguous> {
        let Some(name) = node.get("name").and_then(Node::text) else { return Ok(()) };
        let namespace = node.get("namespace").map(|namespace| namespace.text().unwrap_or_default());
        let same =
            |one: &Candidate, two: &Candidate| one.id.name == two.id.name && one.id.namespace == two.id.namespace;
        let Some(meant) = self.find(&name, namespace.as_ref(), same)? else { return Ok(()) };
        let origin = node.origin;
        let Some(mapping) = node.as_mapping_mut() else { return Ok(()) };
        super::resource::put(mapping, "name", Value::String(meant.id.name.clone()), crate::Origin::NONE);
        if !meant.id.namespace.is_empty() {
            let at = mapping.entry("namespace").map_or(origin, |entry| entry.at);
            super::resource::put(mapping, "namespace", Value::String(meant.id.namespace.clone()), at);
        }
        Ok(())
    }

    /// The object that a name means, if it is one of those that were renamed.
    fn find(
        &self,
        name: &str,
        namespace: Option<&EcoString>,
        same: impl Fn(&Candidate, &Candidate) -> bool,
    ) -> Result<Option<&Candidate>, Ambiguous> {
        let visible = self.all.iter().copied().filter(|candidate| self.referrer.sees(&candidate.id));
        let visible: Vec<&Candidate> = self.in_namespace(visible, namespace);
        let (group, version, kind) = self.target;
        let mut found: Vec<&Candidate> = visible
            .into_iter()
            .filter(|candidate| was_called(candidate, name))
            .filter(|candidate| candidate.previous.iter().any(|id| id.gvk.is_selected(group, version, kind)))
            .filter(|candidate| self.is_role(candidate))
            .filter(|candidate| self.referrer.shares_namespace(candidate))
            .collect();
        if 1 < found.len() || found.is_empty() {
            found.retain(|candidate| self.referrer.shares_affixes(candidate, true));
        }
        if 1 < found.len() {
            found.retain(|candidate| self.referrer.shares_affixes(candidate, false));
        }
        match found.as_slice() {
            [] => Ok(None),
            [one, rest @ ..] if rest.iter().all(|other| same(one, other)) => Ok(Some(one)),
            [_, ..] => Err(Ambiguous(name.into())),
        }
    }

    /// Those that were in the namespace first; only when nothing at all was, those that are in it now.
    fn in_namespace<'a>(
        &self,
        all: impl Iterator<Item = &'a Candidate>,
        namespace: Option<&EcoString>,
    ) -> Vec<&'a Candidate> {
        let Some(namespace) = namespace else { return all.collect() };
        let is_first = |seen: &Seen| {
            !seen.id.gvk.is_cluster_scoped() && seen.first_namespace == *namespace && self.referrer.sees(&seen.id)
        };
        let by_first = self.seen.iter().any(is_first);
        let is_in = |candidate: &&Candidate| match candidate.previous.first() {
            Some(first) if by_first => first.effective_namespace() == *namespace,
            Some(_) | None => candidate.id.effective_namespace() == *namespace,
        };
        all.filter(is_in).collect()
    }

    /// A role is meant by its kind too.
    fn is_role(&self, candidate: &Candidate) -> bool {
        match &self.referrer.role {
            Some(role) if self.field.path.ends_with("roleRef/name") => {
                candidate.previous.iter().any(|id| id.gvk.is_selected(&role.group, &role.version, &role.kind))
            }
            Some(_) | None => true,
        }
    }
}

fn was_called(candidate: &Candidate, name: &str) -> bool {
    candidate.previous.iter().any(|id| id.name == name)
}

impl Referrer {
    fn of(resource: &Resource) -> Self {
        let id = resource.id();
        Self {
            bound: if id.gvk.kind == "RoleBinding" { bound_namespaces(&resource.root) } else { HashSet::default() },
            role: role(&resource.root),
            id,
            prefixes: resource.prefixes.clone(),
            suffixes: resource.suffixes.clone(),
        }
    }

    /// Whether it could mean the object at all.
    fn sees(&self, other: &Id) -> bool {
        self.id.gvk.is_cluster_scoped()
            || other.gvk.is_cluster_scoped()
            || self.is_in(other)
            || self.bound.contains(&other.namespace)
    }

    fn is_in(&self, other: &Id) -> bool {
        self.id.effective_namespace() == other.effective_namespace()
    }

    fn shares_namespace(&self, candidate: &Candidate) -> bool {
        self.id.gvk.is_cluster_scoped()
            || candidate.id.gvk.is_cluster_scoped()
            || candidate.id.gvk.kind == "ServiceAccount"
            || self.is_in(&candidate.id)
    }

    /// Whether both were renamed by the same overlays.
    fn shares_affixes(&self, candidate: &Candidate, or_has_none: bool) -> bool {
        let same = |ours: &[EcoString], theirs: &[EcoString]| {
            or_has_none && (ours.is_empty() || theirs.is_empty()) || same_end(ours, theirs)
        };
        same(&self.prefixes, &candidate.prefixes) && same(&self.suffixes, &candidate.suffixes)
    }
}

/// Whether the shorter row is the end of the longer one; an empty row is only that of an empty one.
fn same_end(one: &[EcoString], two: &[EcoString]) -> bool {
    let length = one.len().min(two.len());
    if length == 0 {
        return one.len() == two.len();
    }
    one[one.len() - length..] == two[two.len() - length..]
}

fn bound_namespaces(root: &Node) -> HashSet<EcoString> {
    let subjects = root.get("subjects").map(Node::items).unwrap_or_default().iter();
    let accounts = subjects.filter(|subject| subject.get("kind").and_then(Node::as_str) == Some("ServiceAccount"));
    accounts.filter_map(|subject| subject.get("namespace").and_then(Node::text)).collect()
}

fn role(root: &Node) -> Option<Gvk> {
    let reference = root.get("roleRef")?;
    let (group, kind) = (reference.get("apiGroup")?.text()?, reference.get("kind")?.text()?);
    Some(Gvk { group, version: EcoString::new(), kind })
}
