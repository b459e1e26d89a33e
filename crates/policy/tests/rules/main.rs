//! Each rule against its fixtures, its prose, and the sentences that people read.
//!
//! The form of the fixtures is described in `src/fixtures/README.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

#[path = "../disruption/world.rs"]
#[expect(dead_code, reason = "rules write nothing, and fixtures bring their own policies")]
mod world;

mod fixture;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use holdfast_policy::RuleId;

use fixture::{Fixture, list};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fixtures")
}

fn fixtures(rule: RuleId) -> Vec<PathBuf> {
    let folder = folder().join(rule.id());
    assert!(folder.is_dir(), "{rule} has no fixtures in {}", folder.display());
    list(&folder)
}

fn is_failing(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with("fail-")
}

/// Compares what the rule finds in a fixture with what its comments expect; says what differs.
fn check(path: &Path, rule: RuleId) -> String {
    let fixture = Fixture::read(path, rule);
    let findings = fixture.findings();
    let found = fixture.found();
    let mut text = String::new();
    for (file, line, message) in found.difference(&fixture.expected) {
        writeln!(text, "  found, not expected: {file}:{line}: {message}").unwrap();
    }
    for (file, line, message) in fixture.expected.difference(&found) {
        writeln!(text, "  expected, not found: {file}:{line}: {message}").unwrap();
    }
    if found.len() != findings.len() {
        writeln!(text, "  {} findings are the same", findings.len() - found.len()).unwrap();
    }
    if is_failing(path) == findings.is_empty() {
        writeln!(text, "  it is not named for what it shows").unwrap();
    }
    if text.is_empty() { text } else { format!("{fixture}\n{text}") }
}

#[test]
fn every_fixture_finds_what_it_says() {
    let all = RuleId::ALL.iter().flat_map(|rule| fixtures(*rule).into_iter().map(|path| check(&path, *rule)));
    let differences: String = all.collect();
    assert!(differences.is_empty(), "\n{differences}");
}

#[test]
fn every_rule_has_a_fixture_that_fails_and_one_that_passes() {
    for rule in RuleId::ALL {
        let (failing, passing): (Vec<_>, Vec<_>) = fixtures(*rule).into_iter().partition(|path| is_failing(path));
        assert!(!failing.is_empty(), "{rule} has no fixture fail-<case>.yaml");
        assert!(!passing.is_empty(), "{rule} has no fixture pass-<case>.yaml");
        for path in failing.iter().chain(&passing) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let form = name.ends_with(".yaml") || path.is_dir();
            let well_named = form && (name.starts_with("fail-") || name.starts_with("pass-"));
            assert!(well_named, "{} is neither fail-<case> nor pass-<case>, a folder or .yaml", path.display());
        }
    }
}

#[test]
fn no_fixture_is_left_of_a_rule_that_is_gone() {
    let folders: BTreeSet<String> = list(&folder())
        .into_iter()
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().unwrap().to_str().unwrap().to_owned())
        .collect();
    let rules: BTreeSet<String> = RuleId::ALL.iter().map(|rule| rule.id().to_owned()).collect();
    assert_eq!(folders, rules);
}

#[test]
fn ids_are_unique_and_in_kebab_case_and_reasons_are_the_same_words() {
    let ids: BTreeSet<&str> = RuleId::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(ids.len(), RuleId::ALL.len());
    for rule in RuleId::ALL {
        let words: Vec<&str> = rule.id().split('-').collect();
        let plain =
            |word: &&str| !word.is_empty() && word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        assert!(words.iter().all(plain), "{rule} is not in kebab-case");
        let joined = words.concat();
        assert_eq!(rule.reason().to_ascii_lowercase(), joined, "{rule}");
        assert!(rule.reason().starts_with(|c: char| c.is_ascii_uppercase()), "{rule}");
        assert_eq!(RuleId::parse(rule.id()), Some(*rule));
    }
    assert_eq!(RuleId::parse("drain"), None);
}

#[test]
fn every_rule_stands_behind_its_own_name() {
    for id in RuleId::ALL {
        let rule = id.rule();
        assert_eq!(rule.id, *id);
        assert!(!rule.summary.is_empty() && !rule.summary.ends_with('.'), "{id}: the summary is a clause");
        assert!(rule.summary.starts_with(|c: char| c.is_lowercase()), "{id}: the summary is in lower case");
    }
}

const SECTIONS: [&str; 4] = ["## Why", "## What happens otherwise", "## Remedy", "## Links"];

#[test]
fn the_prose_of_every_rule_is_complete() {
    for id in RuleId::ALL {
        let prose = id.rule().prose;
        assert!(prose.starts_with(&format!("# {id}\n")), "{id}: the title is the rule's ID");
        let headings: Vec<&str> = prose.lines().filter(|line| line.starts_with("## ")).collect();
        assert_eq!(headings, SECTIONS, "{id}");
        for section in prose.split("\n## ").skip(1) {
            let (heading, text) = section.split_once('\n').unwrap();
            assert!(40 < text.trim().len(), "{id}: nothing is said under {heading:?}");
        }
        let remedy = prose.split("## Remedy").nth(1).unwrap().split("## Links").next().unwrap();
        assert!(remedy.contains("```yaml") && remedy.contains("# before") && remedy.contains("# after"), "{id}");
        assert!(prose.split("## Links").nth(1).unwrap().contains("https://"), "{id} links to something");
    }
}

/// Everything that people read of a finding, as they read it.
#[test]
fn findings_read_well() {
    let mut text = String::new();
    for rule in RuleId::ALL {
        for path in fixtures(*rule).iter().filter(|path| is_failing(path)) {
            let case = path.file_stem().unwrap().to_str().unwrap();
            for finding in Fixture::read(path, *rule).findings() {
                writeln!(text, "{rule}/{case} ({})", finding.severity).unwrap();
                writeln!(
                    text,
                    "  {} at {}",
                    finding.subject,
                    if finding.field.is_empty() { "-" } else { &*finding.field }
                )
                .unwrap();
                writeln!(text, "  {}", finding.message).unwrap();
                writeln!(text, "  > {}", finding.remedy).unwrap();
                if let Some(excepted) = &finding.excepted {
                    writeln!(text, "  excepted by {excepted}").unwrap();
                }
            }
        }
    }
    insta::assert_snapshot!("findings", text);
}

/// A message and a remedy are clauses: whoever shows them puts them together.
#[test]
fn messages_and_remedies_are_clauses() {
    for rule in RuleId::ALL {
        for path in fixtures(*rule).iter().filter(|path| is_failing(path)) {
            for finding in Fixture::read(path, *rule).findings() {
                for clause in [finding.message.as_str(), finding.remedy.as_ref()] {
                    assert!(
                        !clause.is_empty() && !clause.ends_with('.') && !clause.contains('\n'),
                        "{rule}: {clause:?}"
                    );
                }
            }
        }
    }
}
