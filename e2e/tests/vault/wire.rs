//! A wire that is listened to: what passes between the controller and a server, byte by byte. For plain HTTP only.
//!
//! One request can be kept back on it, or its answer, so that a test can do something at just that moment.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;
use parking_lot::Mutex;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

/// Passes everything on to a server, until it is dropped.
pub(crate) struct Wire {
    address: SocketAddr,
    shared: Arc<Shared>,
    passing: JoinHandle<()>,
}

/// What all connections have in common.
#[derive(Default)]
struct Shared {
    /// What each connection carried: to the server, and back.
    tape: Mutex<Vec<[Vec<u8>; 2]>>,
    trap: Mutex<Option<Trap>>,
    /// What gets lost of every connection on which this was asked for.
    loses: Mutex<Option<(&'static str, Half)>>,
}

/// Half of an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Half {
    Request,
    Answer,
}

/// For the next request that holds a text.
struct Trap {
    text: &'static str,
    half: Half,
    sprung: Arc<AtomicBool>,
}

/// Says whether something is kept back by now.
pub(crate) struct Kept(Arc<AtomicBool>);

impl Kept {
    pub(crate) fn is_there(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

impl Wire {
    /// Listens on an address, with any port when it is 0.
    pub(crate) async fn to(server: SocketAddr, at: (Ipv4Addr, u16)) -> Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let (address, shared) = (listener.local_addr()?, Arc::<Shared>::default());
        let passing = tokio::spawn(pass(listener, server, Arc::clone(&shared)));
        Ok(Self { address, shared, passing })
    }

    /// Keeps back the next request that holds this text, or what is answered to it, as long as this wire is there.
    pub(crate) fn keep(&self, text: &'static str, half: Half) -> Kept {
        let sprung = Arc::<AtomicBool>::default();
        *self.shared.trap.lock() = Some(Trap { text, half, sprung: Arc::clone(&sprung) });
        Kept(sprung)
    }

    /// From now on whoever asks for this waits in vain.
    pub(crate) fn lose(&self, what: Half, of: &'static str) {
        *self.shared.loses.lock() = Some((of, what));
    }

    /// Nothing gets lost any more.
    pub(crate) fn heal(&self) {
        *self.shared.loses.lock() = None;
    }

    /// `http://127.0.0.1:12345`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn connections(&self) -> usize {
        self.shared.tape.lock().len()
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
        self.shared.tape.lock().iter().map(|ways| String::from_utf8_lossy(&ways[way]).into_owned()).collect()
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.passing.abort();
    }
}

/// The connections end with the task.
async fn pass(listener: TcpListener, server: SocketAddr, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        let index = {
            let mut tape = shared.tape.lock();
            tape.push([Vec::new(), Vec::new()]);
            tape.len() - 1
        };
        let connection = Connection { shared: Arc::clone(&shared), index, caught: Mutex::default() };
        connections.spawn(connection.run(client, server));
        while connections.try_join_next().is_some() {}
    }
}

struct Connection {
    shared: Arc<Shared>,
    index: usize,
    /// The trap whose request came by here and whose answer is awaited.
    caught: Mutex<Option<Trap>>,
}

impl Connection {
    async fn run(self, mut client: TcpStream, server: SocketAddr) {
        // A server that isn't there ends the connection, as it would without us.
        let Ok(mut server) = TcpStream::connect(server).await else { return };
        let (from_client, to_client) = client.split();
        let (from_server, to_server) = server.split();
        // How a connection ends is for its two ends to say.
        let _ = tokio::join!(
            self.copy(from_client, to_server, Half::Request),
            self.copy(from_server, to_client, Half::Answer),
        );
    }

    async fn copy(
        &self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
        half: Half,
    ) -> std::io::Result<()> {
        let mut buffer = vec![0; 16 * 1024];
        loop {
            let length = from.read(&mut buffer).await?;
            if length == 0 {
                return to.shutdown().await;
            }
            let bytes = &buffer[..length];
            self.shared.tape.lock()[self.index][half as usize].extend_from_slice(bytes);
            if self.keeps(bytes, half) {
                std::future::pending::<()>().await;
            }
            if !self.loses(half) {
                to.write_all(bytes).await?;
            }
        }
    }

    /// Whether what passes now gets lost.
    fn loses(&self, half: Half) -> bool {
        let loses = *self.shared.loses.lock();
        let asked = |of| String::from_utf8_lossy(&self.shared.tape.lock()[self.index][0]).contains(of);
        loses.is_some_and(|(of, what)| what == half && asked(of))
    }

    /// Whether these bytes stay here. The line with which a request begins comes in one piece.
    fn keeps(&self, bytes: &[u8], half: Half) -> bool {
        let kept = match half {
            Half::Request => {
                let text = String::from_utf8_lossy(bytes);
                let trap = self.shared.trap.lock().take_if(|trap| text.contains(trap.text));
                match trap {
                    Some(trap) if trap.half == Half::Answer => {
                        *self.caught.lock() = Some(trap);
                        None
                    }
                    trap => trap,
                }
            }
            Half::Answer => self.caught.lock().take(),
        };
        kept.inspect(|trap| trap.sprung.store(true, Ordering::SeqCst)).is_some()
    }
}
