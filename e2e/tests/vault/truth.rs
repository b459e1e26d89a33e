//! Would it start? What the controller says is compared with what really happens when the server is restarted.
//!
//! For each fault:
//! 1. A server runs that somebody else initialised. The controller doesn't know yet: `Unknown`.
//! 2. It was restarted once while it was watched: `True`.
//! 3. The fault. The controller says what it thinks of the next start.
//! 4. The server is restarted, and either unseals itself or doesn't.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::future::try_join_all;
use holdfast_e2e::Cluster;
use holdfast_testkit::eventually;
use holdfast_testkit::vault::{Product, Server, TransitServer};
use serde_json::json;

use crate::stage::{self, DEADLINE, KEY, Pair, START, condition};

/// So long a server is watched that isn't to unseal itself; one that hangs would do so for ever.
const SEALED: Duration = Duration::from_secs(20);

/// What goes wrong, and what the controller should say of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    KeyMadeAnew,
    MinVersionRaised,
    RestoredFromBeforeRotation,
    TokenRevoked,
    TokenExpired,
    DecryptNotGranted,
    RootTokenAndKeyDeleted,
    TransitDown,
    TransitSealed,
    TransitHangs,
}

const FAULTS: [(&str, Fault, &str); 11] = [
    ("none", Fault::None, ""),
    ("anew", Fault::KeyMadeAnew, "KeyReplaced"),
    ("min", Fault::MinVersionRaised, "KeyVersionTooOld"),
    ("restored", Fault::RestoredFromBeforeRotation, "TransitRestoredOld"),
    ("revoked", Fault::TokenRevoked, "TokenDead"),
    ("expired", Fault::TokenExpired, "TokenDead"),
    ("denied", Fault::DecryptNotGranted, "TokenDenied"),
    ("root", Fault::RootTokenAndKeyDeleted, "NoCanary"),
    ("down", Fault::TransitDown, "TransitUnreachable"),
    ("sealed", Fault::TransitSealed, "TransitSealed"),
    ("hangs", Fault::TransitHangs, "TransitHangs"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_it_says_of_the_next_start_is_what_happens() -> Result<()> {
    let namespaces = FAULTS.map(|(name, ..)| name);
    let cluster = stage::cluster(&namespaces).await?;
    let controller = stage::controller(&cluster, &namespaces).await?;
    let stories = FAULTS.map(|(name, fault, expected)| {
        let cluster = &cluster;
        Box::pin(async move { story(cluster, name, fault, expected).await.with_context(|| format!("{fault:?}")) })
    });
    try_join_all(stories).await.map_err(|error| controller.explain(error))?;
    Ok(())
}

async fn story(cluster: &Cluster, namespace: &'static str, fault: Fault, expected: &str) -> Result<()> {
    let product = Product::OpenBao;
    let builder = Server::builder(product);
    // Only a disk can be put back.
    let builder = if fault == Fault::RestoredFromBeforeRotation { builder } else { builder.inmem() };
    let a = TransitServer::start_as(builder).await?;
    let granted = a.grant(KEY, "24h").await?;
    let token = match fault {
        Fault::RootTokenAndKeyDeleted => a.root().to_owned(),
        _ => granted.token.clone(),
    };
    let pair = Pair::start(cluster, namespace, product, a, &token).await?;
    pair.apply(&json!({})).await?;
    if fault == Fault::RootTokenAndKeyDeleted {
        pair.eventually("no canary of a root token", |status| {
            condition(status, "WouldStart") == ("Unknown", "NoCanary")
        })
        .await?;
    } else {
        pair.eventually("no evidence", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence")).await?;
        ensure!(pair.restarts(START).await?, "it doesn't start though nothing is wrong");
        pair.eventually("evidence", |status| condition(status, "WouldStart") == ("True", "Rehearsed")).await?;
    }
    befall(&pair, fault, &granted.accessor).await?;
    let keys = if pair_answers(fault) { Some(pair.a.keys().await?) } else { None };
    let status = eventually("a look at an A that answers if it can", DEADLINE, async || {
        let status = pair.look().await?;
        // One that was away for a moment isn't asked again at once.
        ensure!(!pair_answers(fault) || condition(&status, "TransitReachable").0 == "True", "{:?}", status.diagnosis);
        Ok(status)
    })
    .await?;
    let (verdict, reason) = condition(&status, "WouldStart");
    let predicted = match fault {
        Fault::None => ("True", "Rehearsed"),
        Fault::RootTokenAndKeyDeleted => ("Unknown", expected),
        _ => ("False", expected),
    };
    ensure!((verdict, reason) == predicted, "it says {verdict} {reason}: {:?}", status.conditions);
    if let Some(keys) = keys {
        ensure!(pair.a.keys().await? == keys, "the rehearsal made a key");
    }
    let starts = pair.restarts(if fault == Fault::None { START } else { SEALED }).await?;
    ensure!(starts == (fault == Fault::None), "it was said to be {verdict} {reason}, and the restart says {starts}");
    Ok(())
}

/// A token that ends however often it is renewed. With a period it wouldn't: a renewal forgets the limit of its making.
async fn brief(a: &TransitServer) -> Result<String> {
    let role = json!({"allowed_policies": [KEY], "orphan": true, "renewable": true, "token_explicit_max_ttl": "15s"});
    a.write_token_role("brief", &role).await?;
    Ok(a.mint("brief").await?.token)
}

fn pair_answers(fault: Fault) -> bool {
    !matches!(fault, Fault::TransitDown | Fault::TransitSealed | Fault::TransitHangs)
}

async fn befall(pair: &Pair, fault: Fault, accessor: &str) -> Result<()> {
    let a = &pair.a;
    match fault {
        Fault::None => Ok(()),
        Fault::KeyMadeAnew => {
            a.delete_key(KEY).await?;
            a.create_key(KEY).await
        }
        Fault::MinVersionRaised => {
            a.rotate_key(KEY).await?;
            a.set_min_decryption_version(KEY, 2).await
        }
        Fault::RestoredFromBeforeRotation => {
            let copy = a.copy_storage().await?;
            a.rotate_key(KEY).await?;
            // A look keeps a canary of the new version, and the restart seals the server with it.
            pair.look().await?;
            ensure!(pair.restarts(START).await?, "it doesn't start after a rotation");
            pair.eventually("the new version to be proven", |status| {
                status.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.canary_versions == [2])
            })
            .await?;
            a.restore_storage(&copy).await
        }
        Fault::TokenRevoked => a.revoke(accessor).await,
        Fault::TokenExpired => {
            // Written when all else is done, so that no step before has to be quick.
            pair.write_secret(&brief(a).await?).await?;
            pair.look().await?;
            let dead = |status: &_| condition(status, "WouldStart") == ("False", "TokenDead");
            pair.eventually("the token to end", dead).await.map(drop)
        }
        Fault::DecryptNotGranted => {
            let policy = format!("path \"transit/encrypt/{KEY}\" {{ capabilities = [\"update\"] }}");
            a.write_policy(KEY, &policy).await
        }
        Fault::RootTokenAndKeyDeleted => a.delete_key(KEY).await,
        Fault::TransitDown => a.server.kill().map(drop),
        Fault::TransitSealed => a.seal().await,
        Fault::TransitHangs => a.server.pause(),
    }
}
