//! The policies that count: those of the checkout, as the cluster would have them, and those that `--policy` adds.

use std::fs;
use std::path::Path;

use holdfast_api::{DisruptionPolicy, PolicyException};
use holdfast_gitops::{ClusterFiles, Stream, read_stream};
use holdfast_model::repository::problems::{Problem, ProblemKind};
use holdfast_model::{Locate as _, Subject, Text};
use holdfast_policy::Exception;
use holdfast_policy::disruption::Settings;
use kube::ResourceExt;

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
        if nothing {
            return Err(wrong("it has neither kind of object".to_owned()));
        }
        let settings =
            all.policies.iter().filter_map(|it| Some((it.name_any(), Settings::try_from(it).err()?.to_string())));
        let exceptions =
            all.exceptions.iter().filter_map(|it| Some((it.name_any(), Exception::try_from(it).err()?.to_string())));
        match settings.chain(exceptions).next() {
            Some((name, why)) => Err(wrong(format!("{name} can't be evaluated: {why}"))),
            None => Ok(all),
        }
    }

    /// All that is in force in a cluster. What can't be evaluated exempts and selects nothing, as in the cluster, and is
    /// a problem of the file.
    pub(super) fn of(&self, files: &mut ClusterFiles) -> holdfast_policy::Policies {
        let mut unreadable = Vec::new();
        let mut settings = Vec::new();
        for policy in files.policies.iter().chain(&self.policies) {
            match Settings::try_from(policy) {
                Ok(known) => settings.push(known),
                Err(why) => unreadable.push((subject("DisruptionPolicy", policy), why.to_string())),
            }
        }
        let names: Vec<Text> = unreadable.iter().map(|(subject, _)| subject.name.clone()).collect();
        let mut exceptions = Vec::new();
        for exception in files.exceptions.iter().chain(&self.exceptions) {
            let subject = subject("PolicyException", exception);
            match Exception::try_from(exception) {
                Ok(known) => exceptions.push((subject.namespace, known)),
                Err(why) => unreadable.push((subject, why.to_string())),
            }
        }
        for (subject, why) in unreadable {
            let position = files.places.locate(&subject, "spec").map(|located| located.position);
            let message = format!("{} {} can't be evaluated, and is not honoured: {why}", subject.kind, subject.name);
            let problem = Problem { kind: ProblemKind::FileUnreadable, subject, position, message };
            files.repository.problems.add(problem);
        }
        holdfast_policy::Policies::new(settings, names, exceptions)
    }
}

fn subject(kind: &'static str, object: &impl ResourceExt) -> Subject {
    Subject { kind, namespace: object.namespace().unwrap_or_default().into(), name: object.name_any().into() }
}
