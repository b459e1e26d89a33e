//! Which documents there are, by the names of files and the headings of a README.
//!
//! Generous: a section of the README counts as much as a document, and so does every word that people use for a thing.

use std::sync::Arc;

use holdfast_model::repository::{Documents, Topic};

/// Ends of names of files that people read.
const TEXTS: [&str; 8] = [".md", ".mdx", ".markdown", ".adoc", ".rst", ".org", ".txt", ".html"];

/// What shows that the root of a repository was read.
const ROOTS: [&str; 7] = [".gitignore", "license", "readme", ".github/", ".forgejo/", ".gitea/", ".editorconfig"];

/// Files of tools that write what changed.
const CHANGES: [&str; 6] =
    ["cliff.toml", "release-please-config.json", ".releaserc", ".changeset/", "release-drafter", ".github/release.y"];

/// What invites others.
const INVITATIONS: [&str; 3] = ["issue_template", "pull_request_template", "code_of_conduct"];

/// The words for each topic, in names of documents and in headings.
const WORDS: [(Topic, &[&str]); 5] = [
    (Topic::Changes, &["changelog", "release notes", "release-notes", "what's new"]),
    (Topic::Contributing, &["contribut", "development", "developing", "hacking", "pull request"]),
    (Topic::Upgrade, &["upgrad", "updat", "maintenance", "day 2", "day-2", "operations", "renovate", "runbook"]),
    (
        Topic::Drift,
        &["drift", "reconcil", "troubleshoot", "debug", "out of sync", "out-of-sync", "operations", "runbook"],
    ),
    (Topic::Recovery, &["disaster", "recover", "restor", "backup", "rebuild", "bootstrap", "from scratch"]),
];

/// Whether a file's text is wanted for its headings: READMEs near the root, and indices of documents.
pub(super) fn is_wanted(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    let name = lower.rsplit('/').next().unwrap_or_default();
    let near = lower.matches('/').count() <= 1;
    near && (name.starts_with("readme") || name.starts_with("index.")) && is_text(name)
}

fn is_text(name: &str) -> bool {
    TEXTS.iter().any(|end| name.ends_with(end)) || !name.contains('.')
}

/// Adds the headings of a text: lines that begin with `#` or `=`, outside of code.
pub(super) fn read_text(path: &Arc<str>, text: &str, documents: &mut Documents) {
    if path.to_ascii_lowercase().rsplit('/').next().is_some_and(|name| name.starts_with("readme")) {
        documents.readme.get_or_insert_with(|| Arc::clone(path));
    }
    let mut in_code = false;
    for line in text.lines().map(str::trim_start) {
        if line.starts_with("```") || line.starts_with("~~~") {
            in_code = !in_code;
        } else if !in_code && (line.starts_with('#') || line.starts_with("==") || line.starts_with("<h")) {
            note(&line.to_ascii_lowercase(), documents);
        }
    }
}

fn note(words: &str, documents: &mut Documents) {
    let said = WORDS.iter().filter(|(_, marks)| marks.iter().any(|mark| words.contains(mark)));
    documents.topics.extend(said.map(|(topic, _)| *topic));
}

/// Adds what the names of files say.
pub(super) fn read_tree(paths: &[Arc<str>], documents: &mut Documents) {
    for path in paths {
        let lower = path.to_ascii_lowercase();
        documents.is_root |= ROOTS.iter().any(|mark| lower.starts_with(mark));
        if CHANGES.iter().any(|mark| lower.starts_with(mark) || lower.contains(&format!("/{mark}"))) {
            documents.topics.insert(Topic::Changes);
        }
        let (folder, name) = lower.rsplit_once('/').unwrap_or(("", &lower));
        documents.invites |= INVITATIONS.iter().any(|mark| lower.contains(mark));
        documents.releases |= name == "chart.yaml" || (folder.ends_with("/workflows") && name.contains("release"));
        if !is_text(name) || folder.contains("node_modules") {
            continue;
        }
        let stem = TEXTS.iter().find_map(|end| name.strip_suffix(end)).unwrap_or(name);
        if matches!(stem, "changes" | "history" | "news" | "releases") {
            documents.topics.insert(Topic::Changes);
        }
        note(stem, documents);
        // A folder of documents is named for its topic as well, a folder of manifests is not.
        if folder.split('/').any(|part| part.starts_with("doc") || part.contains("runbook") || part == "wiki") {
            note(folder, documents);
        }
    }
}

#[cfg(test)]
mod tests;
