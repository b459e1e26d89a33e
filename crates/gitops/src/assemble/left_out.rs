//! Files that a kustomization leaves out on purpose: the line that would reach them is a comment, or stands in the template that the
//! kustomization is made from and didn't come of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use holdfast_model::repository::{Absence, LeftOut};
use holdfast_model::{Locate as _, Position};

use super::Sources;
use crate::kustomize::FILE_NAMES;

/// Which of these files are left out, and where. Only the lines of folders above them are looked at, the nearest first.
pub(crate) fn left_out(unreachable: &[Arc<str>], sources: &Sources) -> BTreeMap<Arc<str>, LeftOut> {
    let mut known: BTreeMap<(&str, &str), Option<LeftOut>> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for file in unreachable {
        let steps = file.rmatch_indices('/').map(|(end, _)| (&file[..end], part_after(file, end)));
        for (folder, part) in steps {
            let step = known.entry((folder, part)).or_insert_with(|| line_for(folder, part, sources));
            if let Some(step) = step {
                found.insert(Arc::clone(file), step.clone());
                break;
            }
        }
    }
    found
}

/// The part of a path after the folder that ends there.
fn part_after(path: &str, end: usize) -> &str {
    path[end..].trim_start_matches('/').split('/').next().unwrap_or_default()
}

/// The line in the kustomization of a folder that would reach what is so called in it.
fn line_for(folder: &str, part: &str, sources: &Sources) -> Option<LeftOut> {
    let file = FILE_NAMES.map(|name| format!("{folder}/{name}")).into_iter().find(|file| sources.has(file))?;
    let text = sources.text(&file)?;
    // It is reached from here; whoever reaches this is missing.
    if text.lines().any(|line| lists(line, part)) {
        return None;
    }
    let comment = |line: &str| line.trim_start().strip_prefix('#').is_some_and(|line| lists(line, part));
    if let Some(position) = position(&file.as_str().into(), &text, comment) {
        return Some(LeftOut { position, why: Absence::Commented });
    }
    let template = sources.template_of(&file)?;
    let text = sources.text(&template)?;
    let position = position(&template, &text, |line| lists(line, part))?;
    Some(LeftOut { position, why: Absence::Conditional })
}

/// Whether a line is an item of a list that names this, or something in it.
fn lists(line: &str, part: &str) -> bool {
    let Some(item) = line.trim().strip_prefix("- ") else { return false };
    // A comment of its own may follow.
    let item = item.split(" #").next().unwrap_or(item).trim().trim_matches(['"', '\'']);
    let item = item.strip_prefix("./").unwrap_or(item);
    item.strip_prefix(part).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn position(file: &Arc<str>, text: &str, is_it: impl Fn(&str) -> bool) -> Option<Position> {
    let (line, content) = (1..).zip(text.lines()).find(|(_, line)| is_it(line))?;
    let before = content.chars().take_while(|sign| sign.is_whitespace()).count();
    Some(Position { file: Arc::clone(file), line, column: u32::try_from(before).ok()?.saturating_add(1) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_a_list_names_the_folder_or_something_in_it() {
        for line in ["- ./web", "  - web", "- web/ks.yaml", "- \"./web/ks.yaml\"", "- 'web'", "- web # old"] {
            assert!(lists(line, "web"), "{line}");
        }
        for line in ["- ./website", "web", "- other/web", "name: web", "-web"] {
            assert!(!lists(line, "web"), "{line}");
        }
    }
}
