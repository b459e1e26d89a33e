//! Nothing secret of an initialisation is told to anybody, nor left behind.
//!
//! 1. One that goes well, and one whose keys are refused at first and whose administrator can't get in then, at TRACE. What passes
//!    between the controller and the server is listened to, so all that is secret is known: the shares in hexadecimal and in base64,
//!    the root token, the tokens of logins, and what the logins were made with.
//! 2. None of it is in the log, in the resource, in an event or a metric, nor as it is in a Secret that we write.
//! 3. Once they are complete, the spool is empty.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_testkit::vault::Product;
use holdfast_vault::cause::Cause;
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, ListParams};
use serde_json::json;

use super::{API, isnt_told, marked, overheard, told};
use crate::init::people::{KEYS, People};
use crate::init::{self, Birth, allow_keys, refuse_keys};
use crate::stage::{self, DEADLINE, Shape};
use crate::wire::Wire;

/// Where the lists of shares of an answer begin.
const SHARES: [(&str, char); 2] = [("\"recovery_keys\":[", ']'), ("\"recovery_keys_base64\":[", ']')];
const ROOT: (&str, char) = ("\"root_token\":\"", '"');

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_of_an_initialisation_is_told() -> Result<()> {
    let namespaces = ["told", "failing"];
    let cluster = stage::cluster(&namespaces).await?;
    let spool = tempfile::tempdir()?;
    let builder = cluster.vault_controller_builder(&namespaces).await?.log_level("trace");
    let controller = builder.argument(format!("--spool={}", spool.path().display())).start()?;
    controller.ready(DEADLINE).await?;
    let both = tokio::try_join!(
        Box::pin(born(&cluster, "told", Product::Vault, false)),
        Box::pin(born(&cluster, "failing", Product::OpenBao, true)),
    );
    let (well, badly) = both.map_err(|error| controller.explain(error))?;
    for (namespace, secrets) in namespaces.iter().zip([well, badly]) {
        let mut told = told(&controller, &cluster, namespace).await?;
        told.push(("Secrets", secrets_of(&cluster, namespace).await?));
        isnt_told(&told, &secrets)?;
    }
    init::is_empty(spool.path())
}

/// A server that is initialised, and all that was secret about it.
async fn born(cluster: &Cluster, namespace: &'static str, product: Product, fails: bool) -> Result<BTreeSet<String>> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(product)).await?;
    let (ip, people) = (birth.pair.kubelet.ip("vault-0")?, People::new());
    let wire = Wire::to((ip, API).into(), (ip, 0)).await?;
    if fails {
        refuse_keys(cluster, namespace).await?;
    }
    birth.ask_with(&json!({"initialization": people.initialization(), "target": {"port": wire.port()}})).await?;
    if fails {
        birth.is_told(Cause::RecoveryKeysNotStored, init::REFUSAL).await?;
        birth.change(&json!({"initialization": {"admin": {"mount": "token"}}})).await?;
        // Else it is through before that is heard of.
        birth.pair.look().await?;
        allow_keys(cluster, namespace).await?;
        birth.is_told(Cause::AdminNotProven, "token is mounted").await?;
        birth.change(&json!({"initialization": {"admin": {"mount": "kubernetes"}}})).await?;
    }
    birth.is_complete().await?;

    let answers = wire.answered();
    let lists: BTreeSet<String> =
        answers.iter().flat_map(|text| SHARES.map(|mark| marked(text, mark))).flatten().collect();
    let shares: BTreeSet<String> =
        lists.iter().flat_map(|list| list.split('"')).filter(|it| 8 <= it.len()).map(str::to_owned).collect();
    ensure!(shares.len() == 6, "{} spellings of three shares were overheard", shares.len());
    let read = people.shares(&cluster.admin(), namespace).await?;
    ensure!(read.iter().all(|share| shares.contains(share)), "people read something else than what was overheard");
    let root: BTreeSet<String> = answers.iter().flat_map(|text| marked(text, ROOT)).collect();
    ensure!(root.len() == 1, "{} root tokens were overheard", root.len());
    let others = overheard(&wire);
    let logins = others.iter().filter(|secret| secret.starts_with("ey")).count();
    ensure!(1 <= logins && others.is_superset(&root), "{logins} tokens of the cluster, {} secrets", others.len());
    Ok([shares, root, others].into_iter().flatten().collect())
}

/// The claim and the keys, as they are written and as they are meant.
async fn secrets_of(cluster: &Cluster, namespace: &str) -> Result<String> {
    let secrets: Api<Secret> = Api::namespaced(cluster.admin(), namespace);
    let secrets = secrets.list(&ListParams::default()).await?;
    let ours = secrets.iter().filter(|secret| secret.metadata.name.as_deref() != Some("seal"));
    let mut text = String::new();
    for secret in ours {
        text.push_str(&serde_json::to_string(secret)?);
        for value in secret.data.iter().flat_map(|data| data.values()) {
            text.push_str(&String::from_utf8_lossy(&value.0));
        }
    }
    ensure!(text.contains(KEYS), "{text}");
    Ok(text)
}
