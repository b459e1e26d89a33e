//! A blank server on a real control plane is initialised, alone and as one of three, and its people get in.
//!
//! 1. The gate is open: all pods say that they are blank. It is claimed, initialised, its shares are stored encrypted.
//! 2. The administrator logs in with a token of a ServiceAccount, verified by the API server's published keys. No root token lives.
//! 3. It is sealed, and two people open it with the shares that only they can read.
//!
//! The controller is killed again and again while it does so (`kills`): the end is the same, or is known to be unknown.

mod set;

use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use holdfast_testkit::server_kubelet::PodFacts;
use holdfast_testkit::vault::{Endpoint, Product, Server, TransitSeal, TransitServer};
use holdfast_testkit::{ControlPlane, ServerKubelet, eventually};
use holdfast_vault::client::{Clients, Options};
use holdfast_vault::init::next::{Step, Stuck};
use holdfast_vault::init::order::Order;
use holdfast_vault::init::spool::Spool;
use holdfast_vault::init::{Asked, Initialiser};
use holdfast_vault::settings::Settings;
use serde_json::{Value, json};

use set::Set;

const DEADLINE: Duration = Duration::from_secs(120);
const KEY: &str = "b";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn blank_servers_are_initialised_and_their_people_get_in() -> Result<()> {
    let plane = ControlPlane::builder().nodes(3).start().await?;
    alone(&plane, Product::OpenBao, "bao").await?;
    alone(&plane, Product::Vault, "vault").await?;
    three(&plane).await?;
    kills(&plane).await
}

/// A server, its set, and the controller's folder.
struct Story {
    plane: kube::Client,
    set: Set,
    kubelet: ServerKubelet,
    _transit: TransitServer,
}

impl Story {
    async fn new(plane: &ControlPlane, product: Product, namespace: &'static str, replicas: u32) -> Result<Self> {
        let transit = TransitServer::start_as(Server::builder(Product::OpenBao).inmem()).await?;
        let token = transit.grant(KEY, "24h").await?;
        let seal = transit.seal_with(KEY, None);
        let set = Set::create(&plane.admin(), namespace, replicas, &token.token).await?;
        let configure = move |facts: &PodFacts| {
            let mut config = if replicas == 1 { facts.config() } else { facts.config_of_raft(replicas)? };
            config.seals.push(TransitSeal::clone(&seal));
            Ok(config.to_string())
        };
        let kubelet = ServerKubelet::builder(plane.admin(), namespace, product, configure).start().await?;
        for ordinal in 0..replicas {
            kubelet.endpoint(&format!("vault-{ordinal}"))?.await_health(&[501], DEADLINE).await?;
        }
        Ok(Self { plane: plane.admin(), set, kubelet, _transit: transit })
    }

    fn first(&self) -> Result<Endpoint> {
        self.kubelet.endpoint("vault-0")
    }

    fn initialiser(&self, folder: &Path) -> Result<Initialiser> {
        let clients = Clients::new(Options { allow_loopback: true });
        Ok(Initialiser::new(self.plane.clone(), clients, Spool::open(folder)?, false))
    }

    /// One pass of a leader.
    async fn pass(&self, initialiser: &Initialiser) -> Result<Step> {
        let resource = self.set.resource()?;
        let (settings, order) = (Settings::try_from(&resource)?, Order::from(&resource));
        let view = self.set.view(&self.kubelet).await?;
        let asked = Asked { settings: &settings, order: &order, view: Some(&view), leads: true };
        let progress = initialiser.advance(asked).await;
        match (progress.step, progress.failed) {
            (Some(step @ Step::Stuck(_)), _) | (Some(step), None) => Ok(step),
            (_, Some(failed)) => Err(anyhow::anyhow!("{failed}")),
            (None, None) => Err(anyhow::anyhow!("nothing was decided")),
        }
    }

    async fn settles(&self, initialiser: &Initialiser) -> Result<Step> {
        eventually("the initialisation to come to an end", DEADLINE, async || {
            let step = self.pass(initialiser).await?;
            ensure!(matches!(step, Step::Rest | Step::Stuck(_)), "{step:?}");
            Ok(step)
        })
        .await
    }

    /// The token of an administrator who logs in as a person would.
    async fn admin(&self) -> Result<String> {
        let jwt = self.set.token("vault-admin", "vault").await?;
        let login = json!({"role": "admin", "jwt": jwt});
        let (status, body) = self.first()?.request("POST", "auth/kubernetes/login", None, &login).await?;
        ensure!(status == 200, "{status} {}", body["errors"]);
        body["auth"]["client_token"].as_str().map(str::to_owned).context("no token")
    }

    async fn no_root_token_lives(&self, admin: &str) -> Result<()> {
        let b = self.first()?;
        let (status, body) = b.request("LIST", "auth/token/accessors", Some(admin), &Value::Null).await?;
        let accessors = body["data"]["keys"].as_array().with_context(|| format!("{status} {}", body["errors"]))?;
        ensure!(!accessors.is_empty(), "not even the administrator has a token");
        for accessor in accessors {
            let of = json!({"accessor": accessor});
            let (status, body) = b.request("POST", "auth/token/lookup-accessor", Some(admin), &of).await?;
            let root = body["data"]["policies"].as_array().is_some_and(|policies| policies.contains(&json!("root")));
            ensure!(status != 200 || !root, "a root token lives");
        }
        Ok(())
    }

    /// Complete: people get in, and the shares open what is sealed.
    async fn is_complete(&self) -> Result<()> {
        let admin = self.admin().await?;
        self.no_root_token_lives(&admin).await?;
        let shares = self.set.shares().await?;
        ensure!(shares.len() == 3, "{} shares", shares.len());
        let b = self.first()?;
        let (status, body) = b.request("PUT", "sys/seal", Some(&admin), &Value::Null).await?;
        ensure!(status == 204, "{status} {}", body["errors"]);
        b.await_health(&[503], DEADLINE).await?;
        for share in &shares[1..] {
            let (status, body) = b.request("PUT", "sys/unseal", None, &json!({"key": share})).await?;
            ensure!(status == 200, "{status} {}", body["errors"]);
        }
        b.await_health(&[200, 429], DEADLINE).await.map(drop)
    }
}

async fn alone(plane: &ControlPlane, product: Product, namespace: &'static str) -> Result<()> {
    let story = Story::new(plane, product, namespace, 1).await?;
    let folder = tempfile::tempdir()?;
    let initialiser = story.initialiser(folder.path())?;
    let end = story.settles(&initialiser).await?;
    ensure!(end == Step::Rest, "{end:?}");
    story.is_complete().await.with_context(|| product.to_string())
}

async fn three(plane: &ControlPlane) -> Result<()> {
    let story = Story::new(plane, Product::OpenBao, "three-blank", 3).await?;
    let folder = tempfile::tempdir()?;
    let initialiser = story.initialiser(folder.path())?;
    let end = story.settles(&initialiser).await?;
    ensure!(end == Step::Rest, "{end:?}");
    for pod in ["vault-1", "vault-2"] {
        story.kubelet.endpoint(pod)?.await_health(&[429], DEADLINE).await?;
    }
    let admin = story.admin().await?;
    story.no_root_token_lives(&admin).await
}

/// The controller's container is killed at moments spread over what it does; its pod stays, and so does the spool. What a
/// person does about an unknown outcome is done here: the storage is wiped, and the claim with it.
async fn kills(plane: &ControlPlane) -> Result<()> {
    let story = Story::new(plane, Product::OpenBao, "killed", 1).await?;
    let mut ends = [0, 0];
    for kill in 0..12_u64 {
        let folder = tempfile::tempdir()?;
        story.killed_after(folder.path(), Duration::from_millis(40 * kill * kill))?;
        let again = story.initialiser(folder.path())?;
        match story.settles(&again).await? {
            Step::Rest => {
                ends[0] += 1;
                story.is_complete().await?;
            }
            Step::Stuck(Stuck::OutcomeUnknown | Stuck::Abandoned) => ends[1] += 1,
            step => anyhow::bail!("it ended at {step:?}"),
        }
        story.kubelet.hold("vault-0")?;
        story.kubelet.wipe_disk("vault-0")?;
        story.set.forget().await?;
        story.kubelet.release("vault-0")?;
        story.first()?.await_health(&[501], DEADLINE).await?;
    }
    ensure!(0 < ends[0], "it was never complete: {ends:?}");
    Ok(())
}

impl Story {
    /// A controller in a runtime of its own, which ends in the midst of things.
    fn killed_after(&self, folder: &Path, time: Duration) -> Result<()> {
        let run = || -> Result<()> {
            let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
            runtime.block_on(async {
                let initialiser = self.initialiser(folder)?;
                let _ = tokio::time::timeout(time, self.settles(&initialiser)).await;
                Ok::<_, anyhow::Error>(())
            })?;
            runtime.shutdown_background();
            Ok(())
        };
        std::thread::scope(|scope| scope.spawn(run).join().map_err(|_| anyhow::anyhow!("the controller panicked"))?)
    }
}
