//! A kustomization with all that it is made of: resources, generators, components, then the transformers, in Kustomize's
//! order.

use std::collections::BTreeSet;

use ecow::EcoString;

use super::api::{Entry, Files};
use super::collection::Collection;
use super::file::{Kustomization, Scalar};
use super::generator::{self, Kind};
use super::overlay::Overlay;
use super::problem::{ProblemKind, Problems};
use super::resource::Resource;
use super::{image, label, name, namespace, patch, path, replacement};
use crate::yaml::Refusal;
use crate::{Node, Origin};

/// The names that Kustomize looks for, in its order.
pub(crate) const FILE_NAMES: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "Kustomization"];

/// Whether Kustomize would look for a file of this name.
pub(crate) fn is_kustomization_file(path: &str) -> bool {
    FILE_NAMES.contains(&path.rsplit('/').next().unwrap_or(path))
}

/// More folders than any build has, each counted as often as it is built: folders that include others twice would
/// otherwise double the work at each level.
const MOST_FOLDERS: usize = 10_000;
/// Deeper than any row of bases.
const DEEPEST: usize = 64;

/// Files that Flux takes for no manifests when it makes a kustomization file itself.
const NO_MANIFESTS: [&str; 14] = [
    ".git",
    ".github",
    ".circleci",
    ".gitlab",
    ".travis.yml",
    ".gitlab-ci.yml",
    "appveyor.yml",
    ".drone.yml",
    "cloudbuild.yaml",
    "codeship-services.yml",
    "codeship-steps.yml",
    ".goreleaser.yml",
    ".goreleaser.yaml",
    ".sops.yaml",
];

/// A build under way.
pub(super) struct Builder<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) problems: Problems,
    pub(super) read: BTreeSet<String>,
    pub(super) sort: Option<Node>,
    pub(super) managed_by: bool,
    /// The folders that are being built, from the outermost.
    open: Vec<String>,
    folders: usize,
}

impl<'a> Builder<'a> {
    pub(super) fn new(files: &'a dyn Files) -> Self {
        Self {
            files,
            problems: Problems::default(),
            read: BTreeSet::new(),
            sort: None,
            managed_by: false,
            open: Vec::new(),
            folders: 0,
        }
    }

    /// Builds the folder that was asked for.
    pub(super) fn root(&mut self, folder: &str, overlay: &Overlay<'_>) -> Collection {
        let folder = folder.trim_matches('/');
        if !self.is_folder(folder, Origin::NONE) {
            return Collection::default();
        }
        let mut kustomization = match self.kustomization_file(folder) {
            Some(file) => file,
            None => Kustomization::over(self.scan(folder).into_iter()),
        };
        overlay.add_to(&mut kustomization, &mut self.problems);
        self.sort.clone_from(&kustomization.sort);
        self.managed_by = kustomization.managed_by;
        self.open.push(folder.to_owned());
        let built = self.run(folder, &kustomization, Collection::default(), overlay.ignores_missing_components());
        self.open.pop();
        overlay.add_common_metadata(built, &mut self.problems)
    }

    fn is_folder(&mut self, folder: &str, at: Origin) -> bool {
        let (kind, message) = match self.files.entry(folder) {
            Entry::Folder => return true,
            Entry::Missing => (ProblemKind::Missing, format!("there is no folder {folder}")),
            Entry::File => (ProblemKind::Missing, format!("{folder} is a file where a folder is needed")),
            Entry::Outside => (ProblemKind::OutOfCheckout, format!("{folder} leads out of the checkout")),
        };
        self.problems.add(kind, at, message);
        false
    }

    /// What the kustomization file of a folder says, when it has one.
    fn kustomization_file(&mut self, folder: &str) -> Option<Kustomization> {
        let here = |name: &&str| self.files.entry(&path::join(folder, name)) == Entry::File;
        let names: Vec<&str> = FILE_NAMES.into_iter().filter(here).collect();
        let file = path::join(folder, names.first()?);
        let documents = self.documents(&file, Origin::NONE);
        let Some(root) = documents.as_ref().and_then(|documents| documents.first()) else {
            if documents.is_some() {
                let at = self.files.id(&file).map_or(Origin::NONE, |id| Origin::new(id, 1, 1));
                self.problems.add(ProblemKind::Invalid, at, format!("{file} is empty"));
            }
            return Some(Kustomization::default());
        };
        if 1 < names.len() {
            let message = format!("there is more than one kustomization file in {folder}");
            self.problems.add(ProblemKind::Invalid, root.origin, message);
        }
        Some(Kustomization::read(root, &mut self.problems))
    }

    /// What Flux builds where there is no kustomization file: all YAML files, and folders that have one.
    fn scan(&self, folder: &str) -> Vec<EcoString> {
        let mut found = Vec::new();
        self.scan_below(folder, "", 0, &mut found);
        found
    }

    fn scan_below(&self, root: &str, below: &str, depth: usize, found: &mut Vec<EcoString>) {
        let folder = if below.is_empty() { root.to_owned() } else { path::join(root, below) };
        for name in self.files.list(&folder) {
            if NO_MANIFESTS.contains(&name.as_str()) {
                continue;
            }
            let relative = path::join(below, &name);
            let full = path::join(root, &relative);
            match self.files.entry(&full) {
                Entry::File if name.ends_with(".yaml") || name.ends_with(".yml") => found.push(relative.into()),
                Entry::Folder
                    if FILE_NAMES.iter().any(|file| self.files.entry(&path::join(&full, file)) == Entry::File) =>
                {
                    found.push(relative.into());
                }
                Entry::Folder if depth < DEEPEST => self.scan_below(root, &relative, depth + 1, found),
                Entry::File | Entry::Folder | Entry::Missing | Entry::Outside => {}
            }
        }
    }

    /// The documents of a file.
    pub(super) fn documents(&mut self, file: &str, at: Origin) -> Option<Vec<Node>> {
        self.read.insert(file.to_owned());
        match self.files.documents(file) {
            Ok(documents) => Some(documents.into_owned()),
            Err(error) => {
                let at =
                    if at.is_somewhere() { at } else { self.files.id(file).map_or(at, |id| Origin::new(id, 1, 1)) };
                self.problems.add(ProblemKind::Unreadable, at, format!("{file} can't be read: {error}"));
                None
            }
        }
    }

    /// The file that a path names.
    pub(super) fn file(&mut self, folder: &str, written: &Scalar) -> Option<String> {
        let (kind, message) = match path::resolve(folder, &written.text) {
            None => (ProblemKind::OutOfCheckout, format!("{} leads out of the checkout", written.text)),
            Some(file) => match self.files.entry(&file) {
                Entry::File => return Some(file),
                Entry::Outside => (ProblemKind::OutOfCheckout, format!("{} leads out of the checkout", written.text)),
                Entry::Folder => (ProblemKind::Missing, format!("{} is a folder where a file is needed", written.text)),
                Entry::Missing if path::is_remote(&written.text) => {
                    (ProblemKind::Remote, format!("{} is on a server, so it is passed over here", written.text))
                }
                Entry::Missing => (ProblemKind::Missing, format!("there is no {}", written.text)),
            },
        };
        self.problems.add(kind, written.at, message);
        None
    }

    fn run(&mut self, folder: &str, it: &Kustomization, mut all: Collection, lenient: bool) -> Collection {
        for resource in &it.resources {
            self.add_resource(folder, resource, it.namespace.as_ref(), &mut all);
        }
        for (kind, sources) in [(Kind::ConfigMap, &it.config_maps), (Kind::Secret, &it.secrets)] {
            for source in sources {
                if let Some(made) = generator::make(self, folder, kind, source, it.generator_options.as_ref()) {
                    all.absorb(made, &mut self.problems);
                }
            }
        }
        for component in &it.components {
            all = self.add_component(folder, component, it.namespace.as_ref(), all, lenient);
        }
        self.transform(folder, it, &mut all);
        all
    }

    fn transform(&mut self, folder: &str, it: &Kustomization, all: &mut Collection) {
        patch::apply_strategic(self, folder, &it.strategic_patches, all);
        patch::apply_all(self, folder, &it.patches, all);
        let problems = &mut self.problems;
        if let Some(namespace) = &it.namespace {
            namespace::set(all, namespace, problems);
        }
        if let Some(prefix) = &it.prefix {
            name::prefix(all, prefix);
        }
        if let Some(suffix) = &it.suffix {
            name::suffix(all, suffix);
        }
        it.labels.iter().for_each(|label| label::add_labels(all, label, problems));
        label::add_annotations(all, &it.annotations, problems);
        patch::apply_all(self, folder, &it.json_patches, all);
        let problems = &mut self.problems;
        it.replicas.iter().for_each(|replicas| name::set_replicas(all, replicas, problems));
        it.images.iter().for_each(|image| image::change(all, image, problems));
        replacement::apply_all(self, folder, &it.replacements, all);
        all.drop_empty();
        all.names_changed();
    }

    fn add_resource(&mut self, folder: &str, written: &Scalar, namespace: Option<&Scalar>, all: &mut Collection) {
        let target = path::resolve(folder, &written.text);
        if target.as_deref().is_some_and(|target| self.files.entry(target) == Entry::Folder) {
            let target = target.unwrap_or_default();
            let Some(it) = self.enter(&target, written, namespace) else { return };
            if it.is_component {
                let message = format!("{} is a component: it belongs under components", written.text);
                self.problems.add(ProblemKind::Invalid, written.at, message);
            }
            let built = self.run(&target, &it, Collection::default(), false);
            self.open.pop();
            all.append_all(built, &mut self.problems);
        } else if let Some(file) = self.file(folder, written) {
            let Some(documents) = self.documents(&file, written.at) else { return };
            if let Some(Refusal { at, message }) = self.files.refusal(&file) {
                self.problems.add(ProblemKind::Unreadable, at, format!("Kustomize refuses {file}: {message}"));
            }
            for object in self.objects(documents, &file) {
                all.append(Resource::new(object), &mut self.problems);
            }
        }
    }

    fn add_component(
        &mut self,
        folder: &str,
        written: &Scalar,
        namespace: Option<&Scalar>,
        all: Collection,
        lenient: bool,
    ) -> Collection {
        let Some(target) = path::resolve(folder, &written.text) else {
            let message = format!("{} leads out of the checkout", written.text);
            self.problems.add(ProblemKind::OutOfCheckout, written.at, message);
            return all;
        };
        let entry = self.files.entry(&target);
        if entry == Entry::Missing && lenient {
            return all;
        }
        if entry == Entry::Missing && path::is_remote(&written.text) {
            let message = format!("{} is on a server, so it is passed over here", written.text);
            self.problems.add(ProblemKind::Remote, written.at, message);
            return all;
        }
        if !self.is_folder(&target, written.at) {
            return all;
        }
        let Some(it) = self.enter(&target, written, namespace) else { return all };
        if !it.is_component {
            let message = format!("{} is no component: its kind has to be Component", written.text);
            self.problems.add(ProblemKind::Invalid, written.at, message);
        }
        let built = self.run(&target, &it, all, false);
        self.open.pop();
        built
    }

    /// Goes into a folder, and tells what its kustomization file says.
    fn enter(&mut self, folder: &str, written: &Scalar, namespace: Option<&Scalar>) -> Option<Kustomization> {
        if self.open.iter().any(|open| open == folder) {
            let message = format!("{} includes itself through {}", folder, self.open.join(", "));
            self.problems.add(ProblemKind::Cycle, written.at, message);
            return None;
        }
        self.folders += 1;
        if MOST_FOLDERS <= self.folders || DEEPEST <= self.open.len() {
            if MOST_FOLDERS == self.folders || DEEPEST <= self.open.len() {
                let message = format!("more than {MOST_FOLDERS} folders, or {DEEPEST} levels, are built for this");
                self.problems.add(ProblemKind::TooLarge, written.at, message);
            }
            return None;
        }
        let Some(mut it) = self.kustomization_file(folder) else {
            let message = format!("there is no kustomization file in {}", written.text);
            self.problems.add(ProblemKind::Missing, written.at, message);
            return None;
        };
        // Since Kustomize 5.8, so that charts of a base know the namespace.
        if it.namespace.is_none() {
            it.namespace = namespace.cloned();
        }
        self.open.push(folder.to_owned());
        Some(it)
    }

    /// The objects of documents: lists are taken apart, what is no object is told.
    fn objects(&mut self, documents: Vec<Node>, file: &str) -> Vec<Node> {
        let mut objects = Vec::new();
        let mut queue = std::collections::VecDeque::from(documents);
        while let Some(document) = queue.pop_front() {
            let kind = document.get("kind").and_then(Node::as_str).unwrap_or_default();
            let has_items = document.as_mapping().is_some_and(|mapping| mapping.get("items").is_some());
            if document.as_mapping().is_some_and(crate::Mapping::is_empty) {
                continue;
            }
            if kind.is_empty() {
                let message = format!("{file} holds something without a kind, which is no object");
                self.problems.add(ProblemKind::Unreadable, document.origin, message);
            } else if kind.ends_with("List") && has_items {
                queue.extend(document.get("items").map(Node::items).unwrap_or_default().iter().cloned());
            } else if document.at(&["metadata", "name"]).and_then(Node::text).is_none_or(|name| name.is_empty())
                && !kind.ends_with("List")
            {
                let message = format!("{file} holds a {kind} without metadata.name");
                self.problems.add(ProblemKind::Unreadable, document.origin, message);
            } else {
                objects.push(document);
            }
        }
        objects
    }
}
