//! What people get wrong: each is refused or told with its remedy, and nothing is written twice about it.
//!
//! A controller that may not use loopback addresses, as everywhere but in tests:
//! 1. `http://` without its opt-in is refused by the API server.
//! 2. An address that is loopback, or a name that resolves to it, is never connected to.
//! 3. A namespace that the chart doesn't know keeps it from being ready, and stops nobody else.
//!
//! A controller for a server that is well, and is only glanced at:
//! 4. A pod with the labels of the server's that isn't one, such as an injector's, is no pod of it.
//! 5. A second resource for it is Stalled, the first goes on, and neither is written again.
//! 6. The Secret is edited by hand, and nobody asks for a look: it is noticed at the next whole look, within a minute.

use std::net::Ipv4Addr;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::{Cluster, NAMESPACE};
use holdfast_testkit::vault::{Product, Server, TransitServer};
use holdfast_testkit::{AuditEvent, ControllerProcess, eventually};
use holdfast_vault::cause::Cause;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, DeleteParams, PostParams};
use serde_json::json;

use crate::causes::{Place, Stage};
use crate::stage::{self, ACCOUNT, DEADLINE, KEY, NAME, Pair, START, USER, condition};
use crate::wire::Wire;
use holdfast_e2e::vault::set::{Delivery, Set};

const STRICT: &str = "strict";
const WATCHED: &str = "watched";
/// The status of a resource whose trouble goes on isn't written again.
const STEADY: Duration = Duration::from_secs(4);
/// A whole look comes once in a minute.
const WHOLE: Duration = Duration::from_secs(80);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_people_get_wrong_is_told_once() -> Result<()> {
    let cluster = stage::cluster(&[STRICT, WATCHED]).await?;
    let controller = stage::controller(&cluster, &[WATCHED]).await?;
    let stage = Stage::new(cluster, controller);
    tokio::try_join!(Box::pin(strict(&stage.cluster)), Box::pin(watched(&stage)))?;
    Ok(())
}

async fn strict(cluster: &Cluster) -> Result<()> {
    let set = Set::create(&cluster.plane, STRICT, 1, Delivery::Variable).await?;
    set.write_token("hvs.whatever").await?;
    let resources: Api<holdfast_api::VaultTransitUnseal> = Api::namespaced(cluster.admin(), STRICT);
    // Whoever connects is passed on to nobody, and counted.
    let door = Wire::to((Ipv4Addr::LOCALHOST, 9).into(), (Ipv4Addr::LOCALHOST, 0)).await?;
    let spec = |address: &str, allow: bool| {
        json!({
            "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal", "metadata": {"name": NAME},
            "spec": {
                "target": {"statefulSetRef": {"name": NAME}, "port": 8200, "allowHTTP": true},
                "seal": {"transit": {"address": address, "allowHTTP": allow, "key": KEY}},
                "token": {"secretRef": {"name": "seal", "key": "token"}}, "timing": {"interval": "1s"},
            },
        })
    };
    let create = async |spec: serde_json::Value| {
        resources.create(&PostParams::default(), &serde_json::from_value(spec)?).await.map_err(anyhow::Error::from)
    };
    let refused = create(spec("http://a.example.net:8200", false)).await.err().context("http:// was taken")?;
    let words = "over http:// the token can be read on its way: write https://, or seal.transit.allowHTTP: true";
    ensure!(refused.to_string().contains(words), "{refused}");

    let account = cluster.plane.service_account_kubeconfig(NAMESPACE, ACCOUNT).await?;
    let builder = ControllerProcess::builder(account).command("vault-controller").without_leader_election();
    let controller = builder.argument(format!("--namespaces={STRICT},nobodys")).start()?;
    for host in ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]"] {
        create(spec(&format!("http://{host}:{}", door.port()), true)).await?;
        let told = async || {
            let status = resources.get(NAME).await?.status.context("no status")?;
            let found = status.diagnosis.as_ref().context("nothing is diagnosed")?;
            ensure!(found.cause == "TransitForbidden" && found.remedy == Cause::TransitForbidden.remedy(), "{found:?}");
            ensure!(found.message.contains("loopback"), "{found:?}");
            ensure!(condition(&status, "Stalled") == ("True", "TransitForbidden"), "{:?}", status.conditions);
            Ok(())
        };
        eventually(host, DEADLINE, told).await.map_err(|error| controller.explain(error))?;
        resources.delete(NAME, &DeleteParams::default()).await?;
    }
    ensure!(door.connections() == 0, "{} connections came", door.connections());
    let (code, text) = controller.readyz().await?;
    ensure!(code == 503 && text.contains("resources") && text.contains("pods"), "{code} {text}");
    ensure!(controller.ended()?.is_none());
    Ok(())
}

async fn watched(stage: &Stage) -> Result<()> {
    let place = Place { stage, namespace: WATCHED, product: Product::OpenBao };
    let a = TransitServer::start_as(Server::builder(place.product).inmem()).await?;
    let token = a.grant(KEY, "24h").await?.token;
    let pair = Pair::start(&stage.cluster, WATCHED, place.product, a, &token).await?;
    pair.apply(&json!({})).await?;
    pair.eventually("no evidence", |status| condition(status, "WouldStart") == ("Unknown", "NoEvidence")).await?;
    ensure!(pair.restarts(START).await?, "it doesn't start though nothing is wrong");
    pair.eventually("evidence", |status| condition(status, "WouldStart") == ("True", "Rehearsed")).await?;

    let injector = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "vault-agent-injector-0", "labels": {"app": "vault"}},
        "spec": {"containers": [{"name": "vault", "image": "injector:1"}]},
    });
    let pods: Api<Pod> = Api::namespaced(stage.cluster.admin(), WATCHED);
    pods.create(&PostParams::default(), &serde_json::from_value(injector)?).await?;
    let status = pair.look().await?;
    let names: Vec<&str> = status.pods.iter().map(|pod| pod.name.as_str()).collect();
    ensure!(names == ["vault-0"] && status.diagnosis.is_none(), "{names:?} {:?}", status.diagnosis);

    pair.apply_as("young", &json!({})).await?;
    eventually("the younger one to give way", DEADLINE, async || {
        let status = pair.status_of("young").await?;
        ensure!(condition(&status, "Stalled") == ("True", "Conflict"), "{:?}", status.diagnosis);
        Ok(())
    })
    .await?;
    nothing_is_written_again(&stage.cluster).await?;
    ensure!(condition(&pair.status().await?, "Ready").0 == "True");
    pair.resources.delete("young", &DeleteParams::default()).await?;

    pair.look().await?;
    pair.set.write_token("hvs.by-hand\n").await?;
    eventually("the edited Secret to be noticed", WHOLE, async || {
        let diagnosis = pair.status().await?.diagnosis;
        ensure!(diagnosis.as_ref().is_some_and(|found| found.cause == "TokenMalformed"), "{diagnosis:?}");
        Ok(())
    })
    .await?;
    nothing_is_written_again(&stage.cluster).await
}

/// The events follow the status, and then there is nothing more to say.
async fn nothing_is_written_again(cluster: &Cluster) -> Result<()> {
    let writes = || -> Result<Vec<AuditEvent>> {
        let events = cluster.plane.audit().events()?.into_iter();
        let ours = events.filter(|event| event.user == USER && event.is_write() && event.namespace == WATCHED);
        Ok(ours.collect())
    };
    let mut before = writes()?.len();
    eventually("the last write", DEADLINE, async || {
        let now = writes()?.len();
        let same = before == now;
        before = now;
        // Not to wait for anything: this is how long it is watched.
        tokio::time::sleep(STEADY).await;
        ensure!(same && writes()?.len() == now, "{now} writes so far");
        Ok(())
    })
    .await?;
    let all = writes()?;
    let told_twice = all.iter().filter(|event| event.is_about("events.events.k8s.io") && event.code == 409).count();
    ensure!(told_twice == 0, "{told_twice} events were told twice");
    Ok(())
}
