//! Secrets in Git, and the pipelines of the checkout. Never a value, not even a part of one: only where it is and what
//! makes it look like a secret.

use std::sync::Arc;

use super::Identity;
use crate::{Position, Subject, Text};

/// The facts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Supply {
    /// What has room for secrets, in order of file and line.
    pub vessels: Vec<Vessel>,
    /// Files with creation rules of SOPS.
    pub sops_rules: Vec<SopsRules>,
    /// Files that are named as files of SOPS are.
    pub sops_files: Vec<SopsFile>,
    /// Actions and images that workflows use.
    pub uses: Vec<Use>,
    /// Where workflows build and publish images.
    pub builds: Vec<Build>,
    /// What workflows do to images before or after they publish them.
    pub guards: Vec<Guard>,
}

/// Something that has room for secrets: a Secret, values of a HelmRelease, a machine configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Vessel {
    /// The object or file.
    pub identity: Identity,
    /// What of it is readable by everyone who can read the checkout, in order.
    pub exposed: Vec<Exposed>,
}

/// A value that looks like a secret and can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exposed {
    /// The key that it stands under.
    pub key: Text,
    /// Where.
    pub at: Position,
    /// What makes it look like one.
    pub looks: Looks,
}

/// What makes a value look like a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Looks {
    /// A private key, or the material a cluster is made of.
    PrivateKey,
    /// A token in the form in which its issuer makes them.
    Token(&'static str),
    /// Its key says so, and it looks random.
    NamedAndRandom,
    /// Its key says so.
    Named,
    /// It looks random.
    Random,
}

/// A file with creation rules of SOPS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SopsRules {
    /// The file.
    pub file: Subject,
    /// Where the rules stand.
    pub at: Position,
    /// The `path_regex` of each rule, in order; a rule without one covers everything.
    pub patterns: Vec<Option<Arc<str>>>,
}

/// A file that is named as files of SOPS are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SopsFile {
    /// The file.
    pub file: Subject,
    /// Whether it is encrypted; none when it wasn't read.
    pub encrypted: Option<bool>,
    /// The file of the creation rules that count for it, and whether one of them covers it; none when there are no rules, or
    /// when that can't be said.
    pub covered: Option<(Arc<str>, bool)>,
}

/// An action, a reusable workflow or an image that a workflow uses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Use {
    /// The workflow or action in which it stands.
    pub workflow: Subject,
    /// Where.
    pub at: Position,
    /// What is used, without version.
    pub what: Text,
    /// The version, as it is written.
    pub version: Text,
    /// How firm that is.
    pub pin: Pin,
}

/// How firmly a workflow says what it uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Pin {
    /// By the hash of a commit or of an image.
    Hash,
    /// By a tag of an action.
    Tag,
    /// By a branch of an action.
    Branch,
    /// By a tag of an image, or by nothing.
    ImageTag,
}

/// A step that builds and publishes an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The workflow.
    pub workflow: Subject,
    /// Where.
    pub at: Position,
}

/// What a workflow does to images.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Guard {
    /// Looks for known weaknesses.
    Scan,
    /// Lists what is inside.
    Sbom,
    /// Signs it.
    Signature,
    /// Says how it was built.
    Attestation,
}
