//! What the controller was permitted is what it used, where it only looks, and where it does all that it can.
//!
//! 1. The chart gives a namespace nothing but what looking takes; the controller logs in to A, finds that something is wrong and
//!    that it is gone, and is asked for a look.
//! 2. It gives another one all that it has to give; the controller makes the token and initialises the server.
//! 3. In a third the Secrets of claim and keys were made beforehand, empty, and the right to make Secrets is taken away: that is
//!    enough for an initialisation.
//! 4. Nothing that it asked for was refused, nothing was beyond its roles, and no right was unused but those that other modes and
//!    other moments need, which are named here.

use std::collections::BTreeSet;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::rights::{Right, granted_by_roles, uncovered, unused};
use holdfast_e2e::{Cluster, NAMESPACE};
use holdfast_testkit::AuditEvent;
use holdfast_testkit::vault::{Product, Server};
use holdfast_vault::cause::Cause;
use k8s_openapi::api::rbac::v1::Role;
use kube::api::{Api, PostParams};
use serde_json::json;

use crate::causes::{Place, Stage, Twist, auth, trust};
use crate::init::people::{KEYS, People};
use crate::init::{self, CLAIM};
use crate::stage::{self, ACCOUNT, KEY, NAME, USER, condition};

const OBSERVED: &str = "observed";
const MANAGED: &str = "managed";
const BEFOREHAND: &str = "beforehand";
/// The Role that the chart makes in each of them.
const ROLE: &str = "holdfast-system.holdfast-vault";

/// Rights that the observed namespace has no use for, as `verb resource`.
const UNUSED: [&str; 4] = [
    // Sets and removes our finalizer, once something is made on A that has to be taken back.
    "patch vaulttransitunseals.holdfast.dev",
    // A watch tells all that is asked of single objects.
    "get vaulttransitunseals.holdfast.dev",
    "get pods.",
    // Events are made, and never told again.
    "patch events.events.k8s.io",
];

/// Those that the managed one has no use for.
const UNUSED_TO_MANAGE: [&str; 4] = [
    "get vaulttransitunseals.holdfast.dev",
    "patch events.events.k8s.io",
    // A server that hangs, or waits for its next start, is restarted: `starts.rs` tells of it.
    "delete pods.",
    "create pods/eviction.",
];

/// Those outside of both: names of roles that `provision: All` makes on A say which cluster they are of.
const UNUSED_ELSEWHERE: [&str; 1] = ["get namespaces."];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_permitted_is_what_was_used() -> Result<()> {
    let namespaces = [OBSERVED, MANAGED, BEFOREHAND];
    let mut values = stage::values(&namespaces);
    values["vault"]["namespaces"][0] =
        json!({"name": OBSERVED, "statefulSets": [NAME], "secrets": ["seal", "ca"], "serviceAccounts": [ACCOUNT]});
    let cluster = stage::cluster_with(&namespaces, &values).await?;
    secrets_are_made_by_somebody_else(&cluster).await?;
    let spool = tempfile::tempdir()?;
    let controller = init::controller(&cluster, &namespaces, spool.path()).await?;
    let stage = Stage::new(cluster, controller);
    let observed = Box::pin(everything(Place { stage: &stage, namespace: OBSERVED, product: Product::OpenBao }));
    let managed = Box::pin(initialised(&stage.cluster, MANAGED));
    let beforehand = Box::pin(initialised(&stage.cluster, BEFOREHAND));
    let told = tokio::try_join!(observed, managed, beforehand);
    told.map_err(|error| stage.controller.explain(error))?;
    stage.controller.terminate(Duration::from_secs(30)).await?;
    rights_are_used(&stage.cluster).await
}

async fn rights_are_used(cluster: &Cluster) -> Result<()> {
    let used = cluster.plane.audit().events()?.into_iter();
    let used: Vec<AuditEvent> = used.filter(|event| event.user == USER).collect();
    let refused: Vec<&AuditEvent> = used.iter().filter(|event| event.code == 403).collect();
    ensure!(refused.is_empty(), "{refused:#?}");
    let roles = granted_by_roles(&cluster.admin(), ACCOUNT).await?;
    let outside = uncovered(&roles, &used);
    ensure!(outside.is_empty(), "not in its roles: {outside:#?}");
    let unused = unused(&roles, &used);
    let sorts: [(&[&str], &[&str]); 3] =
        [(&[OBSERVED], &UNUSED), (&[MANAGED], &UNUSED_TO_MANAGE), (&[NAMESPACE, "kube-system"], &UNUSED_ELSEWHERE)];
    for (namespaces, excused) in sorts {
        let there =
            |right: &&Right| right.namespace.as_deref().is_some_and(|namespace| namespaces.contains(&namespace));
        let unused: BTreeSet<String> = unused.iter().filter(there).map(spelt).collect();
        let excused: BTreeSet<String> = excused.iter().map(|&right| right.to_owned()).collect();
        let differing: Vec<&String> = unused.symmetric_difference(&excused).collect();
        ensure!(differing.is_empty(), "{namespaces:?}: unused, or excused in vain: {differing:#?}");
    }
    ensure!(roles.iter().all(|right| right.namespace.is_some()), "a right in all namespaces: {roles:#?}");
    Ok(())
}

fn spelt(right: &Right) -> String {
    format!("{} {}.{}", right.verb, right.resource, right.group)
}

/// What a cluster wants whose people don't let a controller make Secrets.
async fn secrets_are_made_by_somebody_else(cluster: &Cluster) -> Result<()> {
    let secrets: Api<k8s_openapi::api::core::v1::Secret> = Api::namespaced(cluster.admin(), BEFOREHAND);
    for name in [CLAIM, KEYS] {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}});
        secrets.create(&PostParams::default(), &serde_json::from_value(secret)?).await?;
    }
    let roles: Api<Role> = Api::namespaced(cluster.admin(), BEFOREHAND);
    let mut role = roles.get(ROLE).await?;
    let rules = role.rules.as_mut().context("a Role without rules")?;
    let before = rules.len();
    let makes = |resources: &Option<Vec<String>>| resources.iter().flatten().any(|resource| resource == "secrets");
    rules.retain(|rule| !(makes(&rule.resources) && rule.verbs == ["create"]));
    ensure!(rules.len() + 1 == before, "{rules:#?}");
    roles.replace(ROLE, &PostParams::default(), &role).await?;
    Ok(())
}

/// All that may be done is done.
async fn initialised(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let pair = init::unborn(cluster, namespace, Product::OpenBao).await?;
    let mut spec = init::wanted(&People::new());
    spec["deletionPolicy"] = json!("Revoke");
    pair.apply(&spec).await?;
    init::confirm_storage(cluster, namespace, &pair).await?;
    pair.eventually("the initialisation to be complete", |status| condition(status, "Ready").0 == "True").await?;
    pair.look().await.map(drop)
}

async fn everything(place: Place<'_>) -> Result<()> {
    let scene = place.prepare(Server::builder(place.product).inmem().tls(&[]), &place.shape(), Twist::None).await?;
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
