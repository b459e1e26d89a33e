//! The proxy between a real client and a server that says what it was asked.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use futures::{AsyncBufReadExt as _, StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::body::{Bytes, Frame};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use kube::{Client, Config};
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::time::timeout;

use super::*;
use crate::eventually::eventually;
use crate::{certificates, kubeconfig};

const PATIENCE: Duration = Duration::from_secs(90);
/// So long nothing comes where nothing may come. Too short can only hide a fault, never make one.
const SILENCE: Duration = Duration::from_millis(200);
const POD: &str = "/api/v1/namespaces/shop/pods/web";
const WATCH: &str = "/api/v1/pods?watch=true";

/// A server in plain HTTP: every request is answered with its method, path and token, a watch with what is said later.
struct Upstream {
    heard: Arc<std::sync::Mutex<Vec<String>>>,
    says: watch::Sender<usize>,
    server: String,
    serving: JoinHandle<()>,
    _port: Port,
}

impl Upstream {
    async fn start() -> Self {
        let port = Port::reserve().unwrap();
        let listener = TcpListener::bind(port.address()).await.unwrap();
        let (heard, says) = (Arc::<std::sync::Mutex<Vec<String>>>::default(), watch::Sender::new(0));
        let (log, events) = (Arc::clone(&heard), says.clone());
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (log, events) = (Arc::clone(&log), events.clone());
                connections.spawn(async move {
                    let service = service_fn(move |request| answer(request, Arc::clone(&log), events.clone()));
                    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        Self { heard, says, server: format!("http://{}", port.address()), serving, _port: port }
    }

    fn heard(&self) -> Vec<String> {
        self.heard.lock().unwrap().clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn answer(
    request: http::Request<hyper::body::Incoming>,
    log: Arc<std::sync::Mutex<Vec<String>>>,
    events: watch::Sender<usize>,
) -> Result<http::Response<http_body_util::combinators::UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let token = request.headers().get("authorization").map(|value| value.to_str().unwrap_or_default().to_owned());
    let line = format!("{} {} {}", request.method(), request.uri(), token.unwrap_or_default());
    log.lock().unwrap().push(line.clone());
    if !request.uri().query().is_some_and(|query| query.contains("watch=true")) {
        return Ok(http::Response::new(http_body_util::Full::from(line).boxed_unsync()));
    }
    let lines = stream::unfold((events.subscribe(), 0), |(mut events, told)| async move {
        events.wait_for(|said| told < *said).await.ok()?;
        let event = format!(r#"{{"type":"ADDED","object":{{"metadata":{{"namespace":"shop","name":"web{told}"}}}}}}"#);
        Some((Ok(Frame::data(Bytes::from(event + "\n"))), (events, told + 1)))
    });
    Ok(http::Response::new(StreamBody::new(lines).boxed_unsync()))
}

struct Story {
    upstream: Upstream,
    proxy: FaultProxy,
    client: Client,
    _folder: TempDir,
}

impl Story {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        certificates::write_to(folder.path()).unwrap();
        let upstream = Upstream::start().await;
        let proxy = FaultProxy::start(Config::new(upstream.server.parse().unwrap()), folder.path()).await.unwrap();
        let client = client_of(&proxy, folder.path()).await.unwrap();
        Self { upstream, proxy, client, _folder: folder }
    }

    async fn call(&self, method: &str, path: &str) -> kube::Result<String> {
        let request = http::Request::builder().method(method).uri(path).body(Vec::new()).unwrap();
        timeout(PATIENCE, self.client.request_text(request)).await.expect("an answer or an end")
    }

    async fn watch(&self) -> Lines {
        let request = http::Request::get(WATCH).body(Vec::new()).unwrap();
        Lines(Box::pin(self.client.request_stream(request).await.unwrap().lines()))
    }
}

type BoxedLines = std::pin::Pin<Box<dyn futures::Stream<Item = std::io::Result<String>> + Send>>;

struct Lines(BoxedLines);

impl Lines {
    async fn next(&mut self) -> Option<std::io::Result<String>> {
        timeout(PATIENCE, self.0.next()).await.expect("a line or an end")
    }

    async fn is_silent(&mut self) -> bool {
        timeout(SILENCE, self.0.next()).await.is_err()
    }
}

async fn client_of(proxy: &FaultProxy, folder: &Path) -> Result<Client> {
    let original = folder.join("user.kubeconfig");
    kubeconfig::write(&original, "https://nowhere.invalid", &folder.join("ca.crt"), "shop", "secret")?;
    kubeconfig::client_from(&proxy.kubeconfig(&original)?).await
}

fn code(answer: &kube::Result<String>) -> Option<u16> {
    match answer {
        Err(kube::Error::Api(status)) => Some(status.code),
        Ok(_) | Err(_) => None,
    }
}

#[tokio::test]
async fn what_isnt_meant_passes_as_it_is_and_is_counted() {
    let story = Story::start().await;
    let fault = story.proxy.inject(Rule::new(Which::writes(), Fault::Answer(Answer::broken())));
    let said = story.call("GET", POD).await.unwrap();
    assert_eq!(said, format!("GET {POD} Bearer secret"));
    let mark = story.proxy.mark();
    story.call("GET", "/api/v1/pods?limit=5").await.unwrap();
    let counted = story.proxy.since(Mark::START);
    assert_eq!((counted.count(&Which::any()), counted.count(&Which::lists().of("pods"))), (2, 1));
    assert_eq!(story.proxy.since(mark).count(&Which::any()), 1);
    assert_eq!(fault.lift(), 0);
}

#[tokio::test]
async fn an_answer_of_a_rule_comes_as_often_as_it_says_and_the_server_never_hears_of_it() {
    let story = Story::start().await;
    let fault = story.proxy.inject(Rule::new(Which::writes().of("pods"), Fault::Answer(Answer::conflict())).times(2));
    let mut codes = Vec::new();
    for _ in 0..3 {
        codes.push(code(&story.call("PATCH", POD).await));
    }
    assert_eq!((codes, fault.struck()), (vec![Some(409), Some(409), None], 2));
    assert_eq!(story.upstream.heard().len(), 1);
    drop(fault);
    let fault = story.proxy.inject(Rule::new(Which::any(), Fault::Answer(Answer::throttled(7))));
    let Err(kube::Error::Api(status)) = story.call("GET", POD).await else { panic!("not throttled") };
    assert_eq!((status.code, status.details.as_ref().unwrap().retry_after_seconds), (429, 7));
    fault.lift();
    let _fault = story.proxy.inject(Rule::new(Which::any(), Fault::Answer(Answer::flow_control())));
    let Err(kube::Error::Api(status)) = story.call("GET", POD).await else { panic!("not throttled") };
    assert_eq!((status.code, &*status.message), (429, "Too many requests, please try again later."));
}

#[tokio::test]
async fn what_takes_effect_may_stay_unanswered_and_what_is_cut_takes_none() {
    let story = Story::start().await;
    let fault = story.proxy.inject(Rule::new(Which::writes(), Fault::Unanswered));
    let request = http::Request::patch(POD).body(Vec::new()).unwrap();
    let mut call = std::pin::pin!(story.client.request_text(request));
    eventually("the server to hear of it", PATIENCE, async || {
        let answer = timeout(SILENCE, &mut call).await;
        ensure!(answer.is_err(), "answered: {answer:?}");
        ensure!(story.upstream.heard().len() == 1, "not yet");
        Ok(())
    })
    .await
    .unwrap();
    fault.lift();
    let _fault = story.proxy.inject(Rule::new(Which::writes(), Fault::Cut));
    assert!(story.call("PATCH", POD).await.is_err());
    assert_eq!(story.upstream.heard().len(), 1);
}

#[tokio::test]
async fn a_delay_is_waited_for() {
    let story = Story::start().await;
    let delay = Duration::from_millis(300);
    let _fault = story.proxy.inject(Rule::new(Which::any(), Fault::Delay(delay)));
    let before = tokio::time::Instant::now();
    story.call("GET", POD).await.unwrap();
    assert!(delay <= before.elapsed());
}

#[tokio::test]
async fn a_watch_that_hangs_stays_open_and_one_that_is_cut_ends() {
    let story = Story::start().await;
    let mut lines = story.watch().await;
    story.upstream.says.send_replace(1);
    assert!(lines.next().await.unwrap().unwrap().contains("web0"));
    assert_eq!(story.proxy.hang(&Which::watches().of("pods")), 1);
    story.upstream.says.send_replace(2);
    assert!(lines.is_silent().await);
    // Others go on.
    let mut others = story.watch().await;
    assert!(others.next().await.unwrap().unwrap().contains("web0"));
    assert!(others.next().await.unwrap().unwrap().contains("web1"));
    assert_eq!(story.proxy.cut(&Which::watches()), 1);
    assert!(others.next().await.is_none_or(|line| line.is_err()));
    assert!(lines.is_silent().await);
}

#[tokio::test]
async fn a_half_open_connection_answers_nothing_and_a_new_one_does() -> Result<()> {
    let story = Story::start().await;
    story.call("GET", POD).await?;
    assert_eq!(story.proxy.freeze(&Which::calls()), 1);
    let dead = http::Request::get(POD).body(Vec::new())?;
    assert!(timeout(SILENCE, story.client.request_text(dead)).await.is_err());
    // Giving up closes it for the client.
    story.call("GET", POD).await?;
    assert_eq!(story.upstream.heard().len(), 2);
    drop(story.client);
    eventually("the live connection to end", PATIENCE, async || {
        ensure!(story.proxy.connections() == 1, "{} are open", story.proxy.connections());
        Ok(())
    })
    .await
}

#[tokio::test]
async fn a_stream_is_changed_on_its_way() -> Result<()> {
    let story = Story::start().await;
    let more = [serde_json::json!({"metadata": {"name": "more"}})];
    let edit = Edit::malform("shop", "web1").crowd(&more);
    let _fault = story.proxy.inject(Rule::new(Which::watches(), Fault::Edit(edit)));
    let mut lines = story.watch().await;
    story.upstream.says.send_replace(2);
    for expected in ["more", "web0", "something else"] {
        let line = lines.next().await.context("the end")??;
        ensure!(line.contains(expected), "{line} isn't about {expected}");
    }
    Ok(())
}

#[tokio::test]
async fn without_a_server_the_connection_ends_and_with_one_the_next_is_answered() {
    let story = Story::start().await;
    drop(story.upstream);
    let request = || http::Request::get(POD).body(Vec::new()).unwrap();
    assert!(timeout(PATIENCE, story.client.request_text(request())).await.expect("an end").is_err());
    assert_eq!(story.proxy.since(Mark::START).count(&Which::any()), 1);
}
