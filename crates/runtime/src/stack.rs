//! What lies between a request and the socket.
//!
//! As kube's own stack, without its spans, and with buffers that are bounded: hyper's grow with what is read to 400 KiB for each
//! connection and stay that large, and each watch has a connection of its own, which reads a whole list at its start and
//! then next to nothing for as long as it lives.

use std::error::Error as StdError;

use axum::http::Uri;
use hyper::rt::{Read, Write};
use hyper_timeout::TimeoutConnector;
use hyper_util::client::legacy::Client as Connections;
use hyper_util::client::legacy::connect::{Connection, HttpConnector};
use hyper_util::rt::TokioExecutor;
use kube::client::{Body, ClientBuilder, ConfigExt as _};
use kube::{Client, Config, Error};
use tower::{BoxError, Service, ServiceBuilder};

/// How much of an answer is read ahead, and so the most that a head may have. Two records of TLS.
const READ_AHEAD: usize = 32 * 1024;

/// What makes connections without TLS, which the layer above adds where it is asked for.
pub(crate) fn tcp() -> HttpConnector {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp
}

/// A client whose connections are made by `connector`.
///
/// # Errors
/// When `config` makes no sense, such as a certificate that can't be read.
pub(crate) fn client<C>(config: &Config, connector: C) -> Result<Client, Error>
where
    C: Service<Uri> + Clone + Send + Sync + 'static,
    C::Response: Connection + Read + Write + Send + Unpin + 'static,
    C::Future: Send + 'static,
    C::Error: StdError + Send + Sync + 'static,
{
    if config.proxy_url.is_some() {
        // There is none inside a cluster. What can be made of one elsewhere is kube's to say; but as here, refusals are to be seen
        // by whoever asked, who knows better when to ask again.
        let mut config = config.clone();
        config.default_retry = false;
        return Client::try_from(config);
    }
    let mut connector = TimeoutConnector::new(config.rustls_https_connector_with_connector(connector)?);
    connector.set_connect_timeout(config.connect_timeout);
    connector.set_read_timeout(config.read_timeout);
    connector.set_write_timeout(config.write_timeout);
    let connections: Connections<_, Body> =
        Connections::builder(TokioExecutor::new()).http1_max_buf_size(READ_AHEAD).build(connector);
    let service = ServiceBuilder::new()
        .layer(config.base_uri_layer())
        .option_layer(config.auth_layer()?)
        .layer(config.extra_headers_layer()?)
        .map_err(BoxError::from)
        .service(connections);
    Ok(ClientBuilder::new(service, config.default_namespace.clone()).build())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Else its user would be told that the API server can't be reached, or reach it past what the proxy is there for.
    #[tokio::test]
    async fn a_proxy_is_not_passed_by() {
        let mut config = Config::new("https://127.0.0.1:6443".parse().expect("an address"));
        assert!(client(&config, tcp()).is_ok());
        config.proxy_url = Some("http://127.0.0.1:3128".parse().expect("an address"));
        let refused = client(&config, tcp()).err().expect("it is told");
        assert!(matches!(refused, Error::ProxyProtocolDisabled { .. }), "{refused}");
    }
}
