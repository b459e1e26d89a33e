//! Which files there are: in parallel, without what Git ignores, and never out of the checkout.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::{Broken, MOST_FILES, ReadError};

/// Folders that no cluster is made from: the store of Git itself, and what tools unpack.
const PASSED_OVER: [&str; 5] = [".git", "node_modules", ".terraform", ".venv", ".direnv"];

/// Deeper than any path that a person types.
const DEEPEST: usize = 64;

/// The files of a folder.
#[derive(Debug, Default)]
pub(super) struct Walked {
    pub(super) root: PathBuf,
    pub(super) paths: Vec<Arc<str>>,
    pub(super) broken: Vec<Broken>,
}

pub(super) fn walk(path: &Path) -> Result<Walked, ReadError> {
    let unreadable = |cause| ReadError::Unreadable { path: path.to_owned(), cause };
    let metadata = match std::fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => {
            return Err(ReadError::Missing { path: path.to_owned() });
        }
        Err(cause) => return Err(unreadable(cause)),
    };
    if metadata.is_file() {
        return Ok(single(path));
    }
    std::fs::read_dir(path).map_err(unreadable)?;
    let real = path.canonicalize().map_err(unreadable)?;
    let found = Mutex::new(Walked { root: path.to_owned(), ..Walked::default() });
    walker(path).build_parallel().run(|| Box::new(|entry| visit(entry, path, &real, &found)));
    let mut walked = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    if MOST_FILES < walked.paths.len() {
        return Err(ReadError::TooManyFiles { path: path.to_owned() });
    }
    walked.paths.sort_unstable();
    Ok(walked)
}

fn single(path: &Path) -> Walked {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let root = path.parent().map(Path::to_owned).unwrap_or_default();
    Walked { root, paths: vec![Arc::from(&*name)], broken: Vec::new() }
}

fn walker(path: &Path) -> WalkBuilder {
    let mut builder = WalkBuilder::new(path);
    builder.hidden(false).follow_links(false).git_global(false).ignore(false).max_depth(Some(DEEPEST));
    builder.filter_entry(|entry| !PASSED_OVER.iter().any(|name| entry.file_name() == *name));
    builder
}

fn visit(entry: Result<DirEntry, ignore::Error>, path: &Path, real: &Path, found: &Mutex<Walked>) -> WalkState {
    let step = match entry {
        Ok(entry) => step(&entry, path, real),
        Err(error) => Some(Err(broken_folder(&error, path))),
    };
    let Some(step) = step else { return WalkState::Continue };
    let mut found = found.lock().unwrap_or_else(PoisonError::into_inner);
    match step {
        Ok(path) => found.paths.push(path),
        Err(broken) => found.broken.push(broken),
    }
    if MOST_FILES < found.paths.len() { WalkState::Quit } else { WalkState::Continue }
}

/// A file, something broken, or a folder, of which there is nothing to say.
fn step(entry: &DirEntry, root: &Path, real: &Path) -> Option<Result<Arc<str>, Broken>> {
    let kind = entry.file_type()?;
    if kind.is_dir() {
        return None;
    }
    let path = relative(entry.path(), root)?;
    if kind.is_symlink() {
        return link(entry.path(), &path, real);
    }
    kind.is_file().then_some(Ok(path))
}

/// A link to a file of the checkout is that file; every other link is told of and not followed.
fn link(at: &Path, path: &Arc<str>, real: &Path) -> Option<Result<Arc<str>, Broken>> {
    let broken = |why: String| Some(Err(Broken { path: Arc::clone(path), at: None, why, link: true }));
    match at.canonicalize() {
        Ok(target) if !target.starts_with(real) => {
            broken("a link that leads out of the checkout, and is not followed".to_owned())
        }
        Ok(target) if target.is_file() => Some(Ok(Arc::clone(path))),
        // What tools keep for themselves; the folder itself is read where it stands.
        Ok(_) if path.split('/').any(|part| part.starts_with('.')) => None,
        Ok(_) => broken("a link to a folder, and is not followed".to_owned()),
        Err(error) => broken(format!("a link that leads nowhere: {error}")),
    }
}

fn relative(path: &Path, root: &Path) -> Option<Arc<str>> {
    let relative = path.strip_prefix(root).ok()?;
    let parts: Vec<_> = relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    (!parts.is_empty()).then(|| Arc::from(parts.join("/")))
}

fn broken_folder(error: &ignore::Error, root: &Path) -> Broken {
    let at = path_of(error).and_then(|path| relative(path, root)).unwrap_or_else(|| Arc::from("."));
    let why = error.io_error().map_or_else(|| error.to_string(), std::string::ToString::to_string);
    Broken { path: at, at: None, why: why.to_lowercase(), link: false }
}

fn path_of(error: &ignore::Error) -> Option<&Path> {
    // `ignore::Error` is theirs: what else there is carries no path.
    if let ignore::Error::WithPath { path, .. } = error {
        return Some(path);
    }
    if let ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } = error {
        return path_of(err);
    }
    None
}
