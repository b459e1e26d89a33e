//! Where a server is, as somebody wrote it: `https://host[:port][/prefix]`.
//!
//! Parsed once, never panics, and refuses what has no meaning here or could hide a secret (user information, a query).

use std::fmt;

use hyper::Uri;
use rustls::pki_types::ServerName;

/// Longer ones are no addresses that anybody types.
const LONGEST: usize = 1024;

/// The address of a server, checked. Its text is safe to show.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    scheme: Scheme,
    host: String,
    port: u16,
    prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Scheme {
    Https,
    Http,
}

/// Why a text is no address of a server. The text isn't repeated: it may hold a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not of the form `https://host[:port][/prefix]`.
    #[error("not of the form https://host[:port][/prefix]")]
    Form,
    /// A scheme other than `https` and `http`.
    #[error("the scheme is neither https nor http")]
    Scheme,
    /// `http`, where it wasn't allowed.
    #[error("http is not allowed here")]
    HttpNotAllowed,
    /// `user:password@`.
    #[error("user information is not allowed in an address")]
    UserInfo,
    /// `?...` or `#...`.
    #[error("a query or fragment is not allowed in an address")]
    QueryOrFragment,
    /// The host is neither a name nor an IP address.
    #[error("the host is neither a name nor an IP address")]
    Host,
    /// The port isn't a number from 1 to 65535.
    #[error("the port is not a number from 1 to 65535")]
    Port,
    /// The prefix has empty or dotted parts, or letters that would have to be escaped.
    #[error("the path is no plain prefix")]
    Prefix,
}

impl Address {
    /// Reads an address; without a port it is 443 or 80. `allow_http` says whether `http` will do.
    ///
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str, allow_http: bool) -> Result<Self, AddressError> {
        if text.len() > LONGEST || text.chars().any(|letter| letter.is_whitespace() || letter.is_control()) {
            return Err(AddressError::Form);
        }
        if text.contains(['?', '#']) {
            return Err(AddressError::QueryOrFragment);
        }
        if text.contains('@') {
            return Err(AddressError::UserInfo);
        }
        let uri: Uri = text.parse().map_err(|_| AddressError::Form)?;
        let scheme = scheme(uri.scheme_str().ok_or(AddressError::Form)?, allow_http)?;
        let authority = uri.authority().ok_or(AddressError::Form)?;
        let host = host(authority.host())?;
        let port = port(authority.as_str(), authority.host(), scheme)?;
        Ok(Self { scheme, host, port, prefix: prefix(uri.path())? })
    }

    /// The name or IP address, an IPv6 address without its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, also when it is the scheme's own.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether requests go over TLS.
    pub fn is_https(&self) -> bool {
        match self.scheme {
            Scheme::Https => true,
            Scheme::Http => false,
        }
    }

    /// What stands before `/v1/`: empty, or a path that begins with a slash and doesn't end in one.
    pub(super) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Host and port as the `Host` header and people have them.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == self.scheme.port() { host } else { format!("{host}:{}", self.port) }
    }
}

impl Scheme {
    fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.name(), self.authority(), self.prefix)
    }
}

fn scheme(text: &str, allow_http: bool) -> Result<Scheme, AddressError> {
    match text {
        "https" => Ok(Scheme::Https),
        "http" if allow_http => Ok(Scheme::Http),
        "http" => Err(AddressError::HttpNotAllowed),
        _ => Err(AddressError::Scheme),
    }
}

fn host(text: &str) -> Result<String, AddressError> {
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let bracketed = bare.len() != text.len();
    match ServerName::try_from(bare.to_ascii_lowercase()) {
        Ok(ServerName::IpAddress(rustls::pki_types::IpAddr::V6(_))) if !bracketed => Err(AddressError::Host),
        Ok(ServerName::DnsName(_)) if bracketed => Err(AddressError::Host),
        Ok(_) => Ok(bare.to_ascii_lowercase()),
        Err(_) => Err(AddressError::Host),
    }
}

/// The authority has no user information here, so what follows the host is nothing or a colon and the port.
fn port(authority: &str, host: &str, scheme: Scheme) -> Result<u16, AddressError> {
    match authority.strip_prefix(host) {
        Some("") => Ok(scheme.port()),
        Some(rest) => match rest.strip_prefix(':').map(str::parse::<u16>) {
            Some(Ok(port)) if port != 0 => Ok(port),
            Some(_) | None => Err(AddressError::Port),
        },
        None => Err(AddressError::Form),
    }
}

fn prefix(path: &str) -> Result<String, AddressError> {
    let trimmed = path.strip_suffix('/').unwrap_or(path);
    let Some(parts) = trimmed.strip_prefix('/') else { return Ok(String::new()) };
    let plain = |part: &str| {
        !matches!(part, "" | "." | "..")
            && part.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-._~".contains(&letter))
    };
    if parts.split('/').all(plain) { Ok(trimmed.to_owned()) } else { Err(AddressError::Prefix) }
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[track_caller]
    fn check(text: &str, allow_http: bool, expected: Result<&str, AddressError>) {
        assert_eq!(Address::parse(text, allow_http).map(|address| address.to_string()), expected.map(str::to_owned));
    }

    #[rstest]
    #[case::a_name("https://vault.example.net", Ok("https://vault.example.net"))]
    #[case::a_port("https://vault.example.net:8200/", Ok("https://vault.example.net:8200"))]
    #[case::its_own_port("https://vault.example.net:443", Ok("https://vault.example.net"))]
    #[case::a_prefix("https://a.example.net/some/vault/", Ok("https://a.example.net/some/vault"))]
    #[case::upper_case("HTTPS://Vault.Example.NET", Ok("https://vault.example.net"))]
    #[case::ipv4("https://10.0.0.5:8200", Ok("https://10.0.0.5:8200"))]
    #[case::ipv6("https://[fd00::5]:8200", Ok("https://[fd00::5]:8200"))]
    #[case::plain_http("http://a.example.net", Err(AddressError::HttpNotAllowed))]
    #[case::no_scheme("vault.example.net:8200", Err(AddressError::Form))]
    #[case::another_scheme("ftp://a.example.net", Err(AddressError::Scheme))]
    #[case::a_password("https://me:secret@a.example.net", Err(AddressError::UserInfo))]
    #[case::a_query("https://a.example.net/?x=1", Err(AddressError::QueryOrFragment))]
    #[case::a_fragment("https://a.example.net/#x", Err(AddressError::QueryOrFragment))]
    #[case::nothing("", Err(AddressError::Form))]
    #[case::no_host("https://", Err(AddressError::Form))]
    #[case::only_a_port("https://:8200", Err(AddressError::Host))]
    #[case::a_short_ip("https://127.1:8200", Err(AddressError::Host))]
    #[case::a_number("https://2130706433:8200", Err(AddressError::Host))]
    #[case::a_new_line("https://a.example.net\n", Err(AddressError::Form))]
    #[case::port_zero("https://a.example.net:0", Err(AddressError::Port))]
    #[case::port_too_large("https://a.example.net:70000", Err(AddressError::Port))]
    #[case::no_port("https://a.example.net:", Err(AddressError::Port))]
    #[case::a_bad_host("https://a_b!.example.net", Err(AddressError::Host))]
    #[case::a_bracketed_name("https://[a.example.net]", Err(AddressError::Host))]
    #[case::a_way_up("https://a.example.net/../x", Err(AddressError::Prefix))]
    #[case::an_escaped_way_up("https://a.example.net/%2e%2e", Err(AddressError::Prefix))]
    fn an_address(#[case] text: &str, #[case] expected: Result<&str, AddressError>) {
        check(text, false, expected);
    }

    #[test]
    fn http_only_where_allowed() {
        check("http://a.example.net:8200", true, Ok("http://a.example.net:8200"));
    }
}
