//! Every metric there is: name, type, help and labels. The documentation is made from this.

use holdfast_runtime::metrics::{Row, Type};
use holdfast_runtime::requests;

/// Every metric, in the order of the documentation.
pub fn table() -> &'static [Row] {
    &TABLE
}

macro_rules! rows {
    ($($id:ident = $kind:ident $name:literal [$($label:literal),*] $help:literal;)+) => {
        $(pub(super) static $id: Row = Row::new(Type::$kind, $name, &[$($label),*], $help);)+
        static TABLE: [Row; [$($name),+].len() + 1] =
            [$(Row::new(Type::$kind, $name, &[$($label),*], $help),)+ requests::METRIC];
    };
}

rows! {
    BUILD_INFO = Info "holdfast_build_info" ["version"] "The version that runs";
    VIEW_SYNCED = Gauge "holdfast_view_synced" ["kind"] "1 while the view of a kind is complete and its watch is connected";
    VIEW_STALE = Gauge "holdfast_view_stale" [] "1 while nothing is written because the view may be out of date";
    VIEW_OBJECTS = Gauge "holdfast_view_objects" ["kind"] "Objects in the view";
    VIEW_MALFORMED = Gauge "holdfast_view_malformed_objects" ["kind"] "Objects that could not be decoded and are left alone";
    WATCH_EVENTS = Counter "holdfast_watch_events_total" ["kind", "event"] "What watches reported";
    WATCH_ERRORS = Counter "holdfast_watch_errors_total" ["kind", "reason"] "Ends of a watch that were not agreed";
    PLAN_SECONDS = Histogram "holdfast_plan_seconds" ["concern"] "Time to plan one namespace";
    WRITES = Counter "holdfast_writes_total" ["concern", "verb", "result"] "Writes to the API server";
    WRITE_QUEUE = Gauge "holdfast_write_queue" [] "Writes that wait";
    WRITE_QUEUE_OVERFLOW = Counter "holdfast_write_queue_overflow_total" [] "Writes that found the queue full and were planned again later";
    REACTION_SECONDS = Histogram "holdfast_reaction_seconds" [] "Time from an event seen to its write acknowledged";
    FINDINGS = Gauge "holdfast_findings" ["rule", "severity"] "Findings that are not excepted";
    WORKLOADS = Gauge "holdfast_workloads" ["concern", "state"] "Workloads by what a concern does about them";
    LEADER = Gauge "holdfast_leader" [] "1 while this replica leads";
    BRAKE_ENGAGED = Gauge "holdfast_brake_engaged" ["concern"] "1 while the mass-change brake holds a concern's withdrawals";
    FREEZE_ENGAGED = Gauge "holdfast_freeze_engaged" ["concern"] "1 while withdrawals of a concern wait for the end of an upgrade";
    DRAINABLE = Gauge "holdfast_drainable" [] "1 while every node that counts can be drained, as the gate says";
    NODES = Gauge "holdfast_nodes" ["verdict"] "Nodes by what draining them would do";
    NAMESPACE_LEVEL = Gauge "holdfast_namespace_level" ["level"] "Namespaces by the strictest Pod Security level that everything in them meets";
    UPGRADE_IN_PROGRESS = Gauge "holdfast_upgrade_in_progress" [] "1 while nodes are upgraded or emptied, or may be";
    DRAIN_STUCK = Gauge "holdfast_drain_stuck" [] "Cordoned nodes whose drain waits for a pod that its budget does not let go";
    EVENTS_DROPPED = Counter "holdfast_events_dropped_total" [] "Events for people that could not be delivered";
    RECONCILE = Counter "controller_runtime_reconcile_total" ["controller", "result"] "Passes over what was touched";
    RECONCILE_ERRORS = Counter "controller_runtime_reconcile_errors_total" ["controller"] "Passes in which something failed";
    RECONCILE_SECONDS = Histogram "controller_runtime_reconcile_time_seconds" ["controller"] "Time of a pass over what was touched";
    QUEUE_DEPTH = Gauge "workqueue_depth" ["name"] "Namespaces that wait to be planned";
    MASTER_STATUS = Gauge "leader_election_master_status" ["name"] "1 while this replica leads";
}
