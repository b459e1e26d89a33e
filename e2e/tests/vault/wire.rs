//! A wire that is listened to: what passes between the controller and a server, byte by byte. For plain HTTP only.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use anyhow::Result;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Passes everything on to a server, until it is dropped.
pub(crate) struct Wire {
    address: SocketAddr,
    tape: Tape,
    passing: JoinHandle<()>,
}

/// What each connection carried: to the server, and back.
type Tape = Arc<Mutex<Vec<[Vec<u8>; 2]>>>;

impl Wire {
    /// Listens on an address, with any port when it is 0.
    pub(crate) async fn to(server: SocketAddr, at: (Ipv4Addr, u16)) -> Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let (address, tape) = (listener.local_addr()?, Tape::default());
        let passing = tokio::spawn(pass(listener, server, Arc::clone(&tape)));
        Ok(Self { address, tape, passing })
    }

    /// `http://127.0.0.1:12345`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn connections(&self) -> usize {
        self.tape.lock().len()
    }

    /// How many requests were sent.
    pub(crate) fn requests(&self) -> usize {
        self.sent().iter().map(|text| text.matches(" HTTP/1.1\r\n").count()).sum()
    }

    /// The lines with which requests begin.
    pub(crate) fn request_lines(&self, since: usize) -> Vec<String> {
        let sent = self.sent();
        let lines = sent.iter().flat_map(|text| text.lines().filter(|line| line.ends_with(" HTTP/1.1")));
        lines.skip(since).map(str::to_owned).collect()
    }

    /// All that was sent to the server, by connection.
    pub(crate) fn sent(&self) -> Vec<String> {
        self.read(0)
    }

    /// All that came back.
    pub(crate) fn answered(&self) -> Vec<String> {
        self.read(1)
    }

    fn read(&self, way: usize) -> Vec<String> {
        self.tape.lock().iter().map(|ways| String::from_utf8_lossy(&ways[way]).into_owned()).collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

/// The connections end with the task.
async fn pass(listener: TcpListener, server: SocketAddr, tape: Tape) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let connection = {
            let mut tape = tape.lock();
            tape.push([Vec::new(), Vec::new()]);
            tape.len() - 1
        };
        connections.spawn(connect(client, server, Arc::clone(&tape), connection));
        while connections.try_join_next().is_some() {}
    }
}

async fn connect(mut client: TcpStream, server: SocketAddr, tape: Tape, connection: usize) {
    // A server that isn't there ends the connection, as it would without us.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // How a connection ends is for its two ends to say.
    let _ = tokio::join!(
        copy(from_client, to_server, &tape, (connection, 0)),
        copy(from_server, to_client, &tape, (connection, 1)),
    );
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    tape: &Tape,
    (connection, way): (usize, usize),
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        tape.lock()[connection][way].extend_from_slice(&buffer[..length]);
        to.write_all(&buffer[..length]).await?;
    }
}
