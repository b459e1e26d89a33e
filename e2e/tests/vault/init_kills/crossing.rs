//! Where every request to a server has to pass: each is counted, one may be held there, or lose its answer. For plain HTTP,
//! and for clients that make a connection for each request.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use parking_lot::Mutex;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

/// What becomes of the request that is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// It is told as soon as it is on its way, and passes.
    Pass,
    /// It is held before the server hears of it.
    Before,
    /// The server answered it, and the answer is held.
    After,
    /// The server answered it, and the connection ends without the answer.
    Lose,
}

/// What becomes of a request, or an answer, that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    /// It goes on.
    Pass,
    /// Its connection ends.
    Cut,
}

/// Which of the controller's requests is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Awaited {
    /// That which initialises.
    Init,
    /// The first login, which is to prove that the administrator gets in.
    Login,
    /// Any, after so many.
    After(usize),
}

/// The crossing; its connections end when it is dropped.
pub(super) struct Crossing {
    inner: Arc<Inner>,
    accepting: JoinHandle<()>,
}

struct Inner {
    server: SocketAddr,
    state: Mutex<State>,
    /// Whether the request that was waited for is where it is to be.
    struck: watch::Sender<bool>,
    then: watch::Sender<Option<Then>>,
}

#[derive(Default)]
struct State {
    ambush: Option<(Awaited, How)>,
    /// Requests of the controller.
    asked: usize,
    /// Requests for an initialisation that the server got, from anybody.
    inits: usize,
}

impl Crossing {
    /// A crossing at an address, before a server at another.
    pub(super) async fn before(server: SocketAddr, at: SocketAddr) -> Result<Self> {
        let listener = TcpListener::bind(at).await?;
        let (struck, then) = (watch::Sender::new(false), watch::Sender::new(None));
        let inner = Arc::new(Inner { server, state: Mutex::default(), struck, then });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&inner)));
        Ok(Self { inner, accepting })
    }

    /// Counts anew, and waits for nobody.
    pub(super) fn reset(&self) {
        self.lift(Then::Cut);
        *self.inner.state.lock() = State::default();
        self.inner.struck.send_replace(false);
        self.inner.then.send_replace(None);
    }

    /// From now on one request is waited for.
    pub(super) fn lay(&self, awaited: Awaited, how: How) {
        self.inner.state.lock().ambush = Some((awaited, how));
    }

    /// What is held goes on, or is cut.
    pub(super) fn lift(&self, then: Then) {
        self.inner.then.send_replace(Some(then));
    }

    /// Whether the request that was waited for came, as far as it was to come.
    pub(super) fn struck(&self) -> bool {
        *self.inner.struck.borrow()
    }

    /// How often the controller asked.
    pub(super) fn asked(&self) -> usize {
        self.inner.state.lock().asked
    }

    /// How many requests for an initialisation the server got.
    pub(super) fn inits(&self) -> usize {
        self.inner.state.lock().inits
    }
}

impl Drop for Crossing {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

impl Inner {
    /// What is to become of a request.
    fn strike(&self, request: &[u8]) -> Option<How> {
        let mut state = self.state.lock();
        if !contains(request, b"user-agent: holdfast\r\n") {
            return None;
        }
        state.asked += 1;
        let due = match state.ambush?.0 {
            Awaited::Init => is_init(request),
            Awaited::Login => is_login(request),
            Awaited::After(spared) => spared < state.asked,
        };
        if due { state.ambush.take().map(|(_, how)| how) } else { None }
    }

    fn tell(&self) {
        self.struck.send_replace(true);
    }

    async fn held(&self) -> io::Result<()> {
        let mut then = self.then.subscribe();
        let then = then.wait_for(Option::is_some).await.map(|then| *then);
        match then {
            Ok(Some(Then::Pass)) => Ok(()),
            Ok(Some(Then::Cut) | None) | Err(_) => Err(io::ErrorKind::ConnectionAborted.into()),
        }
    }
}

/// The connections end with the task.
async fn accept(listener: TcpListener, inner: Arc<Inner>) {
    let mut connections = JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(serve(client, Arc::clone(&inner)));
        while connections.try_join_next().is_some() {}
    }
}

/// An error ends the connection, as that of a server that is gone would.
async fn serve(mut client: TcpStream, inner: Arc<Inner>) -> io::Result<()> {
    let request = read_request(&mut client).await?;
    let how = inner.strike(&request);
    match how {
        Some(How::Before) => {
            inner.tell();
            inner.held().await?;
        }
        Some(How::Pass) => inner.tell(),
        Some(How::After | How::Lose) | None => {}
    }
    let mut server = TcpStream::connect(inner.server).await?;
    if is_init(&request) {
        inner.state.lock().inits += 1;
    }
    server.write_all(&request).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    match how {
        Some(How::After) => {
            inner.tell();
            inner.held().await?;
        }
        Some(How::Lose) => {
            inner.tell();
            return Ok(());
        }
        Some(How::Before | How::Pass) | None => {}
    }
    client.write_all(&answer).await?;
    client.shutdown().await
}

/// A request with its body, whose length is said.
async fn read_request(client: &mut TcpStream) -> io::Result<Vec<u8>> {
    let (mut request, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        if length(&request).is_some_and(|length| length <= request.len()) {
            return Ok(request);
        }
        match client.read(&mut piece).await? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            read => request.extend_from_slice(&piece[..read]),
        }
    }
}

/// How long a request is; `None` before the end of its head.
fn length(request: &[u8]) -> Option<usize> {
    let head = request.windows(4).position(|four| four == b"\r\n\r\n")? + 4;
    let text = String::from_utf8_lossy(&request[..head]).to_ascii_lowercase();
    let body = text.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    Some(head + body.unwrap_or(0))
}

fn is_init(request: &[u8]) -> bool {
    [&b"POST /v1/sys/init "[..], b"PUT /v1/sys/init "].iter().any(|line| request.starts_with(line))
}

fn is_login(request: &[u8]) -> bool {
    request.starts_with(b"POST /v1/auth/kubernetes/login ")
}

fn contains(text: &[u8], part: &[u8]) -> bool {
    text.windows(part.len()).any(|window| window == part)
}
