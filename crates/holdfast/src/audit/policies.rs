//! The policies that count: those of the checkout, as the cluster would have them, and those that `--policy` adds.

use std::fs;
use std::path::Path;

use holdfast_gitops::{ClusterFiles, Stream, read_stream};
use holdfast_model::repository::problems::{Problem, ProblemKind};
use holdfast_model::{Locate as _, Subject, Text};
use holdfast_policy::Exception;
use holdfast_policy::disruption::Settings;
use holdfast_policy::pod_security::{self, Server};
use kube::ResourceExt;

use super::AuditError;

/// Policies that count for every cluster.
#[derive(Debug, Default)]
pub(super) struct Policies {
    settings: Vec<Settings>,
    security: Vec<pod_security::Settings>,
    exceptions: Vec<(Text, Exception)>,
}

impl Policies {
    /// Reads a file of policies and exceptions.
    pub(super) fn read(path: &Path) -> Result<Self, AuditError> {
        let wrong = |why: String| AuditError::Policy { path: path.to_owned(), why };
        let text = fs::read(path).map_err(|cause| AuditError::File { path: path.to_owned(), cause })?;
        let read = read_stream(Stream { name: path.display().to_string(), text });
        let problems = read.clusters.iter().map(|cluster| &cluster.repository).chain([&read.repository]);
        if let Some(problem) = problems.flat_map(|repository| &repository.problems.list).next() {
            return Err(wrong(format!("{}: {}", problem.subject, problem.message)));
        }
        let mut all = Self::default();
        for files in &read.clusters {
            if let Some((subject, why)) = all.add(files).into_iter().next() {
                return Err(wrong(format!("{} can't be evaluated: {why}", subject.name)));
            }
        }
        let nothing = all.settings.is_empty() && all.security.is_empty() && all.exceptions.is_empty();
        if nothing { Err(wrong("it has no object of these kinds".to_owned())) } else { Ok(all) }
    }

    /// All that is in force in a cluster, of whose API server so much is known. What can't be evaluated exempts and
    /// selects nothing, as in the cluster, and is a problem of the file.
    pub(super) fn of(&self, files: &mut ClusterFiles, server: &Server) -> holdfast_policy::Policies {
        let mut all = Self::default();
        let unreadable = all.add(files);
        all.settings.extend_from_slice(&self.settings);
        all.security.extend_from_slice(&self.security);
        all.exceptions.extend_from_slice(&self.exceptions);
        let policies = unreadable.iter().filter(|(subject, _)| subject.kind == POLICY);
        let names: Vec<Text> = policies.map(|(subject, _)| subject.name.clone()).collect();
        let unclear = unreadable.iter().any(|(subject, _)| subject.kind == SECURITY);
        for (subject, why) in unreadable {
            let position = files.places.locate(&subject, "spec").map(|located| located.position);
            let message = format!("{} {} can't be evaluated, and is not honoured: {why}", subject.kind, subject.name);
            let problem = Problem { kind: ProblemKind::FileUnreadable, subject, position, message };
            files.repository.problems.add(problem);
        }
        holdfast_policy::Policies::new(all.settings, names, all.exceptions).securing(
            all.security,
            unclear,
            server.clone(),
        )
    }

    /// Adds those of some files; returns what can't be evaluated, and why.
    fn add(&mut self, files: &ClusterFiles) -> Vec<(Subject, String)> {
        let mut unreadable = Vec::new();
        for policy in &files.policies {
            match Settings::try_from(policy) {
                Ok(known) => self.settings.push(known),
                Err(why) => unreadable.push((subject(POLICY, policy), why.to_string())),
            }
        }
        for policy in &files.security {
            match pod_security::Settings::try_from(policy) {
                Ok(known) => self.security.push(known),
                Err(why) => unreadable.push((subject(SECURITY, policy), why.to_string())),
            }
        }
        for exception in &files.exceptions {
            let subject = subject(EXCEPTION, exception);
            match Exception::try_from(exception) {
                Ok(known) => self.exceptions.push((subject.namespace, known)),
                Err(why) => unreadable.push((subject, why.to_string())),
            }
        }
        unreadable
    }
}

const POLICY: &str = "DisruptionPolicy";
const SECURITY: &str = "NamespaceSecurityPolicy";
const EXCEPTION: &str = "PolicyException";

fn subject(kind: &'static str, object: &impl ResourceExt) -> Subject {
    Subject { kind, namespace: object.namespace().unwrap_or_default().into(), name: object.name_any().into() }
}
