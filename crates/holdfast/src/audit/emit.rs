//! What makes an API server audit by itself, printed as manifests.

use std::fmt::Write as _;
use std::io;
use std::process::ExitCode;

use holdfast_pod_security::admission::{self, EXEMPT};
use holdfast_pod_security::{Level, Version};

use super::AuditError;
use crate::commands::print;

/// Prints the admission policies of a level and version.
pub(super) fn admission_policies(level: Level, version: Version) -> Result<ExitCode, AuditError> {
    let failed = |cause| AuditError::Output { to: "standard output".to_owned(), cause };
    let text = manifests(level, version).map_err(io::Error::other).map_err(failed)?;
    print(text.as_bytes()).map_err(failed)?;
    Ok(ExitCode::SUCCESS)
}

fn manifests(level: Level, version: Version) -> Result<String, Box<dyn std::error::Error + Send + Sync>> {
    let judged = version.min(Version::NEWEST_KNOWN);
    let mut text = String::new();
    writeln!(
        text,
        "# Warns and audits, and never denies: what the level {level} of the Pod Security Standards forbids,"
    )?;
    writeln!(text, "# as of Kubernetes {judged}. Written by holdfast {}.", env!("CARGO_PKG_VERSION"))?;
    for it in admission::policies(level, version, &EXEMPT) {
        for document in [serde_saphyr::to_string(&it.policy)?, serde_saphyr::to_string(&it.binding)?] {
            write!(text, "---\n{document}")?;
        }
    }
    Ok(text)
}
