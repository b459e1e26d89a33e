//! Connections over which nothing is sent but by the leader.
//!
//! Between the question whether we lead and the bytes that leave lie a token that is read, a connection that is made, a
//! queue: a process that is paused there would go on with its write when another leads. So the question is asked once
//! more in the transport, below TLS, right before each piece of bytes is given to the kernel. Who doesn't lead then finds
//! the connection broken, and the server has seen no whole request. What remains is the microsecond between the look at
//! the clock and the system call.
//!
//! Absent: anything that reads, which goes over connections of its own; retries; time limits, which whoever writes has.

use std::io::{Error as IoError, IoSlice, Result as IoResult};
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::http::Uri;
use futures::future::BoxFuture;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use kube::{Client, Config, Error};
use tower::Service;

use super::Leadership;
use crate::stack;

/// A client like any other, for as long as we lead.
pub(crate) fn connect(config: &Config, leadership: &Leadership) -> Result<Client, Error> {
    stack::client(config, Fence { inner: stack::tcp(), leadership: leadership.clone() })
}

/// Around a connection, or what makes them.
#[derive(Clone)]
struct Fence<T> {
    inner: T,
    leadership: Leadership,
}

impl<T> Fence<T> {
    fn pass(&self) -> IoResult<()> {
        if self.leadership.is_leader() { Ok(()) } else { Err(IoError::other("not sent: another may lead by now")) }
    }
}

impl<C> Service<Uri> for Fence<C>
where
    C: Service<Uri>,
    C::Response: Send,
    C::Future: Send + 'static,
{
    type Response = Fence<C::Response>;
    type Error = C::Error;
    type Future = BoxFuture<'static, Result<Self::Response, C::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), C::Error>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, to: Uri) -> Self::Future {
        let (connecting, leadership) = (self.inner.call(to), self.leadership.clone());
        Box::pin(async move { Ok(Fence { inner: connecting.await?, leadership }) })
    }
}

impl<T: Write + Unpin> Write for Fence<T> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<IoResult<usize>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<IoResult<usize>> {
        self.pass()?;
        Pin::new(&mut self.inner).poll_write_vectored(context, pieces)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

impl<T: Read + Unpin> Read for Fence<T> {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<IoResult<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<T: Connection> Connection for Fence<T> {
    fn connected(&self) -> Connected {
        self.inner.connected()
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ConfigMap;
    use kube::Api;
    use kube::api::PostParams;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 201 Created\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";

    async fn server() -> (TcpListener, Config) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        (listener, Config::new(address.parse().expect("an address")))
    }

    async fn write(client: Client) -> Result<ConfigMap, Error> {
        Api::namespaced(client, "shop").create(&PostParams::default(), &ConfigMap::default()).await
    }

    /// Reads one request, which ends with its body, and answers it.
    async fn answer(connection: &mut TcpStream) {
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            assert_ne!(connection.read_buf(&mut request).await.expect("a request"), 0);
        }
        connection.write_all(ANSWER).await.expect("an answer");
    }

    #[tokio::test]
    async fn the_leader_writes() {
        let (listener, config) = server().await;
        let client = connect(&config, &Leadership::new(true)).expect("a client");
        let serving = async { answer(&mut listener.accept().await.expect("a connection").0).await };
        let (written, ()) = tokio::join!(write(client), serving);
        written.expect("it is written");
    }

    /// As when the process was paused while the connection was made.
    #[tokio::test]
    async fn what_is_under_way_when_leadership_ends_is_not_sent() {
        let (listener, config) = server().await;
        let leadership = Leadership::new(true);
        let fence = Fence { inner: stack::tcp(), leadership: leadership.clone() };
        let mut connecting = fence.clone();
        let (made, accepted) = tokio::join!(connecting.call(config.cluster_url.clone()), listener.accept());
        let (mut made, mut seen) = (made.expect("a connection"), accepted.expect("a connection").0);
        let mut send = async |bytes: &[u8]| {
            futures::future::poll_fn(|context| Pin::new(&mut made).poll_write(context, bytes)).await
        };
        send(b"before").await.expect("we lead");
        leadership.step_down("another leads");
        send(b"after").await.expect_err("another leads");
        drop(made);
        let mut arrived = String::new();
        seen.read_to_string(&mut arrived).await.expect("what was sent");
        assert_eq!(arrived, "before");
    }

    /// Connections that are there from before are no way around it, and serve again in the next term.
    #[tokio::test]
    async fn an_open_connection_is_used_by_the_leader_only() {
        let (listener, config) = server().await;
        let leadership = Leadership::new(true);
        let client = connect(&config, &leadership).expect("a client");
        let serving = async {
            let mut connection = listener.accept().await.expect("a connection").0;
            answer(&mut connection).await;
            connection
        };
        let (written, mut connection) = tokio::join!(write(client.clone()), serving);
        written.expect("it is written");
        leadership.step_down("another leads");
        write(client.clone()).await.expect_err("another leads");
        let mut more = Vec::new();
        connection.read_to_end(&mut more).await.expect("the end of the connection");
        assert!(more.is_empty(), "{}", String::from_utf8_lossy(&more));
        leadership.lead_until(tokio::time::Instant::now() + super::super::RENEW_DEADLINE);
        let serving = async { answer(&mut listener.accept().await.expect("a connection").0).await };
        let (written, ()) = tokio::join!(write(client), serving);
        written.expect("it is written");
    }
}
