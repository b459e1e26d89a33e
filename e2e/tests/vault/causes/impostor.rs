//! What isn't a Vault though it stands where one is expected.

use std::net::SocketAddr;

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// What a proxy says whose server is away.
pub(crate) const HTML: &str = "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 41\r\nConnection: close\r\n\r\n\
                               <html><body>502 Bad Gateway</body></html>";
/// What a standby says that doesn't pass on what it is asked.
pub(super) const STANDBY: &str = "HTTP/1.1 307 Temporary Redirect\r\nLocation: http://a.example.net:8200/v1/sys/seal-status\r\n\
                                  Content-Length: 0\r\nConnection: close\r\n\r\n";
/// What a server says that speaks something else.
pub(super) const OTHER: &str = "SSH-2.0-OpenSSH_9.6\r\n";

/// Answers whatever it is asked with the same bytes.
pub(crate) struct Impostor {
    address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Impostor {
    pub(crate) async fn start(answer: &'static str) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // Whoever hangs up isn't answered.
                let _ = serve(stream, answer).await;
            }
        });
        Ok(Self { address, serving })
    }

    /// `http://127.0.0.1:12345`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Impostor {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: &str) -> std::io::Result<()> {
    // A request of ours comes in one piece, and what it asks for doesn't matter.
    let mut request = [0; 4096];
    let _length = stream.read(&mut request).await?;
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Takes connections and never answers: nobody accepts what the system has queued.
pub(crate) struct BlackHole {
    address: SocketAddr,
    _listener: TcpListener,
}

impl BlackHole {
    pub(crate) async fn dig() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(Self { address: listener.local_addr()?, _listener: listener })
    }

    /// `http://127.0.0.1:12345`.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}
