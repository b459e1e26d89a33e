//! The policies that count: those of the checkout, as the cluster would have them, and those that `--policy` adds.

use std::fs;
use std::path::Path;

use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_gitops::{ClusterFiles, Stream, read_stream};
use holdfast_model::Text;
use holdfast_policy::Exception;
use holdfast_policy::disruption::Settings;

use super::AuditError;

/// Policies that count for every cluster.
#[derive(Debug, Default)]
pub(super) struct Policies {
    policies: Vec<DisruptionPolicy>,
    exceptions: Vec<PolicyException>,
}

impl Policies {
    /// Reads a file of policies and exceptions.
    pub(super) fn read(path: &Path) -> Result<Self, AuditError> {
        let wrong = |why: String| AuditError::Policy { path: path.to_owned(), why };
        let text = fs::read(path).map_err(|cause| AuditError::File { path: path.to_owned(), cause })?;
        let mut read = read_stream(Stream { name: path.display().to_string(), text });
        let problems = read.clusters.iter().map(|cluster| &cluster.repository).chain([&read.repository]);
        if let Some(problem) = problems.flat_map(|repository| &repository.problems.list).next() {
            return Err(wrong(format!("{}: {}", problem.subject, problem.message)));
        }
        let mut all = Self::default();
        for cluster in &mut read.clusters {
            all.policies.append(&mut cluster.policies);
            all.exceptions.append(&mut cluster.exceptions);
        }
        let nothing = all.policies.is_empty() && all.exceptions.is_empty();
        if nothing { Err(wrong("it has neither kind of object".to_owned())) } else { Ok(all) }
    }

    /// All that is in force in a cluster. What can't be evaluated exempts and selects nothing, as in the cluster.
    pub(super) fn of(&self, cluster: &ClusterFiles) -> holdfast_policy::Policies {
        let mut settings = Vec::new();
        let mut unreadable = Vec::new();
        for policy in cluster.policies.iter().chain(&self.policies) {
            match Settings::try_from(policy) {
                Ok(known) => settings.push(known),
                Err(_) => unreadable.push(Text::from(policy.metadata.name.as_deref().unwrap_or_default())),
            }
        }
        let exceptions = cluster.exceptions.iter().chain(&self.exceptions).filter_map(|exception| {
            let namespace = exception.metadata.namespace.as_deref().unwrap_or_default();
            Some((Text::from(namespace), Exception::try_from(exception).ok()?))
        });
        holdfast_policy::Policies::new(settings, unreadable, exceptions)
    }
}
