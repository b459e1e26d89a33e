//! Nothing secret is told to anybody: not in the log at TRACE, not in a status, not in an event, not in a metric.
//!
//! 1. The controller logs all that it and its libraries have to say. What passes between it and A is listened to, so all that is
//!    secret is known: B's tokens, A's root token, the tokens of logins, and what the logins were made with.
//! 2. All goes well; then the token has a line break, is dead, is root's, may do nothing; the login is refused; A is sealed, is a
//!    proxy's error page; B is sealed by hand.
//! 3. None of these secrets is anywhere, neither as it is nor in base64, in which the API server writes Secrets.

mod birth;

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use holdfast_api::VaultTransitUnseal;
use holdfast_e2e::Cluster;
use holdfast_testkit::ControllerProcess;
use holdfast_testkit::vault::{Product, Server};
use holdfast_vault::cause::Cause;
use k8s_openapi::ByteString;
use k8s_openapi::api::events::v1::Event;
use kube::api::{Api, ListParams};
use serde_json::{Value, json};

use crate::causes::{HTML, Impostor, Place, Scene, Stage, Twist, auth, trust};
use crate::stage::{self, DEADLINE, KEY};
use crate::wire::Wire;

const NAMESPACE: &str = "secret";
const API: u16 = 8200;
/// No token, though it looks like one.
const MALFORMED: &str = "hvs.malformed-canary-5f1c9e";
const DEAD: &str = "hvs.dead-canary-81f22b0d77";
/// Where a secret of a request, or an answer, begins; it ends with what follows.
const MARKS: [(&str, char); 5] = [
    ("x-vault-token: ", '\r'),
    ("\"client_token\":\"", '"'),
    ("\"jwt\":\"", '"'),
    ("\"id\":\"", '"'),
    ("\"token\":\"", '"'),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_secret_is_told() -> Result<()> {
    let cluster = stage::cluster(&[NAMESPACE]).await?;
    let controller = cluster.vault_controller_builder(&[NAMESPACE]).await?.log_level("trace").start()?;
    controller.ready(DEADLINE).await?;
    let stage = Stage::new(cluster, controller);
    let place = Place { stage: &stage, namespace: NAMESPACE, product: Product::OpenBao };
    let scene = place.prepare(Server::builder(place.product).inmem(), &place.shape(), Twist::None).await?;
    let (pair, a) = (&scene.pair, &scene.pair.a);
    let born = pair.initialise().await?;
    trust(place, a).await?;
    let wire = Wire::to((a.server.ip(), API).into(), (a.server.ip(), 0)).await?;
    let mut spec = auth(&json!({}));
    spec["seal"]["transit"]["address"] = json!(wire.url());
    scene.watch(&spec).await?;
    goes_wrong(&scene, &spec, &born.root).await?;

    let mut secrets = overheard(&wire);
    for (token, what) in [(a.root(), "root token"), (DEAD, "dead token")] {
        ensure!(secrets.contains(token), "the {what} was never used");
    }
    ensure!(6 <= secrets.len(), "only {} secrets were overheard", secrets.len());
    secrets.extend([MALFORMED.to_owned(), born.root.clone(), a.unseal_key().to_owned()]);
    secrets.extend(born.shares.iter().cloned());
    let told = told(&stage.controller, &stage.cluster, NAMESPACE).await?;
    isnt_told(&told, &secrets)
}

/// None of the secrets is anywhere, in no spelling.
fn isnt_told(told: &[(&str, String)], secrets: &BTreeSet<String>) -> Result<()> {
    for (place, text) in told {
        ensure!(1000 < text.len(), "there is hardly anything in the {place}: {text}");
        for secret in secrets {
            let (start, found) = (secret.chars().take(10).collect::<String>(), spellings(secret)?);
            let found = found.iter().find_map(|spelling| text.find(spelling.as_str()));
            let around = found.map(|at| text[at.saturating_sub(300)..at].to_owned());
            ensure!(around.is_none(), "{start}... is in the {place}, after {around:?}");
        }
    }
    ensure!(told[0].1.contains("\"level\":\"TRACE\""), "the log isn't at TRACE");
    Ok(())
}

async fn goes_wrong(scene: &Scene<'_>, spec: &Value, root: &str) -> Result<()> {
    let (pair, a) = (&scene.pair, &scene.pair.a);
    let renewed = async || pair.set.write_token(&a.mint(KEY).await?.token).await;
    for (cause, how, token) in [
        (Cause::TokenMalformed, "a line break", format!("{MALFORMED}\n")),
        (Cause::TokenMalformed, "not printable", format!("{MALFORMED}\u{7f}")),
        (Cause::TokenDead, "never was one", DEAD.to_owned()),
        (Cause::TokenRoleUnsafe, "a root token", a.root().to_owned()),
    ] {
        scene.suffers(cause, how, async || pair.set.write_token(&token).await, renewed).await?;
    }
    let nothing = "path \"sys/nothing\" { capabilities = [\"read\"] }\n";
    let denied = async || a.write_policy(KEY, nothing).await;
    let granted = async || {
        let policy = ["encrypt", "decrypt"]
            .map(|act| format!("path \"transit/{act}/{KEY}\" {{ capabilities = [\"update\"] }}\n"));
        a.write_policy(KEY, &policy.concat()).await
    };
    scene.suffers(Cause::TokenDenied, "it may do nothing", denied, granted).await?;
    scene.suffers(Cause::TransitSealed, "A is sealed", async || a.seal().await, async || a.unseal().await).await?;
    let again = async || pair.apply(spec).await;
    let changed = |change: Value| {
        let mut changed = spec.clone();
        stage::merge(&mut changed, &change);
        async move { pair.apply(&changed).await }
    };
    let role = auth(&json!({"role": "another"}));
    scene.suffers(Cause::LoginRefused, "A has no such role", async || changed(role).await, again).await?;
    let proxy = Impostor::start(HTML).await?;
    let html = json!({"seal": {"transit": {"address": proxy.url()}}});
    scene.suffers(Cause::TransitNotVault, "a proxy's error page", async || changed(html).await, again).await?;
    let server = pair.kubelet.endpoint("vault-0")?;
    let seal = async || server.request("PUT", "sys/seal", Some(root), &Value::Null).await.map(drop);
    let restart = async || {
        pair.kubelet.kill("vault-0")?;
        pair.set.await_ready(1).await
    };
    scene.suffers(Cause::SealedByPerson, "sealed by hand", seal, restart).await
}

/// All that is secret of what passed.
fn overheard(wire: &Wire) -> BTreeSet<String> {
    let texts = wire.sent().into_iter().chain(wire.answered());
    texts.flat_map(|text| MARKS.iter().flat_map(|mark| marked(&text, *mark)).collect::<Vec<_>>()).collect()
}

fn marked(text: &str, (begin, end): (&str, char)) -> Vec<String> {
    let parts = text.split(begin).skip(1);
    parts
        .filter_map(|part| part.split_once(end))
        .map(|(secret, _)| secret.to_owned())
        .filter(|it| 8 <= it.len())
        .collect()
}

/// As it is, as the API server writes it, and the signature of a token that has one.
fn spellings(secret: &str) -> Result<Vec<String>> {
    let encoded = serde_json::to_value(ByteString(secret.as_bytes().to_vec()))?;
    let mut all = vec![secret.to_owned()];
    // The end depends on what follows in the same value.
    all.extend(encoded.as_str().map(|text| text.trim_end_matches('=')[..secret.len()].to_owned()));
    if secret.starts_with("ey") {
        all.extend(secret.rsplit('.').next().map(str::to_owned));
    }
    Ok(all)
}

/// Everything that is told, by where; the log first.
async fn told(
    controller: &ControllerProcess,
    cluster: &Cluster,
    namespace: &str,
) -> Result<Vec<(&'static str, String)>> {
    let events: Api<Event> = Api::namespaced(cluster.admin(), namespace);
    let resources: Api<VaultTransitUnseal> = Api::namespaced(cluster.admin(), namespace);
    Ok(vec![
        ("log", controller.log()?),
        ("resource", serde_json::to_string(&resources.list(&ListParams::default()).await?.items)?),
        ("events", serde_json::to_string(&events.list(&ListParams::default()).await?.items)?),
        ("metrics", controller.metrics().await?.text().to_owned()),
    ])
}
