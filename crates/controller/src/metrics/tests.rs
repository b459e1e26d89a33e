//! What a scrape shows.

use std::collections::BTreeSet;

use super::*;
use crate::observe::watch::Seen;

fn metrics() -> Metrics {
    Metrics::new(&Dimensions {
        version: "1.2.3",
        kinds: vec!["Pod", "Namespace"],
        concerns: vec!["disruption", "status"],
        managing: vec!["disruption"],
        braking: vec!["disruption"],
        rules: vec![("budget-missing", "medium"), ("drain-blocked", "critical")],
        workload_states: vec!["managed", "yielded"],
        verdicts: vec!["Clean", "Blocks"],
        levels: vec!["baseline"],
    })
}

#[track_caller]
fn check(metrics: &Metrics, lines: &[&str]) {
    let text = metrics.encode();
    for line in lines {
        assert!(text.lines().any(|shown| shown == *line), "{line} is in\n{text}");
    }
}

#[test]
fn a_scrape_shows_exactly_what_the_table_declares() {
    let text = metrics().encode();
    let shown: BTreeSet<_> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).map(str::to_owned).collect();
    let declared = table().iter().map(|row| format!("{} {}", row.family(), row.kind.as_str()));
    assert_eq!(shown, declared.collect());
    for row in table() {
        assert!(text.contains(&format!("# HELP {} {}.\n", row.family(), row.help)), "{row:?}");
        let sample = text.lines().find(|line| line.starts_with(row.name)).expect(row.name);
        assert!(row.labels.iter().all(|label| sample.contains(&format!("{label}=\""))), "{sample}");
    }
    assert!(text.ends_with("# EOF\n"));
}

#[test]
fn everything_is_there_at_zero() {
    let zeros = [
        r#"holdfast_build_info{version="1.2.3"} 1"#,
        r#"holdfast_view_synced{kind="Pod"} 0"#,
        r#"holdfast_watch_events_total{kind="Namespace",event="malformed"} 0"#,
        r#"holdfast_watch_errors_total{kind="Pod",reason="idle"} 0"#,
        r#"holdfast_writes_total{concern="disruption",verb="apply",result="ok"} 0"#,
        r#"holdfast_writes_total{concern="disruption",verb="delete",result="not-permitted"} 0"#,
        "holdfast_write_queue_overflow_total 0",
        r#"holdfast_findings{rule="drain-blocked",severity="critical"} 0"#,
        r#"holdfast_workloads{concern="disruption",state="yielded"} 0"#,
        r#"holdfast_plan_seconds_count{concern="disruption"} 0"#,
        "holdfast_leader 0",
        r#"controller_runtime_reconcile_total{controller="holdfast",result="requeue_after"} 0"#,
        r#"rest_client_requests_total{code="409",method="PATCH"} 0"#,
    ];
    check(&metrics(), &zeros);
}

#[test]
fn what_happens_is_counted() {
    let metrics = metrics();
    metrics.watched("Pod", &Change::Applied(()));
    metrics.watched::<()>("Pod", &Change::Listed { seen: Seen::default() });
    metrics.watched::<()>("Pod", &Change::Connected);
    metrics.wrote("disruption", Verb::Apply, None);
    metrics.wrote("disruption", Verb::Delete, Some(&Failure::Changed));
    metrics.planned("disruption", Duration::from_micros(20));
    metrics.reacted(Duration::from_millis(30));
    metrics.overflowed();
    metrics.events_dropped().inc();
    metrics.passed(Passed::Error, Duration::from_millis(2));
    let lines = [
        r#"holdfast_watch_events_total{kind="Pod",event="applied"} 1"#,
        r#"holdfast_watch_events_total{kind="Pod",event="listed"} 1"#,
        r#"holdfast_writes_total{concern="disruption",verb="apply",result="ok"} 1"#,
        r#"holdfast_writes_total{concern="disruption",verb="delete",result="changed"} 1"#,
        r#"holdfast_plan_seconds_count{concern="disruption"} 1"#,
        "holdfast_reaction_seconds_count 1",
        "holdfast_write_queue_overflow_total 1",
        "holdfast_events_dropped_total 1",
        r#"controller_runtime_reconcile_errors_total{controller="holdfast"} 1"#,
        r#"controller_runtime_reconcile_time_seconds_count{controller="holdfast"} 1"#,
    ];
    check(&metrics, &lines);
}

#[test]
fn gauges_are_read_when_somebody_looks() {
    let metrics = metrics();
    metrics.read_from(|snapshot| {
        snapshot.view("Pod", true, 30_000, 2);
        snapshot.stale(true);
        snapshot.findings("budget-missing", "medium", 7);
        snapshot.workloads("disruption", "managed", 5);
        snapshot.brake("disruption", true);
        snapshot.leader(true);
        snapshot.queues(3, 4);
    });
    let lines = [
        r#"holdfast_view_synced{kind="Pod"} 1"#,
        r#"holdfast_view_synced{kind="Namespace"} 0"#,
        r#"holdfast_view_objects{kind="Pod"} 30000"#,
        r#"holdfast_view_malformed_objects{kind="Pod"} 2"#,
        "holdfast_view_stale 1",
        r#"holdfast_findings{rule="budget-missing",severity="medium"} 7"#,
        r#"holdfast_workloads{concern="disruption",state="managed"} 5"#,
        r#"holdfast_brake_engaged{concern="disruption"} 1"#,
        "holdfast_leader 1",
        r#"leader_election_master_status{name="holdfast"} 1"#,
        "holdfast_write_queue 3",
        r#"workqueue_depth{name="holdfast"} 4"#,
    ];
    check(&metrics, &lines);
}

#[test]
fn unknown_label_values_make_no_series() {
    let metrics = metrics();
    let before = metrics.encode();
    metrics.watched("Secret", &Change::Applied(()));
    metrics.wrote("probes", Verb::Apply, None);
    metrics.planned("probes", Duration::ZERO);
    metrics.read_from(|snapshot| {
        snapshot.view("Secret", true, 1, 1);
        snapshot.findings("no-such-rule", "low", 1);
    });
    assert_eq!(metrics.encode().lines().count(), before.lines().count());
}
