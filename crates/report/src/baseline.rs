//! What was found before: the fingerprints of a former report, so that only what is new is told.

use std::collections::HashSet;

use serde::Deserialize;
use thiserror::Error;

use crate::Report;
use crate::json::VERSION;

/// What was found before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baseline(HashSet<String>);

/// Why a text is no baseline.
#[derive(Debug, Error)]
pub enum BaselineError {
    /// It is no JSON, or another one.
    #[error("it is no report of `holdfast audit --format json`")]
    Unreadable(#[from] serde_json::Error),
    /// A later version wrote it.
    #[error("its schemaVersion is {found}, and this version of holdfast reads {VERSION}: write it again")]
    Version {
        /// The version that it names.
        found: u32,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Former {
    schema_version: u32,
    findings: Vec<FormerFinding>,
}

#[derive(Deserialize)]
struct FormerFinding {
    fingerprint: String,
}

impl Baseline {
    /// Reads a report that was written as JSON.
    ///
    /// # Errors
    /// When it isn't one.
    pub fn parse(text: &[u8]) -> Result<Self, BaselineError> {
        let former: Former = serde_json::from_slice(text)?;
        if former.schema_version != VERSION {
            return Err(BaselineError::Version { found: former.schema_version });
        }
        Ok(Self(former.findings.into_iter().map(|finding| finding.fingerprint).collect()))
    }

    /// What another report tells, such as that of the commit before.
    #[must_use]
    pub fn of(report: &Report<'_>) -> Self {
        Self(report.findings().iter().map(|finding| finding.fingerprint.clone()).collect())
    }

    /// Whether it was found before.
    pub(crate) fn knows(&self, fingerprint: &str) -> bool {
        self.0.contains(fingerprint)
    }
}
