//! Every cause that an initialisation has, caused for real: told with its message, and gone soon after its cure.
//!
//! One control plane, and servers of their own for each story.
//!
//! With one controller:
//! 1. `kept`: the keys' Secret is refused though the trial went well, and its claim is deleted meanwhile; then the administrator's
//!    account is missing. It is complete all the same. Its claim is edited. Its disk is lost, and it is never initialised again.
//! 2. `mount`: the administrator's mount is taken, until the spec names another one, a moment later.
//! 3. `twice`: two resources for one server. It is initialised once, and when the older one goes the younger knows of it.
//! 4. `unfit`: a spec that makes no sense is refused, or told; a server that doesn't seal itself with a transit key is none that we
//!    initialise.
//!
//! With one that is killed in the midst of it, and its spool lost: `lost.rs`.

mod lost;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::Cluster;
use holdfast_testkit::eventually;
use holdfast_testkit::vault::Product;
use holdfast_vault::cause::Cause;
use k8s_openapi::ByteString;
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::{Value, json};

use crate::causes::Twist;
use crate::init::people::{ADMIN, People};
use crate::init::{self, Birth, CLAIM, accounts, allow_keys, refuse_keys};
use crate::stage::{self, DEADLINE, NAME, Shape, condition};

const NAMESPACES: [&str; 4] = ["kept", "mount", "twice", "unfit"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_cause_of_an_initialisation_is_told_and_goes() -> Result<()> {
    let namespaces = [&NAMESPACES[..], &lost::NAMESPACES].concat();
    let cluster = stage::cluster(&namespaces).await?;
    let spool = tempfile::tempdir()?;
    let controller = init::controller(&cluster, &NAMESPACES, spool.path()).await?;
    let explained = async {
        let kept = Box::pin(kept(&cluster, "kept"));
        let mount = Box::pin(mount(&cluster, "mount"));
        let twice = Box::pin(twice(&cluster, "twice"));
        let unfit = Box::pin(unfit(&cluster, "unfit"));
        tokio::try_join!(kept, mount, twice, unfit).map(drop).map_err(|error| controller.explain(error))
    };
    tokio::try_join!(Box::pin(explained), Box::pin(lost::tells(&cluster))).map(drop)
}

async fn kept(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::OpenBao)).await?;
    refuse_keys(cluster, namespace).await?;
    birth.ask(&People::new().initialization()).await?;
    birth.is_told(Cause::RecoveryKeysNotStored, init::REFUSAL).await?;
    claim_is_put_back(&birth).await?;
    birth.is_told(Cause::RecoveryKeysNotStored, init::REFUSAL).await?;

    let people: Api<ServiceAccount> = Api::namespaced(cluster.admin(), namespace);
    people.delete(ADMIN, &DeleteParams::default()).await?;
    allow_keys(cluster, namespace).await?;
    birth.is_cured_of(Cause::RecoveryKeysNotStored).await?;
    birth.is_told(Cause::AdminNotProven, ADMIN).await?;
    accounts(cluster, namespace).await?;
    birth.is_cured_of(Cause::AdminNotProven).await?;
    birth.is_complete().await?;

    claim_is_edited(&birth).await?;
    storage_is_lost(&birth).await
}

/// Deleted while the answer is held, and made anew as it was.
async fn claim_is_put_back(birth: &Birth<'_>) -> Result<()> {
    let mut secret = birth.secrets().get(CLAIM).await?;
    birth.secrets().delete(CLAIM, &DeleteParams::default()).await?;
    birth.is_told(Cause::ClaimBroken, "its claim was deleted").await?;
    secret.metadata.resource_version = None;
    birth.secrets().create(&PostParams::default(), &secret).await?;
    birth.is_cured_of(Cause::ClaimBroken).await
}

/// By hand, of an initialisation that is complete: nothing is known to be kept any more.
async fn claim_is_edited(birth: &Birth<'_>) -> Result<()> {
    let good = birth.secrets().get(CLAIM).await?;
    let mut edited = good.clone();
    let phase = ByteString(b"Stored".to_vec());
    edited.data.as_mut().context("an empty claim")?.insert("phase".to_owned(), phase);
    birth.secrets().replace(CLAIM, &PostParams::default(), &edited).await?;
    birth.pair.look().await?;
    birth.is_told(Cause::ClaimBroken, "it was edited by hand").await?;
    edited = birth.secrets().get(CLAIM).await?;
    edited.data = good.data;
    birth.secrets().replace(CLAIM, &PostParams::default(), &edited).await?;
    birth.is_cured_of(Cause::ClaimBroken).await?;
    birth.is_complete().await.map(drop)
}

/// Whatever a person asks for, it isn't initialised again.
async fn storage_is_lost(birth: &Birth<'_>) -> Result<()> {
    let claim = birth.claim().await?;
    birth.lose_disk().await?;
    birth.is_told(Cause::StorageLost, "no pod knows of it any more").await?;
    birth.change(&json!({"initialization": {"discardAttempt": claim.attempt}})).await?;
    for _ in 0..3 {
        birth.pair.look().await?;
    }
    birth.is_told(Cause::StorageLost, "no pod knows of it any more").await?;
    ensure!(birth.claim().await? == claim, "the claim of a complete initialisation was changed");
    let health = birth.pair.kubelet.endpoint("vault-0")?.health().await?;
    ensure!(health == 501, "it was initialised again: {health}");
    birth.find_disk().await?;
    birth.is_cured_of(Cause::StorageLost).await?;
    birth.is_complete().await.map(drop)
}

async fn mount(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::Vault)).await?;
    let mut wanted = People::new().initialization();
    // Every server has this one.
    wanted["admin"]["mount"] = json!("token");
    birth.ask(&wanted).await?;
    birth.is_told(Cause::AdminNotProven, "token is mounted, with the method token").await?;
    birth.change(&json!({"initialization": {"admin": {"mount": "people"}}})).await?;
    birth.is_cured_of(Cause::AdminNotProven).await?;
    birth.is_complete().await.map(drop)
}

async fn twice(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::OlderOpenBao)).await?;
    let wanted = People::new().initialization();
    let young = json!({"mode": "Manage", "initialization": wanted});
    birth.ask(&wanted).await?;
    let made = birth.pair.resources.get(NAME).await?.metadata.creation_timestamp.context("it was never made")?.0;
    eventually("a second resource", DEADLINE, async || {
        ensure!(made.as_second() < jiff::Timestamp::now().as_second(), "of the same second none is the older");
        birth.pair.apply_as("young", &young).await
    })
    .await?;
    birth.is_complete().await?;
    let claim = birth.claim().await?;
    let stalled = async |expected: (&str, &str)| {
        eventually("the younger one", DEADLINE, async || {
            let status = birth.pair.status_of("young").await?;
            ensure!(condition(&status, "Stalled") == expected, "{}", json!(status));
            Ok(status)
        })
        .await
    };
    let status = stalled(("True", "Conflict")).await?;
    let message = status.diagnosis.map(|found| found.message).unwrap_or_default();
    ensure!(message.contains("twice/vault is older"), "{message}");
    birth.pair.resources.delete(NAME, &DeleteParams::default()).await?;
    let status = stalled(("", "")).await?;
    ensure!(init::phase(&status) == Some("Complete"), "{}", json!(status));
    ensure!(birth.claim().await? == claim, "it was initialised twice");
    Ok(())
}

async fn unfit(cluster: &Cluster, namespace: &'static str) -> Result<()> {
    let birth = Birth::expect(cluster, namespace, &Shape::single(Product::Vault)).await?;
    birth.twist(Twist::Shamir);
    let good = People::new().initialization();
    refused_by_the_api_server(&birth, &good).await?;

    let mut typo = good.clone();
    // As it reads, it could be one; its checksum says that it isn't.
    let recipient = typo["keyStore"]["age"]["recipients"][1].as_str().context("no recipient")?.to_owned();
    let last = if recipient.ends_with('q') { "p" } else { "q" };
    typo["keyStore"]["age"]["recipients"][1] = json!(format!("{}{last}", &recipient[..recipient.len() - 1]));
    birth.ask(&typo).await?;
    birth.is_told(Cause::NotInitialised, "keyStore.age.recipients[1] is no public key of age").await?;
    birth.ask(&good).await?;
    birth
        .is_told(Cause::NotInitialised, "its server doesn't seal itself with a transit key but with \"shamir\"")
        .await?;
    for _ in 0..3 {
        birth.pair.look().await?;
    }
    let claim = birth.secrets().get_opt(CLAIM).await?;
    ensure!(claim.is_none() && birth.pair.kubelet.endpoint("vault-0")?.health().await? == 501, "it was initialised");
    birth.twist(Twist::None);
    birth.pair.kubelet.kill("vault-0")?;
    birth
        .pair
        .set
        .eventually("vault-0", |pod| {
            let container = holdfast_e2e::vault::set::container(pod)?;
            ensure!(
                container.restart_count == 1 && container.state.as_ref().is_some_and(|state| state.running.is_some())
            );
            Ok(())
        })
        .await?;
    birth.is_cured_of(Cause::NotInitialised).await?;
    birth.is_complete().await.map(drop)
}

/// What can't be meant isn't even taken.
async fn refused_by_the_api_server(birth: &Birth<'_>, good: &Value) -> Result<()> {
    for (change, words) in [
        (json!({"allowHTTPInit": false}), "allowHTTPInit"),
        (json!({"threshold": 4}), "nobody could reach a threshold above shares"),
        (json!({"threshold": 1}), "of several shares at least two are needed together"),
        (json!({"shares": 4}), "each share goes to one recipient"),
        (json!({"keyStore": {"age": {"recipients": ["age1nobody", "x", "y"]}}}), "a recipient is a public key of age"),
        (json!({"keyStore": {"plaintext": "IUnderstand"}}), "recovery keys are kept in exactly one way"),
        (json!({"admin": null}), "somebody else must get in"),
    ] {
        let mut wanted = good.clone();
        stage::merge(&mut wanted, &change);
        let refused = birth.ask(&wanted).await.err().with_context(|| format!("{change} was taken"))?;
        ensure!(format!("{refused:#}").contains(words), "{change}: {refused:#}");
    }
    Ok(())
}
