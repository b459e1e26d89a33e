//! What goes wrong with A and its key.

use anyhow::{Result, ensure};
use holdfast_testkit::Authority;
use holdfast_testkit::vault::Server;
use holdfast_vault::cause::Cause;
use serde_json::{Value, json};

use super::Place;
use super::impostor::{HTML, Impostor, OTHER, STANDBY};
use super::scene::{Scene, Twist};
use crate::stage::{KEY, START, Shape, condition};
use holdfast_e2e::vault::set::Delivery;

/// A itself. B was restarted before, so that there is evidence, and A is only glanced at.
pub(super) async fn reach(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product)).await?;
    ensure!(scene.pair.restarts(START).await?, "it doesn't start though nothing is wrong");
    scene.pair.eventually("evidence", |status| condition(status, "WouldStart") == ("True", "Rehearsed")).await?;
    let a = &scene.pair.a;
    let killed = async || a.server.kill().map(drop);
    scene.suffers(Cause::TransitUnreachable, "A is killed", killed, async || a.start_again().await).await?;
    let (paused, resumed) = (async || a.server.pause(), async || a.server.resume());
    scene.suffers(Cause::TransitHangs, "A stops in its tracks", paused, resumed).await?;
    scene.suffers(Cause::TransitSealed, "A is sealed", async || a.seal().await, async || a.unseal().await).await
}

/// The spec says that A is somewhere else.
pub(super) async fn elsewhere(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product).inmem()).await?;
    let a = &scene.pair.a;
    let (proxy, standby, other) =
        (Impostor::start(HTML).await?, Impostor::start(STANDBY).await?, Impostor::start(OTHER).await?);
    let elsewhere = [
        (Cause::TransitNotVault, "a proxy says 502 in HTML", proxy.url()),
        (Cause::TransitStandbyOnly, "a standby names another", standby.url()),
        (Cause::TransitNotVault, "an SSH server", other.url()),
        (Cause::TransitTls, "https:// to a server without TLS", a.server.url().replace("http://", "https://")),
        (Cause::TransitForbidden, "the metadata service of a cloud", "http://169.254.169.254".to_owned()),
        (Cause::TransitForbidden, "the same as IPv6", "http://[::ffff:169.254.169.254]:80".to_owned()),
        (Cause::TransitForbidden, "every address at once", "http://0.0.0.0:8200".to_owned()),
        (Cause::TransitUnreachable, "a name that nobody has", "http://a.invalid:8200".to_owned()),
    ];
    for (cause, how, address) in elsewhere {
        let spec = json!({"seal": {"transit": {"address": address}}});
        suffers_spec(&scene, cause, how, &spec).await?;
    }
    Ok(())
}

/// The spec is changed, and changed back.
pub(super) async fn suffers_spec(scene: &Scene<'_>, cause: Cause, how: &str, spec: &Value) -> Result<()> {
    let (wrong, right) = (async || scene.pair.apply(spec).await, async || scene.pair.apply(&json!({})).await);
    scene.suffers(cause, how, wrong, right).await
}

/// A and B speak TLS, and B's token is a file.
pub(super) async fn tls(place: Place<'_>) -> Result<()> {
    let authority = Authority::new()?;
    let shape = Shape { delivery: Delivery::File, authority: Some(authority.pem().to_owned()), ..place.shape() };
    let a = Server::builder(place.product).inmem().tls(&["a.example.net"]);
    let scene = place.prepare(a, &shape, Twist::None).await?;
    let pair = &scene.pair;
    pair.set.write_config("").await?;
    pair.set.write_certificate(&authority, &[pair.kubelet.ip("vault-0")?]).await?;
    pair.initialise().await?;
    pair.set.await_ready(1).await?;

    let right = pair.a.server.authority().unwrap_or_default().to_owned();
    let trust = async |pem: &str| pair.set.write_secret("ca", &json!({"ca.crt": pem})).await;
    trust(&right).await?;
    let of_a = json!({"caSecretRef": {"name": "ca", "key": "ca.crt"}});
    let of_b = json!({"caSecretRef": {"name": "tls", "key": "ca.crt"}, "serverName": "localhost"});
    let spec = json!({"target": {"allowHTTP": false, "tls": of_b}, "seal": {"transit": {"tls": of_a}}});
    scene.watch(&spec).await?;

    let another = Authority::new()?;
    for (how, pem) in [("A's authority is another", another.pem()), ("A's authority isn't PEM", "nonsense")] {
        scene.suffers(Cause::TransitTls, how, async || trust(pem).await, async || trust(&right).await).await?;
    }
    let (removed, restored) = (async || pair.set.delete_secret("ca").await, async || trust(&right).await);
    scene.suffers(Cause::TransitTls, "A's authority is missing", removed, restored).await?;
    let again = async || pair.apply(&spec).await;
    let changes = [
        (
            Cause::TransitTls,
            "A has another name",
            json!({"seal": {"transit": {"tls": {"serverName": "b.example.net"}}}}),
        ),
        (Cause::ServerUnreachable, "B has another name", json!({"target": {"tls": {"serverName": "b.example.net"}}})),
    ];
    for (cause, how, change) in changes {
        let mut wrong = spec.clone();
        crate::stage::merge(&mut wrong, &change);
        wrong["restart"]["bootGrace"] = json!("1s");
        scene.suffers(cause, how, async || pair.apply(&wrong).await, again).await?;
    }
    Ok(())
}

/// The key, which can be put back as it was.
pub(super) async fn key(place: Place<'_>) -> Result<()> {
    let scene = place.well(Server::builder(place.product)).await?;
    let a = &scene.pair.a;
    a.rotate_key(KEY).await?;
    keeps(&scene, 2).await?;
    let at_least = |version| async move { a.set_min_decryption_version(KEY, version).await };
    scene
        .suffers(
            Cause::KeyVersionTooOld,
            "min_decryption_version 2",
            async || at_least(2).await,
            async || at_least(1).await,
        )
        .await?;

    let before = a.copy_storage().await?;
    let restored = async || a.restore_storage(&before).await;
    scene.suffers(Cause::KeyMissing, "the key is deleted", async || a.delete_key(KEY).await, restored).await?;
    let anew = async || {
        a.delete_key(KEY).await?;
        a.create_key(KEY).await
    };
    scene.suffers(Cause::KeyReplaced, "the key is made anew", anew, restored).await?;

    a.rotate_key(KEY).await?;
    keeps(&scene, 3).await?;
    let after = a.copy_storage().await?;
    let newer = async || a.restore_storage(&after).await;
    scene.suffers(Cause::TransitRestoredOld, "A is restored from before a rotation", restored, newer).await
}

/// Waits until a canary of this version is kept.
async fn keeps(scene: &Scene<'_>, version: u32) -> Result<()> {
    let kept = scene.pair.eventually("a canary of a new version", |status| {
        status.rehearsal.as_ref().is_some_and(|rehearsal| rehearsal.canary_versions.contains(&version))
    });
    kept.await.map(drop)
}
