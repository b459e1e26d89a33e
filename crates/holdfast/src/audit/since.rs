//! The checkout as it was at a commit, so that only what came since is told.
//!
//! Asks the local `git`, and touches nothing of the repository: the tree is written out through an index of its own into
//! a temporary folder. Compared is the commit at which the branch left the reference, so that what others have merged
//! meanwhile is nobody's finding here. No hook runs, and nothing is fetched.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use holdfast_gitops::Checkout;
use tempfile::TempDir;
use thiserror::Error;

use super::{Arguments, AuditError, input};

/// Why a commit can't be compared with.
#[derive(Debug, Error)]
pub(super) enum SinceError {
    /// There is no git.
    #[error("git can't be run")]
    NoGit(#[source] io::Error),
    /// The path is in no repository.
    #[error("{} is in no Git repository: {said}", path.display())]
    NoRepository {
        /// The path.
        path: PathBuf,
        /// What git said.
        said: String,
    },
    /// Standard input has no history.
    #[error("--since compares files, and standard input has no history")]
    Stream,
    /// There is no such commit.
    #[error("there is no commit {reference:?} in this repository")]
    NoCommit {
        /// The name.
        reference: String,
    },
    /// The tree can't be written out.
    #[error("git can't write out the files of {reference:?}: {said}")]
    NoTree {
        /// The name.
        reference: String,
        /// What git said.
        said: String,
    },
    /// There is no temporary folder.
    #[error("no temporary folder can be made")]
    NoFolder(#[source] io::Error),
}

impl SinceError {
    /// What to do about it.
    pub(super) fn remedy(&self) -> &'static str {
        match self {
            Self::NoGit(_) => "install git, or use --baseline with a former report",
            Self::NoRepository { .. } => "give a path within a clone, or use --baseline with a former report",
            Self::Stream => "use --baseline with a former report of the same stream",
            Self::NoCommit { .. } => "fetch it: `git fetch origin main`; with actions/checkout set `fetch-depth: 0`",
            Self::NoTree { .. } => "see whether the clone is complete: `git fsck`, and `git fetch --unshallow`",
            Self::NoFolder(_) => "set TMPDIR to a folder that can be written to",
        }
    }
}

/// Reads what the path held at the commit at which the present branch left the reference; none if it wasn't there.
pub(super) fn checkout(arguments: &Arguments, reference: &str) -> Result<Option<Checkout>, AuditError> {
    if arguments.is_stream() {
        return Err(SinceError::Stream.into());
    }
    let Some(former) = Former::write_out(&arguments.path, reference)? else { return Ok(None) };
    match input::read_folder(&former.path, arguments) {
        Ok(checkout) => Ok(Some(checkout)),
        Err(AuditError::Empty { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Files as they were, until it is dropped.
struct Former {
    path: PathBuf,
    _folder: TempDir,
}

impl Former {
    fn write_out(path: &Path, reference: &str) -> Result<Option<Self>, SinceError> {
        let is_file = path.is_file();
        let beside = if is_file {
            path.parent().filter(|it| !it.as_os_str().is_empty()).unwrap_or(Path::new("."))
        } else {
            path
        };
        let root = Git::at(beside).root()?;
        let prefix = Git::at(beside).said(&["rev-parse", "--show-prefix"])?.unwrap_or_default();
        let git = Git::at(&root);
        let commit = git.fork(reference)?;
        let tree = format!("{commit}:{}", prefix.trim_end_matches('/'));
        let Some(tree) = git.said(&["rev-parse", "--verify", "--quiet", "--end-of-options", &tree])? else {
            return Ok(None);
        };
        let folder = tempfile::tempdir().map_err(SinceError::NoFolder)?;
        git.write_tree(&tree, folder.path(), reference)?;
        let written = folder.path().join(FILES);
        let path = match path.file_name().filter(|_| is_file) {
            Some(name) => written.join(name),
            None => written,
        };
        Ok(path.exists().then_some(Self { path, _folder: folder }))
    }
}

/// The folder below the temporary one.
const FILES: &str = "files";

/// The local git, at a folder.
struct Git<'a>(&'a Path);

impl<'a> Git<'a> {
    fn at(folder: &'a Path) -> Self {
        Self(folder)
    }

    fn run(&self, arguments: &[&str], index: Option<&Path>) -> Result<Output, SinceError> {
        let mut command = Command::new("git");
        command.arg("-C").arg(self.0).args(["-c", "core.hooksPath=/dev/null"]).args(arguments);
        // Nothing may ask for a password, or fetch what a pointer points to.
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_LFS_SKIP_SMUDGE", "1").env("GIT_NO_LAZY_FETCH", "1");
        command.env("LC_ALL", "C");
        if let Some(index) = index {
            command.env("GIT_INDEX_FILE", index);
        }
        command.output().map_err(SinceError::NoGit)
    }

    /// What it prints, when it succeeds.
    fn said(&self, arguments: &[&str]) -> Result<Option<String>, SinceError> {
        let output = self.run(arguments, None)?;
        Ok(output.status.success().then(|| text(&output.stdout)))
    }

    fn root(&self) -> Result<PathBuf, SinceError> {
        let output = self.run(&["rev-parse", "--show-toplevel"], None)?;
        if output.status.success() {
            return Ok(text(&output.stdout).into());
        }
        Err(SinceError::NoRepository { path: self.0.to_owned(), said: first_line(&output.stderr) })
    }

    /// The commit at which the present one left the reference; the reference itself when they have no common past.
    fn fork(&self, reference: &str) -> Result<String, SinceError> {
        let wanted = format!("{reference}^{{commit}}");
        let commit = self.said(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted])?;
        let commit = commit.ok_or_else(|| SinceError::NoCommit { reference: reference.to_owned() })?;
        Ok(self.said(&["merge-base", &commit, "HEAD"])?.unwrap_or(commit))
    }

    fn write_tree(&self, tree: &str, folder: &Path, reference: &str) -> Result<(), SinceError> {
        let index = folder.join("index");
        let mut prefix = folder.join(FILES).into_os_string();
        prefix.push("/");
        let prefix = format!("--prefix={}", prefix.display());
        for arguments in [&["read-tree", tree][..], &["checkout-index", "--all", "--force", &prefix][..]] {
            let output = self.run(arguments, Some(&index))?;
            if !output.status.success() {
                return Err(SinceError::NoTree { reference: reference.to_owned(), said: first_line(&output.stderr) });
            }
        }
        Ok(())
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim_end_matches(['\r', '\n']).to_owned()
}

fn first_line(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).lines().next().unwrap_or("it didn't say why").to_owned()
}
