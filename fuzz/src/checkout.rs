//! Inputs that are a checkout: files, each behind a line `== path`, read as YAML and built with Kustomize.
//!
//! Nothing panics, every build ends, a second one gives the same, and what was read decodes or says why it doesn't.

use std::borrow::Cow;

use holdfast_gitops::kustomize::{Build, Entry, Files, Overlay, Unreadable, build};
use holdfast_gitops::yaml::{Dialect, Limits, Refusal, parse_as};
use holdfast_gitops::{FileId, Node};
use holdfast_model::shapes::Deployment;

/// How an input begins that is a checkout.
const MARK: &[u8] = b"== ";

/// Small, so that the fuzzer finds them.
const LIMITS: Limits = Limits { bytes: 1 << 16, depth: 64, aliased: 10_000 };

/// Whether the input is a checkout.
#[must_use]
pub fn is_checkout(bytes: &[u8]) -> bool {
    bytes.starts_with(MARK)
}

/// Reads and builds a checkout.
///
/// # Panics
/// When something doesn't hold: that is what is looked for.
pub fn check(bytes: &[u8]) {
    let files = Checkout::of(bytes);
    for (_, content) in &files.files {
        [Dialect::Flux, Dialect::Kubernetes].into_iter().for_each(|dialect| check_file(dialect, content));
    }
    let built = build("top", &files, &Overlay::none());
    let again = build("top", &files, &Overlay::none());
    assert!(built.objects.len() == again.objects.len() && told(&built) == told(&again), "a build is a function");
    for object in &built.objects {
        drop(object.decode::<Deployment>().map_err(|error| error.to_string()));
        drop(object.find("spec.template.spec.containers[0].image").node.to_json());
    }
}

fn check_file(dialect: Dialect, content: &[u8]) {
    let Some(file) = FileId::new(0) else { return };
    for document in parse_as(dialect, file, content, &LIMITS).documents {
        let json = document.to_json();
        // Infinity and what is no number become null.
        assert!(Node::from(&json).to_json() == json, "JSON is read as it was");
    }
}

fn told(built: &Build) -> String {
    let objects: Vec<_> = built.objects.iter().map(Node::to_json).collect();
    format!("{objects:?}{:?}", built.problems)
}

/// A checkout in memory.
struct Checkout {
    files: Vec<(String, Vec<u8>)>,
}

impl Checkout {
    fn of(bytes: &[u8]) -> Self {
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            match (line.strip_prefix(MARK), files.last_mut()) {
                (Some(path), _) => files.push((String::from_utf8_lossy(path).trim().to_owned(), Vec::new())),
                (None, Some((_, content))) => content.extend_from_slice(line),
                (None, None) => {}
            }
        }
        Self { files }
    }

    fn find(&self, path: &str) -> Option<&[u8]> {
        self.files.iter().find(|(file, _)| file == path).map(|(_, content)| content.as_slice())
    }
}

impl Files for Checkout {
    fn entry(&self, path: &str) -> Entry {
        let below = |file: &str| path.is_empty() || file.strip_prefix(path).is_some_and(|rest| rest.starts_with('/'));
        match self.find(path) {
            Some(_) => Entry::File,
            None if self.files.iter().any(|(file, _)| below(file)) => Entry::Folder,
            None => Entry::Missing,
        }
    }

    fn list(&self, folder: &str) -> Vec<String> {
        let prefix = if folder.is_empty() { String::new() } else { format!("{folder}/") };
        let below = self.files.iter().filter_map(|(file, _)| file.strip_prefix(&prefix));
        let mut names: Vec<String> = below.filter_map(|rest| rest.split('/').next()).map(ToOwned::to_owned).collect();
        names.sort();
        names.dedup();
        names
    }

    fn documents(&self, path: &str) -> Result<Cow<'_, [Node]>, Unreadable> {
        let unreadable = || Unreadable("it isn't there".to_owned());
        let (content, id) = (self.find(path).ok_or_else(unreadable)?, self.id(path).ok_or_else(unreadable)?);
        let parsed = parse_as(Dialect::Flux, id, content, &LIMITS);
        match parsed.error {
            Some(error) => Err(Unreadable(error.to_string())),
            None => Ok(Cow::Owned(parsed.documents)),
        }
    }

    fn refusal(&self, path: &str) -> Option<Refusal> {
        parse_as(Dialect::Flux, self.id(path)?, self.find(path)?, &LIMITS).refusal()
    }

    fn bytes(&self, path: &str) -> Result<Cow<'_, [u8]>, Unreadable> {
        self.find(path).map(Cow::Borrowed).ok_or_else(|| Unreadable("it isn't there".to_owned()))
    }

    fn id(&self, path: &str) -> Option<FileId> {
        self.files.iter().position(|(file, _)| file == path).and_then(FileId::new)
    }
}
