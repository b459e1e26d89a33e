//! Servers as the pods of StatefulSets on a real control plane: what their kubelet does is what a real one does.
//!
//! Three in one raft that speak TLS, whose seal's token is a file of a Secret:
//! 1. All run at once, none is ready. One is initialised, the others join, the set is ready.
//! 2. A pod is deleted; another of its name comes, finds the disk and joins again.
//! 3. The power fails and comes back; the pods are the same, their containers were started again.
//!
//! One alone, whose token is a variable from a Secret:
//! 1. Without the Secret its container can't be made; with it, it comes up and is initialised.
//! 2. The token is revoked and the server killed: it crash-loops until the Secret has another.
//! 3. Frozen, it runs and isn't ready. Held, it isn't started. Its disk wiped, it is born anew.
//! 4. Deleted by force, and deleted without power, another pod takes its place, the second time once there is power again.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_e2e::vault::set::{self, Delivery, Set};
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{self, Product, Server, TlsFiles, TransitSeal, TransitServer};
use holdfast_testkit::{Authority, ControlPlane, ServerKubelet, eventually};
use k8s_openapi::api::core::v1::{ContainerState, Pod};
use serde_json::Value;

const DEADLINE: Duration = Duration::from_secs(240);
const KEY: &str = "b";
const PODS: [&str; 3] = ["vault-0", "vault-1", "vault-2"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pods_of_stateful_sets_are_real_servers() -> Result<()> {
    let plane = ControlPlane::builder().nodes(3).start().await?;
    tokio::try_join!(three_in_a_raft(&plane), one_alone(&plane))?;
    Ok(())
}

/// The stanza comes from a mounted ConfigMap, and names the token by its path in the container.
fn config_of_three(facts: &PodFacts) -> Result<String> {
    let file = facts.behind("/etc/server/seal.hcl").context("no ConfigMap is mounted")?;
    let mut config = facts.config_of_raft(3)?;
    config.extra = fs::read_to_string(file)?;
    config.join_authority = facts.behind("/etc/tls/ca.crt");
    config.tls = Some(TlsFiles { certificate: "/etc/tls/tls.crt".into(), key: "/etc/tls/tls.key".into() });
    Ok(config.to_string())
}

async fn three_in_a_raft(plane: &ControlPlane) -> Result<()> {
    let transit = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    let set = Set::create(plane, "three", 3, Delivery::File).await?;
    set.write_token(&token.token).await?;
    let stanza = format!(
        "seal \"transit\" {{\n  address = \"{}\"\n  token = \"file:///etc/seal/token\"\n  key_name = \"{KEY}\"\n  \
         mount_path = \"transit\"\n}}\n",
        transit.server.url()
    );
    set.write_config(&stanza).await?;
    let authority = Authority::new()?;
    let builder = ServerKubelet::builder(plane.admin(), "three", Product::OpenBao, config_of_three);
    let kubelet = builder.tls(authority.pem()).start().await?;
    set.write_certificate(&authority, &PODS.map(|pod| kubelet.ip(pod)).into_iter().collect::<Result<Vec<_>>>()?)
        .await?;

    for pod in PODS {
        kubelet.endpoint(pod)?.await_health(&[501], DEADLINE).await?;
        let ip = kubelet.ip(pod)?.to_string();
        set.eventually(pod, |pod| {
            let status = pod.status.as_ref().context("no status")?;
            ensure!(status.phase.as_deref() == Some("Running") && !set::is_ready(pod), "{status:?}");
            ensure!(status.pod_ip.as_ref() == Some(&ip) && ip.starts_with("127.77."), "{:?}", status.pod_ip);
            Ok(())
        })
        .await?;
    }
    initialize(&kubelet).await?;
    set.await_ready(3).await?;
    set.has_no_endpoints().await?;

    let before = set.pod("vault-1").await?.metadata.uid;
    set.delete_pod("vault-1", None).await?;
    set.eventually("vault-1", |pod| {
        ensure!(pod.metadata.uid != before && set::is_ready(pod), "{:?}", pod.status);
        Ok(())
    })
    .await?;

    let uids = set.uids().await?;
    kubelet.power_cut();
    ensure!(kubelet.kill("vault-0").is_err(), "a server runs without power");
    kubelet.power_on(&["vault-2", "vault-0", "vault-1"]).await?;
    for pod in PODS {
        set.eventually(pod, |pod| {
            let container = set::container(pod)?;
            let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref());
            ensure!(set::is_ready(pod) && container.restart_count == 1, "{container:?}");
            ensure!(last.is_some_and(|last| last.exit_code == 255 && last.reason.as_deref() == Some("Unknown")));
            Ok(())
        })
        .await?;
    }
    ensure!(set.uids().await? == uids, "the power failure made pods anew");
    set.await_ready(3).await
}

async fn one_alone(plane: &ControlPlane) -> Result<()> {
    let product = Product::Vault;
    let transit = TransitServer::start_as(Server::builder(product).inmem()).await?;
    let token = transit.grant(KEY, "24h").await?;
    let seal = transit.seal_with(KEY, None);
    let set = Set::create(plane, "alone", 1, Delivery::Variable).await?;
    let configure = move |facts: &PodFacts| {
        ensure!(facts.environment["POD_URL"] == format!("http://{}:8200", facts.ip), "{:?}", facts.ip);
        let mut config = facts.config();
        config.seals.push(TransitSeal::clone(&seal));
        Ok(config.to_string())
    };
    let kubelet = ServerKubelet::builder(plane.admin(), "alone", product, configure).start().await?;
    set.eventually("vault-0", |pod| waits(pod, "CreateContainerConfigError")).await?;
    set.write_token(&token.token).await?;
    kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
    initialize(&kubelet).await?;
    set.await_ready(1).await?;

    transit.revoke(&token.accessor).await?;
    kubelet.kill("vault-0")?;
    set.eventually("vault-0", |pod| {
        waits(pod, "CrashLoopBackOff")?;
        let container = set::container(pod)?;
        let last = container.last_state.as_ref().and_then(|last| last.terminated.as_ref()).context("no last end")?;
        ensure!(last.exit_code == 1 && 2 <= container.restart_count && !container.ready, "{container:?}");
        Ok(())
    })
    .await?;
    ensure!(kubelet.log("vault-0")?.contains("* invalid token"), "{}", kubelet.log("vault-0")?);
    set.write_token(&transit.mint(KEY).await?.token).await?;
    set.await_ready(1).await?;

    kubelet.freeze("vault-0")?;
    set.eventually("vault-0", |pod| {
        let container = set::container(pod)?;
        let running = container.state.as_ref().is_some_and(|state| state.running.is_some());
        ensure!(running && !set::is_ready(pod), "{container:?}");
        Ok(())
    })
    .await?;
    kubelet.thaw("vault-0")?;
    set.await_ready(1).await?;

    kubelet.hold("vault-0")?;
    let starts = kubelet.starts("vault-0")?;
    kubelet.wipe_disk("vault-0")?;
    set.eventually("vault-0", |pod| {
        let ContainerState { terminated, waiting, .. } = set::container(pod)?.state.clone().context("no state")?;
        ensure!(terminated.is_some() || waiting.is_some(), "it runs");
        Ok(())
    })
    .await?;
    ensure!(kubelet.starts("vault-0")? == starts, "it was started though it was held");
    kubelet.release("vault-0")?;
    kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await?;
    pods_go_with_and_without_power(&set, &kubelet).await
}

async fn pods_go_with_and_without_power(set: &Set, kubelet: &ServerKubelet) -> Result<()> {
    let first = set.pod("vault-0").await?.metadata.uid;
    set.delete_pod("vault-0", Some(0)).await?;
    let another = async |than: &Option<String>| {
        let runs = |pod: &Pod| {
            let state = set::container(pod)?.state.as_ref().context("no state")?;
            ensure!(pod.metadata.uid != *than && state.running.is_some(), "{state:?}");
            Ok(())
        };
        set.eventually("vault-0", runs).await?;
        kubelet.endpoint("vault-0")?.await_health(&[501], DEADLINE).await
    };
    another(&first).await?;
    let second = set.pod("vault-0").await?.metadata.uid;
    kubelet.power_cut();
    set.delete_pod("vault-0", None).await?;
    let still = set.pod("vault-0").await?.metadata;
    ensure!(still.uid == second && still.deletion_timestamp.is_some(), "it went without power");
    ensure!(kubelet.endpoint("vault-0")?.health().await.is_err(), "a server answers without power");
    kubelet.power_on(&[]).await?;
    another(&second).await.map(drop)
}

async fn initialize(kubelet: &ServerKubelet) -> Result<()> {
    vault::initialize(&kubelet.endpoint("vault-0")?).await?;
    let probe = async || {
        let (_, state) = kubelet.endpoint("vault-0")?.request("GET", "sys/seal-status", None, &Value::Null).await?;
        ensure!(state["sealed"] == false, "{state}");
        Ok(())
    };
    eventually("it to be unsealed", DEADLINE, probe).await
}

fn waits(pod: &Pod, reason: &str) -> Result<()> {
    let container = set::container(pod)?;
    let waiting = container.state.as_ref().and_then(|state| state.waiting.as_ref());
    ensure!(waiting.is_some_and(|waiting| waiting.reason.as_deref() == Some(reason)), "{:?}", container.state);
    Ok(())
}
