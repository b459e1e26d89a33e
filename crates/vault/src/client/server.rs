//! One server as its resource describes it: where it is, whom to trust, how long to wait.

use std::fmt;
use std::net::IpAddr;
use std::time::Duration;

use super::Address;

/// How long a request may take unless a resource says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// One server. Required is its address; the rest has a `with_*`.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerSpec {
    pub(super) address: Address,
    pub(super) connect_to: Option<IpAddr>,
    pub(super) ca: Option<Vec<u8>>,
    pub(super) server_name: Option<String>,
    pub(super) namespace: String,
    pub(super) timeout: Duration,
    pub(super) asker: String,
}

impl ServerSpec {
    /// A server that is trusted by the roots of the public web, in the root namespace, with ten seconds for a request.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            connect_to: None,
            ca: None,
            server_name: None,
            namespace: String::new(),
            timeout: TIMEOUT,
            asker: String::new(),
        }
    }

    /// Connects to this IP (a pod's) and resolves nothing; the address still names the host for TLS and `Host`.
    pub fn with_connect_to(mut self, ip: IpAddr) -> Self {
        self.connect_to = Some(ip);
        self
    }

    /// Trusts these authorities (PEM, one or more) and no others.
    pub fn with_ca(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.ca = Some(pem.into());
        self
    }

    /// The name that the certificate has to bear, if it isn't the address's host.
    pub fn with_server_name(mut self, name: impl Into<String>) -> Self {
        self.server_name = Some(name.into());
        self
    }

    /// Sent as `X-Vault-Namespace` unless empty.
    pub fn with_namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = namespace.into();
        self
    }

    /// For each request, from resolving the name to the last byte of the answer, with all retries.
    pub fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// On whose behalf it is asked. Each has a pace of its own; that a server fails is learnt for all of them.
    pub fn with_asker(mut self, asker: impl Into<String>) -> Self {
        self.asker = asker.into();
        self
    }

    /// The address as given.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// The server as messages and metrics name it.
    pub(super) fn label(&self) -> String {
        match self.connect_to {
            Some(ip) => format!("{} at {ip}", self.address),
            None => self.address.to_string(),
        }
    }
}

impl fmt::Debug for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Somebody may have put a key into the CA's place.
        f.debug_struct("ServerSpec")
            .field("address", &self.address)
            .field("connect_to", &self.connect_to)
            .field("ca", &self.ca.as_ref().map(Vec::len))
            .field("server_name", &self.server_name)
            .field("namespace", &self.namespace)
            .field("timeout", &self.timeout)
            .field("asker", &self.asker)
            .finish()
    }
}
