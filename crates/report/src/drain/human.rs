//! For people, on a terminal: the answer in a line, a line for each node, then who stands in the way and what to do.

use std::io::{self, Write};

use holdfast_model::{Kind, PodOwner, Text};
use holdfast_policy::drain::{Blocker, Interruption, Lasting, NodeForecast, Verdict};

use super::Drains;
use crate::Look;
use crate::clean::clean;
use crate::human::{Paint, Tone, wrap};

/// How many clean nodes are listed before the rest is only counted.
const MOST_CLEAN: usize = 20;
/// How many interruptions of a kind are named.
const MOST_NAMED: usize = 5;

/// Writes it for a person.
///
/// # Errors
/// When it can't be written.
pub fn write_drain_human(drains: &Drains<'_>, look: Look, out: &mut dyn Write) -> io::Result<()> {
    let paint = Paint::new(look);
    let nodes = &drains.forecast.nodes;
    writeln!(out)?;
    write_answer(drains, paint, out)?;
    if nodes.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    write_table(nodes, paint, out)?;
    write_blockers(nodes, paint, out)?;
    write_interruptions(nodes, paint, out)?;
    write_evictions(drains, paint, out)
}

fn write_answer(drains: &Drains<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let nodes = drains.forecast.nodes.len();
    let blocked = drains.forecast.count(Verdict::Blocks);
    let (sign, tone, text) = match (nodes, blocked) {
        (0, _) => ("–", Tone::Dim, "There is no node.".to_owned()),
        (1, 0) => ("✔", Tone::Good, "The node can be drained.".to_owned()),
        (_, 0) if drains.sequence => {
            ("✔", Tone::Good, format!("All {nodes} nodes can be drained, one after the other."))
        }
        (_, 0) => ("✔", Tone::Good, format!("All {nodes} nodes can be drained.")),
        (1, _) => ("✖", Tone::Critical, "The node can't be drained.".to_owned()),
        (_, _) if drains.sequence => {
            let at = drains.forecast.nodes.iter().find(|node| node.verdict == Verdict::Blocks);
            let name = at.map(|node| node.node.as_str()).unwrap_or_default();
            ("✖", Tone::Critical, format!("The upgrade stops at node {name}, after {}.", nodes - blocked))
        }
        (_, blocked) => ("✖", Tone::Critical, format!("{blocked} of {nodes} nodes can't be drained.")),
    };
    writeln!(out, "{} {}", paint.tone(tone, sign), paint.tone(tone, &text))
}

fn write_table(nodes: &[NodeForecast], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let width = nodes.iter().map(|node| node.node.len()).max().unwrap_or_default().max("NODE".len());
    let heading = format!("  {:width$}  {:10}  {:>5}  {:>5}  WHY", "NODE", "DRAIN", "PODS", "WAVES");
    writeln!(out, "{}", paint.tone(Tone::Dim, &heading))?;
    let mut clean = 0;
    for node in nodes {
        if node.verdict == Verdict::Clean {
            clean += 1;
            if MOST_CLEAN < clean {
                continue;
            }
        }
        let verdict = paint.tone(tone(node.verdict), &format!("{:10}", node.verdict.as_str()));
        let begin = format!("  {:width$}  {verdict}  {:>5}  {:>5}  ", node.node.as_str(), node.pods, node.waves);
        let indent = " ".repeat(width + 30);
        let room = paint.width().saturating_sub(indent.len()).max(20);
        let wrapped = wrap(&why(node), room, "", "");
        for (number, line) in wrapped.iter().enumerate() {
            let line = format!("{}{line}", if number == 0 { begin.as_str() } else { indent.as_str() });
            writeln!(out, "{}", line.trim_end())?;
        }
    }
    if MOST_CLEAN < clean {
        writeln!(out, "  {}", paint.tone(Tone::Dim, &format!("and {} more that are clean", clean - MOST_CLEAN)))?;
    }
    Ok(())
}

fn tone(verdict: Verdict) -> Tone {
    match verdict {
        Verdict::Clean => Tone::Good,
        Verdict::Interrupts => Tone::Medium,
        Verdict::Blocks => Tone::Critical,
    }
}

/// The reason of a node's verdict in a few words.
fn why(node: &NodeForecast) -> String {
    let mut words = Vec::new();
    let (sealed, stay): (Vec<&Blocker>, Vec<&Blocker>) =
        node.blockers.iter().partition(|blocker| blocker.unseal().is_some());
    for (blockers, one, several) in [(stay, "stays", "stay"), (sealed, "would stay sealed", "would stay sealed")] {
        match blockers.as_slice() {
            [] => {}
            [only] => words.push(format!("{} {one}", only.pod)),
            [first, others @ ..] => words.push(format!("{} and {} more {several}", first.pod, others.len())),
        }
    }
    let mut whys: Vec<&'static str> = node.interruptions.iter().map(|felt| felt.why.as_str()).collect();
    whys.dedup();
    words.extend(whys.into_iter().map(|why| {
        let count = node.interruptions.iter().filter(|felt| felt.why.as_str() == why).count();
        format!("{count} {why}")
    }));
    words.join(", ")
}

/// A pod that stands in the way, and its node.
type Stays<'a> = (&'a NodeForecast, &'a Blocker);

/// By what stands in the way, since one budget may stand in the way of many pods.
fn write_blockers(nodes: &[NodeForecast], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut stays: Vec<Stays<'_>> =
        nodes.iter().flat_map(|node| node.blockers.iter().map(move |blocker| (node, blocker))).collect();
    if stays.is_empty() {
        return Ok(());
    }
    fn cause<'a>((_, blocker): &Stays<'a>) -> (Lasting, &'a str, &'a [Text], Option<&'a Text>, String) {
        (blocker.lasting, &blocker.pod.namespace, &blocker.budgets, blocker.unseal(), blocker.message())
    }
    stays.sort_by(|a, b| cause(a).cmp(&cause(b)).then_with(|| (&a.0.node, &a.1.pod).cmp(&(&b.0.node, &b.1.pod))));
    writeln!(out, "\n{}", paint.rule("Stands in the way"))?;
    stays.chunk_by(|a, b| cause(a) == cause(b)).try_for_each(|same| write_blocker(same, paint, out))
}

fn write_blocker(same: &[Stays<'_>], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some((_, blocker)) = same.first() else { return Ok(()) };
    let sign = match blocker.lasting {
        Lasting::Structural => paint.tone(Tone::Critical, "for good"),
        Lasting::Transient => paint.tone(Tone::Medium, "for now"),
    };
    let name = paint.tone(Tone::Strong, &obstacle(blocker));
    let becomes = if blocker.unseal().is_some() { "leaves" } else { "stays on" };
    writeln!(out)?;
    let mut indented = |first: &str, text: &str| -> io::Result<()> {
        paint.wrap(text, first, "      ").iter().try_for_each(|line| writeln!(out, "{line}"))
    };
    indented("  ", &format!("{name}, {sign}: {}", clean(&blocker.message())))?;
    for (node, stays) in same.iter().take(MOST_NAMED) {
        indented("    ", &format!("{}{} {becomes} {}", stays.pod, owned(&stays.owner), node.node))?;
    }
    if MOST_NAMED < same.len() {
        indented("    ", &paint.tone(Tone::Dim, &format!("and {} more", same.len() - MOST_NAMED)))?;
    }
    indented("    ", &format!("{} {}", paint.tone(Tone::Good, "→"), clean(&blocker.remedy)))?;
    if let Some(flux) = &blocker.flux {
        indented("      ", &paint.tone(Tone::Place, &format!("in {flux}")))?;
    }
    let patch = blocker.patch.as_deref().unwrap_or_default();
    patch.lines().try_for_each(|line| writeln!(out, "      {}", paint.tone(Tone::Dim, line)))
}

/// What stands in the way, with its namespace.
fn obstacle(blocker: &Blocker) -> String {
    let named = |name: &Text| format!("{}/{name}", blocker.pod.namespace);
    if let Some(unseal) = blocker.unseal() {
        return format!("{} {}", Kind::VaultTransitUnseal, named(unseal));
    }
    let word = if blocker.budgets.len() == 1 { "Budget" } else { "Budgets" };
    format!("{word} {}", blocker.budgets.iter().map(named).collect::<Vec<_>>().join(" and "))
}

fn owned(owner: &PodOwner) -> String {
    match owner {
        PodOwner::Workload(id) => format!(" ({id})"),
        PodOwner::Custom(owner) | PodOwner::Unknown(owner) => format!(" ({owner})"),
        PodOwner::Node(_) | PodOwner::Nobody => String::new(),
    }
}

fn write_interruptions(nodes: &[NodeForecast], paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let mut all: Vec<(&NodeForecast, &Interruption)> =
        nodes.iter().flat_map(|node| node.interruptions.iter().map(move |felt| (node, felt))).collect();
    if all.is_empty() {
        return Ok(());
    }
    all.sort_by(|(_, a), (_, b)| (a.why, &a.pod).cmp(&(b.why, &b.pod)));
    writeln!(out, "\n{}", paint.rule("Is felt"))?;
    for same in all.chunk_by(|(_, a), (_, b)| a.why == b.why) {
        let Some((_, first)) = same.first() else { continue };
        let pods = if same.len() == 1 { "pod" } else { "pods" };
        let head = format!("{} {pods}: {}", same.len(), first.why.message());
        writeln!(out)?;
        for line in paint.wrap(&paint.tone(Tone::Strong, &head), "  ", "    ") {
            writeln!(out, "{line}")?;
        }
        for (node, felt) in same.iter().take(MOST_NAMED) {
            writeln!(out, "    {}{} on {}", felt.pod, owned(&felt.owner), node.node)?;
        }
        if MOST_NAMED < same.len() {
            writeln!(out, "    {}", paint.tone(Tone::Dim, &format!("and {} more", same.len() - MOST_NAMED)))?;
        }
    }
    Ok(())
}

fn write_evictions(drains: &Drains<'_>, paint: Paint, out: &mut dyn Write) -> io::Result<()> {
    let Some(evictions) = drains.evictions else { return Ok(()) };
    writeln!(out, "\n{}\n", paint.rule("What the eviction subresource would answer now"))?;
    for eviction in evictions {
        let (tone, word) = if eviction.allowed { (Tone::Good, "goes ") } else { (Tone::Critical, "stays") };
        let budgets = match eviction.budgets.as_slice() {
            [] => String::new(),
            budgets => format!(" ({})", budgets.join(", ")),
        };
        writeln!(out, "  {} {}: {}{budgets}", paint.tone(tone, word), eviction.pod, eviction.reason)?;
    }
    Ok(())
}
