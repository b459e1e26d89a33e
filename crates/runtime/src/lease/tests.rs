//! Candidates against a server that keeps one Lease in memory, on paused time.

use std::{
    future::pending,
    ops::RangeInclusive,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use axum::{
    body::Body,
    http::{Method, Request, Response},
};
use kube::client::Body as ClientBody;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::advance};

use super::*;

const SECOND: Duration = Duration::from_secs(1);
const PATH: &str = "/apis/coordination.k8s.io/v1/namespaces/h/leases";

#[derive(Default)]
struct Store {
    lease: Option<Value>,
    version: u64,
    requests: Vec<String>,
    homeless: bool,
    /// Carries requests out, and answers none.
    mute: bool,
}

/// The API server.
#[derive(Clone, Default)]
struct Server(Arc<Mutex<Store>>);

/// The way to it, which can be cut: then nothing arrives, and nothing comes back.
#[derive(Clone)]
struct Line(Arc<AtomicBool>);

fn candidacy(identity: &str) -> Candidacy {
    let (namespace, name) = ("h".to_owned(), "holdfast".to_owned());
    Candidacy { namespace, name, identity: identity.to_owned(), field_manager: "holdfast/lease" }
}

struct Candidate {
    identity: String,
    leadership: Leadership,
    heartbeat: Heartbeat,
    line: Line,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Server {
    fn client(&self) -> (Client, Line) {
        let (server, line) = (self.clone(), Line(Arc::new(AtomicBool::new(true))));
        let up = line.clone();
        let service = tower::service_fn(move |request: Request<ClientBody>| {
            let (server, up) = (server.clone(), up.clone());
            async move {
                if !up.0.load(SeqCst) {
                    pending::<()>().await;
                }
                let (parts, body) = request.into_parts();
                let body = body.collect_bytes().await?;
                let manager = parts.uri.query().is_some_and(|query| query.contains("fieldManager=holdfast%2Flease"));
                assert_eq!(manager, parts.method != Method::GET, "{:?}", parts.uri);
                let (code, answer) = server.answer(&parts.method, parts.uri.path(), &body);
                if server.0.lock().mute && parts.method != Method::GET {
                    pending::<()>().await;
                }
                let response = Response::builder().status(code).body(Body::from(answer.to_string()));
                Ok::<_, kube::Error>(response.unwrap())
            }
        });
        (Client::new(service, "h"), line)
    }

    fn answer(&self, method: &Method, path: &str, body: &[u8]) -> (u16, Value) {
        let mut store = self.0.lock();
        store.requests.push(format!("{method} {path}"));
        let sent: Value = serde_json::from_slice(body).unwrap_or_default();
        match (method.as_str(), &store.lease) {
            ("GET" | "PUT", None) => refusal(404, "NotFound"),
            ("GET", Some(lease)) => (200, lease.clone()),
            ("POST", None) if store.homeless => {
                let (code, mut status) = refusal(404, "NotFound");
                status["details"] = json!({"name": "h", "kind": "namespaces"});
                (code, status)
            }
            ("POST", Some(_)) => refusal(409, "AlreadyExists"),
            ("PUT", Some(lease)) if lease["metadata"]["resourceVersion"] != sent["metadata"]["resourceVersion"] => {
                refusal(409, "Conflict")
            }
            ("POST" | "PUT", _) => (200, store.write(sent)),
            (method, _) => panic!("{method} isn't a verb that is granted"),
        }
    }

    fn edit(&self, edit: impl FnOnce(&mut Value)) {
        let mut store = self.0.lock();
        let mut lease = store.lease.clone().expect("a lease");
        edit(&mut lease);
        store.write(lease);
    }

    fn hold(&self, holder: &str, seconds: i64) {
        let spec = json!({"holderIdentity": holder, "leaseDurationSeconds": seconds});
        self.0.lock().write(json!({"metadata": {"name": "holdfast"}, "spec": spec}));
    }

    /// What people do to a Lease, and clocks that are wrong.
    fn tamper(&self, holder: &str, random: &mut fastrand::Rng) {
        if self.0.lock().lease.is_none() {
            return;
        }
        let (field, value) = match random.u8(0..5) {
            0 => ("holderIdentity", json!(holder)),
            1 => ("holderIdentity", json!("")),
            2 => ("leaseDurationSeconds", json!(random.choice([1, 2, 1_000_000_000]))),
            3 => ("renewTime", json!("2999-01-01T00:00:00.000000Z")),
            _ => ("holderIdentity", Value::Null),
        };
        self.edit(|lease| lease["spec"][field] = value);
    }

    fn lease(&self) -> Value {
        self.0.lock().lease.clone().expect("a lease")
    }

    fn holder(&self) -> String {
        self.lease()["spec"]["holderIdentity"].as_str().expect("a holder").to_owned()
    }

    fn beat(&self) -> Value {
        self.lease()["metadata"]["annotations"]["holdfast.dev/heartbeat"].clone()
    }

    fn candidate(&self, identity: &str) -> Candidate {
        let (client, line) = self.client();
        let heartbeat = Heartbeat::new("decide");
        let elector = Elector::new(client, candidacy(identity), true, [heartbeat.clone()]);
        let (leadership, stop) = (elector.leadership(), CancellationToken::new());
        let task = tokio::spawn(elector.run(stop.clone()));
        Candidate { identity: identity.to_owned(), leadership, heartbeat, line, stop, task }
    }

    /// A candidate that leads already.
    async fn leader(&self, identity: &str) -> Candidate {
        let candidate = self.candidate(identity);
        candidate.leads_within(0..=1).await;
        candidate
    }
}

impl Store {
    fn write(&mut self, mut lease: Value) -> Value {
        self.version += 1;
        lease["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.lease = Some(lease.clone());
        lease
    }
}

impl Candidate {
    #[track_caller]
    fn leads_within(&self, seconds: RangeInclusive<u64>) -> impl Future<Output = ()> + use<> {
        becomes(&self.leadership, true, seconds)
    }

    #[track_caller]
    fn yields_within(&self, seconds: RangeInclusive<u64>) -> impl Future<Output = ()> + use<> {
        becomes(&self.leadership, false, seconds)
    }
}

fn becomes(leadership: &Leadership, expected: bool, seconds: RangeInclusive<u64>) -> impl Future<Output = ()> + use<> {
    let mut leadership = leadership.clone();
    async move {
        let since = Instant::now();
        while leadership.is_leader() != expected {
            let changed = timeout(SECOND * 7200, leadership.changed()).await;
            assert!(changed.is_ok(), "no change after {:?}", since.elapsed());
        }
        assert!(seconds.contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    }
}

fn refusal(code: u16, reason: &str) -> (u16, Value) {
    (code, json!({"kind": "Status", "code": code, "reason": reason, "message": reason}))
}

#[tokio::test(start_paused = true)]
async fn the_first_makes_the_lease_and_renews_it() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let first = server.lease();
    assert_eq!(first["spec"]["leaseDurationSeconds"], 15);
    assert_eq!(first["spec"]["leaseTransitions"], 0);
    sleep(SECOND * 60).await;
    assert!(leader.leadership.is_leader());
    assert_eq!(leader.leadership.holder().as_deref(), Some("one"));
    assert_eq!(server.lease()["spec"]["acquireTime"], first["spec"]["acquireTime"]);
    assert_ne!(server.lease()["spec"]["renewTime"], first["spec"]["renewTime"]);
}

#[tokio::test(start_paused = true)]
async fn another_takes_over_within_twenty_seconds_of_a_kill() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 30).await;
    assert!(!standby.leadership.is_leader());
    assert_eq!(standby.leadership.holder().as_deref(), Some("one"));
    leader.task.abort();
    standby.leads_within(13..=19).await;
    assert_eq!(server.lease()["spec"]["leaseTransitions"], 1);
}

#[tokio::test(start_paused = true)]
async fn another_takes_over_at_once_after_a_release() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 10).await;
    leader.stop.cancel();
    leader.task.await.unwrap();
    assert!(!leader.leadership.is_leader());
    assert_eq!(server.holder(), "");
    standby.leads_within(0..=2).await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_stops_releases_nothing() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    standby.stop.cancel();
    standby.task.await.unwrap();
    assert_eq!(server.holder(), "one");
    assert!(leader.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_leader_that_reaches_nobody_stops_before_another_starts() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 10).await;
    leader.line.0.store(false, SeqCst);
    leader.yields_within(7..=10).await;
    assert!(!standby.leadership.is_leader());
    assert!(leader.leadership.trouble().is_some());
    standby.leads_within(2..=12).await;
    leader.line.0.store(true, SeqCst);
    sleep(SECOND * 60).await;
    assert!(!leader.leadership.is_leader() && standby.leadership.is_leader());
    assert_eq!(leader.leadership.trouble(), None);
}

#[tokio::test(start_paused = true)]
async fn time_alone_ends_leadership() {
    let leadership = Leadership::new(false);
    leadership.lead_until(Instant::now() + RENEW_DEADLINE);
    advance(RENEW_DEADLINE - SECOND / 100).await;
    assert!(leadership.is_leader());
    // No task of ours ran meanwhile, as in a process that was paused.
    advance(SECOND / 100).await;
    assert!(!leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_is_made_again() {
    let server = Server::default();
    let leader = server.leader("one").await;
    server.0.lock().lease = None;
    sleep(SECOND * 3).await;
    assert_eq!(server.holder(), "one");
    assert!(leader.leadership.is_leader());
}

#[tokio::test(start_paused = true)]
async fn a_deleted_lease_of_a_dead_leader_is_made_by_another() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    leader.task.abort();
    server.0.lock().lease = None;
    standby.leads_within(15..=18).await;
}

#[tokio::test(start_paused = true)]
async fn an_edit_that_leaves_the_holder_changes_nothing() {
    let server = Server::default();
    let leader = server.leader("one").await;
    server.edit(|lease| lease["metadata"]["labels"] = json!({"edited": "by-hand"}));
    sleep(SECOND * 12).await;
    assert!(leader.leadership.is_leader());
    assert_eq!(server.lease()["metadata"]["labels"]["edited"], "by-hand");
}

#[tokio::test(start_paused = true)]
async fn another_holder_makes_the_leader_yield_until_that_one_expires() {
    let server = Server::default();
    let leader = server.leader("one").await;
    server.hold("somebody", 15);
    leader.yields_within(0..=2).await;
    assert_eq!(leader.leadership.holder().as_deref(), Some("somebody"));
    leader.leads_within(15..=16).await;
}

#[tokio::test(start_paused = true)]
async fn a_holder_gets_the_time_it_asked_for() {
    let server = Server::default();
    server.hold("somebody", 3600);
    server.candidate("one").leads_within(3600..=3601).await;
}

#[tokio::test(start_paused = true)]
async fn times_in_the_lease_are_not_believed() {
    for written in ["1999-01-01T00:00:00.000000Z", "2999-01-01T00:00:00.000000Z"] {
        let server = Server::default();
        server.hold("skewed", 15);
        server.edit(|lease| lease["spec"]["renewTime"] = json!(written));
        server.candidate("one").leads_within(15..=16).await;
    }
}

#[tokio::test(start_paused = true)]
async fn edits_of_metadata_keep_no_dead_leader_alive() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    leader.task.abort();
    let editor = server.clone();
    tokio::spawn(async move {
        for number in 0.. {
            editor.edit(|lease| lease["metadata"]["annotations"]["edited"] = json!(number.to_string()));
            sleep(SECOND).await;
        }
    });
    standby.leads_within(13..=19).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_for_less_than_the_usual_time_gets_the_usual_time() {
    let server = Server::default();
    server.hold("somebody", 1);
    server.candidate("one").leads_within(15..=16).await;
}

#[tokio::test(start_paused = true)]
async fn nobody_gets_more_than_an_hour() {
    let server = Server::default();
    server.hold("somebody", 1_000_000_000);
    server.candidate("one").leads_within(3600..=3601).await;
}

#[tokio::test(start_paused = true)]
async fn a_standby_that_is_made_the_holder_waits_until_the_leader_must_have_stopped() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    leader.line.0.store(false, SeqCst);
    server.edit(|lease| lease["spec"]["holderIdentity"] = json!("two"));
    leader.yields_within(7..=10).await;
    assert!(!standby.leadership.is_leader(), "both led at once");
    standby.leads_within(5..=10).await;
    sleep(SECOND * 60).await;
    assert!(standby.leadership.is_leader() && server.holder() == "two");
}

#[tokio::test(start_paused = true)]
async fn a_lease_that_loses_its_holder_by_hand_stays_with_its_leader() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    for holder in [json!(""), Value::Null] {
        server.edit(|lease| lease["spec"]["holderIdentity"] = holder);
        sleep(SECOND * 3).await;
        assert_eq!(server.holder(), "one");
    }
    sleep(SECOND * 30).await;
    assert!(leader.leadership.is_leader() && !standby.leadership.is_leader());
    leader.task.abort();
    server.edit(|lease| lease["spec"]["holderIdentity"] = json!(""));
    standby.leads_within(13..=17).await;
}

#[tokio::test(start_paused = true)]
async fn whose_claim_was_not_answered_leads_without_waiting_again() {
    let server = Server::default();
    server.hold("somebody", 15);
    let candidate = server.candidate("one");
    sleep(SECOND * 14).await;
    // What is sent arrives, and the answer doesn't.
    server.0.lock().mute = true;
    sleep(SECOND * 4).await;
    assert!(server.holder() == "one" && !candidate.leadership.is_leader());
    server.0.lock().mute = false;
    candidate.leads_within(0..=8).await;
}

#[tokio::test(start_paused = true)]
async fn never_do_two_lead() {
    let seeds = if std::env::var("HOLDFAST_SOAK").as_deref() == Ok("1") { 50 } else { 2 };
    for seed in 0..seeds {
        many_steps(seed).await;
    }
}

/// Candidates without a network now and then, and a Lease that others edit and delete.
async fn many_steps(seed: u64) {
    let server = Server::default();
    // The candidates' own chance (their jitter) is repeated too.
    fastrand::seed(seed);
    let candidates: Vec<_> = (0..4).map(|number| server.candidate(&format!("c{number}"))).collect();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut led = [false; 4];
    for step in 0..20_000 {
        advance(SECOND / 10).await;
        for _ in 0..20 {
            tokio::task::yield_now().await;
        }
        let leading = candidates.iter().map(|candidate| candidate.leadership.is_leader());
        let leading: Vec<_> = leading.enumerate().filter_map(|(number, leads)| leads.then_some(number)).collect();
        assert!(leading.len() <= 1, "seed {seed}: {leading:?} lead at step {step}");
        leading.iter().for_each(|number| led[*number] = true);
        if step % 50 == 0 {
            let line = &candidates[random.usize(0..4)].line;
            line.0.store(random.bool(), SeqCst);
        }
        if step % 777 == 0 {
            server.0.lock().lease = None;
        } else if step % 311 == 0 {
            let holder = candidates[random.usize(0..4)].identity.clone();
            server.tamper(&holder, &mut random);
        }
    }
    candidates.iter().for_each(|candidate| candidate.task.abort());
    assert_eq!(led, [true; 4], "seed {seed}: each led at some time");
}

#[tokio::test(start_paused = true)]
async fn only_granted_verbs_are_used() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 5).await;
    leader.stop.cancel();
    standby.leads_within(0..=3).await;
    let used = |request: &str| server.0.lock().requests.iter().any(|seen| seen == request);
    assert!(used(&format!("POST {PATH}")) && used(&format!("PUT {PATH}/holdfast")));
    let granted = ["GET", "POST", "PUT"];
    assert!(server.0.lock().requests.iter().all(|seen| granted.iter().any(|verb| seen.starts_with(verb))));
}

#[tokio::test(start_paused = true)]
async fn the_heart_beats_while_nothing_is_due() {
    let server = Server::default();
    let _leader = server.leader("one").await;
    let standby = server.candidate("two");
    let before = server.beat();
    sleep(SECOND * 60).await;
    assert_ne!(server.beat(), before);
    assert!(standby.leadership.heartbeat_age() < SECOND * 5, "{:?}", standby.leadership.heartbeat_age());
}

#[tokio::test(start_paused = true)]
async fn the_heart_stops_when_an_evaluation_hangs() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let standby = server.candidate("two");
    sleep(SECOND * 10).await;
    leader.heartbeat.due();
    let ticket = leader.heartbeat.begin();
    // What becomes due during an evaluation isn't covered by it.
    leader.heartbeat.due();
    let before = server.beat();
    sleep(SECOND * 40).await;
    assert_eq!(server.beat(), before);
    assert!(leader.leadership.is_leader(), "the lease is renewed all the same");
    assert!(SECOND * 30 < standby.leadership.heartbeat_age());
    leader.heartbeat.completed(ticket);
    sleep(SECOND * 5).await;
    let once = server.beat();
    assert_ne!(once, before);
    sleep(SECOND * 20).await;
    assert_eq!(server.beat(), once, "one is still due");
    leader.heartbeat.completed(leader.heartbeat.begin());
    sleep(SECOND * 20).await;
    assert!(standby.leadership.heartbeat_age() < SECOND * 5);
}

#[tokio::test(start_paused = true)]
async fn without_election_one_leads_and_touches_no_lease() {
    let server = Server::default();
    let (client, _line) = server.client();
    let heartbeat = Heartbeat::new("decide");
    let elector = Elector::new(client, candidacy("one"), false, [heartbeat.clone()]);
    let (leadership, stop) = (elector.leadership(), CancellationToken::new());
    let task = tokio::spawn(elector.run(stop.clone()));
    sleep(SECOND * 100).await;
    assert!(leadership.is_leader() && leadership.heartbeat_age() < SECOND * 3);
    heartbeat.due();
    sleep(SECOND * 100).await;
    assert!(SECOND * 90 < leadership.heartbeat_age());
    stop.cancel();
    task.await.unwrap();
    assert!(server.0.lock().requests.is_empty());
}

#[tokio::test(start_paused = true)]
async fn withdraw_takes_the_lease_and_hands_it_back() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let (client, _line) = server.client();
    take(client.clone(), &candidacy("withdraw"), SECOND * 3600).await.unwrap();
    assert_eq!(server.holder(), "withdraw");
    leader.yields_within(0..=2).await;
    sleep(SECOND * 600).await;
    assert!(!leader.leadership.is_leader());
    release(client, &candidacy("withdraw")).await.unwrap();
    leader.leads_within(0..=2).await;
}

#[tokio::test(start_paused = true)]
async fn withdraw_makes_the_lease_where_there_is_none() {
    let server = Server::default();
    let (client, _line) = server.client();
    take(client, &candidacy("withdraw"), SECOND * 3600).await.unwrap();
    assert_eq!(server.lease()["spec"]["leaseDurationSeconds"], 3600);
    server.candidate("one").leads_within(3600..=3601).await;
}

#[tokio::test(start_paused = true)]
async fn withdraw_wins_against_a_leader_that_renews() {
    let server = Server::default();
    let leader = server.leader("one").await;
    let (client, line) = server.client();
    line.0.store(false, SeqCst);
    let taken = tokio::spawn(async move { take(client, &candidacy("withdraw"), SECOND * 60).await });
    sleep(SECOND * 8).await;
    assert!(!taken.is_finished() && leader.leadership.is_leader());
    line.0.store(true, SeqCst);
    taken.await.unwrap().unwrap();
    leader.yields_within(0..=2).await;
}

#[tokio::test(start_paused = true)]
async fn withdraw_gives_up_on_a_server_that_never_answers() {
    let server = Server::default();
    let (client, line) = server.client();
    line.0.store(false, SeqCst);
    let error = take(client, &candidacy("withdraw"), SECOND * 60).await.unwrap_err();
    assert_eq!(error.to_string(), "lease h/holdfast could not be written within 60s");
}

#[tokio::test(start_paused = true)]
async fn withdraw_is_told_that_the_namespace_is_gone() {
    let server = Server::default();
    server.0.lock().homeless = true;
    let error = take(server.client().0, &candidacy("withdraw"), SECOND * 60).await.unwrap_err();
    assert_eq!(error.to_string(), "lease h/holdfast can't be: the namespace is gone");
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_lease_is_not_released() {
    let server = Server::default();
    server.hold("somebody", 15);
    release(server.client().0, &candidacy("withdraw")).await.unwrap();
    assert_eq!(server.holder(), "somebody");
}

#[test]
fn identities_differ_for_the_same_pod() {
    assert!(identity("pod-1").starts_with("pod-1_"));
    assert_ne!(identity("pod-1"), identity("pod-1"));
}
