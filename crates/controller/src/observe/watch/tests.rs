//! A watch against a server that is played by the test, request by request, on paused time.

use axum::{
    body::Body,
    http::{Request, Response},
};
use futures::{StreamExt as _, channel::mpsc};
use holdfast_model::shapes::TalosUpgrade;
use k8s_openapi::api::core::v1::{Event as CoreEvent, Pod};
use kube::{client::Body as ClientBody, core::PartialObjectMeta};
use serde_json::{Value, json};
use tower_test::mock::{self, SendResponse};

use super::*;

/// Longer than any wait of the watch; passes at once, as time is paused.
const DEADLINE: Duration = Duration::from_secs(600);
const INITIAL: [&str; 2] = ["sendInitialEvents=true", "resourceVersionMatch=NotOlderThan"];

struct Server {
    handle: mock::Handle<Request<ClientBody>, Response<Body>>,
    changes: mpsc::UnboundedReceiver<String>,
    relist: Relist,
}

struct Reply(SendResponse<Response<Body>>);

fn start<K>() -> Server
where
    K: Resource<DynamicType = ()> + DeserializeOwned + 'static,
{
    start_with(|client| Watch::<K>::new(client, &()))
}

fn start_with<K>(watch: impl FnOnce(Client) -> Watch<K>) -> Server
where
    K: Resource<DynamicType = ()> + DeserializeOwned + 'static,
{
    let (service, handle) = mock::pair();
    let watch = watch(Client::new(service, "default"));
    let relist = watch.relist();
    let (sender, changes) = mpsc::unbounded();
    tokio::spawn(watch.run(move |change| {
        let _ = sender.unbounded_send(show(&change));
    }));
    Server { handle, changes, relist }
}

fn show<K: Resource>(change: &Change<K>) -> String {
    match change {
        Change::Applied(object) => format!("applied {}", object.meta().name.as_deref().unwrap()),
        Change::Deleted { namespace, name } => format!("deleted {}/{name}", namespace.as_deref().unwrap()),
        Change::Malformed { namespace, name, error } => {
            assert!(error.contains("expected"), "{error}");
            format!("malformed {}/{name}", namespace.as_deref().unwrap())
        }
        Change::Listed { seen } => {
            let names = ["a", "b", "c", "bad"].into_iter().filter(|name| seen.contains(Some("n"), name));
            format!("listed {}: {}", seen.len(), names.collect::<Vec<_>>().join(" "))
        }
        Change::Connected => "connected".into(),
        Change::Disconnected(interruption) => format!("disconnected {}", interruption.reason.as_str()),
    }
}

impl Server {
    /// The next request, which must contain all of `parts`.
    async fn request(&mut self, parts: &[&str]) -> Reply {
        let request = timeout(DEADLINE, self.handle.next_request()).await;
        let (request, reply) = request.expect("a request in time").expect("a watch");
        let uri = request.uri().to_string();
        assert!(parts.iter().all(|part| uri.contains(part)), "{uri} has {parts:?}");
        Reply(reply)
    }

    async fn expect(&mut self, changes: &[&str]) {
        for expected in changes {
            let change = timeout(DEADLINE, self.changes.next()).await;
            assert_eq!(change.expect("a change in time").as_deref(), Some(*expected));
        }
    }

    /// Plays a streaming list of one object up to its end.
    async fn listed(&mut self) -> Stream {
        let stream = self.request(&INITIAL).await.stream();
        stream.send(&[added("a", "5"), end_of_list("7")]);
        self.expect(&["applied a", "listed 1: a", "connected"]).await;
        stream
    }
}

impl Reply {
    fn stream(self) -> Stream {
        let (sender, receiver) = mpsc::unbounded::<Result<Vec<u8>, std::io::Error>>();
        self.0.send_response(Response::new(Body::from_stream(receiver)));
        Stream(sender)
    }

    fn json(self, code: u16, value: &Value) {
        self.text(code, value.to_string());
    }

    fn text(self, code: u16, text: impl Into<String>) {
        let response = Response::builder().status(code).body(Body::from(text.into()));
        self.0.send_response(response.unwrap());
    }

    fn refuse(self, code: u16, reason: &str) {
        self.json(code, &refusal(code, reason));
    }
}

/// The body of a watch; the server ends it when this is dropped.
struct Stream(mpsc::UnboundedSender<Result<Vec<u8>, std::io::Error>>);

impl Stream {
    fn send(&self, events: &[Value]) {
        for event in events {
            self.0.unbounded_send(Ok(format!("{event}\n").into_bytes())).unwrap();
        }
    }
}

fn refusal(code: u16, reason: &str) -> Value {
    json!({"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": reason})
}

fn pod(name: &str, version: &str) -> Value {
    json!({"metadata": {"namespace": "n", "name": name, "uid": format!("u-{name}"), "resourceVersion": version}})
}

fn malformed(name: &str, version: &str) -> Value {
    let mut pod = pod(name, version);
    pod["spec"] = json!({"containers": "none"});
    pod
}

fn event(kind: &str, object: &Value) -> Value {
    json!({"type": kind, "object": object})
}

fn added(name: &str, version: &str) -> Value {
    event("ADDED", &pod(name, version))
}

fn bookmark(version: &str) -> Value {
    event("BOOKMARK", &json!({"kind": "Pod", "metadata": {"resourceVersion": version}}))
}

fn end_of_list(version: &str) -> Value {
    let annotations = json!({"k8s.io/initial-events-end": "true"});
    event("BOOKMARK", &json!({"metadata": {"resourceVersion": version, "annotations": annotations}}))
}

#[tokio::test(start_paused = true)]
async fn a_list_and_what_happens_after_it() {
    let mut server = start::<Pod>();
    let stream = server.request(&["/api/v1/pods?", "allowWatchBookmarks=true", INITIAL[0], INITIAL[1]]).await.stream();
    let gone = event("DELETED", &pod("c", "4"));
    stream.send(&[added("a", "3"), added("b", "2"), added("c", "1"), gone, end_of_list("7")]);
    server.expect(&["applied a", "applied b", "applied c", "deleted n/c", "listed 2: a b", "connected"]).await;
    stream.send(&[event("MODIFIED", &pod("b", "8")), event("DELETED", &pod("a", "9"))]);
    server.expect(&["applied b", "deleted n/a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_goes_on_without_a_list() {
    let mut server = start::<Pod>();
    let stream = server.listed().await;
    stream.send(&[added("b", "8"), bookmark("12")]);
    server.expect(&["applied b"]).await;
    drop(stream);
    server.expect(&["disconnected closed"]).await;
    let stream = server.request(&["watch=true", "resourceVersion=12"]).await.stream();
    server.expect(&["connected"]).await;
    stream.send(&[event("DELETED", &pod("b", "13"))]);
    drop(stream);
    server.expect(&["deleted n/b", "disconnected closed"]).await;
    server.request(&["resourceVersion=13"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_was_cut_off_is_asked_for_again() {
    let mut server = start::<Pod>();
    let stream = server.listed().await;
    stream.0.unbounded_send(Ok(br#"{"type":"ADDED","object":{"meta"#.to_vec())).unwrap();
    drop(stream);
    server.expect(&["disconnected connection"]).await;
    server.request(&["resourceVersion=7"]).await;
}

#[tokio::test(start_paused = true)]
async fn an_event_too_old_makes_a_list_that_finds_deletions() {
    let mut server = start::<Pod>();
    let stream = server.listed().await;
    stream.send(&[event("ERROR", &refusal(410, "Expired"))]);
    server.expect(&["disconnected expired"]).await;
    let stream = server.request(&INITIAL).await.stream();
    stream.send(&[added("b", "20"), end_of_list("21")]);
    server.expect(&["applied b", "listed 1: b", "connected"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_too_old_makes_a_list() {
    let mut server = start::<Pod>();
    drop(server.listed().await);
    server.expect(&["disconnected closed"]).await;
    server.request(&["resourceVersion=7"]).await.refuse(410, "Gone");
    server.expect(&["disconnected expired"]).await;
    server.request(&INITIAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_malformed_object_is_told_and_the_others_go_on() {
    let mut server = start::<Pod>();
    let stream = server.request(&INITIAL).await.stream();
    stream.send(&[event("ADDED", &malformed("bad", "3")), added("a", "4"), end_of_list("5")]);
    server.expect(&["malformed n/bad", "applied a", "listed 2: a bad", "connected"]).await;
    stream.send(&[event("MODIFIED", &malformed("a", "6")), event("DELETED", &malformed("bad", "7")), added("b", "8")]);
    server.expect(&["malformed n/a", "deleted n/bad", "applied b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_connection_is_made_again() {
    let mut server = start::<Pod>();
    let silent = server.listed().await;
    let since = Instant::now();
    server.expect(&["disconnected idle"]).await;
    assert_eq!(since.elapsed().as_secs(), IDLE.as_secs());
    let _stream = server.request(&["resourceVersion=7"]).await.stream();
    server.expect(&["connected"]).await;
    assert!(silent.0.is_closed());
}

#[tokio::test(start_paused = true)]
async fn a_server_ends_a_watch_without_bookmarks_before_it_is_taken_for_lost() {
    let seconds = async |mut server: Server| {
        let request = timeout(DEADLINE, server.handle.next_request()).await.unwrap().unwrap().0;
        let query = request.uri().query().unwrap();
        let seconds = query.split('&').find_map(|field| field.strip_prefix("timeoutSeconds=")).unwrap();
        Duration::from_secs(seconds.parse().unwrap())
    };
    for _ in 0..50 {
        let without = start_with(|client| Watch::<CoreEvent>::new(client, &()).without_bookmarks());
        assert!(seconds(without).await < IDLE);
        assert!(IDLE < seconds(start::<Pod>()).await);
    }
}

#[tokio::test(start_paused = true)]
async fn bookmarks_keep_a_quiet_connection() {
    let mut server = start::<Pod>();
    let stream = server.listed().await;
    for version in ["10", "11", "12"] {
        sleep(Duration::from_secs(60)).await;
        stream.send(&[bookmark(version)]);
    }
    stream.send(&[added("b", "13")]);
    server.expect(&["applied b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_request_without_an_answer_is_given_up() {
    let mut server = start::<Pod>();
    let since = Instant::now();
    let _unanswered = server.request(&INITIAL).await;
    server.expect(&["disconnected timed-out"]).await;
    assert_eq!(since.elapsed().as_secs(), ANSWER.as_secs());
    server.request(&INITIAL).await;
}

#[tokio::test(start_paused = true)]
async fn a_missing_permission_is_named_and_asked_for_slowly() {
    let mut server = start::<Pod>();
    server.request(&INITIAL).await.refuse(403, "Forbidden");
    for slow in [7..=10, 15..=20, 30..=40, 45..=60, 45..=60] {
        server.expect(&["disconnected not-permitted"]).await;
        let since = Instant::now();
        server.request(&INITIAL).await.refuse(403, "Forbidden");
        assert!(slow.contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn an_unknown_kind_is_absent_and_listed_when_it_comes_back() {
    let mut server = start::<Pod>();
    drop(server.listed().await);
    server.expect(&["disconnected closed"]).await;
    server.request(&["resourceVersion=7"]).await.text(404, "404 page not found");
    server.expect(&["disconnected absent"]).await;
    server.request(&INITIAL).await;
}

#[tokio::test(start_paused = true)]
async fn the_server_says_how_long_to_wait() {
    let mut server = start::<Pod>();
    let mut busy = refusal(429, "TooManyRequests");
    busy["details"] = json!({"retryAfterSeconds": 40});
    server.request(&INITIAL).await.json(429, &busy);
    server.expect(&["disconnected throttled"]).await;
    let since = Instant::now();
    server.request(&INITIAL).await.text(429, "Too many requests, please try again later.");
    assert_eq!(since.elapsed().as_secs(), 40);
    server.expect(&["disconnected throttled"]).await;
    let since = Instant::now();
    server.request(&INITIAL).await;
    assert!((1..=3).contains(&since.elapsed().as_secs()), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn pages_where_lists_are_not_streamed() {
    let mut server = start::<Pod>();
    server.request(&INITIAL).await.refuse(422, "Invalid");
    let page = json!({"metadata": {"resourceVersion": "5", "continue": "next"}, "items": [pod("a", "1"), malformed("bad", "2")]});
    server.request(&["/api/v1/pods?", "limit=500"]).await.json(200, &page);
    let page = json!({"metadata": {"resourceVersion": "5"}, "items": [pod("b", "3")]});
    server.request(&["limit=500", "continue=next"]).await.json(200, &page);
    let stream = server.request(&["watch=true", "resourceVersion=5"]).await.stream();
    server.expect(&["applied a", "malformed n/bad", "applied b", "listed 3: a b bad", "connected"]).await;
    stream.send(&[event("ERROR", &refusal(410, "Expired"))]);
    server.expect(&["disconnected expired"]).await;
    server.request(&["limit=500"]).await.json(200, &json!({"metadata": {"resourceVersion": "9"}, "items": null}));
    server.expect(&["listed 0: "]).await;
}

#[tokio::test(start_paused = true)]
async fn a_continuation_too_old_starts_the_list_again() {
    let mut server = start::<Pod>();
    server.request(&INITIAL).await.refuse(400, "BadRequest");
    let page = json!({"metadata": {"resourceVersion": "5", "continue": "old"}, "items": [pod("a", "1")]});
    server.request(&["limit=500"]).await.json(200, &page);
    server.request(&["continue=old"]).await.refuse(410, "Expired");
    server.expect(&["applied a", "disconnected expired"]).await;
    let page = json!({"metadata": {"resourceVersion": "9"}, "items": [pod("b", "8")]});
    server.request(&["limit=500"]).await.json(200, &page);
    server.expect(&["applied b", "listed 1: b"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_server_that_ignores_the_wish_for_a_list_is_asked_for_pages() {
    let mut server = start::<Pod>();
    let stream = server.request(&INITIAL).await.stream();
    stream.send(&[added("a", "3"), bookmark("4")]);
    server.expect(&["applied a"]).await;
    let page = json!({"metadata": {"resourceVersion": "5"}, "items": [pod("a", "3")]});
    server.request(&["limit=500"]).await.json(200, &page);
    server.expect(&["applied a", "listed 1: a"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_fresh_list_is_made_when_asked_for() {
    let mut server = start::<Pod>();
    let _stream = server.listed().await;
    server.relist.ask();
    server.expect(&["disconnected relist"]).await;
    let stream = server.request(&INITIAL).await.stream();
    stream.send(&[end_of_list("30")]);
    server.expect(&["listed 0: ", "connected"]).await;
}

#[tokio::test(start_paused = true)]
async fn a_wish_for_a_list_ends_a_wait() {
    let mut server = start::<Pod>();
    server.request(&INITIAL).await.refuse(403, "Forbidden");
    server.expect(&["disconnected not-permitted"]).await;
    let since = Instant::now();
    server.relist.ask();
    server.request(&INITIAL).await;
    assert!(since.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_keeps_ending_the_watch_is_asked_ever_more_slowly() {
    let mut server = start::<Pod>();
    drop(server.listed().await);
    let since = Instant::now();
    for _ in 0..8 {
        server.expect(&["disconnected closed"]).await;
        drop(server.request(&["resourceVersion=7"]).await.stream());
        server.expect(&["connected"]).await;
    }
    assert!(Duration::from_secs(60) < since.elapsed(), "{:?}", since.elapsed());
}

#[tokio::test(start_paused = true)]
async fn the_agreed_ends_of_a_watch_are_never_waited_for() {
    let mut server = start::<Pod>();
    let mut stream = server.listed().await;
    for _ in 0..5 {
        sleep(Duration::from_secs(60)).await;
        drop(stream);
        server.expect(&["disconnected closed"]).await;
        let since = Instant::now();
        stream = server.request(&["resourceVersion=7"]).await.stream();
        assert_eq!(since.elapsed(), Duration::ZERO);
        server.expect(&["connected"]).await;
    }
}

/// The server's group of tuppr has these versions, and in the last of them this resource.
async fn check_versions(versions: &[&str], resource: &str, expected: &str) {
    let mut server = start_with(|client| Watch::<TalosUpgrade>::new(client, &()).telling_versions(&()));
    server.request(&["/apis/tuppr.home-operations.com/v1alpha1/talosupgrades?"]).await.text(404, "404 page not found");
    let asked = server.request(&["/apis/tuppr.home-operations.com"]).await;
    let version = |version: &&str| json!({ "groupVersion": format!("tuppr/{version}"), "version": version });
    match versions {
        [] => asked.text(404, "404 page not found"),
        versions => {
            let versions: Vec<Value> = versions.iter().map(version).collect();
            asked.json(200, &json!({ "name": "tuppr.home-operations.com", "versions": versions }));
        }
    }
    for version in versions.iter().filter(|version| **version != "v1alpha1") {
        let resources =
            json!([{ "name": resource, "singularName": "", "namespaced": false, "kind": "Some", "verbs": [] }]);
        let asked = server.request(&[&format!("/apis/tuppr.home-operations.com/{version}")]).await;
        asked.json(200, &json!({ "groupVersion": format!("tuppr/{version}"), "resources": resources }));
    }
    server.expect(&[expected]).await;
}

#[tokio::test(start_paused = true)]
async fn a_kind_in_another_version_is_not_one_that_is_absent() {
    check_versions(&[], "", "disconnected absent").await;
    check_versions(&["v1alpha1"], "", "disconnected absent").await;
    check_versions(&["v1beta1"], "kubernetesupgrades", "disconnected absent").await;
    check_versions(&["v1alpha1", "v1beta1"], "talosupgrades", "disconnected other-version").await;
}

#[tokio::test(start_paused = true)]
async fn metadata_alone_is_asked_for_as_such() {
    let (service, mut handle) = mock::pair::<Request<ClientBody>, Response<Body>>();
    let watch = Watch::<PartialObjectMeta<Pod>>::new(Client::new(service, "default"), &());
    tokio::spawn(watch.run(|_| {}));
    let (request, _reply) = timeout(DEADLINE, handle.next_request()).await.unwrap().unwrap();
    let accept = request.headers()[axum::http::header::ACCEPT].to_str().unwrap();
    assert!(accept.contains("as=PartialObjectMetadata"), "{accept}");
}

#[test]
fn every_reason_has_its_own_name() {
    let names: std::collections::HashSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
}
