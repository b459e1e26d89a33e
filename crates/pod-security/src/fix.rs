//! The smallest change that cures an offence.

use std::fmt;

use serde::Serialize;

use crate::path::Path;

/// One change to a pod or template. [`fixes`](crate::fixes) puts those of several violations in order.
///
/// It cures the offence, and leaves a pod that the server takes. Two can't be cured like that: a pod for Windows at
/// restricted from 1.8 to 1.24, which demanded what such a pod can't have, and a volume of a kind of a newer release, which
/// is taken away while what mounts it stays. What it means for the program in the container is for
/// its owner to judge; [`Check::caution`](crate::Check::caution) says what to think of.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Fix {
    /// Write the value there; objects on the way that are missing are made.
    Set {
        /// The place.
        path: Path,
        /// The value, as JSON.
        value: &'static str,
    },
    /// Take it away; an element leaves its list. Nothing to do when it isn't there.
    Remove {
        /// The place.
        path: Path,
    },
    /// Take it away and write another key in its stead, next to it.
    Replace {
        /// The place.
        path: Path,
        /// The other key.
        by: &'static str,
        /// The other key's value, as JSON.
        value: &'static str,
    },
}

impl Fix {
    /// What it changes.
    pub const fn path(&self) -> &Path {
        match self {
            Self::Set { path, .. } | Self::Remove { path } | Self::Replace { path, .. } => path,
        }
    }
}

impl fmt::Display for Fix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set { path, value } => write!(f, "set {path} to {value}"),
            Self::Remove { path } => write!(f, "remove {path}"),
            Self::Replace { path, by, value } => write!(f, "replace {path} by {by}: {value}"),
        }
    }
}
