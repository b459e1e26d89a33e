//! A kubelet that runs real servers: the pods of a StatefulSet on a real control plane become Vault or OpenBao processes.
//!
//! Plays the kubelet for the pods of one namespace that carry the label `server: "true"` (KWOK leaves those alone) and that the
//! scheduler has put on a node. Of each pod one container is run; what its environment, Secrets, ConfigMaps and volumes
//! say holds, its image and command don't: the configuration comes from the test. Other containers are said to run.
//! Also plays the provisioner of volumes: each claim in the namespace gets a disk, which outlives the pods.
//!
//! A pod's address is its name's for as long as this lives, since there is no DNS by which a new one would be found. It is
//! a loopback address, so no EndpointSlice holds it: the API server refuses those. Absent: tokens of ServiceAccounts in
//! volumes (the folder is empty), init containers, all probes but readiness by `sys/health`, changes to a volume while
//! its container runs.

mod builder;
mod seat;

mod environment;
mod facts;
mod mounts;
mod volumes;

mod life;
mod report;
mod worker;

mod disks;
mod watch;
mod workers;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use kube::Client;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::eventually::eventually;
use crate::process::Janitor;
use crate::vault::{Endpoint, Product};

use builder::{BackOff, Configure};
use seat::{Permit, Seat};

pub use builder::Builder;
pub use facts::PodFacts;

/// The label of the pods that are run.
pub const LABEL: &str = "server";

/// How long a command may take until it has had its effect.
const DEADLINE: Duration = Duration::from_secs(180);

/// The kubelet; its servers end when it is dropped.
///
/// It belongs to the runtime that started it.
pub struct ServerKubelet {
    shared: Arc<Shared>,
    _tasks: JoinSet<()>,
}

/// What the commands, the watches and the workers have in common.
struct Shared {
    seats: Mutex<Seats>,
    client: Client,
    namespace: String,
    product: Product,
    program: PathBuf,
    container: Option<String>,
    configure: Box<Configure>,
    back_off: BackOff,
    grace: Duration,
    authority: Option<String>,
    folder: TempDir,
    _janitor: Janitor,
}

/// A seat for each name of a pod that was ever seen or asked for.
struct Seats {
    by_name: BTreeMap<String, Arc<Seat>>,
    /// What a new one may do.
    permit: Permit,
}

impl ServerKubelet {
    /// The choices for a kubelet in a namespace, with an administrator's client. The function writes the text of a server's
    /// configuration each time one is started; mount paths of the container in it are replaced by the folders behind them.
    pub fn builder(
        client: Client,
        namespace: impl Into<String>,
        product: Product,
        configure: impl Fn(&PodFacts) -> Result<String> + Send + Sync + 'static,
    ) -> Builder {
        Builder::new(client, namespace.into(), product, Box::new(configure))
    }

    /// The address of a pod, also before there is one of this name.
    pub fn ip(&self, pod: &str) -> Result<Ipv4Addr> {
        Ok(self.shared.seat(pod)?.ip())
    }

    /// How the server of a pod is spoken to, also before there is one.
    pub fn endpoint(&self, pod: &str) -> Result<Endpoint> {
        self.shared.endpoint(self.ip(pod)?)
    }

    /// All that the servers of pods of this name logged.
    pub fn log(&self, pod: &str) -> Result<String> {
        self.shared.seat(pod)?.log()
    }

    /// Ends a pod's server as a crash would; it is started again. Fails when none runs.
    pub fn kill(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.kill()
    }

    /// Stops a pod's server in its tracks: connections are accepted, and nothing is answered. Fails when none runs.
    pub fn freeze(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.signal("STOP")
    }

    /// Lets a frozen server go on.
    pub fn thaw(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.signal("CONT")
    }

    /// From now on no server is started in pods of this name; one that runs goes on.
    pub fn hold(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.allow(Permit::Held);
        Ok(())
    }

    /// Ends [`Self::hold`].
    pub fn release(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.allow(Permit::May);
        Ok(())
    }

    /// Empties the disks of a pod's claims. A server that runs is killed first and started again afterwards; whether pods of this name
    /// are held stays as it is.
    pub fn wipe_disk(&self, pod: &str) -> Result<()> {
        self.shared.seat(pod)?.wipe_disks()
    }

    /// The power of all nodes fails: every server is gone, nobody restarts any, and nobody reports that either, since the
    /// kubelets are gone too. Pods that are deleted meanwhile stay.
    pub fn power_cut(&self) {
        let mut seats = self.shared.seats();
        seats.permit = Permit::Dark;
        seats.by_name.values().for_each(|seat| seat.go_dark());
    }

    /// The power is back: the servers of these pods are started one after the other, each once the one before was started
    /// (whatever became of it), and then all others.
    pub async fn power_on(&self, order: &[&str]) -> Result<()> {
        for pod in order {
            let seat = self.shared.seat(pod)?;
            let before = seat.starts();
            seat.allow(Permit::May);
            eventually(&format!("the server of {pod} to be started"), DEADLINE, async || {
                ensure!(before < seat.starts(), "it isn't");
                Ok(())
            })
            .await?;
        }
        let mut seats = self.shared.seats();
        seats.permit = Permit::May;
        seats.by_name.values().for_each(|seat| seat.allow(Permit::May));
        Ok(())
    }

    /// How often a server was started in pods of this name.
    pub fn starts(&self, pod: &str) -> Result<u32> {
        Ok(self.shared.seat(pod)?.starts())
    }
}

impl Drop for ServerKubelet {
    fn drop(&mut self) {
        // The workers end with the runtime, perhaps later; none may start a server until then.
        self.power_cut();
    }
}

impl Shared {
    /// The seat of pods of this name, made when it is new.
    fn seat(&self, pod: &str) -> Result<Arc<Seat>> {
        let mut seats = self.seats();
        if let Some(seat) = seats.by_name.get(pod) {
            return Ok(Arc::clone(seat));
        }
        let seat = Seat::new(&self.folder.path().join("pods").join(pod), seats.permit);
        let seat = Arc::new(seat.with_context(|| format!("making room for the pod {pod}"))?);
        seats.by_name.insert(pod.to_owned(), Arc::clone(&seat));
        Ok(seat)
    }

    fn endpoint(&self, ip: Ipv4Addr) -> Result<Endpoint> {
        match &self.authority {
            None => Ok(Endpoint::new(ip)),
            Some(authority) => Endpoint::new(ip).tls(authority, "localhost"),
        }
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
