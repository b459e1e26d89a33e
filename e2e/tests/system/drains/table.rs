//! The scenarios, one entry each.

mod one_pass;
mod patience;
pub(super) mod upgrades;

use holdfast_e2e::{is_soak, set};
use serde_json::{Value, json};

use super::scenario::Ends::{Stuck, Well};
use super::scenario::Scenario;

pub(super) fn scenarios() -> Vec<Scenario> {
    let by_kubectl =
        [singletons(), replicas(), unready(), odd_pods(), odd_budgets(), placement(), volumes(), stateful()];
    let patience = if is_soak() { patience::scenarios() } else { Vec::new() };
    by_kubectl.into_iter().chain([one_pass::scenarios(), patience]).flatten().collect()
}

fn singletons() -> Vec<Scenario> {
    let single = |name, ends, limit| Scenario::new(name, ends).put("a", 1, [web(1), budget("web", limit)]);
    vec![
        Scenario::new("a-singleton-without-a-budget-goes", Well).put("a", 1, [web(1)]),
        single("a-singleton-of-which-one-must-stay-stays", Stuck(1), json!({ "minAvailable": 1 })),
        single("a-singleton-of-which-none-may-go-stays", Stuck(1), json!({ "maxUnavailable": 0 })),
        single("a-singleton-that-may-go-goes", Well, json!({ "maxUnavailable": 1 })),
        single("half-of-one-must-stay-is-one", Stuck(1), json!({ "minAvailable": "50%" })),
        single("half-of-one-may-go-is-one", Well, json!({ "maxUnavailable": "50%" })),
        single("a-budget-without-a-limit-lets-nobody-go", Stuck(1), json!({})),
        single("a-budget-without-a-selector-is-about-nobody", Well, json!({ "minAvailable": 1, "selector": null })),
    ]
}

fn replicas() -> Vec<Scenario> {
    let on_one = |name, ends, replicas: usize, limit| {
        Scenario::new(name, ends).put("a", replicas, [web(replicas), budget("web", limit)])
    };
    vec![
        on_one("two-on-one-node-go-one-by-one", Well, 2, json!({ "maxUnavailable": 1 })),
        on_one("three-on-one-node-go-one-by-one", Well, 3, json!({ "maxUnavailable": 1 })),
        on_one("three-of-which-half-may-go-go-in-two-waves", Well, 3, json!({ "maxUnavailable": "50%" })),
        on_one("two-of-which-two-must-stay-stay", Stuck(2), 2, json!({ "minAvailable": 2 })),
        on_one("two-of-which-all-must-stay-stay", Stuck(2), 2, json!({ "minAvailable": "100%" })),
        on_one("three-of-which-more-must-stay-than-are-stay", Stuck(3), 3, json!({ "minAvailable": 5 })),
        Scenario::new("one-of-two-on-each-node-goes", Well).put("a", 1, [web(1), may_go("web")]).put("b", 2, [web(2)]),
        Scenario::new("two-workloads-behind-one-budget-go-one-by-one", Well).put(
            "a",
            2,
            [web(1), deployment("db", 1), set(may_go("all"), "/spec/selector", json!({}))],
        ),
        Scenario::new("a-replica-set-of-its-own-goes-one-by-one", Well).put(
            "a",
            2,
            [set(web(2), "/kind", json!("ReplicaSet")), may_go("web")],
        ),
        Scenario::new("a-budget-over-nobody-is-in-nobodys-way", Well).put(
            "a",
            1,
            [web(1), deployment("none", 0), budget("none", json!({ "minAvailable": 1 }))],
        ),
    ]
}

fn unready() -> Vec<Scenario> {
    let sick = || set(web(1), "/spec/template/metadata/labels/unready", json!("true"));
    let single = |name, ends, limit| Scenario::new(name, ends).put("a", 1, [sick(), budget("web", limit)]);
    let with_policy = |mut limit: Value, policy: &str| {
        limit["unhealthyPodEvictionPolicy"] = json!(policy);
        limit
    };
    let spread =
        |name, ends, limit| Scenario::new(name, ends).put("a", 1, [web(1), budget("web", limit)]).put("b", 2, [web(2)]);
    vec![
        single("a-crash-looping-singleton-stays", Stuck(1), json!({ "maxUnavailable": 1 })),
        single("a-crash-looping-singleton-of-which-none-must-stay-stays", Stuck(1), json!({ "minAvailable": 0 })),
        single(
            "a-crash-looping-singleton-that-may-always-go-goes",
            Well,
            with_policy(json!({ "minAvailable": 1 }), "AlwaysAllow"),
        ),
        single(
            "a-crash-looping-singleton-if-healthy-stays",
            Stuck(1),
            with_policy(json!({ "maxUnavailable": 1 }), "IfHealthyBudget"),
        ),
        spread("a-ready-one-stays-while-the-other-is-not", Stuck(1), json!({ "maxUnavailable": 1 })).sicken("web", "b"),
        spread("an-unready-one-goes-while-the-other-is-ready", Well, json!({ "minAvailable": 1 })).sicken("web", "a"),
        spread(
            "a-ready-one-stays-whatever-unready-ones-may",
            Stuck(1),
            with_policy(json!({ "maxUnavailable": 1 }), "AlwaysAllow"),
        )
        .sicken("web", "b"),
        spread("an-unready-one-of-two-that-must-stay-stays", Stuck(1), json!({ "minAvailable": 2 })).sicken("web", "a"),
    ]
}

fn odd_pods() -> Vec<Scenario> {
    let ended = |job| set(job, "/spec/template/metadata/labels/finishes", json!("true"));
    vec![
        Scenario::new("what-a-daemon-set-runs-is-passed-over", Well).put("a", 3, [agents("agent"), web(1)]),
        Scenario::new("a-daemon-set-behind-a-budget-is-passed-over", Well).put(
            "a",
            2,
            [agents("agent"), budget("agent", json!({ "minAvailable": 2 }))],
        ),
        Scenario::new("what-the-node-itself-runs-is-passed-over", Well).put("a", 2, [mirror("static"), web(1)]),
        Scenario::new("a-job-begins-anew", Well).put("a", 2, [copies(2)]),
        Scenario::new("a-job-behind-a-share-can-not-be-counted", Stuck(2)).put("a", 2, [copies(2), may_go("copy")]),
        Scenario::new("a-job-of-which-all-must-stay-stays", Stuck(2)).put(
            "a",
            2,
            [copies(2), budget("copy", json!({ "minAvailable": 2 }))],
        ),
        Scenario::new("a-job-of-which-one-must-stay-goes-one-by-one", Well).put(
            "a",
            2,
            [copies(2), budget("copy", json!({ "minAvailable": 1 }))],
        ),
        Scenario::new("what-has-ended-goes-whatever-its-budget", Well).put(
            "a",
            2,
            [ended(copies(2)), budget("copy", json!({ "minAvailable": 2 }))],
        ),
        Scenario::new("a-bare-pod-goes-by-force", Well).put("a", 1, [bare("alone")]),
        Scenario::new("a-bare-pod-behind-a-share-is-not-counted", Stuck(1)).put(
            "a",
            1,
            [bare("alone"), may_go("alone")],
        ),
        Scenario::new("of-two-bare-pods-of-which-one-must-stay-one-stays", Stuck(1)).alike().put(
            "a",
            2,
            [
                bare("alone"),
                set(bare("alone"), "/metadata/name", json!("other")),
                budget("alone", json!({ "minAvailable": 1 })),
            ],
        ),
        Scenario::new("data-in-an-empty-dir-is-lost-with-its-pod", Well).put(
            "a",
            1,
            [in_spec(web(1), "volumes", json!([{ "name": "tmp", "emptyDir": {} }]))],
        ),
    ]
}

fn odd_budgets() -> Vec<Scenario> {
    let everything = |limit| set(budget("all", limit), "/spec/selector", json!({}));
    let second = || set(may_go("web"), "/metadata/name", json!("second"));
    vec![
        Scenario::new("two-budgets-over-one-pod-stop-it", Stuck(1)).put("a", 1, [web(1), may_go("web"), second()]),
        Scenario::new("two-budgets-over-one-workload-do-not-stop-another", Stuck(2)).put(
            "a",
            3,
            [web(2), may_go("web"), second(), deployment("db", 1)],
        ),
        Scenario::new("two-budgets-over-an-unready-pod-stop-it-too", Stuck(1)).put(
            "a",
            1,
            [
                set(web(1), "/spec/template/metadata/labels/unready", json!("true")),
                set(may_go("web"), "/spec/unhealthyPodEvictionPolicy", json!("AlwaysAllow")),
                second(),
            ],
        ),
        Scenario::new("a-daemon-set-breaks-a-budget-over-others", Stuck(1)).put(
            "a",
            3,
            [agents("agent"), web(1), everything(json!({ "maxUnavailable": 1 }))],
        ),
        Scenario::new("a-budget-that-was-counted-once-and-fails-now-blocks", Stuck(1))
            .put("a", 1, [web(1), everything(json!({ "maxUnavailable": 1 }))])
            .put("a", 3, [agents("agent")]),
        Scenario::new("a-number-that-must-stay-counts-daemon-sets-too", Well).put(
            "a",
            3,
            [agents("agent"), web(1), everything(json!({ "minAvailable": 2 }))],
        ),
        Scenario::new("an-unready-pod-goes-though-its-budget-fails", Well).put(
            "a",
            3,
            [
                agents("agent"),
                set(web(1), "/spec/template/metadata/labels/unready", json!("true")),
                set(
                    everything(json!({ "maxUnavailable": 1 })),
                    "/spec/unhealthyPodEvictionPolicy",
                    json!("AlwaysAllow"),
                ),
            ],
        ),
    ]
}

/// Pairs behind a budget: where the first that goes finds no place, the second stays.
fn placement() -> Vec<Scenario> {
    let pair = |name, ends, like: &dyn Fn(Value) -> Value| {
        Scenario::new(name, ends).alike().put("a", 2, [like(web(2)), may_go("web")])
    };
    let as_is = |app: Value| app;
    let chosen = |app: Value| set(app, "/spec/template/spec/nodeSelector/disk", json!("ssd"));
    let tolerating = |app: Value| in_spec(app, "tolerations", json!([{ "key": "gpu", "operator": "Exists" }]));
    let wanting = |operator: &'static str, values: Value| {
        move |app: Value| {
            let expression = match operator {
                "Exists" => json!({ "key": "disk", "operator": operator }),
                _ => json!({ "key": "disk", "operator": operator, "values": values }),
            };
            let terms = json!({ "nodeSelectorTerms": [{ "matchExpressions": [expression] }] });
            in_spec(
                app,
                "affinity",
                json!({ "nodeAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": terms } }),
            )
        }
    };
    vec![
        pair("without-another-node-one-of-two-stays", Stuck(1), &as_is).without_another_node(),
        pair("a-cordoned-node-is-no-place", Stuck(1), &as_is).cordoned("b"),
        pair("a-node-without-the-label-is-no-place", Stuck(1), &chosen).labelled("a", "disk", "ssd"),
        pair("a-node-with-the-label-is-a-place", Well, &chosen)
            .labelled("a", "disk", "ssd")
            .labelled("b", "disk", "ssd"),
        pair("a-node-outside-the-affinity-is-no-place", Stuck(1), &wanting("In", json!(["ssd"])))
            .labelled("a", "disk", "ssd")
            .labelled("b", "disk", "hdd"),
        pair("a-node-that-affinity-shuns-is-no-place", Stuck(1), &wanting("NotIn", json!(["hdd"])))
            .labelled("b", "disk", "hdd"),
        pair("a-node-with-a-number-high-enough-is-a-place", Well, &wanting("Gt", json!(["4"])))
            .labelled("a", "disk", "8")
            .labelled("b", "disk", "5"),
        pair("a-node-with-a-number-too-low-is-no-place", Stuck(1), &wanting("Gt", json!(["4"])))
            .labelled("a", "disk", "8")
            .labelled("b", "disk", "4"),
        pair("a-tainted-node-is-no-place", Stuck(1), &as_is).tainted("b", "gpu", "NoSchedule"),
        pair("a-taint-that-is-borne-keeps-nobody-away", Well, &tolerating).tainted("b", "gpu", "NoSchedule"),
        pair("a-taint-that-only-discourages-keeps-nobody-away", Well, &as_is).tainted("b", "gpu", "PreferNoSchedule"),
        pair("a-node-without-room-is-no-place", Stuck(1), &asking).with_processors("b", "500m"),
        pair("a-node-with-room-for-one-takes-one", Well, &asking).with_processors("b", "1"),
        pair("what-bears-the-cordon-comes-back-where-it-was", Well, &everywhere).without_another_node(),
        Scenario::new("a-node-that-is-taken-by-others-is-no-place", Stuck(1))
            .alike()
            .with_processors("b", "1")
            .put("b", 1, [set(asking(deployment("db", 1)), "/metadata/name", json!("db"))])
            .put("a", 3, [asking(web(2)), may_go("web")]),
        Scenario::new("pods-that-shun-each-other-need-a-free-node", Well)
            .put("a", 1, [apart_from("web")(web(1)), may_go("web")])
            .put("b", 2, [apart_from("web")(web(2))]),
        Scenario::new("pods-that-shun-others-find-no-place", Stuck(1)).alike().put("b", 1, [deployment("db", 1)]).put(
            "a",
            3,
            [apart_from("db")(web(2)), may_go("web")],
        ),
        Scenario::new("others-that-shun-them-are-no-place", Stuck(1))
            .alike()
            .put("b", 1, [apart_from("web")(deployment("db", 1))])
            .put("a", 3, [web(2), may_go("web")]),
        Scenario::new("pods-that-are-spread-count-the-node-that-is-drained", Well)
            .with_node("c")
            .put("a", 1, [spread(false)(web(1))])
            .put("b", 2, [spread(false)(web(2))])
            .put("c", 3, [spread(false)(web(3)), may_go("web")]),
        Scenario::new("pods-that-are-spread-too-unevenly-stay", Stuck(1))
            .alike()
            .put("a", 1, [spread(false)(web(1))])
            .put("b", 2, [spread(false)(web(2))])
            .put("a", 3, [spread(false)(web(3))])
            .put("b", 4, [spread(false)(web(4)), may_go("web")]),
        Scenario::new("a-spread-that-honours-taints-does-not-count-the-drained", Well)
            .put("a", 1, [spread(true)(web(1))])
            .put("b", 2, [spread(true)(web(2))])
            .put("a", 3, [spread(true)(web(3))])
            .put("b", 4, [spread(true)(web(4)), may_go("web")]),
    ]
}

fn volumes() -> Vec<Scenario> {
    vec![
        Scenario::new("a-volume-on-the-node-keeps-its-pod-from-coming-back", Well).put(
            "a",
            1,
            [volume("data", &["a"]), claim("data"), mounting(web(1), "data"), may_go("web")],
        ),
        Scenario::new("two-with-a-volume-on-the-node-one-of-which-stays", Stuck(1)).alike().put(
            "a",
            2,
            [volume("data", &["a"]), claim("data"), mounting(web(2), "data"), may_go("web")],
        ),
        Scenario::new("a-volume-that-both-nodes-reach-keeps-nobody", Well).put(
            "a",
            2,
            [volume("data", &["a", "b"]), claim("data"), mounting(web(2), "data"), may_go("web")],
        ),
    ]
}

fn stateful() -> Vec<Scenario> {
    let with_data = |policy: &str| {
        let claims = json!([{ "metadata": { "name": "data" }, "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": { "requests": { "storage": "1Gi" } },
        } }]);
        let stateful = set(set_of(2, policy), "/spec/volumeClaimTemplates", claims);
        let volumes =
            [volume("data-db-0", &["a"]), claim("data-db-0"), volume("data-db-1", &["a", "b"]), claim("data-db-1")];
        volumes.into_iter().chain([stateful]).collect::<Vec<_>>()
    };
    vec![
        Scenario::new("a-stateful-set-goes-one-by-one", Well).put("a", 3, [set_of(3, "OrderedReady"), may_go("db")]),
        Scenario::new("a-parallel-stateful-set-goes-one-by-one", Well).put(
            "a",
            3,
            [set_of(3, "Parallel"), may_go("db")],
        ),
        Scenario::new("the-second-waits-for-the-first-that-can-not-come-back", Well).put(
            "a",
            2,
            with_data("OrderedReady"),
        ),
        Scenario::new("the-second-of-a-parallel-set-comes-back-without-the-first", Well).put(
            "a",
            2,
            with_data("Parallel"),
        ),
        Scenario::new("a-stateful-set-without-a-place-keeps-one", Stuck(1)).without_another_node().alike().put(
            "a",
            2,
            [set_of(2, "OrderedReady"), may_go("db")],
        ),
        Scenario::new("a-crash-looping-stateful-set-stays", Stuck(1)).put(
            "a",
            1,
            [set(set_of(3, "OrderedReady"), "/spec/template/metadata/labels/unready", json!("true")), may_go("db")],
        ),
    ]
}

/// A StatefulSet `db`.
fn set_of(replicas: usize, policy: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": { "name": "db" }, "spec": {
        "replicas": replicas, "serviceName": "db", "podManagementPolicy": policy,
        "selector": { "matchLabels": { "app": "db" } },
        "template": set(template("db"), "/metadata/labels/lingers", json!("true")),
    } })
}

/// With room for one of them on a node of one processor.
fn asking(app: Value) -> Value {
    set(app, "/spec/template/spec/containers/0/resources", json!({ "requests": { "cpu": "600m" } }))
}

/// Its pods don't run on the same node as those of the other.
fn apart_from(other: &'static str) -> impl Fn(Value) -> Value {
    move |app| {
        let term = json!({
            "topologyKey": "kubernetes.io/hostname", "labelSelector": { "matchLabels": { "app": other } },
        });
        in_spec(
            app,
            "affinity",
            json!({ "podAntiAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [term] } }),
        )
    }
}

/// Its pods are spread over the nodes, of which those that are tainted count or don't.
fn spread(honor: bool) -> impl Fn(Value) -> Value {
    move |app| {
        let mut constraint = json!({
            "maxSkew": 1, "topologyKey": "kubernetes.io/hostname", "whenUnsatisfiable": "DoNotSchedule",
            "labelSelector": { "matchLabels": { "app": "web" } },
        });
        if honor {
            constraint["nodeTaintsPolicy"] = json!("Honor");
        }
        in_spec(app, "topologySpreadConstraints", json!([constraint]))
    }
}

/// Its pods are ready when their probe has waited so long.
fn probed(app: Value, seconds: u32) -> Value {
    let app = set(app, "/spec/template/metadata/labels/probed", json!("true"));
    let probe = json!({ "httpGet": { "path": "/", "port": 80 }, "initialDelaySeconds": seconds });
    set(app, "/spec/template/spec/containers/0/readinessProbe", probe)
}

/// Its pods bear even a cordon.
fn everywhere(app: Value) -> Value {
    in_spec(app, "tolerations", json!([{ "operator": "Exists" }]))
}

fn web(replicas: usize) -> Value {
    deployment("web", replicas)
}

fn deployment(app: &str, replicas: usize) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "Deployment", "metadata": { "name": app }, "spec": {
        "replicas": replicas, "selector": { "matchLabels": { "app": app } }, "template": template(app),
    } })
}

fn copies(count: usize) -> Value {
    let job = json!({ "apiVersion": "batch/v1", "kind": "Job", "metadata": { "name": "copy" }, "spec": {
        "parallelism": count, "completions": count, "template": template("copy"),
    } });
    set(job, "/spec/template/spec/restartPolicy", json!("Never"))
}

/// On both nodes, cordoned or not.
fn agents(app: &str) -> Value {
    json!({ "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": { "name": app }, "spec": {
        "selector": { "matchLabels": { "app": app } }, "template": template(app),
    } })
}

fn template(app: &str) -> Value {
    json!({ "metadata": { "labels": { "app": app } }, "spec": {
        "nodeSelector": { "scenario": "NAME" }, "terminationGracePeriodSeconds": 30,
        "containers": [{ "name": "main", "image": "example.com/app:1" }],
    } })
}

fn bare(name: &str) -> Value {
    let pod = json!({ "apiVersion": "v1", "kind": "Pod", "metadata": { "name": name, "labels": { "app": name } } });
    set(set(pod, "/spec", template(name)["spec"].clone()), "/spec/nodeName", json!("NAME-a"))
}

/// The mirror of a static pod; the UID of the owner is looked up.
fn mirror(name: &str) -> Value {
    let owner = json!({ "apiVersion": "v1", "kind": "Node", "name": "NAME-a", "controller": true });
    let pod = set(bare(name), "/metadata/annotations", json!({ "kubernetes.io/config.mirror": "of-a-file" }));
    set(pod, "/metadata/ownerReferences", json!([owner]))
}

fn budget(app: &str, limit: Value) -> Value {
    let mut budget = json!({ "apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": { "name": app } });
    budget["spec"] = limit;
    match budget["spec"].get("selector") {
        Some(_) => budget,
        None => set(budget, "/spec/selector", json!({ "matchLabels": { "app": app } })),
    }
}

fn may_go(app: &str) -> Value {
    budget(app, json!({ "maxUnavailable": 1 }))
}

fn in_spec(app: Value, field: &str, value: Value) -> Value {
    set(app, &format!("/spec/template/spec/{field}"), value)
}

fn mounting(app: Value, claim: &str) -> Value {
    in_spec(app, "volumes", json!([{ "name": "data", "persistentVolumeClaim": { "claimName": claim } }]))
}

/// A volume for the claim of the same name that is reached from these nodes.
fn volume(name: &str, nodes: &[&str]) -> Value {
    let expressions = json!([
        { "key": "scenario", "operator": "In", "values": ["NAME"] }, { "key": "place", "operator": "In", "values": nodes },
    ]);
    json!({ "apiVersion": "v1", "kind": "PersistentVolume", "metadata": { "name": format!("NAME-{name}") }, "spec": {
        "capacity": { "storage": "1Gi" }, "accessModes": ["ReadWriteOnce"], "local": { "path": "/data" },
        "claimRef": { "namespace": "NAME", "name": name },
        "nodeAffinity": { "required": { "nodeSelectorTerms": [{ "matchExpressions": expressions }] } },
    } })
}

fn claim(name: &str) -> Value {
    json!({ "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": { "name": name }, "spec": {
        "accessModes": ["ReadWriteOnce"], "storageClassName": "", "volumeName": format!("NAME-{name}"),
        "resources": { "requests": { "storage": "1Gi" } },
    } })
}
