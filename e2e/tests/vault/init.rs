//! A server that never was is initialised by the controller, from nothing, and its people get in.
//!
//! 1. There is a StatefulSet, an empty Secret for the token, and the resource. The token is made, the server starts blank, it is
//!    claimed, initialised, its shares are stored encrypted for people, the administrator's role is made and logs in, the root
//!    token is revoked. The status tells each of it, and `Ready` isn't True before.
//! 2. The administrator logs in with a token of a ServiceAccount. No root token lives. It is sealed, and two people open it with
//!    the shares that only they can read.
//! 3. The server restarts by itself.
//!
//! Alone with OpenBao and with Vault, and three of a raft, whose storage is older than the resource: nothing is done before a
//! person confirms it. The status tells who of them votes.

mod birth;
pub(crate) mod people;
mod refusal;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_api::VaultTransitUnsealStatus;
use holdfast_e2e::Cluster;
use holdfast_e2e::vault::Delivery;
use holdfast_testkit::vault::{Endpoint, Product, Server, TransitServer};
use holdfast_testkit::{ControllerProcess, Manifests, eventually};
use k8s_openapi::api::core::v1::{PersistentVolumeClaim, Secret};
use kube::ResourceExt;
use kube::api::{Api, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::stage::{self, ACCOUNT, KEY, NAME, Pair, START, condition};
pub(crate) use birth::Birth;
use people::{ADMIN, KEYS, People, admin, no_root_token_lives, shares_open};
pub(crate) use refusal::{WORDS as REFUSAL, allow_keys, refuse_keys};

const DEADLINE: Duration = Duration::from_secs(240);
/// The Secret of the claim.
pub(crate) const CLAIM: &str = "holdfast-init-vault";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_never_was_is_initialised_and_its_people_get_in() -> Result<()> {
    let namespaces = ["unborn", "unborn-vault", "unborn-three", "unborn-all"];
    let cluster = stage::cluster(&namespaces).await?;
    let spool = tempfile::tempdir()?;
    let controller = controller(&cluster, &namespaces, spool.path()).await?;
    let bao = Box::pin(alone(&cluster, "unborn", Product::OpenBao));
    let vault = Box::pin(alone(&cluster, "unborn-vault", Product::Vault));
    let three = Box::pin(three(&cluster, "unborn-three"));
    let all = Box::pin(all(&cluster, "unborn-all"));
    tokio::try_join!(bao, vault, three, all).map_err(|error| controller.explain(error))?;
    is_empty(spool.path())
}

/// A controller that keeps answers in this folder.
pub(crate) async fn controller(cluster: &Cluster, namespaces: &[&str], spool: &Path) -> Result<ControllerProcess> {
    let builder = cluster.vault_controller_builder(namespaces).await?;
    let controller =
        builder.argument(format!("--spool={}", spool.display())).log_level("info,holdfast_vault=debug").start()?;
    controller.ready(DEADLINE).await?;
    Ok(controller)
}

/// Nothing but the spool's own name is left in it.
pub(crate) fn is_empty(spool: &Path) -> Result<()> {
    let names: Vec<_> =
        std::fs::read_dir(spool.join("holdfast-init"))?.map(|entry| Ok(entry?.file_name())).collect::<Result<_>>()?;
    ensure!(names == ["id"], "the spool still holds {names:?}");
    Ok(())
}

pub(crate) async fn accounts(cluster: &Cluster, namespace: &str) -> Result<()> {
    let account =
        json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": ADMIN, "namespace": namespace}});
    Manifests::parse(&account.to_string())?.apply(&cluster.admin(), "story").await.map(drop)
}

/// The part of a spec by which a token is made and the server initialised.
pub(crate) fn wanted(people: &People) -> Value {
    let mut spec = stage::managed();
    spec["initialization"] = people.initialization();
    spec["target"] = json!({"auth": {"serviceAccount": {"name": ACCOUNT, "mount": "kubernetes", "role": "holdfast", "audience": "b"}}});
    spec
}

/// How far the status says that it came.
pub(crate) fn phase(status: &VaultTransitUnsealStatus) -> Option<&'static str> {
    status.initialization.as_ref()?.phase.map(|phase| phase.as_str())
}

/// One that has no token yet, and an A that makes one for whoever logs in.
pub(crate) async fn unborn(cluster: &Cluster, namespace: &'static str, product: Product) -> Result<Pair> {
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    a.grant(KEY, "24h").await?;
    stage::trust(&a, cluster, namespace).await?;
    accounts(cluster, namespace).await?;
    Pair::prepare(cluster, namespace, product, a, |kubelet| kubelet).await
}

async fn alone(cluster: &Cluster, namespace: &'static str, product: Product) -> Result<()> {
    let pair = unborn(cluster, namespace, product).await?;
    let people = People::new();
    pair.apply(&wanted(&people)).await?;
    confirm_storage(cluster, namespace, &pair).await?;
    let complete = pair
        .eventually("the initialisation to be complete", |status| {
            let ready = condition(status, "Ready").0 == "True";
            assert!(!ready || phase(status) == Some("Complete"), "ready at {:?}", phase(status));
            ready
        })
        .await?;
    ensure!(condition(&complete, "RecoveryKeysStored") == ("True", "Stored"), "{}", json!(complete));
    ensure!(complete.initialization.as_ref().and_then(|known| known.secret_name.as_deref()) == Some(KEYS));
    gets_in(cluster, namespace, &pair.kubelet.endpoint("vault-0")?, &people).await.context(namespace)?;
    pair.eventually("evidence to be kept", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence"))
        .await?;
    ensure!(pair.restarts(START).await?, "it doesn't start again");
    Ok(())
}

fn claims(cluster: &Cluster, namespace: &str) -> Api<PersistentVolumeClaim> {
    Api::namespaced(cluster.admin(), namespace)
}

/// What a person does who looked at storage that is older than the resource, and found it empty.
pub(crate) async fn confirm_storage(cluster: &Cluster, namespace: &str, pair: &Pair) -> Result<()> {
    let listed = claims(cluster, namespace).list(&ListParams::default()).await?;
    let uids: Vec<String> = listed.iter().filter_map(ResourceExt::uid).collect();
    let patch = json!({"metadata": {"annotations": {"holdfast.dev/confirm-storage": uids.join(",")}}});
    pair.resources.patch(NAME, &PatchParams::default(), &Patch::Merge(patch)).await.map(drop)?;
    Ok(())
}

/// Times of objects are in whole seconds.
async fn storage_is_older_than_now(cluster: &Cluster, namespace: &str) -> Result<()> {
    eventually("storage that is older than now", DEADLINE, async || {
        let listed = claims(cluster, namespace).list(&ListParams::default()).await?;
        let made = listed.iter().filter_map(ResourceExt::creation_timestamp).map(|time| time.0.as_second()).max();
        ensure!(made.is_some_and(|made| made < jiff::Timestamp::now().as_second()), "{made:?}");
        Ok(())
    })
    .await
}

async fn gets_in(cluster: &Cluster, namespace: &str, b: &Endpoint, people: &People) -> Result<()> {
    let client = cluster.admin();
    let admin = admin(&client, namespace, b).await?;
    no_root_token_lives(b, &admin).await?;
    shares_open(b, &admin, &people.shares(&client, namespace).await?).await?;
    let secrets: Api<Secret> = Api::namespaced(client, namespace);
    let claim = secrets.get(CLAIM).await?.data.unwrap_or_default();
    ensure!(claim.get("phase").is_some_and(|phase| phase.0 == b"Complete"), "{:?}", claim.keys());
    Ok(())
}

/// What the documents say that a login with `provision: All` needs.
const ALL: &str = r#"
path "transit/keys/b"               { capabilities = ["create", "read", "update"] }
path "sys/mounts/transit"           { capabilities = ["create", "read", "update"] }
path "sys/policies/acl/holdfast-*"  { capabilities = ["create", "read", "update"] }
path "auth/token/roles/holdfast-*"  { capabilities = ["create", "read", "update"] }
path "auth/token/create/holdfast-*" { capabilities = ["update"] }
"#;

/// Not even the transit key is there.
async fn all(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    stage::trust(&a, cluster, namespace).await?;
    a.write_policy(ACCOUNT, ALL).await?;
    accounts(cluster, namespace).await?;
    let pair = Pair::prepare(cluster, namespace, Product::OpenBao, a, |kubelet| kubelet).await?;
    let people = People::new();
    let mut spec = wanted(&people);
    spec["seal"]["transit"]["provision"] = json!("All");
    spec["token"] = json!({});
    pair.apply(&spec).await?;
    confirm_storage(cluster, namespace, &pair).await?;
    let ready = pair.eventually("a server from nothing", |status| condition(status, "Ready").0 == "True").await?;
    ensure!(phase(&ready) == Some("Complete"), "{}", json!(ready));
    gets_in(cluster, namespace, &pair.kubelet.endpoint("vault-0")?, &people).await
}

async fn three(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let a = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    let token = a.grant(KEY, "24h").await?.token;
    stage::trust(&a, cluster, namespace).await?;
    accounts(cluster, namespace).await?;
    let seal = a.seal_with(KEY, None);
    let shape = stage::Shape { product: Product::OpenBao, replicas: 3, delivery: Delivery::Variable, authority: None };
    let pair = Pair::prepare_as(cluster, namespace, a, &shape, &token, move |facts| {
        let mut config = facts.config_of_raft(3)?;
        config.seals.push(seal.clone());
        Ok(config.to_string())
    })
    .await?;
    storage_is_older_than_now(cluster, namespace).await?;
    let people = People::new();
    pair.apply(&wanted(&people)).await?;
    let stalled = pair
        .eventually("older storage to be told", |status| condition(status, "Stalled").1 == "StorageOlderThanResource")
        .await?;
    ensure!(stalled.initialization.is_none(), "{}", json!(stalled));
    confirm_storage(cluster, namespace, &pair).await?;
    let complete = pair.eventually("three to serve", |status| condition(status, "Ready").0 == "True").await?;
    ensure!(phase(&complete) == Some("Complete"), "{}", json!(complete));
    let first = pair.kubelet.endpoint("vault-0")?;
    let admin = admin(&cluster.admin(), namespace, &first).await?;
    no_root_token_lives(&first, &admin).await?;
    pair.look().await?;
    pair.eventually("all of them to vote", |status| status.pods.iter().all(|pod| pod.voter == Some(true))).await?;
    Ok(())
}
