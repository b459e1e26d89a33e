//! B: the StatefulSet, its pods, and what the server in each of them answers.

use jiff::Timestamp;

use super::transit::{Login, ServerFacts};
use crate::rehearsal::ContainerId;

/// The StatefulSet and its pods.
#[derive(Clone, Debug)]
pub struct Target {
    /// The StatefulSet, or why it isn't known.
    pub set: Result<StatefulSet, Unknown>,
    /// Its pods by ordinal. Only those that the set owns (by UID), so a pod that happens to carry the labels isn't one.
    pub pods: Vec<Pod>,
    /// Our own login there.
    pub login: Login,
}

impl Target {
    /// The pods that run a server which is initialised and not sealed.
    pub fn unsealed(&self) -> impl Iterator<Item = &Pod> {
        self.pods.iter().filter(|pod| pod.is_unsealed())
    }

    /// What B is, by what its pods say together.
    #[must_use]
    pub fn state(&self) -> Server {
        if self.pods.iter().any(Pod::is_initialised) {
            Server::Initialised
        } else if !self.pods.is_empty() && self.pods.iter().all(Pod::is_uninitialised) {
            Server::Blank
        } else {
            Server::Unseen
        }
    }

    /// What a server of them says about itself: the one that serves before the others.
    #[must_use]
    pub fn server(&self) -> Option<&ServerFacts> {
        let told = |pod: &'_ Pod| pod.answer.facts().is_some();
        let best = self.unsealed().find(|pod| told(pod)).or_else(|| self.pods.iter().find(|pod| told(pod)))?;
        best.answer.facts()
    }
}

/// What B is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Server {
    /// There are pods, every one answers, and none is initialised.
    Blank,
    /// One is.
    Initialised,
    /// Nobody knows.
    Unseen,
}

/// Why the StatefulSet isn't known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// There is none of that name, or it has no container that could be the server. With what was seen.
    Missing(String),
    /// We may not look, with what was said.
    Refused(String),
    /// It couldn't be read just now.
    Unseen,
}

/// The StatefulSet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatefulSet {
    /// Its UID.
    pub uid: String,
    /// The headless Service that names its pods.
    pub service: String,
    /// How many pods it asks for.
    pub replicas: u32,
    /// Whether ordinal n waits for n-1 to be ready (`OrderedReady`).
    pub ordered: bool,
    /// The revision that new pods get (`status.updateRevision`).
    pub update_revision: String,
    /// How the token reaches the server.
    pub wiring: super::Wiring,
    /// The names of its volume claim templates.
    pub volumes: Vec<String>,
}

/// One pod.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Its name.
    pub name: String,
    /// Its UID.
    pub uid: String,
    /// Its number in the set.
    pub ordinal: u32,
    /// When it was made.
    pub created: Timestamp,
    /// The revision it was made from.
    pub revision: String,
    /// Whether it is being deleted.
    pub leaving: bool,
    /// The container that runs the server.
    pub container: Container,
    /// What the server in it answers.
    pub answer: Answer,
    /// Whether it was seen unsealed in this life of its container.
    pub was_unsealed: bool,
    /// Whether it votes in its raft, which has it by the name of the pod; `None` where that can't be seen.
    pub voter: Option<bool>,
}

impl Pod {
    /// Whether its server is initialised and not sealed.
    #[must_use]
    pub fn is_unsealed(&self) -> bool {
        self.answer.facts().is_some_and(|facts| facts.initialised && !facts.sealed)
    }

    /// Whether its server leads.
    #[must_use]
    pub fn is_active(&self) -> bool {
        match &self.answer {
            Answer::Told(facts, serving) => !facts.sealed && *serving == Serving::Active,
            Answer::MigratedStandby | Answer::Refused | Answer::Hangs | Answer::Garbled(_) | Answer::Unseen(_) => false,
        }
    }

    /// The life of its container; `None` when it doesn't run.
    #[must_use]
    pub fn container_id(&self) -> Option<ContainerId> {
        match &self.container {
            Container::Running { restarts, .. } => Some(ContainerId { uid: self.uid.clone(), restarts: *restarts }),
            Container::Waiting(_) | Container::Ended(_) => None,
        }
    }

    /// Whether its server says that it is sealed, and has something to unseal.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        self.answer.facts().is_some_and(|facts| facts.initialised && facts.sealed)
    }

    /// Whether its server says that it is initialised.
    #[must_use]
    pub fn is_initialised(&self) -> bool {
        self.answer.facts().is_some_and(|facts| facts.initialised)
    }

    /// Whether its server says that it was never initialised, or hasn't joined yet: it can't tell the two apart.
    #[must_use]
    pub fn is_uninitialised(&self) -> bool {
        self.answer.facts().is_some_and(|facts| !facts.initialised)
    }
}

/// The container that runs the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Container {
    /// Not started yet, with the kubelet's reason if it gives one (`ContainerCreating`, `ImagePullBackOff`).
    Waiting(String),
    /// Runs.
    Running {
        /// Since when, by the clock of the kubelet.
        since: Timestamp,
        /// How often it was started anew in this pod.
        restarts: u32,
    },
    /// Ended, and waits to be started again (`CrashLoopBackOff`), or won't be.
    Ended(Ended),
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ended {
    /// The exit code.
    pub code: i32,
    /// When.
    pub at: Option<Timestamp>,
    /// How often it was started anew in this pod.
    pub restarts: u32,
}

/// What the server in a pod answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// Its seal status.
    Told(ServerFacts, Serving),
    /// OpenBao during a migration from Shamir: 500 for its status, while a leader lives.
    MigratedStandby,
    /// Nothing listens.
    Refused,
    /// It accepts and doesn't answer.
    Hangs,
    /// The connection or its answer makes no sense: TLS, HTML, another protocol. With what was wrong.
    Garbled(String),
    /// It wasn't asked, or can't be reached for a reason of the network. With the reason.
    Unseen(String),
}

impl Answer {
    /// What it says about itself.
    #[must_use]
    pub fn facts(&self) -> Option<&ServerFacts> {
        match self {
            Self::Told(facts, _) => Some(facts),
            Self::MigratedStandby | Self::Refused | Self::Hangs | Self::Garbled(_) | Self::Unseen(_) => None,
        }
    }
}

/// What an unsealed server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Serving {
    /// It leads.
    Active,
    /// It stands by, and knows a leader.
    Standby,
    /// It stands by, and nobody leads.
    Leaderless,
    /// It is sealed or not initialised.
    Nothing,
}
