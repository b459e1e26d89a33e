//! A checkout, read: the public face of this crate.
//!
//! The only place where the steps meet: read the files, find where clusters begin, follow each, expand its HelmReleases,
//! join what a renderer printed, and turn it all into facts. Nothing here decides anything about a finding.

use std::collections::{BTreeSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use ecow::EcoString;
use foldhash::{HashMap, HashSet};
use holdfast_api::{DisruptionPolicy, NamespaceSecurityPolicy, PolicyException};
use holdfast_model::repository::problems::{FILE, Problem, ProblemKind, Problems};
use holdfast_model::repository::{Checked, Inventory};
use holdfast_model::{Cluster, Position, Repository, Subject};

use crate::assemble::{self, Gathered, Places, Sources, Unread};
use crate::checkout::{Broken, ReadError, Tree};
use crate::facts::{self, FileFacts, Paths};
use crate::flux::{self, KUSTOMIZE, Root, RootKind, SOURCE};
use crate::helm::{self, Expanded, HelmOptions};
use crate::raw::{Raw, unpacked};
use crate::trouble::Trouble;
use crate::yaml::{self, Limits};
use crate::{FileId, Node, Object, rendered};

/// How a checkout is read.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// How HelmReleases are rendered.
    pub helm: HelmOptions,
    /// What renderers printed, to be joined to the files.
    pub rendered: Vec<Stream>,
}

/// Manifests that a renderer printed.
#[derive(Clone, Debug)]
pub struct Stream {
    /// What it is called in a report: the name of a file, or `<stdin>`.
    pub name: String,
    /// The manifests.
    pub text: Vec<u8>,
}

/// A checkout that was read.
#[derive(Debug, Default)]
pub struct Checkout {
    /// Its clusters, by the paths at which they begin.
    pub clusters: Vec<ClusterFiles>,
    /// What concerns none of them or all: workflows, documents, files that can't be read or that nobody reaches. Its
    /// inventory is that of the whole checkout.
    pub repository: Repository,
    /// The files; a `Locate` that knows no objects.
    pub sources: Arc<Sources>,
}

/// A cluster of a checkout.
#[derive(Debug, Default)]
pub struct ClusterFiles {
    /// The folder in which it begins; empty for the checkout itself.
    pub name: String,
    /// The facts that the controller would have of it.
    pub cluster: Cluster,
    /// The facts that only its files have.
    pub repository: Repository,
    /// The policies about budgets that would be in force.
    pub policies: Vec<DisruptionPolicy>,
    /// The policies about Pod Security levels that would be in force.
    pub security: Vec<NamespaceSecurityPolicy>,
    /// The exceptions that would be in force.
    pub exceptions: Vec<PolicyException>,
    /// Where everything was written.
    pub places: Places,
}

/// Reads a checkout.
///
/// # Errors
/// When there is nothing at the path, or it can't be read at all. Whatever is wrong below it is a fact of the checkout.
pub fn read(root: &Path, options: &Options) -> Result<Checkout, ReadError> {
    let mut tree = Tree::read(root)?;
    let facts = tree.take_facts();
    let raw = Raw::new(&tree);
    let mut parts: Vec<Part> = flux::roots(&tree, &raw).iter().map(|root| Part::follow(&tree, &raw, root)).collect();
    let streams = Streams::read(&options.rendered, tree.paths().len());
    let sources = Arc::new(Sources::new(&tree, streams.texts));
    let mut repository = of_files(facts, &tree, &raw, &parts, &sources);
    repository.problems.list.extend(streams.problems);
    drop(raw);
    // What objects don't share isn't needed any more; beside what follows, since much is freed as slowly as it was made.
    let documents = tree.take_documents();
    rayon::spawn(move || drop(documents));
    if streams.documents.is_empty() {
        let clusters = parts.into_iter().map(|part| part.finish_in_pieces(&tree, &options.helm, &sources));
        return Ok(finish(clusters.collect(), repository, sources));
    }
    parts.iter_mut().for_each(|part| part.expand(&tree, &options.helm));
    join_streams(&mut parts, streams.documents);
    Ok(finish(parts.into_iter().map(|part| part.finish(&sources)).collect(), repository, sources))
}

/// Reads what a renderer printed, without any files.
#[must_use]
pub fn read_stream(stream: Stream) -> Checkout {
    let streams = Streams::read(&[stream], 0);
    let mut parts = Vec::new();
    join_streams(&mut parts, streams.documents);
    let sources = Arc::new(Sources::new(&Tree::default(), streams.texts));
    let mut repository = Repository::default();
    repository.problems.list.extend(streams.problems);
    finish(parts.into_iter().map(|part| part.finish(&sources)).collect(), repository, sources)
}

/// So many objects are taken in at once, or releases expanded: enough for every processor, and little beside a checkout.
const PIECE: usize = 128;

/// A cluster on its way.
#[derive(Debug, Default)]
struct Part {
    name: String,
    flux: bool,
    objects: Vec<Object>,
    reached: HashSet<FileId>,
    troubles: Vec<Trouble>,
    asked: usize,
    charts: HashMap<usize, EcoString>,
    checked: Vec<Checked>,
    namespaces: BTreeSet<EcoString>,
    /// The releases of which it isn't known what their pods are, by namespace, and whether they need the node.
    unread: Unread,
}

impl Part {
    fn follow(tree: &Tree, raw: &Raw<'_>, root: &Root) -> Self {
        let followed = flux::follow(tree, raw, root);
        Self {
            name: root.folder.clone(),
            flux: root.kind == RootKind::Flux,
            objects: followed.objects,
            reached: followed.reached,
            troubles: followed.troubles,
            asked: followed.asked,
            ..Self::default()
        }
    }

    /// What its releases come to beside everything else, for what has to be joined to all of it.
    fn expand(&mut self, tree: &Tree, options: &HelmOptions) {
        self.look_around();
        for release in helm::expand(tree, &self.objects, &helm::known(&self.objects), options) {
            let objects = self.take(release);
            self.objects.extend(objects);
        }
    }

    /// Notes what is known of the objects before any release is expanded.
    fn look_around(&mut self) {
        let targets = self.objects.iter().filter(|object| object.is(KUSTOMIZE, "Kustomization"));
        let targets = targets.filter_map(|object| object.root.at(&["spec", "targetNamespace"])?.as_str());
        self.namespaces = targets.map(EcoString::from).collect();
        self.charts = helm::charts(&self.objects, &helm::known(&self.objects));
    }

    fn take(&mut self, release: Expanded) -> Vec<Object> {
        if !release.is_read {
            self.unread.insert((release.namespace.clone(), release.name), release.is_of_node);
        }
        self.namespaces.insert(release.namespace);
        self.troubles.extend(release.trouble);
        self.checked.extend(release.checked);
        release.objects
    }

    fn problems(&self, paths: &dyn Paths) -> Problems {
        let mut problems = Problems::default();
        problems.list = self.troubles.iter().map(|it| it.told(paths)).collect();
        for kind in OF_KUSTOMIZATIONS {
            let with: BTreeSet<Subject> = problems.of(kind).map(|problem| problem.subject.clone()).collect();
            problems.fine(kind, self.asked.saturating_sub(with.len()));
        }
        problems
    }

    /// Lets the values of objects go as soon as their facts are known, and expands releases piece by piece: all of it at
    /// once is several times the size of the files.
    fn finish_in_pieces(mut self, tree: &Tree, options: &HelmOptions, sources: &Arc<Sources>) -> ClusterFiles {
        // What releases refer to has to be known before the first of them.
        self.objects.sort_by_key(helm::is_release);
        self.look_around();
        let mut place = self.objects.partition_point(|object| !helm::is_release(object));
        let mut releases = VecDeque::from(self.objects.split_off(place));
        let mut others = VecDeque::from(std::mem::take(&mut self.objects));
        let mut gathered = Gathered::new(sources);
        let mut referred = Vec::new();
        while !others.is_empty() {
            let piece = first(&mut others);
            gathered.take(&piece, |_| None);
            referred.extend(piece.into_iter().filter(is_referred_to));
        }
        let known = helm::known(&referred);
        while !releases.is_empty() {
            let piece = first(&mut releases);
            gathered.take(&piece, |at| self.charts.get(&(place + at)));
            place += piece.len();
            let expanded = helm::expand(tree, &piece, &known, options);
            drop(piece);
            let objects: Vec<Object> = expanded.into_iter().flat_map(|release| self.take(release)).collect();
            gathered.take(&objects, |_| None);
        }
        self.told(gathered, sources)
    }

    /// The same of objects that are all there, with what a renderer printed, to which every release may have come.
    fn finish(mut self, sources: &Arc<Sources>) -> ClusterFiles {
        self.unread.clear();
        let mut gathered = Gathered::new(sources);
        gathered.take(&self.objects, |place| self.charts.get(&place));
        self.told(gathered, sources)
    }

    fn told(mut self, gathered: Gathered, sources: &Arc<Sources>) -> ClusterFiles {
        self.namespaces.remove("");
        let (observed, mut repository, places) = gathered.finish(&self.namespaces, &self.unread);
        repository.problems = self.problems(&**sources);
        repository.problems.list.extend(observed.troubles.iter().map(|it| it.told(&**sources)));
        repository.problems.list.sort_by(|a, b| a.position.cmp(&b.position));
        repository.helm.checked.extend(self.checked);
        ClusterFiles {
            cluster: observed.cluster,
            policies: observed.policies,
            security: observed.security,
            exceptions: observed.exceptions,
            places,
            repository,
            name: self.name,
        }
    }
}

/// The next piece.
fn first(objects: &mut VecDeque<Object>) -> Vec<Object> {
    objects.drain(..PIECE.min(objects.len())).collect()
}

/// Whether a release may refer to it: for its chart, or for values.
fn is_referred_to(object: &Object) -> bool {
    object.group() == SOURCE || ["data", "stringData"].iter().any(|field| object.root.get(field).is_some())
}

/// What each Kustomization is asked for.
const OF_KUSTOMIZATIONS: [ProblemKind; 6] = [
    ProblemKind::BuildFailed,
    ProblemKind::PatchUnmatched,
    ProblemKind::Unsupported,
    ProblemKind::PathMissing,
    ProblemKind::VariableUndefined,
    ProblemKind::SubstitutionFailed,
];

/// What was printed, read.
struct Streams {
    documents: Vec<Node>,
    texts: Vec<(Arc<str>, String)>,
    problems: Vec<Problem>,
}

impl Streams {
    /// Streams are numbered after the files.
    fn read(streams: &[Stream], files: usize) -> Self {
        let mut read = Self { documents: Vec::new(), texts: Vec::new(), problems: Vec::new() };
        for (number, stream) in streams.iter().enumerate() {
            let name: Arc<str> = Arc::from(stream.name.as_str());
            let id = FileId::new(files + number).unwrap_or(FileId::NONE);
            // A renderer prints a whole cluster at once.
            let limits = Limits { bytes: 256 << 20, ..Limits::default() };
            let parsed = yaml::parse(id, &stream.text, &limits);
            read.documents.extend(parsed.documents.iter().flat_map(unpacked).cloned());
            read.problems.extend(parsed.error.map(|error| {
                let at = Some((error.at.line(), error.at.column()));
                unreadable(&Broken { path: Arc::clone(&name), at, why: error.message, link: false })
            }));
            read.texts.push((name, String::from_utf8_lossy(&stream.text).into_owned()));
        }
        read
    }
}

/// Each object goes to the first cluster that knows it; what none knows to the first there is, or to one of its own.
fn join_streams(parts: &mut Vec<Part>, documents: Vec<Node>) {
    if documents.is_empty() {
        return;
    }
    let mut left = documents;
    for part in parts.iter_mut() {
        left = rendered::join(&mut part.objects, left).into_iter().map(|object| object.root).collect();
    }
    if parts.is_empty() {
        parts.push(Part::default());
    }
    let confidence = holdfast_model::Confidence::Rendered;
    let objects = left.into_iter().filter_map(|root| flux::object(root, None));
    parts[0].objects.extend(objects.map(|object| Object { confidence, ..object }));
}

/// The facts of the checkout as a whole.
fn of_files(facts: FileFacts, tree: &Tree, raw: &Raw<'_>, parts: &[Part], sources: &Sources) -> Repository {
    let mut repository = facts.into_repository();
    for path in tree.paths().iter().filter(|path| facts::wants_text(path)) {
        if let Some(text) = sources.text(path) {
            facts::read_text(path, &text, &mut repository);
        }
    }
    facts::read_tree(tree.paths(), &mut repository);
    repository.problems.list.extend(tree.broken().iter().map(unreadable));
    repository.problems.fine(ProblemKind::FileUnreadable, tree.files().len().saturating_sub(tree.broken().len()));
    let reached: Vec<_> = parts.iter().filter(|part| part.flux).map(|part| &part.reached).collect();
    let dead = assemble::unreachable(tree, raw, &reached);
    let inventory = &mut repository.inventory;
    inventory.files = tree.files().len();
    inventory.templates = tree.templates();
    let live: BTreeSet<FileId> = reached.iter().flat_map(|files| files.iter().copied()).collect();
    inventory.reached = live.iter().filter_map(|id| tree.path(*id)).cloned().collect();
    inventory.unreachable = dead.iter().filter_map(|id| tree.path(*id)).cloned().collect();
    inventory.left_out = assemble::left_out(&inventory.unreachable, sources);
    assemble::unreached_items(inventory, raw, &dead, sources);
    repository
}

fn unreadable(broken: &Broken) -> Problem {
    let (line, column) = broken.at.unwrap_or((1, 1));
    Problem {
        kind: if broken.link { ProblemKind::Unsupported } else { ProblemKind::FileUnreadable },
        subject: Subject { kind: FILE, namespace: "".into(), name: (&*broken.path).into() },
        position: Some(Position { file: Arc::clone(&broken.path), line, column }),
        message: broken.why.clone(),
    }
}

fn finish(mut clusters: Vec<ClusterFiles>, mut repository: Repository, sources: Arc<Sources>) -> Checkout {
    for cluster in &mut clusters {
        repository.gather(&mut cluster.repository);
        add(&mut repository.inventory, &cluster.repository.inventory);
    }
    Checkout { clusters, repository, sources }
}

/// Adds what is in a cluster to what is in the checkout.
fn add(whole: &mut Inventory, part: &Inventory) {
    whole.namespaces.extend(part.namespaces.iter().cloned());
    whole.namespaces.sort();
    whole.namespaces.dedup();
    let lists = [
        (&mut whole.helm_releases, &part.helm_releases),
        (&mut whole.kustomizations, &part.kustomizations),
        (&mut whole.workloads, &part.workloads),
        (&mut whole.budgets, &part.budgets),
    ];
    for (all, some) in lists {
        all.items.extend(some.items.iter().cloned());
        all.items.sort_by_cached_key(|item| (item.position.clone(), item.namespace.clone(), item.name.clone()));
    }
}

#[cfg(test)]
mod tests;
