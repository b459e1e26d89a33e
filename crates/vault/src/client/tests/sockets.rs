//! The real network, on loopback: what the fake server can't show.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use super::fake::spec;
use crate::client::{Clients, Kind, Options, Phase};

const ANSWER: &[u8] =
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"initialized\":true}";

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

fn loopback() -> Clients {
    Clients::new(Options::new().with_allow_loopback(true))
}

#[tokio::test]
async fn a_name_is_resolved_and_asked() {
    let (listener, port) = listener().await;
    let client = loopback().client(&spec(&format!("http://localhost:{port}"))).unwrap();
    let serve = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0; 1024];
        // The request is small enough for one read, and what it says doesn't matter here.
        assert_ne!(stream.read(&mut buffer).await.unwrap(), 0);
        stream.write_all(ANSWER).await.unwrap();
    };
    let (initialised, ()) = tokio::join!(client.init_status(), serve);
    assert!(initialised.unwrap());
}

#[tokio::test]
async fn nobody_listens() {
    let (listener, port) = listener().await;
    drop(listener);
    let client = loopback().client(&spec(&format!("http://127.0.0.1:{port}"))).unwrap();
    assert_eq!(client.init_status().await.unwrap_err().kind, Kind::Refused);
}

#[tokio::test]
async fn a_listener_that_never_answers_is_told_from_one_that_is_not_there() {
    let (_listener, port) = listener().await;
    let server = spec(&format!("http://127.0.0.1:{port}")).with_timeout(Duration::from_millis(200));
    let error = loopback().client(&server).unwrap().init_status().await.unwrap_err();
    assert_eq!(error.kind, Kind::TimedOut(Phase::Answer));
}

#[tokio::test]
async fn localhost_is_refused_by_what_it_resolves_to() {
    let (_listener, port) = listener().await;
    let clients = Clients::new(Options::new());
    // The resolver reads other forms of 127.0.0.1 as well.
    for host in ["localhost", "0x7f000001"] {
        let client = clients.client(&spec(&format!("http://{host}:{port}"))).unwrap();
        let error = client.init_status().await.unwrap_err();
        assert!(matches!(&error.kind, Kind::Forbidden(ip) if ip.is_loopback()), "{host}: {error}");
    }
}
