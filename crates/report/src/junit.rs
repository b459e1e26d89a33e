//! JUnit XML, for the test view of a CI system.
//!
//! A suite for each domain that is asked. In it a case for each finding that counts (a failure), for what is excepted
//! (skipped) or only worth knowing (passed, with its text), and one for each rule that has nothing to say.

use std::io::{self, Write};

use holdfast_policy::{Domain, RuleId};
use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use crate::{Report, Told};

/// Writes it for a CI system.
///
/// # Errors
/// When it can't be written.
pub fn write_junit(report: &Report<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(&mut *out, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites: Vec<Suite<'_>> = Domain::ALL.into_iter().filter_map(|domain| Suite::new(report, domain)).collect();
    let tests: usize = suites.iter().map(Suite::tests).sum();
    let failures: usize = suites.iter().map(Suite::failures).sum();
    let skipped: usize = suites.iter().map(Suite::skipped).sum();
    xml.create_element("testsuites")
        .with_attribute(("name", "holdfast audit"))
        .with_attribute(("tests", tests.to_string().as_str()))
        .with_attribute(("failures", failures.to_string().as_str()))
        .with_attribute(("skipped", skipped.to_string().as_str()))
        .with_attribute(("errors", "0"))
        .write_inner_content(|xml| suites.iter().try_for_each(|suite| suite.write(xml)))?;
    writeln!(out)
}

struct Suite<'a> {
    domain: Domain,
    findings: Vec<&'a Told<'a>>,
    silent: Vec<RuleId>,
}

impl<'a> Suite<'a> {
    fn new(report: &'a Report<'_>, domain: Domain) -> Option<Self> {
        let findings: Vec<&Told<'_>> = report.findings().iter().filter(|it| it.domain == domain).collect();
        let asked = report.score.domains.iter().any(|it| it.domain == domain && it.asked);
        let mut silent: Vec<RuleId> = RuleId::ALL.iter().copied().filter(|rule| rule.rule().domain == domain).collect();
        silent.retain(|rule| asked && !findings.iter().any(|it| it.rule == *rule));
        (asked || !findings.is_empty()).then_some(Self { domain, findings, silent })
    }

    fn tests(&self) -> usize {
        self.findings.len() + self.silent.len()
    }

    fn failures(&self) -> usize {
        self.findings.iter().filter(|it| it.counts()).count()
    }

    fn skipped(&self) -> usize {
        self.findings.iter().filter(|it| it.excepted.is_some()).count()
    }

    fn write<W: Write>(&self, xml: &mut Writer<W>) -> io::Result<()> {
        xml.create_element("testsuite")
            .with_attribute(("name", self.domain.name()))
            .with_attribute(("tests", self.tests().to_string().as_str()))
            .with_attribute(("failures", self.failures().to_string().as_str()))
            .with_attribute(("skipped", self.skipped().to_string().as_str()))
            .with_attribute(("errors", "0"))
            .write_inner_content(|xml| {
                self.findings.iter().try_for_each(|it| write_case(it, xml))?;
                self.silent.iter().try_for_each(|rule| {
                    let case = xml.create_element("testcase").with_attribute(("name", rule.id()));
                    case.with_attribute(("classname", class(*rule).as_str())).write_empty().map(drop)
                })
            })?;
        Ok(())
    }
}

fn class(rule: RuleId) -> String {
    format!("holdfast.{}.{rule}", rule.rule().domain.id())
}

fn write_case<W: Write>(it: &Told<'_>, xml: &mut Writer<W>) -> io::Result<()> {
    let name = format!("{}: {}", it.rule, it.object());
    let line = it.place.as_ref().map(|place| place.line.to_string()).unwrap_or_default();
    let mut case = xml.create_element("testcase");
    case = case.with_attribute(("name", name.as_str())).with_attribute(("classname", class(it.rule).as_str()));
    if let Some(place) = &it.place {
        case = case.with_attribute(("file", &*place.file)).with_attribute(("line", line.as_str()));
    }
    case.write_inner_content(|xml| match &it.excepted {
        Some(by) => {
            let reason = format!("excepted by {by}");
            xml.create_element("skipped").with_attribute(("message", reason.as_str())).write_empty().map(drop)
        }
        None if it.counts() => {
            let failure = xml.create_element("failure").with_attribute(("message", &*it.message));
            let failure = failure.with_attribute(("type", it.severity.as_str()));
            failure.write_text_content(BytesText::new(&text(it))).map(drop)
        }
        None => xml.create_element("system-out").write_text_content(BytesText::new(&text(it))).map(drop),
    })?;
    Ok(())
}

fn text(it: &Told<'_>) -> String {
    let mut text = format!("{}[{}] {}\n", it.severity, it.rule, it.message);
    if let Some(place) = &it.place {
        text.push_str(&format!("at {place}\n"));
    }
    if let Some(owner) = &it.owner {
        text.push_str(&format!("of {owner}\n"));
    }
    text.push_str(&format!("remedy: {}", it.remedy));
    text
}
