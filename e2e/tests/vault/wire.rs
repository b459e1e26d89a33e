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
    loses: Loses,
    passing: JoinHandle<()>,
}

/// What each connection carried: to the server, and back.
type Tape = Arc<Mutex<Vec<[Vec<u8>; 2]>>>;
/// What gets lost of connections on which this was asked for.
type Loses = Arc<Mutex<Option<(&'static str, Lost)>>>;

/// What gets lost.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lost {
    Request,
    Answer,
}

impl Wire {
    /// Listens on an address, with any port when it is 0.
    pub(crate) async fn to(server: SocketAddr, at: (Ipv4Addr, u16)) -> Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let (address, tape, loses) = (listener.local_addr()?, Tape::default(), Loses::default());
        let passing = tokio::spawn(pass(listener, server, Arc::clone(&tape), Arc::clone(&loses)));
        Ok(Self { address, tape, loses, passing })
    }

    /// From now on whoever asks for this waits in vain.
    pub(crate) fn lose(&self, what: Lost, of: &'static str) {
        *self.loses.lock() = Some((of, what));
    }

    /// Nothing gets lost any more.
    pub(crate) fn heal(&self) {
        *self.loses.lock() = None;
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
async fn pass(listener: TcpListener, server: SocketAddr, tape: Tape, loses: Loses) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let connection = {
            let mut tape = tape.lock();
            tape.push([Vec::new(), Vec::new()]);
            tape.len() - 1
        };
        let line = Line { tape: Arc::clone(&tape), loses: Arc::clone(&loses), connection };
        connections.spawn(connect(client, server, line));
        while connections.try_join_next().is_some() {}
    }
}

/// One connection.
struct Line {
    tape: Tape,
    loses: Loses,
    connection: usize,
}

impl Line {
    /// Records what passes, and says whether it gets lost.
    fn takes(&self, way: Lost, bytes: &[u8]) -> bool {
        let mut tape = self.tape.lock();
        let ways = &mut tape[self.connection];
        ways[way as usize].extend_from_slice(bytes);
        let loses = *self.loses.lock();
        loses.is_some_and(|(of, what)| what == way && String::from_utf8_lossy(&ways[0]).contains(of))
    }
}

async fn connect(mut client: TcpStream, server: SocketAddr, line: Line) {
    // A server that isn't there ends the connection, as it would without us.
    let Ok(mut server) = TcpStream::connect(server).await else { return };
    let (from_client, to_client) = client.split();
    let (from_server, to_server) = server.split();
    // How a connection ends is for its two ends to say.
    let _ = tokio::join!(
        copy(from_client, to_server, &line, Lost::Request),
        copy(from_server, to_client, &line, Lost::Answer),
    );
}

async fn copy(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    line: &Line,
    way: Lost,
) -> std::io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let length = from.read(&mut buffer).await?;
        if length == 0 {
            return to.shutdown().await;
        }
        if !line.takes(way, &buffer[..length]) {
            to.write_all(&buffer[..length]).await?;
        }
    }
}
