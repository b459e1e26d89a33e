//! Upgrades of all nodes, one batch after the other.
//!
//! Where more than one node is fit for a pod the scheduler chooses, and how many pods the next node has is chance: such an
//! upgrade says so.

use serde_json::json;

use super::super::scenario::Ends::{self, Stuck, Well};
use super::super::scenario::Scenario;
use super::super::upgrade::Upgrade;
use super::{apart_from, asking, budget, claim, deployment, may_go, mounting, set_of, spread, volume, web};

const THREE: [&str; 3] = ["a", "b", "c"];
const FOUR: [&str; 4] = ["a", "b", "c", "d"];

pub(in super::super) fn upgrades() -> Vec<Upgrade> {
    let groups = [room(), places(), volumes(), blocked()];
    groups.into_iter().flatten().collect()
}

/// Nodes `a`, `b` and `c`.
fn three(name: &'static str, ends: Ends) -> Scenario {
    Scenario::new(name, ends).with_node("c")
}

fn one_by_one(scenario: Scenario) -> Upgrade {
    Upgrade { scenario, order: &THREE, parallelism: 1, chance: false }
}

fn two_by_two(scenario: Scenario) -> Upgrade {
    Upgrade { parallelism: 2, ..one_by_one(scenario) }
}

fn room() -> Vec<Upgrade> {
    let tight = |name| {
        let nodes = three(name, Well).with_processors("a", "1").with_processors("b", "1").with_processors("c", "1");
        nodes.put("a", 1, [asking(web(1)), may_go("web")]).put("b", 2, [asking(web(2))])
    };
    let wide =
        three("rolls-a-pair-with-room-anywhere", Well).put("a", 1, [web(1), may_go("web")]).put("b", 2, [web(2)]);
    let four = tight("rolls-two-of-four-nodes-with-room-for-one").with_node("d").with_processors("d", "1");
    vec![
        Upgrade { chance: true, ..one_by_one(wide) },
        one_by_one(tight("rolls-nodes-with-room-for-one-each")),
        Upgrade { order: &["c", "b", "a"], ..one_by_one(tight("rolls-nodes-with-room-for-one-backwards")) },
        Upgrade { order: &FOUR, ..two_by_two(four) },
        two_by_two(tight("rolls-two-of-three-nodes-with-room-for-one")),
    ]
}

fn places() -> Vec<Upgrade> {
    let apart = apart_from("web");
    let on_each = |name, ends, like: &dyn Fn(serde_json::Value) -> serde_json::Value| {
        three(name, ends).put("a", 1, [like(web(1)), may_go("web")]).put("b", 2, [like(web(2))]).put(
            "c",
            3,
            [like(web(3))],
        )
    };
    let pair = |name, ends| three(name, ends).put("a", 1, [web(1), may_go("web")]).put("b", 2, [web(2)]);
    let shunning = three("rolls-two-that-shun-each-other-over-three-nodes", Well);
    vec![
        one_by_one(on_each("rolls-three-that-shun-each-other-one-by-one", Well, &apart)),
        two_by_two(on_each("two-of-three-that-shun-each-other-do-not-go-together", Stuck(1), &apart).alike()),
        one_by_one(shunning.put("a", 1, [apart(web(1)), may_go("web")]).put("b", 2, [apart(web(2))])),
        one_by_one(on_each("rolls-three-that-are-spread", Well, &spread(false))),
        one_by_one(pair("rolls-a-pair-beside-a-tainted-node", Well).tainted("c", "gpu", "NoSchedule")),
        two_by_two(
            pair("a-pair-beside-a-tainted-node-does-not-go-together", Stuck(1))
                .tainted("c", "gpu", "NoSchedule")
                .alike(),
        ),
        one_by_one(three("rolls-a-stateful-set-beside-a-tainted-node", Well).tainted("c", "gpu", "NoSchedule").put(
            "a",
            3,
            [set_of(3, "OrderedReady"), may_go("db")],
        )),
    ]
}

fn volumes() -> Vec<Upgrade> {
    let with_volume = |name, nodes: &[&str]| {
        three(name, Well).put("a", 1, [volume("data", nodes), claim("data"), mounting(web(1), "data"), may_go("web")])
    };
    vec![
        one_by_one(with_volume("rolls-a-pod-whose-volume-is-on-its-node", &["a"])),
        one_by_one(with_volume("rolls-a-pod-whose-volume-two-nodes-reach", &["a", "b"])),
        two_by_two(with_volume("rolls-both-nodes-that-reach-a-volume", &["a", "b"])),
    ]
}

fn blocked() -> Vec<Upgrade> {
    let singleton = || [web(1), budget("web", json!({ "minAvailable": 1 }))];
    let four = three("rolls-two-at-a-time-until-a-singleton-that-must-stay", Stuck(1)).with_node("d");
    vec![
        one_by_one(
            three("rolls-until-a-singleton-that-must-stay", Stuck(1))
                .tainted("c", "gpu", "NoSchedule")
                .put("a", 1, [deployment("db", 1)])
                .put("b", 2, singleton()),
        ),
        Upgrade { order: &FOUR, ..two_by_two(four.put("a", 1, [deployment("db", 1)]).put("b", 2, singleton())) },
    ]
}
