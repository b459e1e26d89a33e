//! Drains that end with the drainer's patience, since probes wait: `OutOfTime`.

use serde_json::json;

use super::super::scenario::By::Patient;
use super::super::scenario::Ends::{Stuck, Well};
use super::super::scenario::Scenario;
use super::{budget, deployment, may_go, probed, web};

/// How long a replacement isn't ready, and how long one wave after another takes at the least.
const DELAY: u32 = 8;

pub(super) fn scenarios() -> Vec<Scenario> {
    let three = || [probed(web(3), DELAY), may_go("web")];
    vec![
        Scenario::new("who-has-time-for-one-wait-takes-two-of-three", Stuck(1))
            .alike()
            .put("a", 3, three())
            .by(Patient(15)),
        Scenario::new("who-has-time-for-two-waits-takes-all", Well).put("a", 3, three()).by(Patient(60)),
        Scenario::new("waits-of-two-budgets-are-at-the-same-time", Well)
            .put("a", 4, [probed(web(2), DELAY), may_go("web"), probed(deployment("db", 2), DELAY), may_go("db")])
            .by(Patient(15)),
        Scenario::new("who-has-no-time-for-a-wait-takes-one-of-each", Stuck(2))
            .alike()
            .put("a", 4, [probed(web(2), DELAY), may_go("web"), probed(deployment("db", 2), DELAY), may_go("db")])
            .by(Patient(6)),
        Scenario::new("who-may-go-at-once-waits-for-no-probe", Well)
            .put("a", 3, [probed(web(3), DELAY), budget("web", json!({ "maxUnavailable": 3 }))])
            .by(Patient(6)),
    ]
}
