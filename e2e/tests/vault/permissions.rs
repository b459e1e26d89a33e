//! What the controller was permitted is what it used, in mode Observe.
//!
//! 1. The chart gives a namespace nothing but what looking takes; the controller logs in to A, finds that something is wrong and
//!    that it is gone, and is asked for a look.
//! 2. Nothing that it asked for was refused, nothing was beyond its roles, and no right was unused but those that other modes and
//!    other moments need, which are named here.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Result, ensure};
use holdfast_e2e::rights::{granted_by_roles, uncovered, unused};
use holdfast_testkit::AuditEvent;
use holdfast_testkit::vault::{Product, Server};
use holdfast_vault::cause::Cause;
use serde_json::json;

use crate::causes::{Place, Stage, auth, trust};
use crate::stage::{self, ACCOUNT, KEY, NAME, USER};

const NAMESPACE: &str = "observed";

/// Rights that this story has no use for, as `verb resource`.
const UNUSED: [&str; 4] = [
    // Sets and removes our finalizer, once something is made on A that has to be taken back.
    "patch vaulttransitunseals.holdfast.dev",
    // A watch tells all that is asked of single objects.
    "get vaulttransitunseals.holdfast.dev",
    "get pods.",
    // Events are made, and never told again.
    "patch events.events.k8s.io",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_permitted_is_what_was_used() -> Result<()> {
    let values = json!({"vault": {"enabled": true, "replicas": 1, "namespaces": [{
        "name": NAMESPACE, "statefulSets": [NAME], "secrets": ["seal", "ca"], "serviceAccounts": [ACCOUNT],
    }]}});
    let cluster = stage::cluster_with(&[NAMESPACE], &values).await?;
    let controller = stage::controller(&cluster, &[NAMESPACE]).await?;
    let stage = Stage::new(cluster, controller);
    everything(Place { stage: &stage, namespace: NAMESPACE, product: Product::OpenBao }).await?;
    stage.controller.terminate(Duration::from_secs(30)).await?;

    let used = stage.cluster.plane.audit().events()?.into_iter();
    let used: Vec<AuditEvent> = used.filter(|event| event.user == USER).collect();
    let refused: Vec<&AuditEvent> = used.iter().filter(|event| event.code == 403).collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    let roles = granted_by_roles(&stage.cluster.admin(), ACCOUNT).await?;
    let outside = uncovered(&roles, &used);
    ensure!(outside.is_empty(), "not in its roles: {outside:#?}");
    let unused: BTreeSet<String> = unused(&roles, &used)
        .iter()
        .map(|right| format!("{} {}.{}", right.verb, right.resource, right.group))
        .collect();
    let excused: BTreeSet<String> = UNUSED.iter().map(|&right| right.to_owned()).collect();
    let differing: Vec<&String> = unused.symmetric_difference(&excused).collect();
    ensure!(differing.is_empty(), "unused, or excused in vain: {differing:#?}");
    Ok(())
}

async fn everything(place: Place<'_>) -> Result<()> {
    let scene = place
        .prepare(Server::builder(place.product).inmem().tls(&[]), &place.shape(), crate::causes::Twist::None)
        .await?;
    let (pair, set) = (&scene.pair, &scene.pair.set);
    pair.initialise().await?;
    trust(place, &pair.a).await?;
    set.write_secret("ca", &json!({"ca.crt": pair.a.server.authority()})).await?;
    let mut spec = auth(&json!({}));
    spec["seal"]["transit"]["tls"] = json!({"caSecretRef": {"name": "ca", "key": "ca.crt"}});
    scene.watch(&spec).await?;
    let wrong = async || set.write_token("two\nlines").await;
    let right = async || set.write_token(&pair.a.mint(KEY).await?.token).await;
    scene.suffers(Cause::TokenMalformed, "a line break", wrong, right).await?;
    pair.look().await.map(drop)
}
