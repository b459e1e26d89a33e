//! `unreachable`: files with Kubernetes objects that no root of Flux reaches.
//!
//! One finding for each folder in which nothing is reached, however many files are in it, else for each file. Folders
//! that say by their name that they aren't meant to be deployed (`archive`, `disabled`, `templates`, or a dot before the
//! name), and what a kustomization leaves out on purpose, are information. Without any Flux there is no root, and nothing to say.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use holdfast_model::repository::{Absence, LeftOut};
use holdfast_model::{Position, Repository, Subject};

use crate::rules::{Answers, Check, Problem, Rule};
use crate::{Domain, RuleId, Severity};

pub(in crate::rules) const RULE: Rule = Rule {
    id: RuleId::Unreachable,
    domain: Domain::Flux,
    severity: Severity::Low,
    summary: "no root of Flux reaches a file",
    prose: include_str!("unreachable.md"),
    check: Check::Files(check),
};

/// Parts of a path that say that what is below isn't meant to be deployed.
const KEPT: [&str; 14] = [
    "archive",
    "archived",
    "attic",
    "bootstrap",
    "deprecated",
    "disabled",
    "docs",
    "example",
    "examples",
    "old",
    "samples",
    "template",
    "templates",
    "test",
];

fn check(repository: &Repository, answers: &mut Answers) {
    let inventory = &repository.inventory;
    if inventory.reached.is_empty() {
        return;
    }
    inventory.reached.iter().for_each(|_| answers.holds());
    let live: BTreeSet<&str> = inventory.reached.iter().flat_map(|file| folders(file)).collect();
    let mut groups: BTreeMap<&str, Vec<&Arc<str>>> = BTreeMap::new();
    for file in &inventory.unreachable {
        groups.entry(folders(file).find(|folder| !live.contains(folder)).unwrap_or(file)).or_default().push(file);
    }
    for (place, files) in groups {
        // The highest of them is what has to be listed, often a Kustomization of Flux for the rest.
        let Some(first) = files.iter().min_by_key(|file| file.matches('/').count()) else { continue };
        let kind = if files.len() == 1 && ***first == *place { "File" } else { "Folder" };
        let subject = Subject { kind, namespace: "".into(), name: place.into() };
        let position = Position { file: Arc::clone(first), line: 1, column: 1 };
        // A line below the folder that nobody reaches says nothing about the folder.
        let is_above = |left_out: &&LeftOut| !folders(&left_out.position.file).any(|folder| folder == place);
        if let Some(left_out) = inventory.left_out.get(*first).filter(is_above) {
            answers.fails_at(&subject, left_out.position.clone(), on_purpose(files.len(), left_out));
            continue;
        }
        let message = match files.len() {
            1 => "no Kustomization of Flux reaches it: what it describes isn't deployed".to_owned(),
            many => format!("no Kustomization of Flux reaches its {many} manifests: what they describe isn't deployed"),
        };
        let line = match kind {
            "File" => "its line in a kustomization.yaml beside or above it".to_owned(),
            _ => format!("a line for {first} in a kustomization.yaml above it"),
        };
        let remedy = format!(
            "delete it, since Git remembers; or, if it is meant to be deployed, give it {line}, once it builds, each of its objects has a namespace, and what it depends on is there"
        );
        let severity = if is_kept(place) { Severity::Info } else { Severity::Low };
        answers.fails_at(&subject, position, Problem::at("", message, remedy).severe(severity));
    }
}

/// What a kustomization leaves out on purpose.
fn on_purpose(files: usize, left_out: &LeftOut) -> Problem {
    let what = if files == 1 { "it".to_owned() } else { format!("its {files} manifests") };
    let (how, remedy) = match left_out.why {
        Absence::Commented => (
            "the line that would is commented out",
            "nothing to do while that is meant; else take the comment away, or delete both, since Git remembers",
        ),
        Absence::Conditional => (
            "the line that would stands in the template of the kustomization, and didn't come of it",
            "nothing to do while its condition is off on purpose; else turn it on and render the files again",
        ),
    };
    Problem::at("", format!("no Kustomization of Flux reaches {what}: {how}"), remedy).severe(Severity::Info)
}

/// The folders above a file, the highest first.
fn folders(file: &str) -> impl Iterator<Item = &str> {
    file.match_indices('/').map(|(end, _)| &file[..end])
}

fn is_kept(place: &str) -> bool {
    place.split('/').any(|part| part.starts_with(['.', '_']) || KEPT.contains(&part.to_ascii_lowercase().as_str()))
}
