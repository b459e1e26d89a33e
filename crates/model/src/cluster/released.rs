//! What comes and goes leaves nothing behind: neither facts nor the strings they were made of.

use serde_json::{Value, json};

use crate::facts::placement;
use crate::shapes::{
    Deployment, HelmRelease, HorizontalPodAutoscaler, Namespace, Pod, PodDisruptionBudget, ReplicaSet, Shape,
};
use crate::{Cluster, Kind, ObjectKey, labels, selector, text};

/// Takes an object in that has names which nothing else has.
fn apply<S: Shape>(cluster: &mut Cluster, home: &str, fields: Value) {
    let mut object = fields;
    let name = format!("{}-in-{home}", S::KIND.as_str().to_lowercase());
    object["metadata"]["name"] = json!(if S::KIND == Kind::Namespace { home } else { &name });
    object["metadata"]["namespace"] = json!(if S::KIND == Kind::Namespace { "" } else { home });
    object["metadata"]["labels"] = json!({ format!("key-{name}"): format!("value-{name}") });
    cluster.apply(serde_json::from_value::<S>(object).expect("the object decodes"));
}

fn populate(cluster: &mut Cluster, home: &str) {
    let labels = json!({ format!("app-of-{home}"): format!("web-of-{home}") });
    let template = json!({ "metadata": { "labels": labels }, "spec": { "containers": [{ "image": format!("image-of-{home}") }] } });
    let selector = json!({ "matchLabels": labels });
    let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": format!("deployment-in-{home}"), "uid": "u", "controller": true }]);
    apply::<Namespace>(cluster, home, json!({}));
    apply::<Deployment>(cluster, home, json!({ "spec": { "selector": selector, "template": template } }));
    apply::<ReplicaSet>(
        cluster,
        home,
        json!({ "metadata": { "ownerReferences": owner }, "spec": { "selector": selector, "template": template } }),
    );
    apply::<Pod>(
        cluster,
        home,
        json!({
            "metadata": { "ownerReferences": owner },
            "spec": { "nodeName": format!("node-of-{home}"), "nodeSelector": { format!("disk-of-{home}"): "ssd" } },
        }),
    );
    apply::<PodDisruptionBudget>(cluster, home, json!({ "spec": { "selector": selector, "maxUnavailable": 1 } }));
    let target = json!({ "apiVersion": "apps/v1", "kind": "Deployment", "name": format!("deployment-in-{home}") });
    apply::<HorizontalPodAutoscaler>(cluster, home, json!({ "spec": { "scaleTargetRef": target, "maxReplicas": 3 } }));
    let entry = json!({ "id": format!("{home}_deployment-in-{home}_apps_Deployment"), "v": "v1" });
    apply::<HelmRelease>(cluster, home, json!({ "spec": {}, "status": { "inventory": { "entries": [entry] } } }));
    cluster.apply_unreadable(Kind::Job, &ObjectKey::new(home, format!("job-in-{home}")), "no number");
}

/// As it is gone: kind by kind, some missed by the watch and found by a list.
fn clear(cluster: &mut Cluster) {
    for kind in Kind::ALL {
        cluster.reset(kind, |_| false);
    }
}

/// How many strings are known that only this test has made. Placements, labels and selectors first: they hold strings too.
fn strings() -> usize {
    placement::sweep();
    labels::sweep();
    selector::sweep();
    text::count(|text| text.contains("home-"))
}

#[test]
fn namespaces_that_come_and_go_leave_neither_facts_nor_strings() {
    let mut cluster = Cluster::default();
    for at in 0..100 {
        populate(&mut cluster, &format!("home-{at}"));
    }
    assert!(1_000 < strings(), "{} strings aren't many: nothing was interned", strings());
    clear(&mut cluster);
    assert_eq!(cluster, Cluster::default());
    assert_eq!(strings(), 0);
}
