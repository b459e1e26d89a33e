//! Why an audit could not run: what failed, why, and what to do about it.

use std::error::Error as _;
use std::io::{self, Write as _};
use std::path::PathBuf;

use holdfast_gitops::ReadError;
use holdfast_report::{BaselineError, SelectionError};
use thiserror::Error;

use super::since::SinceError;

/// Why it could not run.
#[derive(Debug, Error)]
pub(super) enum AuditError {
    /// What is to be judged can't be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is nothing to judge.
    #[error("there is no YAML file in {}", path.display())]
    Empty {
        /// Where.
        path: PathBuf,
    },
    /// Standard input has nothing to judge.
    #[error("standard input holds no Kubernetes objects")]
    EmptyStream,
    /// Standard input can't be read.
    #[error("standard input can't be read")]
    Stream(#[source] io::Error),
    /// A file that an argument names can't be read.
    #[error("{} can't be read", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: io::Error,
    },
    /// A file is no baseline.
    #[error("{} is no baseline", path.display())]
    Baseline {
        /// The file.
        path: PathBuf,
        /// Why.
        #[source]
        cause: BaselineError,
    },
    /// A file that should hold policies holds none, or one that can't be read.
    #[error("{} holds no policies: {why}", path.display())]
    Policy {
        /// The file.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// There is no such rule.
    #[error(transparent)]
    Selection(#[from] SelectionError),
    /// The commit can't be compared with.
    #[error(transparent)]
    Since(#[from] SinceError),
    /// The report can't be written.
    #[error("the report can't be written to {to}")]
    Output {
        /// Where it should go.
        to: String,
        /// Why.
        #[source]
        cause: io::Error,
    },
}

impl AuditError {
    /// What to do about it.
    fn remedy(&self) -> &'static str {
        match self {
            Self::Read(ReadError::Missing { .. }) => "give the path of a checkout, such as `holdfast audit .`",
            Self::Read(ReadError::Unreadable { .. }) => "see whether you may read it: `ls -ld` shows whose it is",
            Self::Read(ReadError::TooManyFiles { .. }) => "give the folder of one cluster, such as `clusters/home`",
            Self::Empty { .. } => "give the folder that holds the manifests; what Git ignores isn't read",
            Self::EmptyStream => "pipe manifests into it: `kustomize build clusters/home | holdfast audit -`",
            Self::Stream(_) => "see what the program before the pipe said",
            Self::File { .. } => "see whether the path is right, and whether you may read it",
            Self::Baseline { .. } => "write one with `holdfast audit . --format json --output baseline.json`",
            Self::Policy { .. } => {
                "give a file with objects of the kinds DisruptionPolicy, NamespaceSecurityPolicy or PolicyException"
            }
            Self::Selection(_) => "`holdfast explain` lists all rules under their domains",
            Self::Since(error) => error.remedy(),
            Self::Output { .. } => "see whether the folder is there, and whether you may write to it",
        }
    }

    /// Tells it on standard error.
    pub(super) fn tell(&self) {
        let mut out = io::stderr().lock();
        // Whoever closed standard error doesn't want to know.
        let _ = writeln!(out, "error: {self}");
        let mut cause = self.source();
        while let Some(error) = cause {
            let _ = writeln!(out, "cause: {error}");
            cause = error.source();
        }
        let _ = writeln!(out, "remedy: {}", self.remedy());
    }
}
