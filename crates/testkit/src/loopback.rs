//! One HTTP GET to a port on loopback, for health and metrics endpoints. No TLS, no redirects, no keep-alive.

use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

const TIMEOUT: Duration = Duration::from_secs(10);

/// The status and the body of `GET path`.
pub(crate) async fn get(address: &str, path: &str) -> Result<(u16, String)> {
    let answer = tokio::time::timeout(TIMEOUT, exchange(address, path));
    let answer = answer.await.with_context(|| format!("http://{address}{path} didn't answer within {TIMEOUT:?}"))??;
    parse(&answer).with_context(|| format!("http://{address}{path} answered {answer:?}"))
}

/// Version 1.0, so that the server closes the connection after the body and sends it unchunked.
async fn exchange(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await.with_context(|| format!("connecting to {address}"))?;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn parse(answer: &str) -> Option<(u16, String)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split_whitespace().nth(1)?.parse().ok()?;
    Some((status, body.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn status_and_body_are_told_apart() {
        let answer = "HTTP/1.0 503 Service Unavailable\r\ncontent-length: 8\r\n\r\nnot yet\n";
        assert_eq!(parse(answer), Some((503, "not yet\n".to_owned())));
        assert_eq!(parse("nonsense"), None);
    }
}
