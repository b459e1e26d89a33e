//! What people and programs read, format by format.
//!
//! Each format tells the same checkout, and a snapshot shows how; those that others define hold their schemas; text from
//! files does no harm in any of them; a former report hides what it knows, wherever the lines have moved.

#![expect(clippy::unwrap_used, reason = "a test that can't go on stops there")]

mod sample;

use std::io;

use holdfast_model::Confidence;
use holdfast_policy::drain::outlook::{Concerned, Fate, Unsure};
use holdfast_policy::{Excepted, RuleId, Severity};
use holdfast_report::{
    Baseline, Detail, Look, Report, schema, write_html, write_human, write_json, write_junit, write_markdown,
    write_sarif,
};
use serde_json::Value;

use sample::{Checkout, at, finding, homelab, subject};

type Format = fn(&Report<'_>, &mut dyn io::Write) -> io::Result<()>;

const PLAIN: Look = Look { colour: false, width: 80 };
/// Every format, with its name.
const FORMATS: [(&str, Format); 7] = [
    ("human", |report, out| write_human(report, PLAIN, Detail::Full, out)),
    ("quiet", |report, out| write_human(report, PLAIN, Detail::Quiet, out)),
    ("json", |report, out| write_json(report, out)),
    ("sarif", |report, out| write_sarif(report, "", out)),
    ("junit", |report, out| write_junit(report, out)),
    ("markdown", |report, out| write_markdown(report, out)),
    ("html", |report, out| write_html(report, out)),
];

fn told(checkout: &Checkout, format: Format) -> String {
    let mut out = Vec::new();
    format(&checkout.report(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn human(checkout: &Checkout, width: usize, detail: Detail) -> String {
    let mut out = Vec::new();
    write_human(&checkout.report(), Look { colour: false, width }, detail, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn format(name: &str) -> Format {
    FORMATS.iter().find(|(known, _)| *known == name).unwrap().1
}

#[test]
fn a_person_reads_it_on_a_narrow_terminal() {
    insta::assert_snapshot!(human(&homelab(), 80, Detail::Usual));
}

#[test]
fn a_person_reads_it_on_a_wide_terminal() {
    insta::assert_snapshot!(human(&homelab(), 160, Detail::Usual));
}

#[test]
fn a_hook_reads_one_line_for_each_finding() {
    insta::assert_snapshot!(told(&homelab(), format("quiet")));
}

#[test]
fn a_program_reads_json() {
    insta::assert_snapshot!(told(&homelab(), format("json")));
}

#[test]
fn code_scanning_reads_sarif() {
    insta::assert_snapshot!(told(&homelab(), format("sarif")));
}

#[test]
fn a_ci_system_reads_junit() {
    insta::assert_snapshot!(told(&homelab(), format("junit")));
}

#[test]
fn a_pull_request_shows_markdown() {
    insta::assert_snapshot!(told(&homelab(), format("markdown")));
}

#[test]
fn a_browser_shows_one_page() {
    let page = told(&homelab(), format("html"));
    // The style and the script are those of the template.
    let body = page.split_once("<body>").unwrap().1.split_once("<h2 id=\"rules\">").unwrap().0;
    insta::assert_snapshot!(body);
}

#[test]
fn a_checkout_without_findings_is_told_as_clear() {
    let mut clear = Checkout::default();
    clear.audit.tally.add_held(RuleId::DrainBlocked, 3);
    insta::assert_snapshot!(human(&clear, 80, Detail::Usual));
}

/// The first paragraphs, up to the first heading.
fn head(checkout: &Checkout) -> String {
    let text = human(checkout, 100, Detail::Usual);
    text.split("──").next().unwrap().split_once("\n\n").unwrap().1.trim().to_owned()
}

#[test]
fn what_blocks_and_is_excepted_is_not_told_as_nothing() {
    let mut it = homelab();
    let excepted = Excepted { by: Some("known".into()), reason: None, until: None };
    it.audit.findings.iter_mut().for_each(|finding| finding.excepted = Some(excepted.clone()));
    let told = head(&it);
    assert!(told.starts_with("– Nothing blocks the next drain but what is excepted or left out\n"), "{told}");
    assert!(told.contains("as far as files tell: 2 workloads stay, 2 are interrupted"), "{told}");
    for concerned in &mut it.audit.outlook.concerned {
        concerned.fate = Fate::Clean;
    }
    let told = head(&it);
    assert!(told.starts_with("✔ Nothing here blocks the next drain\n"), "{told}");
    assert!(told.contains("as far as files tell: 7 workloads serve on."), "{told}");
    it.audit.outlook.concerned.truncate(1);
    it.audit.outlook.concerned[0].fate = Fate::MayInterrupt(Unsure::Together);
    let told = head(&it);
    assert!(told.contains("as far as files tell: of 1 workload it isn't known what it does."), "{told}");
}

#[test]
fn drains_are_told_of_only_where_they_were_asked_about() {
    let mut it = homelab();
    it.audit.findings.clear();
    it.audit.tally = holdfast_policy::Tally::default();
    assert_eq!(head(&it), "– Nothing here was asked about drains");
    // A program hears it all the same.
    let told: Value = serde_json::from_str(&told(&it, format("json"))).unwrap();
    assert_eq!(told["drain"]["verdict"], "Blocks");
    assert_eq!(told["drain"]["items"].as_array().unwrap().len(), 7);
}

#[test]
fn few_of_those_that_may_block_are_listed() {
    let mut it = homelab();
    let doubtful = it.audit.outlook.concerned.iter().find(|it| it.subject.name == "api").unwrap().clone();
    for number in 0..10 {
        let mut another = doubtful.clone();
        another.subject.name = format!("api-{number}").into();
        it.audit.outlook.concerned.push(another);
    }
    let told = head(&it);
    assert_eq!(told.matches(" may stay: ").count(), 3, "{told}");
    assert!(told.ends_with("and 8 more that may"), "{told}");
}

#[test]
fn no_line_is_wider_than_the_terminal() {
    for width in [60, 80, 100, 160] {
        for line in human(&homelab(), width, Detail::Full).lines().filter(|line| width < line.chars().count()) {
            assert!(line.contains(".yaml"), "{width}: {line}");
        }
    }
}

/// Holds the text against a schema.
#[track_caller]
fn check_schema(schema: &Value, text: &str) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let told: Value = serde_json::from_str(text).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&told).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{}", errors.join("\n"));
}

#[test]
fn json_holds_its_schema() {
    let schema = serde_json::to_value(schema()).unwrap();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    check_schema(&schema, &told(&homelab(), format("json")));
    check_schema(&schema, &told(&hostile(), format("json")));
}

#[test]
fn the_schema_finds_what_is_wrong() {
    let schema = serde_json::to_value(schema()).unwrap();
    let mut report: Value = serde_json::from_str(&told(&homelab(), format("json"))).unwrap();
    report["findings"][0]["severity"] = "severe".into();
    assert!(!jsonschema::is_valid(&schema, &report));
}

#[test]
fn sarif_holds_the_official_schema() {
    // A bracket too many in its pattern for languages is no regular expression for the validator.
    let text = include_str!("../schemas/sarif-2.1.0.json").replace("{2}]?$", "{2}$");
    let schema = serde_json::from_str(&text).unwrap();
    check_schema(&schema, &told(&homelab(), format("sarif")));
    check_schema(&schema, &told(&hostile(), format("sarif")));
    check_schema(&schema, &told(&Checkout::default(), format("sarif")));
}

#[test]
fn code_scanning_gets_paths_from_the_root_of_the_repository() {
    let mut out = Vec::new();
    write_sarif(&homelab().report(), "clusters/my home", &mut out).unwrap();
    let sarif: Value = serde_json::from_slice(&out).unwrap();
    let uri = &sarif["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
    assert_eq!(*uri, "clusters/my%20home/kubernetes/apps/cert-manager/app/helmrelease.yaml");
}

/// Text that would do something, in every place where text from a file can stand.
fn hostile() -> Checkout {
    let evil = "\u{1b}[2J\u{1b}]8;;http://evil.example\u{7}<script>alert(1)</script>\"' onload=x &amp; ]]> |\n# `x` @octocat \u{202e}txet\u{0}";
    let mut it = Checkout::default();
    let name: &'static str = "<b>.yaml";
    it.file(name, &format!("a: {evil}\n").replace('\n', " "));
    for severity in Severity::ALL {
        let mut found = finding(RuleId::DrainBlocked, subject("PodDisruptionBudget", evil), "spec", evil, "delete it");
        found.severity = severity;
        found.remedy = evil.into();
        it.add(found, Some(at(name, 1, 4)), Confidence::Declared);
    }
    let fate = Fate::MayBlock(Unsure::Uncounted(evil.to_owned()));
    it.audit.outlook.concerned.push(Concerned {
        subject: subject("Deployment", evil),
        budgets: vec![evil.into()],
        fate,
    });
    it.inventory.files = 1;
    it.inventory.unreachable = vec![evil.into()];
    it
}

#[test]
fn no_format_hands_an_escape_to_a_terminal() {
    for (name, format) in FORMATS {
        let text = told(&hostile(), format);
        let bad = text.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
        assert_eq!(bad, None, "{name}");
    }
}

#[test]
fn no_format_hands_markup_to_a_browser() {
    for (name, format) in FORMATS.iter().filter(|(name, _)| ["html", "junit", "markdown"].contains(name)) {
        let text = told(&hostile(), *format);
        // In Markdown a path stands in code, where nothing is markup.
        assert!(!text.contains("<script>alert") && !text.replace("`<b>.yaml:1`", "").contains("<b>"), "{name}");
    }
    let page = told(&hostile(), format("html"));
    assert_eq!(page.matches("<script").count(), 1, "only the page's own");
    assert!(!page.contains("src=\"") && !page.contains("@import") && !page.contains("url("), "it loads something");
}

#[test]
fn xml_is_whole_whatever_is_in_it() {
    let xml = told(&hostile(), format("junit"));
    let mut reader = quick_xml::Reader::from_str(&xml);
    while reader.read_event().unwrap() != quick_xml::events::Event::Eof {}
}

#[test]
fn a_comment_fits_into_what_github_takes() {
    let mut many = Checkout::default();
    for number in 0..5_000 {
        let name = format!("a-namespace-of-some-length/a-budget-of-some-length-{number}");
        let message = "minAvailable: 1 over 1 pod allows no eviction";
        many.add(
            finding(RuleId::DrainBlocked, subject("PodDisruptionBudget", &name), "spec", message, "delete it"),
            None,
            Confidence::Declared,
        );
    }
    let text = told(&many, format("markdown"));
    assert!((30_000..65_536).contains(&text.chars().count()), "{}", text.chars().count());
    assert!(text.contains(" more: `holdfast audit` tells all of them."));
}

#[test]
fn what_was_known_before_is_not_told_again() {
    let before = Baseline::parse(told(&homelab(), format("json")).as_bytes()).unwrap();
    let report = homelab();
    let report = report.report().without(&before);
    assert_eq!((report.findings().len(), report.known()), (0, 20));
}

#[test]
fn what_is_new_is_told_though_all_lines_have_moved() {
    let before = Baseline::parse(told(&homelab(), format("json")).as_bytes()).unwrap();
    let mut now = homelab();
    now.file("kubernetes/apps/network/envoy/budget.yaml", "\n\n\n");
    now.add(
        finding(
            RuleId::DrainBlocked,
            subject("PodDisruptionBudget", "shop/web"),
            "spec.minAvailable",
            "m",
            "delete it",
        ),
        None,
        Confidence::Declared,
    );
    now.audit.findings.reverse();
    let report = now.report().without(&before);
    let names: Vec<&str> = report.findings().iter().map(|it| &*it.name).collect();
    assert_eq!(names, ["web"]);
}

#[test]
fn only_a_report_is_a_baseline() {
    let told = |text: &str| Baseline::parse(text.as_bytes()).unwrap_err().to_string();
    assert_eq!(told("apiVersion: v1"), "it is no report of `holdfast audit --format json`");
    assert_eq!(told("{\"findings\": []}"), "it is no report of `holdfast audit --format json`");
    assert!(told("{\"schemaVersion\": 2, \"findings\": []}").starts_with("its schemaVersion is 2"));
}

#[test]
fn two_clusters_with_the_same_file_tell_it_once() {
    assert_eq!(homelab().report_of(2).findings(), homelab().report().findings());
    assert_eq!(homelab().report_of(2).outlook, homelab().report().outlook);
}
