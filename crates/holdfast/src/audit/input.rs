//! What is read: a checkout or standard input, and what renderers printed.

use std::env;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use holdfast_gitops::{Checkout, HelmOptions, Options, Stream, read as read_checkout, read_stream};

use super::{Arguments, AuditError};

/// No renderer prints more of one cluster.
const MOST_BYTES: u64 = 256 << 20;

/// Reads what the arguments name.
pub(super) fn read(arguments: &Arguments) -> Result<Checkout, AuditError> {
    if arguments.is_stream() {
        let checkout = read_stream(stream(&arguments.path)?);
        let empty = checkout.clusters.is_empty() && checkout.repository.problems.list.is_empty();
        return if empty { Err(AuditError::EmptyStream) } else { Ok(checkout) };
    }
    read_folder(&arguments.path, arguments)
}

/// Reads a folder as the arguments ask.
pub(super) fn read_folder(path: &Path, arguments: &Arguments) -> Result<Checkout, AuditError> {
    let rendered = arguments.rendered.iter().map(|path| stream(path)).collect::<Result<_, _>>()?;
    let checkout = read_checkout(path, &Options { helm: helm(arguments), rendered })?;
    let nothing = checkout.repository.inventory.files == 0 && checkout.repository.problems.list.is_empty();
    if nothing { Err(AuditError::Empty { path: path.to_owned() }) } else { Ok(checkout) }
}

fn stream(path: &Path) -> Result<Stream, AuditError> {
    if !Arguments::is_stdin(path) {
        let text = fs::read(path).map_err(|cause| AuditError::File { path: path.to_owned(), cause })?;
        return Ok(Stream { name: path.display().to_string(), text });
    }
    let mut text = Vec::new();
    io::stdin().lock().take(MOST_BYTES + 1).read_to_end(&mut text).map_err(AuditError::Stream)?;
    if MOST_BYTES < text.len() as u64 {
        return Err(AuditError::Stream(io::Error::other("it is larger than 256 MiB")));
    }
    Ok(Stream { name: "<stdin>".to_owned(), text })
}

fn helm(arguments: &Arguments) -> HelmOptions {
    let charts = arguments.charts.clone();
    HelmOptions { mode: arguments.helm.into(), charts, cache: helm_cache(), ..HelmOptions::default() }
}

/// Where Helm keeps archives, as it looks for it itself.
fn helm_cache() -> Option<PathBuf> {
    let folder = |name: &str| env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let of_helm = || {
        let home = folder("HELM_CACHE_HOME").or_else(|| folder("XDG_CACHE_HOME").map(|cache| cache.join("helm")));
        let system = if cfg!(target_os = "macos") { "Library/Caches/helm" } else { ".cache/helm" };
        home.or_else(|| Some(folder("HOME")?.join(system)))
    };
    let cache = folder("HELM_REPOSITORY_CACHE").or_else(|| Some(of_helm()?.join("repository")))?;
    cache.is_dir().then_some(cache)
}

/// The path of what is read within its Git repository, with `/` between the parts; empty when it is all of it, or in none.
pub(super) fn prefix(path: &Path) -> String {
    let Ok(real) = path.canonicalize() else { return String::new() };
    let folder = if real.is_dir() { real.as_path() } else { real.parent().unwrap_or(&real) };
    let Some(root) = folder.ancestors().find(|folder| folder.join(".git").exists()) else { return String::new() };
    let within = folder.strip_prefix(root).unwrap_or(Path::new(""));
    within.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}
