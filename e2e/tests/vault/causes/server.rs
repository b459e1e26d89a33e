//! What goes wrong with B itself.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::churn::say;
use holdfast_testkit::eventually;
use holdfast_testkit::vault::Server;
use holdfast_vault::cause::Cause;
use jiff::Timestamp;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use super::Place;
use super::impostor::BlackHole;
use super::scene::{Scene, Twist};
use super::transit::suffers_spec;
use crate::stage::{Born, DEADLINE, NAME, Shape};

/// Three pods need so long for a leader on a busy machine.
const PATIENCE: Duration = Duration::from_secs(240);

/// One server from before its birth on.
pub(super) async fn alone(place: Place<'_>) -> Result<()> {
    let scene = place.prepare(Server::builder(place.product).inmem(), &place.shape(), Twist::None).await?;
    let pair = &scene.pair;
    let waits = async || {
        pair.kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
        pair.apply(&json!({})).await
    };
    let mut born = None;
    let is_born = async || {
        born = Some(pair.initialise().await?);
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::NotInitialised, "nobody has initialised it", waits, is_born).await?;
    let born = born.context("it wasn't initialised")?;
    sealed_and_unsealed(&scene, &born).await?;

    let broken = async || {
        scene.twist(Twist::Nonsense);
        pair.kubelet.kill("vault-0")
    };
    let mended = async || {
        scene.twist(Twist::None);
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::ServerCrashes, "its configuration makes no sense", broken, mended).await?;

    let secure = json!({"target": {"allowHTTP": false}, "restart": {"bootGrace": "1s"}});
    suffers_spec(&scene, Cause::ServerUnreachable, "it doesn't speak TLS", &secure).await?;
    let gone = async || pair.set.orphan().await;
    let back = async || {
        pair.set.apply().await?;
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::TargetMissing, "the StatefulSet is deleted, its pod stays", gone, back).await
}

/// An emergency stop, and the recovery shares that end it.
async fn sealed_and_unsealed(scene: &Scene<'_>, born: &Born) -> Result<()> {
    let server = scene.pair.kubelet.endpoint("vault-0")?;
    let seal = async || {
        let (status, body) = server.request("PUT", "sys/seal", Some(&born.root), &Value::Null).await?;
        ensure!(status == 204, "{status} {body}");
        Ok(())
    };
    let unseal = async || {
        for share in born.shares.iter().take(2) {
            let (status, body) = server.request("PUT", "sys/unseal", None, &json!({"key": share})).await?;
            ensure!(status == 200, "{status} {}", body["errors"]);
        }
        scene.pair.set.await_ready(1).await
    };
    scene.suffers(Cause::SealedByPerson, "somebody sealed it", seal, unseal).await
}

/// A stops while B starts, and goes on. Then B starts by way of something that takes its connection and never answers, while A is
/// well as seen from here.
pub(super) async fn hangs(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let pair = &scene.pair;
    let restart = async || {
        let starts = pair.kubelet.starts("vault-0")?;
        pair.kubelet.kill("vault-0")?;
        eventually("the server to be started again", DEADLINE, async || {
            ensure!(starts < pair.kubelet.starts("vault-0")?, "it isn't");
            Ok(())
        })
        .await
    };
    let stopped = async || {
        pair.a.server.pause()?;
        restart().await
    };
    let goes_on = async || {
        pair.a.server.resume()?;
        let began = Instant::now();
        pair.set.await_ready(1).await?;
        say(&format!("causes: {} starts by itself {:.1?} after A goes on", place.product, began.elapsed()));
        Ok(())
    };
    scene.suffers(Cause::TransitHangs, "A stops while B starts", stopped, goes_on).await?;

    let hole = BlackHole::dig().await?;
    let lost = async || {
        scene.twist(Twist::Elsewhere(hole.url()));
        restart().await
    };
    let found = async || {
        scene.twist(Twist::None);
        restart().await?;
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::ServerHung, "B's way to A is a black hole", lost, found).await?;
    let (frozen, thawed) = (async || pair.kubelet.freeze("vault-0"), async || pair.kubelet.thaw("vault-0"));
    scene.suffers(Cause::ServerHung, "B stops in its tracks", frozen, thawed).await
}

/// Three in a raft, one of which asks nobody to be let in; then two are away.
pub(super) async fn three(place: Place<'_>) -> Result<()> {
    let shape = Shape { replicas: 3, ..place.shape() };
    let scene = place.prepare(Server::builder(place.product).inmem(), &shape, Twist::Alone).await?;
    let pair = &scene.pair;
    for pod in ["vault-0", "vault-1", "vault-2"] {
        pair.kubelet.endpoint(pod)?.await_health(&[501], PATIENCE).await?;
    }
    let born = pair.initialise().await?;
    pair.set.await_ready(2).await?;
    let spec = json!({"restart": {"bootGrace": "5s"}});
    let joins = async || {
        scene.twist(Twist::None);
        pair.kubelet.kill("vault-2")?;
        pair.set.await_ready(3).await
    };
    scene.suffers(Cause::NotJoined, "retry_join names nobody", async || pair.apply(&spec).await, joins).await?;

    await_voters(&scene, &born).await?;
    let away = async || {
        for pod in ["vault-1", "vault-2"] {
            pair.kubelet.hold(pod)?;
            pair.set.delete_pod(pod, Some(0)).await?;
        }
        Ok(())
    };
    let back = async || {
        pair.kubelet.release("vault-1")?;
        pair.kubelet.release("vault-2")?;
        eventually("a leader", PATIENCE, async || {
            let mut seen = Vec::new();
            for pod in ["vault-0", "vault-1", "vault-2"] {
                seen.push(pair.kubelet.endpoint(pod)?.health().await?);
            }
            ensure!(seen.contains(&200), "{seen:?}");
            Ok(())
        })
        .await
    };
    scene.suffers(Cause::QuorumLost, "two of three pods are away", away, back).await
}

/// Who has joined votes after twenty seconds only; a quorum without it isn't lost with it.
async fn await_voters(scene: &Scene<'_>, born: &Born) -> Result<()> {
    let leader = scene.pair.kubelet.endpoint("vault-0")?;
    eventually("three voters", PATIENCE, async || {
        let path = "sys/storage/raft/configuration";
        let (status, body) = leader.request("GET", path, Some(&born.root), &Value::Null).await?;
        let servers = body["data"]["config"]["servers"].as_array().context("no servers")?;
        let voters = servers.iter().filter(|server| server["voter"] == true).count();
        ensure!(status == 200 && voters == 3, "{status}: {voters} of {}", servers.len());
        Ok(())
    })
    .await
}

/// Nobody watched when the key was made anew.
pub(super) async fn stays_sealed(place: Place<'_>) -> Result<()> {
    let scene = place.prepare(Server::builder(place.product), &place.shape(), Twist::None).await?;
    let (pair, a) = (&scene.pair, &scene.pair.a);
    pair.initialise().await?;
    pair.set.await_ready(1).await?;
    let before = a.copy_storage().await?;
    a.delete_key(crate::stage::KEY).await?;
    a.create_key(crate::stage::KEY).await?;
    pair.kubelet.kill("vault-0")?;
    pair.kubelet.endpoint("vault-0")?.await_health(&[503], DEADLINE).await?;
    let watched = async || pair.apply(&json!({})).await;
    let restored = async || {
        a.restore_storage(&before).await?;
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::SealedUnexplained, "the key was made anew before", watched, restored).await
}

/// From Shamir to transit, and in the midst of it.
pub(super) async fn migration(place: Place<'_>) -> Result<()> {
    let scene = place.prepare(Server::builder(place.product).inmem(), &place.shape(), Twist::Shamir).await?;
    let pair = &scene.pair;
    let server = pair.kubelet.endpoint("vault-0")?;
    server.await_health(&[501], DEADLINE).await?;
    let shares = json!({"secret_shares": 1, "secret_threshold": 1});
    let (status, body) = server.request("POST", "sys/init", None, &shares).await?;
    ensure!(status == 200, "{status} {}", body["errors"]);
    let key = body["keys_base64"][0].as_str().context("no key")?.to_owned();
    let (status, body) = server.request("PUT", "sys/unseal", None, &json!({"key": key})).await?;
    ensure!(status == 200, "{status} {}", body["errors"]);
    pair.set.await_ready(1).await?;
    scene.watch(&json!({})).await?;
    let begun = async || {
        scene.twist(Twist::None);
        pair.kubelet.kill("vault-0")
    };
    let done = async || {
        let (status, body) = server.request("PUT", "sys/unseal", None, &json!({"key": key, "migrate": true})).await?;
        ensure!(status == 200, "{status} {}", body["errors"]);
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::MigrationPending, "restarted with a transit stanza", begun, done).await
}

/// Two resources stand for one server: the older one goes on, the younger does nothing.
pub(super) async fn conflict(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let pair = &scene.pair;
    let made = pair.resources.get(NAME).await?.metadata.creation_timestamp.context("it was never made")?.0;
    let second = async || {
        eventually("the second after the older one was made", DEADLINE, async || {
            ensure!(made.as_second() < Timestamp::now().as_second(), "of the same second none is the older");
            Ok(())
        })
        .await?;
        pair.apply_as("young", &json!({})).await
    };
    let first_goes = async || {
        ensure!(pair.status().await?.diagnosis.is_none(), "the older one gave way");
        pair.resources.delete(NAME, &DeleteParams::default()).await?;
        Ok(())
    };
    scene.suffers_as("young", Cause::Conflict, "two resources for one server", second, first_goes).await
}
