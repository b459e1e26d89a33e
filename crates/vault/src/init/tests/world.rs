//! A small cluster and a small server that fail where they are told to: at one request, before or after it was done.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::{Method, StatusCode, Uri};
use axum::response::IntoResponse;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use jiff::Timestamp;
use kube::Client as Kube;
use kube::client::Body;
use parking_lot::Mutex;
use serde_json::{Value, json};
use tokio::sync::Notify;

use crate::init::claim::{Claim, Reading, WORK};

pub(super) const ROOT: &str = "s.canary-root";
/// In hexadecimal.
pub(super) const SHARES: [&str; 3] = ["ca4a5e01", "ca4a5e02", "ca4a5e03"];

/// What happens at one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The controller is killed before it gets through.
    KilledBefore,
    /// The controller is killed when it is done, before the answer.
    KilledAfter,
    /// It is refused with an error of the server.
    Refused,
    /// It is done, and the answer isn't one.
    Lost,
}

/// What happens to everything that there is.
pub(super) type Happening = Box<dyn FnOnce(&mut State) + Send>;

#[derive(Default)]
pub(super) struct State {
    /// Every request, as far as it tells them apart.
    pub(super) trace: Vec<String>,
    /// The request with this number, and those after it while the controller is dead.
    pub(super) fault: Option<(usize, Fault)>,
    /// Every request whose path contains this is refused.
    pub(super) refused: Option<&'static str>,
    /// Happens when the server is initialised, before it answers.
    pub(super) at_init: Option<Happening>,
    pub(super) secrets: BTreeMap<String, Value>,
    version: u64,
    pub(super) pod_uid: String,
    pub(super) volumes: Vec<Value>,
    port: u16,
    pub(super) inits: usize,
    pub(super) mounts: BTreeMap<String, String>,
    policies: BTreeMap<String, String>,
    pub(super) roles: BTreeMap<String, Value>,
    /// By token: accessor and policy.
    pub(super) tokens: BTreeMap<String, (String, String)>,
    pub(super) logins: Vec<String>,
}

fn bytes(hex: &str) -> Vec<u8> {
    hex.as_bytes().chunks(2).map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

#[derive(Clone, Default)]
pub(super) struct World {
    pub(super) state: Arc<Mutex<State>>,
    pub(super) killed: Arc<Notify>,
}

impl World {
    /// With the server listening.
    pub(super) async fn start() -> Self {
        let world = Self::default();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        {
            let mut state = world.state.lock();
            (state.port, state.pod_uid) = (listener.local_addr().unwrap().port(), "uid-0".to_owned());
        }
        let app = Router::new().fallback(serve).with_state(world.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        world
    }

    pub(super) fn port(&self) -> u16 {
        self.state.lock().port
    }

    pub(super) fn is_initialised(&self) -> bool {
        0 < self.state.lock().inits
    }

    pub(super) fn kube(&self) -> Kube {
        let world = self.clone();
        let service = tower::service_fn(move |request: http::Request<Body>| {
            let world = world.clone();
            async move { world.ask_cluster(request).await }
        });
        Kube::new(service, "shop")
    }

    pub(super) fn claim(&self) -> Reading {
        match self.state.lock().secrets.get("holdfast-init-vault") {
            Some(secret) => Claim::read(&decoded(secret)),
            None => Reading::Vacant,
        }
    }

    pub(super) fn data_of(&self, secret: &str) -> BTreeMap<String, Vec<u8>> {
        self.state.lock().secrets.get(secret).map(decoded).unwrap_or_default()
    }

    /// As if nobody had touched the claim for a long time.
    pub(super) fn age_claim(&self) {
        let Reading::Claim(claim) = self.claim() else { return };
        let touched = Timestamp::from_second(claim.touched.as_second() - WORK).unwrap();
        let data = Claim { touched, ..claim }.data();
        let encoded: BTreeMap<_, _> = data.into_iter().map(|(key, value)| (key, STANDARD.encode(value))).collect();
        self.state.lock().secrets.get_mut("holdfast-init-vault").unwrap()["data"] = json!(encoded);
    }

    /// What happens at this request, and whether it is done.
    fn enter(&self, what: String) -> Option<Fault> {
        let mut state = self.state.lock();
        let number = state.trace.len();
        if state.refused.is_some_and(|path| what.contains(path)) {
            state.trace.push(what);
            return Some(Fault::Refused);
        }
        state.trace.push(what);
        state.fault.filter(|(at, _)| *at == number).map(|(_, fault)| fault)
    }

    async fn die<T>(&self) -> T {
        self.killed.notify_one();
        std::future::pending().await
    }

    async fn ask_cluster(
        &self,
        request: http::Request<Body>,
    ) -> Result<http::Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
        let (head, body) = request.into_parts();
        let body = body.collect().await?.to_bytes();
        let body: Value = serde_json::from_slice(&body).unwrap_or_default();
        let dry = if is_dry(&head.uri) { " (dry run)" } else { "" };
        let fault = self.enter(format!("{} {}{dry}", head.method, head.uri.path()));
        let answer = |(status, body): (u16, Value)| {
            http::Response::builder().status(status).body(Full::new(Bytes::from(body.to_string()))).unwrap()
        };
        let act = || self.state.lock().cluster(&head.method, &head.uri, &body);
        match fault {
            None => Ok(answer(act())),
            Some(Fault::Refused) => Ok(answer(status(500, "InternalError", "etcd is away"))),
            Some(Fault::Lost) => {
                act();
                Err("the connection was reset".into())
            }
            Some(Fault::KilledBefore) => self.die().await,
            Some(Fault::KilledAfter) => {
                act();
                self.die().await
            }
        }
    }
}

fn is_dry(uri: &Uri) -> bool {
    uri.query().is_some_and(|query| query.contains("dryRun=All"))
}

fn status(code: u16, reason: &str, message: &str) -> (u16, Value) {
    let status = json!({ "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason, "message": message });
    (code, status)
}

fn decoded(secret: &Value) -> BTreeMap<String, Vec<u8>> {
    let data = secret["data"].as_object().cloned().unwrap_or_default();
    data.into_iter().map(|(key, value)| (key, STANDARD.decode(value.as_str().unwrap()).unwrap())).collect()
}

fn merge(into: &mut Value, patch: &Value) {
    let Some(patch) = patch.as_object() else {
        *into = patch.clone();
        return;
    };
    if !into.is_object() {
        *into = json!({});
    }
    for (key, value) in patch {
        let fields = into.as_object_mut().unwrap();
        if value.is_null() {
            fields.remove(key);
        } else {
            merge(fields.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

impl State {
    fn cluster(&mut self, method: &Method, uri: &Uri, body: &Value) -> (u16, Value) {
        let dry = is_dry(uri);
        let parts: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
        match (method.as_str(), parts.as_slice()) {
            ("GET", [.., "secrets", name]) => self.found("secrets", name),
            ("POST", [.., "secrets"]) => self.create(body, dry),
            ("PATCH", [.., "secrets", name]) => self.patch(name, body, dry),
            ("GET", [.., "pods", "vault-0"]) => (
                200,
                json!({ "metadata": { "name": "vault-0", "uid": self.pod_uid }, "status": { "podIP": "127.0.0.1" } }),
            ),
            ("GET", [.., "statefulsets", "vault"]) => {
                let template = json!({ "metadata": { "name": "data" } });
                let spec = json!({
                    "selector": {}, "serviceName": "vault", "template": {}, "volumeClaimTemplates": [template],
                });
                (200, json!({ "metadata": { "name": "vault" }, "spec": spec }))
            }
            ("GET", [.., "persistentvolumeclaims"]) => (200, json!({ "metadata": {}, "items": self.volumes })),
            ("POST", [.., "serviceaccounts", name, "token"]) => {
                let spec = body["spec"].clone();
                let status =
                    json!({ "token": format!("jwt-of-{name}"), "expirationTimestamp": "2030-01-01T00:00:00Z" });
                (201, json!({ "metadata": {}, "spec": spec, "status": status }))
            }
            ("GET", ["openid", "v1", "jwks"]) => {
                let coordinate = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode([7; 32]);
                (200, json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": coordinate, "y": coordinate }] }))
            }
            ("GET", [".well-known", "openid-configuration"]) => (200, json!({ "issuer": "https://cluster" })),
            (_, _) => status(404, "NotFound", "no such thing"),
        }
    }

    fn found(&self, _: &str, name: &str) -> (u16, Value) {
        match self.secrets.get(name) {
            Some(secret) => (200, secret.clone()),
            None => status(404, "NotFound", "not found"),
        }
    }

    fn stamp(&mut self, secret: &mut Value) {
        self.version += 1;
        secret["metadata"]["resourceVersion"] = json!(self.version.to_string());
    }

    fn create(&mut self, body: &Value, dry: bool) -> (u16, Value) {
        let name = body["metadata"]["name"].as_str().unwrap().to_owned();
        if self.secrets.contains_key(&name) {
            return status(409, "AlreadyExists", "already exists");
        }
        let mut secret = body.clone();
        self.stamp(&mut secret);
        if !dry {
            self.secrets.insert(name, secret.clone());
        }
        (201, secret)
    }

    fn patch(&mut self, name: &str, body: &Value, dry: bool) -> (u16, Value) {
        let Some(mut secret) = self.secrets.get(name).cloned() else { return status(404, "NotFound", "not found") };
        let expected = &body["metadata"]["resourceVersion"];
        if !expected.is_null() && *expected != secret["metadata"]["resourceVersion"] {
            return status(409, "Conflict", "the object has been modified");
        }
        merge(&mut secret, body);
        self.stamp(&mut secret);
        if !dry {
            self.secrets.insert(name.to_owned(), secret.clone());
        }
        (200, secret)
    }

    fn server(&mut self, method: &Method, path: &str, token: &str, body: &Value) -> (u16, Value) {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let no = |code: u16, error: &str| (code, json!({ "errors": [error] }));
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["v1", "sys", "seal-status"]) => return (200, self.seal_status()),
            ("POST", ["v1", "sys", "init"]) if 0 < self.inits => {
                self.inits += 1;
                return no(400, "Vault is already initialized");
            }
            ("POST", ["v1", "sys", "init"]) => {
                self.inits += 1;
                if let Some(happens) = self.at_init.take() {
                    happens(self);
                }
                assert_eq!((&body["recovery_shares"], &body["recovery_threshold"]), (&json!(3), &json!(2)));
                self.tokens.insert(ROOT.to_owned(), ("accessor-of-root".to_owned(), "root".to_owned()));
                let base64: Vec<String> = SHARES.iter().map(|share| STANDARD.encode(bytes(share))).collect();
                return (200, json!({ "keys": [], "recovery_keys_base64": base64, "root_token": ROOT }));
            }
            ("POST", ["v1", "auth", mount, "login"]) => return self.login(mount, body),
            (_, _) => {}
        }
        let Some((accessor, policy)) = self.tokens.get(token).cloned() else { return no(403, "permission denied") };
        match (method.as_str(), parts.as_slice()) {
            ("GET", ["v1", "auth", "token", "lookup-self"]) => {
                (200, json!({ "data": { "accessor": accessor, "policies": [policy] } }))
            }
            ("POST", ["v1", "auth", "token", "revoke-self"]) => {
                self.tokens.remove(token);
                (204, Value::Null)
            }
            ("POST", ["v1", "auth", "token", act @ ("revoke-accessor" | "lookup-accessor")]) => {
                let of = body["accessor"].as_str().unwrap_or_default();
                let found =
                    self.tokens.iter().find(|(_, (accessor, _))| accessor == of).map(|(token, _)| token.clone());
                match (found, *act) {
                    (None, _) => no(400, "invalid accessor"),
                    (Some(found), "revoke-accessor") => {
                        self.tokens.remove(&found);
                        (204, Value::Null)
                    }
                    (Some(_), _) => (200, json!({ "data": { "accessor": of } })),
                }
            }
            ("GET", ["v1", "sys", "auth"]) => {
                let mounts: BTreeMap<_, _> =
                    self.mounts.iter().map(|(mount, kind)| (format!("{mount}/"), json!({ "type": kind }))).collect();
                (200, json!({ "data": mounts }))
            }
            ("POST", ["v1", "sys", "auth", mount]) => {
                let kind = body["type"].as_str().unwrap_or_default().to_owned();
                match self.mounts.insert((*mount).to_owned(), kind) {
                    Some(_) => no(400, "path is already in use"),
                    None => (204, Value::Null),
                }
            }
            ("POST", ["v1", "auth", mount, "config"]) if self.mounts.contains_key(*mount) => {
                assert!(body["jwt_validation_pubkeys"][0].as_str().is_some_and(|key| key.contains("PUBLIC KEY")));
                (204, Value::Null)
            }
            ("GET", ["v1", "sys", "policies", "acl", name]) => match self.policies.get(*name) {
                Some(policy) => (200, json!({ "data": { "policy": policy } })),
                None => (404, json!({ "errors": [] })),
            },
            ("POST", ["v1", "sys", "policies", "acl", name]) => {
                self.policies.insert((*name).to_owned(), body["policy"].as_str().unwrap_or_default().to_owned());
                (204, Value::Null)
            }
            ("POST", ["v1", "auth", mount, "role", name]) if self.mounts.contains_key(*mount) => {
                self.roles.insert(format!("{mount}/{name}"), body.clone());
                (204, Value::Null)
            }
            (_, _) => no(404, "no handler for route"),
        }
    }

    fn login(&mut self, mount: &str, body: &Value) -> (u16, Value) {
        let role = format!("{mount}/{}", body["role"].as_str().unwrap_or_default());
        let account = body["jwt"].as_str().unwrap_or_default().trim_start_matches("jwt-of-");
        let subject = format!("system:serviceaccount:shop:{account}");
        let Some(found) = self.roles.get(&role).filter(|found| found["bound_subject"] == subject) else {
            return (400, json!({ "errors": ["role could not be found"] }));
        };
        let policy = found["token_policies"][0].as_str().unwrap_or_default().to_owned();
        let token = format!("s.login-{}", self.logins.len());
        self.logins.push(role);
        self.tokens.insert(token.clone(), (format!("accessor-of-{token}"), policy.clone()));
        let auth = json!({ "client_token": token, "accessor": format!("accessor-of-{token}"), "policies": ["default", policy] });
        (200, json!({ "auth": auth }))
    }

    fn seal_status(&self) -> Value {
        let born = 0 < self.inits;
        json!({
            "type": "transit", "initialized": born, "sealed": !born, "t": 2, "n": 3, "version": "2.7.2",
            "commit_date": "2026-01-01T00:00:00Z", "recovery_seal": true, "storage_type": "inmem",
        })
    }
}

fn in_json(status: StatusCode, body: &Value) -> axum::response::Response {
    (status, [(axum::http::header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

async fn serve(Shared(world): Shared<World>, request: axum::extract::Request) -> axum::response::Response {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let token = head.headers.get("X-Vault-Token").and_then(|token| token.to_str().ok()).unwrap_or_default().to_owned();
    let fault = world.enter(format!("{} {}", head.method, head.uri.path()));
    let act = || {
        let (status, body) = world.state.lock().server(&head.method, head.uri.path(), &token, &body);
        let status = StatusCode::from_u16(status).unwrap();
        if body.is_null() { status.into_response() } else { in_json(status, &body) }
    };
    match fault {
        None => act(),
        Some(Fault::Refused) => in_json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "errors": ["Vault is sealed"] })),
        Some(Fault::Lost) => {
            act();
            (StatusCode::BAD_GATEWAY, axum::response::Html("<html>bad gateway</html>")).into_response()
        }
        Some(Fault::KilledBefore) => world.die().await,
        Some(Fault::KilledAfter) => {
            act();
            world.die().await
        }
    }
}
