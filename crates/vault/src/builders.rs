//! Views that read as sentences, for tests, and what the log said meanwhile.

use std::time::Duration;

use jiff::Timestamp;

use crate::claim::Birth;
use crate::rehearsal::Outcome;
use crate::view::{
    Answer, Container, Content, Ended, Login, Lookup, Pod, Product, Reach, RoleSight, ServerFacts, Serving,
    StatefulSet, Target, TokenView, TransitView, View, Wiring,
};

/// The moment of a view, in seconds after the containers were started.
pub(crate) const NOW: i64 = 1000;

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("a time")
}

pub(crate) fn facts(seal_type: &str) -> ServerFacts {
    ServerFacts {
        product: Product::OpenBao,
        version: "2.7.2".to_owned(),
        cluster_id: Some(format!("cluster-of-{seal_type}")),
        seal_type: seal_type.to_owned(),
        initialised: true,
        sealed: false,
        migration: false,
        threshold: 2,
        shares: 3,
    }
}

/// A pod that leads (ordinal 0) or stands by, and has run since second 0.
pub(crate) fn pod(ordinal: u32) -> Pod {
    let serving = if ordinal == 0 { Serving::Active } else { Serving::Standby };
    Pod {
        name: format!("vault-{ordinal}"),
        uid: format!("uid-{ordinal}"),
        ordinal,
        created: at(0),
        revision: "one".to_owned(),
        leaving: false,
        container: Container::Running { since: at(0), restarts: 0 },
        answer: Answer::Told(facts("transit"), serving),
        was_unsealed: true,
        voter: None,
    }
}

impl Pod {
    pub(crate) fn answering(self, answer: Answer) -> Self {
        Self { answer, was_unsealed: false, voter: None, ..self }
    }

    pub(crate) fn sealed(self) -> Self {
        let facts = ServerFacts { sealed: true, ..facts("transit") };
        self.answering(Answer::Told(facts, Serving::Nothing))
    }

    pub(crate) fn uninitialised(self) -> Self {
        let facts = ServerFacts { sealed: true, initialised: false, cluster_id: None, ..facts("transit") };
        self.answering(Answer::Told(facts, Serving::Nothing))
    }

    pub(crate) fn running_since(self, second: i64) -> Self {
        Self { container: Container::Running { since: at(second), restarts: 1 }, ..self }
    }

    pub(crate) fn ended_at(self, second: i64) -> Self {
        let ended = Ended { code: 1, at: Some(at(second)), restarts: 4 };
        Self { container: Container::Ended(ended), ..self.answering(Answer::Refused) }
    }
}

/// A healthy server of one pod.
pub(crate) fn view() -> View {
    View {
        now: at(NOW),
        target: Target {
            set: Ok(StatefulSet {
                uid: "set".to_owned(),
                service: "vault-internal".to_owned(),
                replicas: 1,
                ordered: true,
                update_revision: "one".to_owned(),
                wiring: Wiring::Env("VAULT_TRANSIT_SEAL_TOKEN".to_owned()),
                volumes: vec!["data".to_owned()],
            }),
            pods: vec![pod(0)],
            login: Login::NotConfigured,
        },
        transit: TransitView {
            reach: Reach::Answers,
            facts: Some(facts("shamir")),
            login: Login::NotConfigured,
            key: None,
        },
        token: TokenView { content: Content::Present, lookup: alive(), role: RoleSight::Unseen, capped: None },
        rehearsal: Outcome::Passed,
        passing_since: Some(at(10)),
        birth: Birth::default(),
    }
}

/// A token of a month, renewed just now.
pub(crate) fn alive() -> Lookup {
    let life = Duration::from_secs(720 * 3600);
    Lookup::Alive {
        ends: Some(at(NOW) + life),
        life,
        renewable: true,
        orphan: true,
        role: Some("vault-b".to_owned()),
        period: None,
        root: false,
        makes_keys: Some(false),
    }
}

impl View {
    pub(crate) fn with_pods(mut self, pods: Vec<Pod>) -> Self {
        self.target.pods = pods;
        self
    }

    pub(crate) fn rehearsed(mut self, outcome: Outcome) -> Self {
        if outcome != Outcome::Passed {
            self.passing_since = None;
        }
        self.rehearsal = outcome;
        self
    }

    /// The rehearsal passes since this second.
    pub(crate) fn passing_since(mut self, second: i64) -> Self {
        self.passing_since = Some(at(second));
        self
    }

    pub(crate) fn reaching(mut self, reach: Reach) -> Self {
        self.transit.reach = reach;
        self
    }

    pub(crate) fn holding(mut self, content: Content) -> Self {
        self.token.content = content;
        self
    }

    pub(crate) fn looked_up(mut self, lookup: Lookup) -> Self {
        self.token.lookup = lookup;
        self
    }

    pub(crate) fn wired(mut self, wiring: Wiring) -> Self {
        if let Ok(set) = &mut self.target.set {
            set.wiring = wiring;
        }
        self
    }
}

/// What the log says while something runs on this thread.
#[derive(Clone, Default)]
pub(crate) struct Log(std::sync::Arc<Lines>);

#[derive(Default)]
struct Lines(parking_lot::Mutex<Vec<u8>>);

impl std::io::Write for &Lines {
    fn write(&mut self, text: &[u8]) -> std::io::Result<usize> {
        self.0.lock().extend_from_slice(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Log {
    pub(crate) fn while_told<T>(&self, runs: impl Future<Output = T>) -> T {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let collector = tracing_subscriber::fmt().json().with_writer(std::sync::Arc::clone(&self.0)).finish();
        tracing::subscriber::with_default(collector, || runtime.block_on(runs))
    }

    /// The acts of the audit log with their results, in their order.
    pub(crate) fn acts(&self) -> Vec<(String, String)> {
        let log = self.0.0.lock();
        let text = String::from_utf8_lossy(&log);
        let lines = text.lines().map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line in JSON"));
        let field = |line: &serde_json::Value, name: &str| line["fields"][name].as_str().unwrap_or_default().to_owned();
        lines
            .filter(|line| line["target"] == "holdfast_audit")
            .map(|line| (field(&line, "act"), field(&line, "result")))
            .collect()
    }
}
