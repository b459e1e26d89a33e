//! What may go wrong while everything changes, each with its reason. Whatever isn't listed here fails the run.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::Metrics;
use serde_json::{Value, json};

/// How often each was seen, and why it is no surprise.
pub(super) type Seen = BTreeMap<String, usize>;

/// A line of the log.
struct Line {
    message: &'static str,
    /// The only kinds that it may be about; empty where it names none.
    kinds: &'static [&'static str],
    /// One of its fields, and words that it has.
    field: &'static str,
    words: &'static str,
    because: &'static str,
}

/// Their definitions come and go.
const OPTIONAL: &[&str] = &["HelmRelease", "Kustomization", "ScaledObject"];

const LINES: &[Line] = &[
    Line {
        message: "watch interrupted",
        kinds: OPTIONAL,
        field: "reason",
        words: "expired",
        because: "the kind was defined anew between two looks; what was known of the old one counts for nothing",
    },
    Line {
        message: "watch interrupted",
        kinds: &[],
        field: "error",
        words: "storage is (re)initializing",
        because: "the API server learns of the kind just then, and asks to wait for a second",
    },
    Line {
        message: "a budget could not be written",
        kinds: &[],
        field: "class",
        words: "Conflict",
        because: "somebody was faster with this object; it is planned again from what they made of it",
    },
    Line {
        message: "a budget could not be written",
        kinds: &[],
        field: "error",
        words: "because it is being terminated",
        because: "its namespace is being deleted, which was seen a moment later",
    },
    Line {
        message: "a budget could not be written",
        kinds: &[],
        field: "error",
        words: "namespaces \"",
        because: "its namespace is gone, which was seen a moment later",
    },
    Line {
        message: "withdrawals wait",
        kinds: &[],
        field: "message",
        words: "too many at once without a policy change",
        because: "the labels of namespaces change, which takes many budgets at once: the brake waits for a second look",
    },
];

/// A counter, and by which label its errors are told apart; an empty one where none is.
struct Counter {
    name: &'static str,
    label: &'static str,
    /// Values that are no error.
    fine: &'static [&'static str],
    /// Errors, and why they come.
    explained: &'static [(&'static str, &'static str)],
}

const COUNTERS: &[Counter] = &[
    Counter {
        name: "holdfast_watch_errors_total",
        label: "reason",
        fine: &[],
        explained: &[
            ("absent", "the definition of the kind was deleted"),
            (
                "expired",
                "the definition of the kind was deleted and made again between two looks, or events were quiet while etcd was compacted",
            ),
            ("throttled", "the API server learns of the kind just then, and asks to wait"),
        ],
    },
    Counter {
        name: "holdfast_writes_total",
        label: "result",
        fine: &["ok"],
        explained: &[
            ("exists", "somebody made a budget of this name first"),
            ("changed", "somebody, or the disruption controller, changed it first"),
            ("field-owned", "somebody edited a budget of ours; it is theirs then"),
            ("namespace-terminating", "its namespace is being deleted"),
            ("not-found", "it was deleted meanwhile, or its namespace was"),
        ],
    },
    Counter {
        name: "rest_client_requests_total",
        label: "code",
        fine: &["200", "201"],
        explained: &[
            ("403", "an event or a budget in a namespace that is being deleted"),
            ("404", "deleted meanwhile, or a kind that isn't installed"),
            ("409", "somebody was faster, or the event was told before"),
            ("429", "a kind that the API server just learns of"),
        ],
    },
    Counter { name: "holdfast_write_queue_overflow_total", label: "", fine: &[], explained: &[] },
    Counter { name: "controller_runtime_reconcile_errors_total", label: "", fine: &[], explained: &[] },
];

/// Best effort: refused in a namespace that is being deleted, and dropped beyond the 20 a second that are sent. A burst may
/// fill the queue, but most are told.
const DROPPED: (&str, &str) =
    ("holdfast_events_dropped_total", "in a namespace that is being deleted, or too many at once");

/// Fails at the first line at `warn` or `error` that isn't explained; counts the others.
pub(super) fn log(text: &str) -> Result<Seen> {
    let mut seen = Seen::new();
    for line in text.lines() {
        let event: Value = serde_json::from_str(line).with_context(|| format!("no JSON: {line}"))?;
        let field = |name: &str| event[name].as_str().unwrap_or_default();
        let level = event["level"].as_str().with_context(|| format!("no level: {line}"))?;
        if !["WARN", "ERROR"].contains(&level) {
            continue;
        }
        let known = LINES.iter().find(|known| {
            let about = known.kinds.is_empty() || known.kinds.contains(&field("kind"));
            about && field("message").starts_with(known.message) && field(known.field).contains(known.words)
        });
        let known = known.with_context(|| format!("not explained: {line}"))?;
        *seen.entry(format!("{} ({}): {}", known.message, known.words, known.because)).or_default() += 1;
    }
    Ok(seen)
}

/// Fails when anything was counted that isn't explained; counts what is.
pub(super) fn counters(metrics: &Metrics) -> Result<Seen> {
    let mut seen = Seen::new();
    for Counter { name, label, fine, explained } in COUNTERS {
        let all = metrics.sum(name, &[]).with_context(|| format!("no {name}"))?;
        let of = |value: &str| metrics.sum(name, &[(label, value)]).unwrap_or_default();
        let known: f64 = fine.iter().map(|value| of(value)).sum::<f64>();
        let known = known + explained.iter().map(|(value, _)| of(value)).sum::<f64>();
        ensure!(all == known, "{name}: {} aren't explained:\n{}", all - known, samples(metrics, name));
        let found = explained.iter().filter(|(value, _)| 0.0 < of(value));
        seen.extend(found.map(|(value, because)| (format!("{name} {value}: {because}"), of(value) as usize)));
    }
    let (name, because) = DROPPED;
    let dropped = metrics.sum(name, &[]).with_context(|| format!("no {name}"))?;
    let posted = |code| metrics.sum("rest_client_requests_total", &[("code", code), ("method", "POST")]);
    let told = posted("201").unwrap_or_default() + posted("409").unwrap_or_default();
    ensure!(dropped <= told / 2.0, "{dropped} events were dropped, and only {told} told");
    seen.insert(format!("{name}: {because}"), dropped as usize);
    Ok(seen)
}

fn samples(metrics: &Metrics, name: &str) -> String {
    let lines = metrics.text().lines().filter(|line| line.starts_with(name) && !line.ends_with(" 0"));
    lines.collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_not_listed_fails() -> Result<()> {
    let line = |level: &str, message: &str, class: &str| {
        json!({ "level": level, "message": message, "class": class }).to_string()
    };
    let fine = [line("INFO", "leadership won", ""), line("WARN", "a budget could not be written", "Conflict")];
    assert_eq!(log(&fine.join("\n"))?.values().sum::<usize>(), 1);
    assert!(log(&line("WARN", "a budget could not be written", "Retry")).is_err());
    let expired =
        |kind: &str| json!({ "level": "WARN", "message": "watch interrupted", "reason": "expired", "kind": kind });
    assert!(log(&expired("HelmRelease").to_string()).is_ok());
    assert!(log(&expired("Pod").to_string()).is_err());
    assert!(log(&line("ERROR", "a task ended unexpectedly", "")).is_err());
    Ok(())
}
