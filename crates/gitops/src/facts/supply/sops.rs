//! What SOPS covers: creation rules, and the files that are named as its files are.
//!
//! SOPS takes the nearest `.sops.yaml` above a file and the first rule whose `path_regex` is found in the path relative to
//! it. Which keys of a file a rule encrypts is not looked at here.

use std::sync::Arc;

use holdfast_model::repository::{SopsFile, SopsRules, Supply};
use regex_lite::Regex;

use crate::facts::{Paths, file, is_sealed};
use crate::{Node, SourceFile};

/// Where SOPS looks for its rules.
const RULES: [&str; 2] = [".sops.yaml", ".sops.yml"];

/// Adds the rules of a file, or whether the file is encrypted.
pub(super) fn read(source: &SourceFile, paths: &dyn Paths, supply: &mut Supply) {
    if is_rules(&source.path) {
        supply.sops_rules.extend(source.documents.iter().filter_map(|document| rules(document, source, paths)));
    } else if is_named_for_sops(&source.path) && !source.documents.is_empty() {
        let encrypted = source.documents.iter().all(is_sealed);
        supply.sops_files.push(SopsFile { file: file(&source.path), encrypted: Some(encrypted), covered: None });
    }
}

fn rules(document: &Node, source: &SourceFile, paths: &dyn Paths) -> Option<SopsRules> {
    let entry = document.as_mapping()?.entry("creation_rules")?;
    let patterns: Vec<Option<Arc<str>>> = entry
        .value
        .items()
        .iter()
        .map(|rule| rule.get("path_regex").map(|pattern| pattern.as_str().unwrap_or_default().into()))
        .collect();
    Some(SopsRules { file: file(&source.path), at: paths.position(entry.at)?, patterns })
}

/// Adds the files that weren't read, and says of each which rules cover it.
pub(super) fn read_tree(paths: &[Arc<str>], supply: &mut Supply) {
    for path in paths.iter().filter(|path| is_named_for_sops(path)) {
        let file = file(path);
        if !supply.sops_files.iter().any(|known| known.file == file) {
            supply.sops_files.push(SopsFile { file, encrypted: None, covered: None });
        }
    }
    supply.sops_files.sort_by(|a, b| a.file.cmp(&b.file));
    let compiled: Vec<Compiled> = supply.sops_rules.iter().map(Compiled::of).collect();
    for sealed in &mut supply.sops_files {
        sealed.covered = covered(&sealed.file.name, &compiled);
    }
}

/// The rules of one file.
struct Compiled {
    path: Arc<str>,
    folder: String,
    /// None for what can't be read.
    patterns: Vec<Option<Regex>>,
}

impl Compiled {
    fn of(rules: &SopsRules) -> Self {
        let path: Arc<str> = rules.file.name.as_str().into();
        let folder = path.rsplit_once('/').map_or(String::new(), |(folder, _)| format!("{folder}/"));
        let patterns = rules.patterns.iter().map(|pattern| Regex::new(pattern.as_deref().unwrap_or("")).ok());
        Self { patterns: patterns.collect(), folder, path }
    }
}

/// The rules that count for a file, and whether one of them covers it; none when that can't be said.
fn covered(path: &str, rules: &[Compiled]) -> Option<(Arc<str>, bool)> {
    let above = rules.iter().filter(|rules| path.starts_with(&rules.folder));
    let nearest = above.max_by_key(|rules| rules.folder.len())?;
    let inner = path.strip_prefix(&nearest.folder)?;
    let mut unknown = false;
    for pattern in &nearest.patterns {
        match pattern {
            // Older releases look at the path from where SOPS was called, which is most often the root.
            Some(pattern) if pattern.is_match(inner) || pattern.is_match(path) => {
                return Some((Arc::clone(&nearest.path), true));
            }
            Some(_) => {}
            None => unknown = true,
        }
    }
    (!unknown).then(|| (Arc::clone(&nearest.path), false))
}

fn name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

fn is_rules(path: &str) -> bool {
    RULES.contains(&name(path))
}

/// `secret.sops.yaml` and its like; templates of such files are something else.
fn is_named_for_sops(path: &str) -> bool {
    let name = name(path);
    let ends = [".sops.yaml", ".sops.yml", ".sops.json", ".sops.env", ".sops.ini", ".sops.txt", ".sops.toml"];
    !RULES.contains(&name) && ends.iter().any(|end| name.ends_with(end))
}
