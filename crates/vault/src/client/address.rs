//! Where a server is: scheme, host, port, and a path before `/v1` where a proxy has one.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

/// An address that can be connected to. Never has a user, a query or a fragment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    tls: bool,
    host: String,
    port: u16,
    prefix: String,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It begins with something else.
    #[error("an address begins with https:// or http://")]
    Scheme,
    /// `http://` where it isn't allowed.
    #[error("http:// isn't allowed here")]
    Plain,
    /// A user or a password.
    #[error("an address has no user name in it")]
    User,
    /// A query, a fragment, white space or something that can't be printed.
    #[error("an address has no query, fragment or white space in it")]
    Extra,
    /// No host, or one with letters that no name has.
    #[error("the host isn't a name or an IP address")]
    Host,
    /// A port that isn't one.
    #[error("the port isn't a number from 1 to 65535")]
    Port,
}

impl Address {
    /// Parses an address such as `https://a.example.net:8200`. Without a port it is that of the scheme.
    ///
    /// # Errors
    /// When it is none, or is `http://` and that isn't allowed.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, AddressError> {
        let (tls, rest) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
            (Some(rest), _) => (true, rest),
            (None, Some(rest)) if allow_http => (false, rest),
            (None, Some(_)) => return Err(AddressError::Plain),
            (None, None) => return Err(AddressError::Scheme),
        };
        if rest.contains(['?', '#', '\\', '%']) || rest.chars().any(|letter| !letter.is_ascii_graphic()) {
            return Err(AddressError::Extra);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        if authority.contains('@') {
            return Err(AddressError::User);
        }
        let (host, port) = split_port(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|port| *port != 0).ok_or(AddressError::Port)?,
            None if tls => 443,
            None => 80,
        };
        let path = path.trim_matches('/');
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { tls, host, port, prefix })
    }

    /// The address of a pod, which is connected to by its IP.
    #[must_use]
    pub fn of_pod(host: String, port: u16, tls: bool) -> Self {
        Self { tls, host, port, prefix: String::new() }
    }

    /// Whether it is `https://`.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.tls
    }

    /// The name or IP address, without brackets.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The path of a request below `/v1/`.
    pub(super) fn path(&self, below: &str) -> String {
        format!("{}/v1/{below}", self.prefix)
    }

    /// For the `Host` header.
    pub(super) fn authority(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

fn split_port(authority: &str) -> Result<(String, Option<&str>), AddressError> {
    if let Some(rest) = authority.strip_prefix('[') {
        let (host, after) = rest.split_once(']').ok_or(AddressError::Host)?;
        let host: Ipv6Addr = host.parse().map_err(|_| AddressError::Host)?;
        return match after.strip_prefix(':') {
            Some(port) => Ok((host.to_string(), Some(port))),
            None if after.is_empty() => Ok((host.to_string(), None)),
            None => Err(AddressError::Port),
        };
    }
    let (host, port) = authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port)));
    let named = |host: &str| host.chars().all(|letter| letter.is_ascii_alphanumeric() || "-._".contains(letter));
    let is_host = !host.is_empty() && host.len() <= 253 && (host.parse::<IpAddr>().is_ok() || named(host));
    if is_host { Ok((host.to_owned(), port)) } else { Err(AddressError::Host) }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.tls { "https" } else { "http" };
        write!(formatter, "{scheme}://{}{}", self.authority(), self.prefix)
    }
}
