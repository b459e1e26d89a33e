//! Every write of a step is a line of the audit log, whether it came about or not.

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use holdfast_api::VaultTransitUnseal;
use http_body_util::Full;
use hyper::body::Bytes;
use kube::client::Body;
use kube::{Client as Kube, Resource as _};
use parking_lot::Mutex;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::Hands;
use crate::builders::{Log, pod, view};
use crate::client::{Address, Clients, Options, ServerSpec};
use crate::metrics::Metrics;
use crate::next_step::{Memory, MintReason, Step};
use crate::observe::{Look, Seen, Session};
use crate::settings::Settings;

/// A cluster and an A that take what they are given, or refuse every write, and what they were asked.
#[derive(Clone, Default)]
struct Givers {
    trace: Arc<Mutex<Vec<String>>>,
    refuse: bool,
}

impl Givers {
    fn note(&self, method: &Method, uri: &Uri) -> bool {
        self.trace.lock().push(format!("{method} {}", uri.path()));
        self.refuse && method != Method::GET
    }

    fn kube(&self) -> Kube {
        let this = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let (status, body) = match this.note(request.method(), request.uri()) {
                false => (200, object(request.uri().path())),
                true => (
                    403,
                    json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403, "reason": "Forbidden", "message": "no" }),
                ),
            };
            let answer = http::Response::builder().status(status).body(Full::new(Bytes::from(body.to_string())));
            std::future::ready(Ok::<_, std::convert::Infallible>(answer.unwrap()))
        });
        Kube::new(service, "vault")
    }

    /// A listens as long as the runtime runs.
    async fn a(&self) -> crate::client::Client {
        let this = self.clone();
        let app = Router::new().fallback(move |method: Method, uri: Uri| {
            let (status, body) = match this.note(&method, &uri) {
                false => answer(&method, uri.path()),
                true => (403, json!({ "errors": ["1 error occurred:\n\t* permission denied\n\n"] })),
            };
            let head = [(axum::http::header::CONTENT_TYPE, "application/json")];
            let status = StatusCode::from_u16(status).unwrap();
            std::future::ready(if body.is_null() {
                status.into_response()
            } else {
                (status, head, body.to_string()).into_response()
            })
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = Address::parse(&format!("http://{}", listener.local_addr().unwrap()), true).unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let clients = Clients::new(Options::new().with_allow_loopback(true));
        clients.client(&ServerSpec::new(address)).unwrap()
    }
}

fn object(path: &str) -> Value {
    let name = path.rsplit('/').next().unwrap_or_default();
    let mut object = json!({ "metadata": { "name": name, "uid": "uid", "resourceVersion": "1" } });
    if name == "token" {
        object["data"] = json!({ "accessor": STANDARD.encode("accessor-of-the-old") });
    }
    if path.contains("vaulttransitunseals") {
        object = json!(resource());
    }
    object
}

/// Nothing is there yet.
fn answer(method: &Method, path: &str) -> (u16, Value) {
    let token = json!({ "auth": { "client_token": "s.new", "accessor": "accessor", "policies": ["default"], "lease_duration": 3600, "renewable": true } });
    match (method.as_str(), path) {
        ("GET", _) => (404, json!({ "errors": [] })),
        ("POST", path) if path.starts_with("/v1/auth/token/create/") || path.ends_with("/renew-self") => (200, token),
        (_, _) => (204, Value::Null),
    }
}

fn resource() -> VaultTransitUnseal {
    serde_json::from_value(json!({
        "apiVersion": "holdfast.dev/v1alpha1", "kind": "VaultTransitUnseal",
        "metadata": { "name": "b", "namespace": "vault", "uid": "u", "resourceVersion": "1" },
        "spec": {
            "mode": "Manage",
            "target": { "statefulSetRef": { "name": "vault" } },
            "seal": { "transit": { "address": "https://a.example.net:8200", "key": "b", "provision": "All" } },
            "token": { "secretRef": { "name": "token", "key": "token" } },
        },
    }))
    .unwrap()
}

/// Everything that hands do, once.
async fn everything(givers: &Givers) {
    let metrics = Metrics::new("test", true);
    let events = Arc::new(holdfast_runtime::events::Events::new(metrics.events_dropped()));
    let hands = Hands { kube: givers.kube(), metrics, events };
    let (resource, a) = (resource(), givers.a().await);
    let settings = Settings::try_from(&resource).unwrap();
    let mut seen = Seen::default();
    seen.session = Session::with(SecretString::from("s.login"));
    let unborn = view().with_pods(vec![pod(0).uninitialised()]);
    let look = Look { view: unborn, secret: Some(SecretString::from("s.old")), minted: None, a: Some(a.clone()) };
    let (mut memory, about) = (Memory::default(), resource.object_ref(&()));
    let delete = Step::Delete { pod: "vault-0".to_owned(), uid: "uid-0".to_owned() };
    hands.finalizer(&resource, true).await;
    for step in [Step::Renew, Step::Mint(MintReason::Missing), delete] {
        hands.execute(&step, &settings, &look, &mut seen, &mut memory, &about).await;
    }
    hands.take_back(&settings, &a, &SecretString::from("s.login"), &about).await;
    hands.finalizer(&resource, false).await;
}

fn play(refuse: bool) -> (Vec<String>, Vec<(String, String)>) {
    let (givers, log) = (Givers { refuse, ..Givers::default() }, Log::default());
    log.while_told(everything(&givers));
    let writes = givers.trace.lock().iter().filter(|request| !request.starts_with("GET ")).cloned().collect();
    (writes, log.acts())
}

#[test]
fn each_write_has_its_line() {
    let (writes, told) = play(false);
    let acts: Vec<&str> = told.iter().map(|(act, _)| act.as_str()).collect();
    let expected = [
        "add-finalizer",
        "renew-token",
        "enable-transit",
        "create-key",
        "write-policy",
        "write-token-role",
        "mint-token",
        "deliver-token",
        "delete-pod",
        "revoke-token",
        "delete-token-role",
        "delete-policy",
        "remove-finalizer",
    ];
    assert_eq!(acts, expected);
    assert!(told.iter().all(|(_, result)| result == "success"), "{told:?}");
    assert_eq!(writes.len(), expected.len(), "{writes:#?}");
}

#[test]
fn a_write_that_is_refused_has_its_line_too() {
    let (writes, told) = play(true);
    // A login that may make keys needn't be allowed to mount: that isn't tried for its own sake.
    let writes: Vec<&String> = writes.iter().filter(|request| !request.contains("/sys/mounts/")).collect();
    let acts: Vec<&str> = told.iter().map(|(act, _)| act.as_str()).collect();
    assert_eq!(acts, ["add-finalizer", "renew-token", "create-key", "delete-pod", "revoke-token", "remove-finalizer"]);
    assert!(told.iter().all(|(_, result)| result == "failure"), "{told:?}");
    assert_eq!(writes.len(), acts.len(), "{writes:#?}");
}
