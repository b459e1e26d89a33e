//! Each rule against its fixtures, its prose, and the sentences that people read.
//!
//! The form of the fixtures is described in `src/fixtures/README.md`.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

#[path = "../disruption/world.rs"]
#[expect(dead_code, reason = "rules write nothing, and fixtures bring their own policies")]
mod world;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use holdfast_model::builders::{Manifest, namespace};
use holdfast_policy::{Finding, RuleId};
use serde_json::Value;

use world::World;

/// What stands before an expectation.
const MARK: &str = "#~ ";

/// A document of a fixture: the object, and the messages that its rule should have about it.
struct Document {
    object: Value,
    expected: Vec<String>,
}

#[expect(clippy::disallowed_methods, reason = "fixtures are files; only the decisions are pure")]
fn list(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

#[expect(clippy::disallowed_methods, reason = "fixtures are files; only the decisions are pure")]
fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src/fixtures")
}

fn fixtures(rule: RuleId) -> Vec<PathBuf> {
    list(&folder().join(rule.id()))
}

fn is_failing(path: &Path) -> bool {
    path.file_name().unwrap().to_str().unwrap().starts_with("fail-")
}

fn parse(path: &Path, rule: RuleId) -> Vec<Document> {
    let text = read(path);
    text.split("\n---\n").map(|document| parse_document(document, rule, path)).collect()
}

fn parse_document(text: &str, rule: RuleId, path: &Path) -> Document {
    let object = serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let marked = text.lines().filter_map(|line| line.split_once(MARK)).map(|(_, expected)| expected);
    let expected = marked.map(|expected| {
        let message = expected.strip_prefix(rule.id()).and_then(|rest| rest.strip_prefix(": "));
        message.unwrap_or_else(|| panic!("{}: {expected:?} does not begin with {rule}", path.display())).to_owned()
    });
    Document { object, expected: expected.collect() }
}

/// What the rule finds in a cluster of these documents, whatever else is found there.
fn judge(documents: &[Document], rule: RuleId) -> Vec<Finding> {
    let namespaces: BTreeSet<&str> =
        documents.iter().filter_map(|document| document.object["metadata"]["namespace"].as_str()).collect();
    let given = |name: &str| {
        documents.iter().any(|it| it.object["kind"] == "Namespace" && it.object["metadata"]["name"] == name)
    };
    let added = namespaces.into_iter().filter(|name| !given(name)).map(|name| namespace(name).build());
    let world = World::of(added.chain(documents.iter().map(|document| document.object.clone())));
    world.plans().into_iter().flat_map(|plan| plan.findings).filter(|finding| finding.rule == rule).collect()
}

/// Whether the finding is about this object.
fn is_about(finding: &Finding, object: &Value) -> bool {
    let meta = &object["metadata"];
    let subject = &finding.subject;
    object["kind"] == subject.kind
        && meta["name"] == subject.name.as_str()
        && meta["namespace"] == subject.namespace.as_str()
}

/// Compares what the rule finds in a fixture with what its comments expect.
#[track_caller]
fn check(path: &Path, rule: RuleId) {
    let documents = parse(path, rule);
    let findings = judge(&documents, rule);
    for document in &documents {
        let mut found: Vec<&str> =
            findings.iter().filter(|it| is_about(it, &document.object)).map(|it| it.message.as_str()).collect();
        let mut expected: Vec<&str> = document.expected.iter().map(String::as_str).collect();
        found.sort_unstable();
        expected.sort_unstable();
        let meta = &document.object["metadata"];
        assert_eq!(found, expected, "{} in {}", meta["name"], path.display());
    }
    let about_none = findings.iter().find(|it| !documents.iter().any(|document| is_about(it, &document.object)));
    assert!(about_none.is_none(), "{}: {about_none:?} is about nothing in the file", path.display());
    assert_eq!(is_failing(path), !findings.is_empty(), "{} is named for what it shows", path.display());
}

#[test]
fn every_fixture_finds_what_it_says() {
    for rule in RuleId::ALL {
        for path in fixtures(*rule) {
            check(&path, *rule);
        }
    }
}

#[test]
fn every_rule_has_a_fixture_that_fails_and_one_that_passes() {
    for rule in RuleId::ALL {
        let (failing, passing): (Vec<_>, Vec<_>) = fixtures(*rule).into_iter().partition(|path| is_failing(path));
        assert!(!failing.is_empty(), "{rule} has no fixture fail-<case>.yaml");
        assert!(!passing.is_empty(), "{rule} has no fixture pass-<case>.yaml");
        for path in failing.iter().chain(&passing) {
            let name = path.file_name().unwrap().to_str().unwrap();
            let well_named = name.ends_with(".yaml") && (name.starts_with("fail-") || name.starts_with("pass-"));
            assert!(well_named, "{} is neither fail-<case>.yaml nor pass-<case>.yaml", path.display());
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
            for finding in judge(&parse(path, *rule), *rule) {
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
            for finding in judge(&parse(path, *rule), *rule) {
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
