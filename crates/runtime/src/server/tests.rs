//! The servers, asked over real sockets.

use std::{
    net::Ipv4Addr,
    sync::atomic::{AtomicBool, Ordering::SeqCst},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::*;
use crate::supervise::Supervisor;

const ANY: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const DEADLINE: Duration = Duration::from_secs(10);

fn encode() -> String {
    "# TYPE leader gauge\nleader 0\n# EOF\n".to_owned()
}

/// Starts a server and returns its address.
fn serve(server: Server, stop: &CancellationToken) -> (SocketAddr, tokio::task::JoinHandle<io::Result<()>>) {
    (server.address().unwrap(), tokio::spawn(server.run(stop.clone())))
}

async fn get(address: SocketAddr, path: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    timeout(DEADLINE, stream.read_to_string(&mut answer)).await.expect("an answer in time").unwrap();
    let code = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (code, answer)
}

#[tokio::test]
async fn metrics_are_shown_as_openmetrics() {
    let server = Server::metrics(ANY, encode).await.unwrap();
    let (address, _task) = serve(server, &CancellationToken::new());
    let (code, answer) = get(address, "/metrics").await;
    assert_eq!(code, 200);
    assert!(answer.contains("content-type: application/openmetrics-text; version=1.0.0"), "{answer}");
    assert!(answer.contains("leader 0\n") && answer.ends_with("# EOF\n"), "{answer}");
    assert_eq!(get(address, "/livez").await.0, 404);
}

#[tokio::test]
async fn readiness_names_what_does_not_hold() {
    let synced = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&synced);
    let view = move || seen.load(SeqCst).then_some(()).ok_or_else(|| "Pod isn't listed".to_owned());
    let readiness = Readiness::default().with("crds", || Ok(())).with("view", view);
    let supervisor = Supervisor::new(CancellationToken::new());
    let server = Server::health(ANY, supervisor.liveness(), readiness).await.unwrap();
    let (address, _task) = serve(server, &CancellationToken::new());
    let (code, answer) = get(address, "/readyz").await;
    assert_eq!(code, 503);
    assert!(answer.ends_with("[+]crds ok\n[-]view failed: Pod isn't listed\nnot ready\n"), "{answer}");
    synced.store(true, SeqCst);
    let (code, answer) = get(address, "/readyz").await;
    assert_eq!(code, 200);
    assert!(answer.ends_with("[+]crds ok\n[+]view ok\nready\n"), "{answer}");
}

#[tokio::test]
async fn a_task_that_ended_is_seen_by_the_liveness_probe() {
    let stop = CancellationToken::new();
    let mut supervisor = Supervisor::new(stop.clone());
    let server = Server::health(ANY, supervisor.liveness(), Readiness::default()).await.unwrap();
    // Served by itself here, as the supervisor stops what it started once a task has ended.
    let (address, _task) = serve(server, &CancellationToken::new());
    assert_eq!(get(address, "/livez").await.0, 200);
    supervisor.spawn("writers", async { Ok::<(), io::Error>(()) });
    supervisor.run(Duration::ZERO).await.unwrap_err();
    let (code, answer) = get(address, "/livez").await;
    assert_eq!(code, 503);
    assert!(answer.ends_with("task writers has ended\n"), "{answer}");
}

#[tokio::test]
async fn a_server_ends_when_told_to() {
    let stop = CancellationToken::new();
    let server = Server::metrics(ANY, encode).await.unwrap();
    let (address, task) = serve(server, &stop);
    assert_eq!(get(address, "/metrics").await.0, 200);
    stop.cancel();
    timeout(DEADLINE, task).await.expect("an end in time").unwrap().unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn a_port_that_is_taken_is_told_at_the_start() {
    let first = Server::metrics(ANY, encode).await.unwrap();
    let address = first.address().unwrap();
    let error = Server::metrics(address, encode).await.err().unwrap();
    assert_eq!(error.to_string(), format!("cannot listen on {address}"));
}
