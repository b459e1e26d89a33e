//! What is written for people about this controller is about all of it, and about nothing else.
//!
//! Reads `docs/vault-runbook.md` and `deploy/prometheus`; knows neither a server nor a cluster.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use holdfast_vault::cause::Cause;
use holdfast_vault::metrics;

fn read(path: &str) -> String {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    fs::read_to_string(root.join("../..").join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The headings of a page of this depth, in order. What looks like one in a block of code isn't.
fn headings<'a>(page: &'a str, depth: &str) -> Vec<&'a str> {
    let mut fenced = false;
    let outside = page.lines().filter(move |line| {
        fenced ^= line.starts_with("```");
        !fenced
    });
    outside.filter_map(|line| line.strip_prefix(depth)?.strip_prefix(' ')).collect()
}

/// The anchor that a heading gets where the page is shown: small letters, hyphens for spaces, nothing else but digits.
fn anchor(heading: &str) -> String {
    let kept = heading.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || *letter == '-' || *letter == '_').collect()
}

/// The sections of the runbook: heading and text.
fn sections(page: &str) -> Vec<(&str, &str)> {
    page.split("\n## ").skip(1).filter_map(|section| section.split_once('\n')).collect()
}

#[test]
fn the_runbook_has_a_section_for_each_cause_in_their_order_and_no_other() {
    let page = read("docs/vault-runbook.md");
    let written: Vec<String> = headings(&page, "##").into_iter().map(anchor).collect();
    let causes: Vec<String> = Cause::ALL.iter().map(|cause| cause.anchor()).collect();
    let (written_set, causes_set): (BTreeSet<_>, BTreeSet<_>) = (written.iter().collect(), causes.iter().collect());
    let missing: Vec<_> = causes_set.difference(&written_set).collect();
    let left_over: Vec<_> = written_set.difference(&causes_set).collect();
    assert!(missing.is_empty() && left_over.is_empty(), "missing: {missing:?}, left over: {left_over:?}");
    assert_eq!(written, causes, "the order is that of the causes");
}

#[test]
fn a_section_begins_with_its_cause_and_says_what_was_seen_why_what_to_do_and_how_it_ends() {
    let page = read("docs/vault-runbook.md");
    for (cause, (heading, text)) in Cause::ALL.iter().zip(sections(&page)) {
        let begins = format!("`{}`, {}.", cause.as_str(), format!("{:?}", cause.gravity()).to_lowercase());
        assert!(text.trim_start().starts_with(&begins), "{heading}: begins with {begins}");
        let places: Vec<_> = ["**Seen**", "**Why it matters**", "**Do**", "**Cured**"]
            .map(|part| text.find(part).unwrap_or_else(|| panic!("{heading}: no {part}")))
            .to_vec();
        assert!(places.is_sorted(), "{heading}: in this order");
    }
}

/// The links of a page, or of alerts, into the pages of the folder `docs`.
fn links(text: &str) -> Vec<(String, String)> {
    let in_docs = text.split("/blob/main/docs/").skip(1).chain(text.split("](").skip(1));
    let ends = |rest: &str| rest.split([')', '\n', ' ', '"', '\'']).next().unwrap_or_default().to_owned();
    in_docs
        .map(ends)
        .filter_map(|link| link.split_once('#').map(|(page, at)| (page.to_owned(), at.to_owned())))
        .collect()
}

#[track_caller]
fn check(text: &str, this: &str) {
    for (page, at) in links(text).into_iter().filter(|(page, at)| !page.contains("://") && !at.contains("{{")) {
        let page = if page.is_empty() { this } else { &page };
        let shown = read(&format!("docs/{page}"));
        let anchors: BTreeSet<String> =
            ["#", "##", "###"].iter().flat_map(|depth| headings(&shown, depth)).map(anchor).collect();
        assert!(anchors.contains(&at), "{this} links to {page}#{at}, and {page} has no such heading");
    }
}

#[test]
fn every_link_has_somewhere_to_go() {
    for page in ["vault.md", "vault-runbook.md", "vault-recovery.md"] {
        check(&read(&format!("docs/{page}")), page);
    }
    for name in ["vault", "drain"] {
        let alerts = read(&format!("deploy/prometheus/{name}.rules.yaml"));
        let (named, linked) = (alerts.matches("- alert: ").count(), alerts.matches("runbook_url: ").count());
        assert_eq!((named, linked), (links(&alerts).len(), named), "{name}: an alert without a link");
        check(&alerts, name);
    }
}

#[test]
fn alerts_are_about_metrics_that_there_are() {
    let table = metrics::table();
    let known: BTreeSet<&str> = table.iter().map(|row| row.name).collect();
    let alerts = read("deploy/prometheus/vault.rules.yaml");
    let expressions = alerts.lines().filter_map(|line| line.trim().strip_prefix("expr: "));
    let word = |letter: char| !(letter.is_ascii_alphanumeric() || letter == '_');
    let used: BTreeSet<&str> =
        expressions.flat_map(|text| text.split(word)).filter(|name| name.starts_with("holdfast_")).collect();
    assert!(!used.is_empty() && used.is_subset(&known), "{used:?}");
}

/// The alert on a diagnosis makes the anchor from the name of the cause, by a rule of its own.
#[test]
fn the_link_of_a_diagnosis_is_made_as_the_anchor_is() {
    let alerts = read("deploy/prometheus/vault.rules.yaml");
    assert!(alerts.contains(r#"{{ $labels.cause | reReplaceAll "([a-z])([A-Z])" "$1-$2" | toLower }}"#));
    for cause in Cause::ALL {
        let mut made = String::new();
        for letter in cause.as_str().chars() {
            let after_small = made.ends_with(|last: char| last.is_ascii_lowercase());
            made.push_str(if letter.is_ascii_uppercase() && after_small { "-" } else { "" });
            made.push(letter);
        }
        assert_eq!(made.to_lowercase(), cause.anchor());
    }
}
