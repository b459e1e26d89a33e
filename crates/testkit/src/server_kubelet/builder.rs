//! The choices for a kubelet of servers, and its start.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::Result;
use kube::{Api, Client};
use tokio::sync::mpsc::channel;
use tokio::task::JoinSet;

use super::seat::Permit;
use super::watch::follow;
use super::{LABEL, PodFacts, Seats, ServerKubelet, Shared, disks, workers};
use crate::process::Janitor;
use crate::vault::Product;

/// How many events may wait.
const EVENTS: usize = 64;

pub(super) type Configure = dyn Fn(&PodFacts) -> Result<String> + Send + Sync;

/// How long a container that ended waits for its next start: not at all the first time, then `first`, then twice as long each
/// time, up to `longest`. A real kubelet has ten seconds and five minutes.
#[derive(Debug, Clone, Copy)]
pub(super) struct BackOff {
    first: Duration,
    longest: Duration,
}

impl BackOff {
    /// The wait after this many ends that had a wait already.
    pub(super) fn after(self, ends: u32) -> Duration {
        match ends {
            0 => Duration::ZERO,
            ends => self.first.saturating_mul(2_u32.saturating_pow(ends - 1)).min(self.longest),
        }
    }
}

/// What to run, and how.
pub struct Builder {
    client: Client,
    namespace: String,
    product: Product,
    configure: Box<Configure>,
    container: Option<String>,
    back_off: BackOff,
    grace: Duration,
    authority: Option<String>,
}

impl Builder {
    pub(super) fn new(client: Client, namespace: String, product: Product, configure: Box<Configure>) -> Self {
        Self {
            client,
            namespace,
            product,
            configure,
            container: None,
            back_off: BackOff { first: Duration::from_secs(1), longest: Duration::from_secs(4) },
            grace: Duration::from_secs(3),
            authority: None,
        }
    }

    /// The container whose server is run, the first of a pod unless said.
    pub fn container(self, name: impl Into<String>) -> Self {
        Self { container: Some(name.into()), ..self }
    }

    /// How long a container that ended twice or more waits until it is started again, from the first to the longest wait;
    /// one and four seconds unless said.
    pub fn back_off(self, first: Duration, longest: Duration) -> Self {
        Self { back_off: BackOff { first, longest }, ..self }
    }

    /// The most that a deleted pod's server gets to end by itself, whatever the pod asks for; three seconds unless said.
    pub fn grace(self, grace: Duration) -> Self {
        Self { grace, ..self }
    }

    /// The servers listen with TLS, with certificates of this authority (PEM) that are good for `localhost` among others.
    pub fn tls(self, authority: impl Into<String>) -> Self {
        Self { authority: Some(authority.into()), ..self }
    }

    /// Starts it. The first time on a machine this gets the program.
    pub async fn start(self) -> Result<ServerKubelet> {
        let program = self.product.tool().find_in_background().await?.path;
        let folder = tempfile::Builder::new().prefix("holdfast-kubelet-").tempdir()?;
        let janitor = Janitor::for_folder(folder.path())?;
        let shared = Arc::new(Shared {
            seats: Mutex::new(Seats { by_name: BTreeMap::new(), permit: Permit::May }),
            client: self.client,
            namespace: self.namespace,
            product: self.product,
            program,
            container: self.container,
            configure: self.configure,
            back_off: self.back_off,
            grace: self.grace,
            authority: self.authority,
            folder,
            _janitor: janitor,
        });
        let mut tasks = JoinSet::new();
        let (client, namespace) = (&shared.client, &shared.namespace);
        let (tell, claims) = channel(EVENTS);
        tasks.spawn(follow(Api::namespaced(client.clone(), namespace), String::new(), tell));
        tasks.spawn(disks::provide(Arc::clone(&shared), claims));
        let (tell, pods) = channel(EVENTS);
        tasks.spawn(follow(Api::namespaced(client.clone(), namespace), format!("{LABEL}=true"), tell));
        tasks.spawn(workers::run_pods(Arc::clone(&shared), pods));
        Ok(ServerKubelet { shared, _tasks: tasks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_waits_double_up_to_the_longest() {
        let back_off = BackOff { first: Duration::from_secs(10), longest: Duration::from_secs(300) };
        let waits: Vec<u64> = (0..8).map(|ends| back_off.after(ends).as_secs()).collect();
        assert_eq!(waits, [0, 10, 20, 40, 80, 160, 300, 300]);
        assert_eq!(back_off.after(u32::MAX).as_secs(), 300);
    }
}
