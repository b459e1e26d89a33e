//! Drains by one that asks each pod once, as tuppr's own does.
//!
//! Where a replacement could give its budget back within the pass its probe waits: so it is with pods that do something.

use holdfast_e2e::set;
use serde_json::{Value, json};

use super::super::scenario::By::OnePass;
use super::super::scenario::Ends::{self, Stuck, Well};
use super::super::scenario::Scenario;
use super::{
    agents, bare, budget, claim, copies, deployment, everywhere, may_go, mounting, probed, set_of, volume, web,
};

/// Longer than a pass takes.
const DELAY: u32 = 6;

pub(super) fn scenarios() -> Vec<Scenario> {
    let once = |name: &'static str, ends: Ends| Scenario::new(name, ends).by(OnePass);
    let slow = |replicas: usize| probed(web(replicas), DELAY);
    let sick = |app: Value| set(app, "/spec/template/metadata/labels/unready", json!("true"));
    let always = |app: &str| set(may_go(app), "/spec/unhealthyPodEvictionPolicy", json!("AlwaysAllow"));
    let second = || set(may_go("web"), "/metadata/name", json!("second"));
    vec![
        once("asked-once-without-a-budget-all-go", Well).put("a", 2, [web(2)]),
        once("asked-once-a-singleton-that-must-stay-stays", Stuck(1)).put(
            "a",
            1,
            [web(1), budget("web", json!({ "minAvailable": 1 }))],
        ),
        once("asked-once-one-of-two-that-may-go-one-by-one-stays", Stuck(1)).alike().put(
            "a",
            2,
            [slow(2), may_go("web")],
        ),
        once("asked-once-one-of-three-of-which-half-may-go-stays", Stuck(1)).alike().put(
            "a",
            3,
            [slow(3), budget("web", json!({ "maxUnavailable": "50%" }))],
        ),
        once("asked-once-one-of-two-on-each-node-goes", Well).put("a", 1, [web(1), may_go("web")]).put(
            "b",
            2,
            [web(2)],
        ),
        once("asked-once-two-budgets-over-one-pod-stop-it", Stuck(1)).put("a", 1, [web(1), may_go("web"), second()]),
        once("asked-once-two-budgets-do-not-stop-another-workload", Stuck(2)).put(
            "a",
            3,
            [web(2), may_go("web"), second(), deployment("db", 1)],
        ),
        once("asked-once-two-budgets-stop-an-unready-pod", Stuck(1)).put(
            "a",
            1,
            [sick(web(1)), always("web"), second()],
        ),
        once("asked-once-a-crash-looping-singleton-stays", Stuck(1)).put("a", 1, [sick(web(1)), may_go("web")]),
        once("asked-once-a-crash-looping-one-that-may-always-go-goes", Well).put("a", 1, [sick(web(1)), always("web")]),
        once("asked-once-a-ready-one-stays-while-another-is-not", Stuck(1))
            .put("a", 1, [web(1), may_go("web")])
            .put("b", 2, [web(2)])
            .sicken("web", "b"),
        once("asked-once-an-unready-one-goes-while-another-is-ready", Well)
            .put("a", 1, [web(1), budget("web", json!({ "minAvailable": 1 }))])
            .put("b", 2, [web(2)])
            .sicken("web", "a"),
        once("asked-once-what-bears-the-cordon-is-not-asked-again", Well).without_another_node().put(
            "a",
            2,
            [everywhere(web(2))],
        ),
        once("asked-once-of-what-bears-the-cordon-one-goes", Stuck(1)).alike().without_another_node().put(
            "a",
            2,
            [everywhere(slow(2)), may_go("web")],
        ),
        once("asked-once-one-of-a-stateful-set-goes", Stuck(2)).alike().put(
            "a",
            3,
            [probed(set_of(3, "Parallel"), DELAY), may_go("db")],
        ),
        once("asked-once-nobody-waits-for-a-place", Well).put(
            "a",
            1,
            [volume("data", &["a"]), claim("data"), mounting(web(1), "data"), may_go("web")],
        ),
        once("asked-once-jobs-and-bare-pods-go", Well).put("a", 3, [copies(2), bare("alone")]),
        once("asked-once-what-a-daemon-set-runs-is-passed-over", Well).put("a", 3, [agents("agent"), web(1)]),
    ]
}
