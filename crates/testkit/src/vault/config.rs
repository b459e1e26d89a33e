//! The configuration file of a server.
//!
//! The least with which it runs on loopback; what a test wants besides goes into [`ServerConfig::extra`] as it is.

use std::fmt::{self, Write as _};
use std::net::Ipv4Addr;
use std::path::PathBuf;

use super::Product;
use crate::address::{API_PORT, CLUSTER_PORT};

/// Where a server keeps its data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Storage {
    /// In a folder that outlives the process; alone or with others.
    Raft,
    /// In memory, gone with the process; initialised in no time.
    Inmem,
}

/// A `seal "transit"` stanza.
#[derive(Clone, Default)]
pub struct TransitSeal {
    /// A's address, such as `http://127.77.0.1:8200`; absent, it comes from the environment.
    pub address: Option<String>,
    /// The token itself, or `file:///path`, or `env://NAME`; absent, it comes from the environment.
    pub token: Option<String>,
    /// The name of the key.
    pub key: String,
    /// The mount of the transit engine, `transit` when empty.
    pub mount: String,
    /// A's namespace.
    pub namespace: Option<String>,
    /// The authority of A's certificate.
    pub authority: Option<PathBuf>,
    /// Only kept to migrate away from.
    pub disabled: bool,
}

/// The token stays out of logs.
impl fmt::Debug for TransitSeal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("TransitSeal");
        shown.field("address", &self.address).field("key", &self.key).field("mount", &self.mount);
        shown.finish_non_exhaustive()
    }
}

/// The files of a TLS listener.
#[derive(Debug, Clone)]
pub struct TlsFiles {
    /// The certificate.
    pub certificate: PathBuf,
    /// Its key.
    pub key: PathBuf,
}

/// Everything the configuration file of a server says; its `Display` is the file's text.
#[derive(Debug, Clone)]
pub struct ServerConfig {
    /// For whom it is.
    pub product: Product,
    /// The address on which it listens, on 8200 and 8201.
    pub ip: Ipv4Addr,
    /// Its kind of storage.
    pub storage: Storage,
    /// The folder of its data, which must exist; for [`Storage::Raft`].
    pub data: PathBuf,
    /// Its name in the raft.
    pub node: String,
    /// The addresses of others in the raft (`http://127.77.0.1:8200`), one of whom it asks to be let in.
    pub join: Vec<String>,
    /// The authority of their certificates.
    pub join_authority: Option<PathBuf>,
    /// No stanza is a Shamir seal; more than one is a migration.
    pub seals: Vec<TransitSeal>,
    /// Plain HTTP when absent.
    pub tls: Option<TlsFiles>,
    /// Lines for within `listener "tcp"`.
    pub listener: String,
    /// More stanzas.
    pub extra: String,
}

impl ServerConfig {
    /// Shamir-sealed, plain HTTP, alone in its raft.
    pub fn new(product: Product, ip: Ipv4Addr, node: impl Into<String>, data: impl Into<PathBuf>) -> Self {
        Self {
            product,
            ip,
            storage: Storage::Raft,
            data: data.into(),
            node: node.into(),
            join: Vec::new(),
            join_authority: None,
            seals: Vec::new(),
            tls: None,
            listener: String::new(),
            extra: String::new(),
        }
    }

    /// The address for clients: `http://127.77.0.1:8200`.
    pub fn api_address(&self) -> String {
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}:{API_PORT}", self.ip)
    }

    fn write_storage(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.storage {
            Storage::Inmem => writeln!(f, "storage \"inmem\" {{}}"),
            Storage::Raft => {
                writeln!(f, "storage \"raft\" {{")?;
                attribute(f, "path", &self.data.display().to_string())?;
                attribute(f, "node_id", &self.node)?;
                // Elections in one second instead of five.
                writeln!(f, "  performance_multiplier = 1")?;
                for address in &self.join {
                    writeln!(f, "  retry_join {{")?;
                    attribute(f, "leader_api_addr", address)?;
                    optional(f, "leader_ca_cert_file", self.join_authority.as_ref().map(|file| file.display()))?;
                    writeln!(f, "  }}")?;
                }
                writeln!(f, "}}")
            }
        }
    }

    fn write_listener(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "listener \"tcp\" {{")?;
        attribute(f, "address", &format!("{}:{API_PORT}", self.ip))?;
        attribute(f, "cluster_address", &format!("{}:{CLUSTER_PORT}", self.ip))?;
        match &self.tls {
            None => writeln!(f, "  tls_disable = true")?,
            Some(files) => {
                attribute(f, "tls_cert_file", &files.certificate.display().to_string())?;
                attribute(f, "tls_key_file", &files.key.display().to_string())?;
            }
        }
        writeln!(f, "{}\n}}", self.listener)
    }
}

impl fmt::Display for ServerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.product.is_openbao() {
            // Vault's raft ends at once without it; OpenBao no longer knows it.
            writeln!(f, "disable_mlock = true")?;
        }
        attribute(f, "api_addr", &self.api_address())?;
        attribute(f, "cluster_addr", &format!("https://{}:{CLUSTER_PORT}", self.ip))?;
        self.write_storage(f)?;
        self.write_listener(f)?;
        self.seals.iter().try_for_each(|seal| write!(f, "{}", Stanza(seal)))?;
        f.write_str(&self.extra)
    }
}

struct Stanza<'a>(&'a TransitSeal);

impl fmt::Display for Stanza<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(seal) = self;
        writeln!(f, "seal \"transit\" {{")?;
        optional(f, "address", seal.address.as_ref())?;
        optional(f, "token", seal.token.as_ref())?;
        optional(f, "namespace", seal.namespace.as_ref())?;
        optional(f, "tls_ca_cert", seal.authority.as_ref().map(|file| file.display()))?;
        attribute(f, "key_name", &seal.key)?;
        attribute(f, "mount_path", if seal.mount.is_empty() { "transit" } else { &seal.mount })?;
        if seal.disabled {
            attribute(f, "disabled", "true")?;
        }
        writeln!(f, "}}")
    }
}

fn optional(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| attribute(f, name, &value.to_string()))
}

/// The language quotes as JSON does.
fn attribute(f: &mut fmt::Formatter<'_>, name: &str, value: &str) -> fmt::Result {
    let mut quoted = String::new();
    write!(quoted, "{}", serde_json::Value::from(value))?;
    writeln!(f, "  {name} = {quoted}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_in_the_file_and_in_nothing_that_is_printed() {
        let mut config = ServerConfig::new(Product::Vault, Ipv4Addr::LOCALHOST, "n1", "/data");
        config.seals.push(TransitSeal { token: Some("s.\"x".to_owned()), key: "b".to_owned(), ..Default::default() });
        assert!(config.to_string().contains(r#"token = "s.\"x""#), "{config}");
        assert!(!format!("{config:?}").contains("s."), "{config:?}");
    }
}
