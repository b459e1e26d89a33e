//! A real Kubernetes control plane on loopback: etcd, API server, controller manager, scheduler and fake kubelets.
//!
//! Each has its own folder, ports, authority and tokens, so any number run side by side. TLS is verified by everyone. Real
//! RBAC applies: the components are their own users, only [`ControlPlane::admin`] may do everything. A plane ends when it
//! is dropped or its process ends, however that ends; [`Builder::start_detached`] is the exception, for people.
//! It sees no kubeconfig, home folder or environment of the person who runs the tests.

mod builder;
mod kept;
mod layout;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use k8s_openapi::api::core::v1::ServiceAccount;
use kube::api::Api;
use kube::{Client, Config};
use tempfile::TempDir;

use crate::audit::AuditLog;
use crate::component::Component;
use crate::eventually::{eventually, give_up};
use crate::port::Port;
use crate::process::Janitor;
use crate::stopwatch::Stopwatch;
use crate::usage::Usage;
use crate::{cache, kubeconfig, kubelet};

pub use builder::Builder;
pub use kept::Kept;
pub use layout::ISSUER;

/// Long enough for a machine that builds something else at the same time.
const START_DEADLINE: Duration = Duration::from_secs(180);

/// Everything that was started and where it lives.
///
/// The order of the fields is the order in which they are dropped: first the servers, then the folder they write to.
#[derive(Debug)]
pub struct ControlPlane {
    kubelets: Option<Component>,
    /// The scheduler and the controller manager, unless the builder leaves them out.
    controllers: Vec<Component>,
    api_server: Component,
    etcd: Component,
    nodes: u16,
    server: String,
    admin: Config,
    home: Home,
    _ports: Vec<Port>,
}

/// The folder of a control plane.
#[derive(Debug)]
enum Home {
    /// Removed when the plane ends.
    Temporary { folder: TempDir, _janitor: Janitor },
    /// Removed by `down`.
    Kept(PathBuf),
}

impl Home {
    fn path(&self) -> &Path {
        match self {
            Self::Temporary { folder, .. } => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

impl ControlPlane {
    /// The choices for a new control plane.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// A client that may do everything.
    ///
    /// Make one in each test: a client belongs to the runtime that made it.
    pub fn admin(&self) -> Client {
        Client::try_from(self.admin.clone()).expect("invariant: a client was made from this configuration at the start")
    }

    /// The kubeconfig of [`ControlPlane::admin`].
    pub fn kubeconfig(&self) -> PathBuf {
        layout::admin_kubeconfig(self.dir())
    }

    /// The folder with logs, keys and kubeconfigs; tests may put their own files there.
    pub fn dir(&self) -> &Path {
        self.home.path()
    }

    /// The audit log, empty when the builder switched it off.
    pub fn audit(&self) -> AuditLog {
        AuditLog::new(layout::audit_log(self.dir()))
    }

    /// A new kubeconfig whose user is a ServiceAccount, which must exist; its token is good for a day.
    pub async fn service_account_kubeconfig(&self, namespace: &str, name: &str) -> Result<PathBuf> {
        let token = kubeconfig::token_of(&self.admin(), namespace, name).await?;
        let file = self.dir().join(format!("{namespace}-{name}.kubeconfig"));
        kubeconfig::write(&file, &self.server, &layout::authority(self.dir()), namespace, &token)?;
        Ok(file)
    }

    /// The public key, as PEM, by which the tokens of its ServiceAccounts are verified; they are from [`ISSUER`].
    pub fn account_key(&self) -> Result<String> {
        let file = layout::account_key(self.dir());
        std::fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))
    }

    /// What the API server and etcd took of the processors since they began.
    pub fn processor(&self) -> Result<Duration> {
        let used = |component: &Component| {
            let id = component.id().with_context(|| format!("{} doesn't run", component.name()))?;
            Ok::<_, anyhow::Error>(Usage::of(id)?.processor)
        };
        Ok(used(&self.api_server)? + used(&self.etcd)?)
    }

    /// The processes of the API server and etcd, as far as they run.
    pub fn servers(&self) -> impl Iterator<Item = u32> {
        [&self.api_server, &self.etcd].into_iter().filter_map(Component::id)
    }

    /// Begins to measure a time in which these processes take part, and with them API server and etcd.
    pub fn stopwatch(&self, processes: impl IntoIterator<Item = u32>) -> Stopwatch {
        Stopwatch::start(processes.into_iter().chain(self.servers()))
    }

    /// Ends the API server as a crash would.
    pub fn stop_api_server(&self) -> Result<()> {
        self.api_server.stop()
    }

    /// Starts the API server again and waits until it is ready.
    pub async fn start_api_server(&self) -> Result<()> {
        self.api_server.start()?;
        self.await_api_server().await
    }

    /// Ends etcd as a crash would; what it stored stays.
    pub fn stop_etcd(&self) -> Result<()> {
        self.etcd.stop()
    }

    /// Starts etcd again and waits until the API server is ready with it.
    pub async fn start_etcd(&self) -> Result<()> {
        self.etcd.start()?;
        self.await_api_server().await
    }

    /// Ends everything now; dropping does the same.
    pub fn stop(self) {
        drop(self);
    }

    /// Starts everything in order and waits until pods can run.
    async fn bring_up(&self, started: impl Fn(&Self) -> Result<()>) -> Result<()> {
        self.etcd.start()?;
        self.api_server.start()?;
        started(self)?;
        self.await_api_server().await?;
        self.controllers.iter().try_for_each(Component::start)?;
        if let Some(kubelets) = &self.kubelets {
            kubelets.start()?;
            kubelet::create_nodes(&self.admin(), self.nodes).await?;
        }
        started(self)?;
        self.await_default_service_account().await?;
        self.await_nodes().await
    }

    async fn await_api_server(&self) -> Result<()> {
        let client = self.admin();
        let ready = async || {
            let answer = client.request_text(http::Request::get("/readyz").body(Vec::new())?).await?;
            ensure!(answer == "ok", "/readyz answered {answer}");
            Ok(())
        };
        self.wait("the API server to be ready", &self.api_server, ready).await
    }

    /// Pods are refused in a namespace before it has its default ServiceAccount.
    async fn await_default_service_account(&self) -> Result<()> {
        let Some(controller_manager) = self.controllers.first() else { return Ok(()) };
        let accounts: Api<ServiceAccount> = Api::namespaced(self.admin(), "default");
        let there = async || Ok(accounts.get("default").await.map(drop)?);
        self.wait("the default ServiceAccount", controller_manager, there).await
    }

    async fn await_nodes(&self) -> Result<()> {
        let Some(kubelets) = &self.kubelets else { return Ok(()) };
        let client = self.admin();
        let ready = async || kubelet::check_nodes(&client, self.nodes).await;
        self.wait("the nodes to be ready", kubelets, ready).await
    }

    /// Waits for a condition while everything that was started lives; a failure carries the log of who is to blame.
    async fn wait(&self, what: &str, blamed: &Component, mut probe: impl AsyncFnMut() -> Result<()>) -> Result<()> {
        let watched = async || {
            self.components().try_for_each(Component::check_alive).map_err(give_up)?;
            probe().await
        };
        eventually(what, START_DEADLINE, watched).await.map_err(|error| blamed.explain(error))
    }

    fn components(&self) -> impl Iterator<Item = &Component> {
        [&self.etcd, &self.api_server].into_iter().chain(&self.controllers).chain(&self.kubelets)
    }
}

impl Drop for ControlPlane {
    fn drop(&mut self) {
        // The logs are what a person needs when a test failed.
        if let Home::Temporary { folder, .. } = &mut self.home
            && std::thread::panicking()
        {
            folder.disable_cleanup(true);
            cache::say(&format!("the logs of the control plane are kept in {}", folder.path().display()));
        }
    }
}
