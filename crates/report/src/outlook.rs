//! What files tell of draining every node, in words: for the first screen.

use holdfast_policy::drain::Verdict;
use holdfast_policy::drain::outlook::{Concerned, Unsure};

use crate::clean::clean;
use crate::told::named;
use crate::{Report, verdict};

/// How a drain of every node goes, as sentences without the last full stop; none where nothing was asked about drains.
pub(crate) fn outlook(report: &Report<'_>) -> Option<String> {
    let is_asked = match verdict::Verdict::of(report) {
        verdict::Verdict::Blocked(_) | verdict::Verdict::Clear | verdict::Verdict::Accepted => true,
        verdict::Verdict::Unasked => false,
    };
    if !is_asked || report.outlook.is_empty() {
        return None;
    }
    let kinds = [Verdict::Blocks, Verdict::Interrupts, Verdict::Clean];
    let counted = kinds.map(|kind| (kind, report.outlook.count(Some(kind))));
    let known = counted.into_iter().filter(|(_, many)| 0 < *many).enumerate();
    let known: Vec<String> = known.map(|(at, (kind, many))| words(kind, many, at == 0)).collect();
    let unknown = match report.outlook.count(None) {
        0 => String::new(),
        1 if known.is_empty() => "of 1 workload it isn't known what it does".to_owned(),
        many if known.is_empty() => format!("of {many} workloads it isn't known what it does"),
        many => format!("; of {many} it isn't known"),
    };
    let unseen = match report.outlook.unseen.len() {
        0 => String::new(),
        many => format!(". Of {} nothing is known that makes pods", verdict::count(many, "HelmRelease")),
    };
    Some(format!("A drain of every node, as far as files tell: {}{unknown}{unseen}", known.join(", ")))
}

/// The first of them says of what it speaks.
fn words(kind: Verdict, many: usize, is_first: bool) -> String {
    let or = |one: &str, several: &str| match (many == 1, is_first) {
        (true, true) => format!("1 workload {one}"),
        (false, true) => format!("{many} workloads {several}"),
        (true, false) => format!("1 {one}"),
        (false, false) => format!("{many} {several}"),
    };
    match kind {
        Verdict::Blocks => or("stays", "stay"),
        Verdict::Interrupts => or("is interrupted", "are interrupted"),
        Verdict::Clean => or("serves on", "serve on"),
    }
}

/// Of whom it can't be told whether they stay, and why, as sentences without a full stop.
pub(crate) fn doubts<'a>(report: &'a Report<'_>) -> impl Iterator<Item = String> + 'a {
    report.outlook.doubtful().map(|(concerned, unsure)| doubt(concerned, unsure))
}

fn doubt(concerned: &Concerned, unsure: &Unsure) -> String {
    let subject = &concerned.subject;
    let object = named(&clean(subject.kind), &clean(&subject.namespace), &clean(&subject.name));
    format!("{object} may stay: {}", clean(&unsure.message()))
}
