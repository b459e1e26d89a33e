//! Connects, after a look at where the connection really goes.
//!
//! A resource may name any address, and the controller sees more of the network than its author: its own loopback, the
//! metadata service of a cloud. So what a name resolves to is judged at the moment of connecting, not the name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::net::{TcpStream, lookup_host};

use super::error::Kind;
use super::{Options, ServerSpec};

/// Why an address isn't connected to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forbidden {
    /// The controller's own pod.
    Loopback,
    /// The node, or the metadata service of a cloud.
    LinkLocal,
    /// No single machine.
    NotUnicast,
}

impl Forbidden {
    /// As it is told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Loopback => "it is a loopback address",
            Self::LinkLocal => "it is a link-local address",
            Self::NotUnicast => "it isn't the address of one machine",
        }
    }

    /// What forbids it, if anything does.
    pub(super) fn of(ip: IpAddr, options: Options) -> Option<Self> {
        match ip.to_canonical() {
            ip if ip.is_loopback() => (!options.allow_loopback).then_some(Self::Loopback),
            ip if ip.is_unspecified() || ip.is_multicast() || ip == IpAddr::V4(Ipv4Addr::BROADCAST) => {
                Some(Self::NotUnicast)
            }
            IpAddr::V4(ip) => ip.is_link_local().then_some(Self::LinkLocal),
            IpAddr::V6(ip) => is_link_local(ip).then_some(Self::LinkLocal),
        }
    }
}

/// `fe80::/10`, and the address by which a cloud's metadata service is reached over IPv6.
fn is_link_local(ip: Ipv6Addr) -> bool {
    const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
    ip.segments()[0] & 0xffc0 == 0xfe80 || ip == METADATA
}

/// Connects to the first address that answers; to none when any of them is forbidden.
pub(super) async fn dial(spec: &ServerSpec, options: Options) -> Result<TcpStream, Kind> {
    let addresses = resolve(spec).await?;
    if let Some(forbidden) = addresses.iter().find_map(|address| Forbidden::of(address.ip(), options)) {
        return Err(Kind::Forbidden(forbidden));
    }
    let mut failure = Kind::Unresolvable;
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // A lost option costs some milliseconds at most.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionRefused => failure = Kind::Refused,
            Err(error) => failure = Kind::Unconnected(error.kind()),
        }
    }
    Err(failure)
}

async fn resolve(spec: &ServerSpec) -> Result<Vec<SocketAddr>, Kind> {
    let port = spec.address.port();
    if let Some(ip) = spec.connect_to {
        return Ok(vec![SocketAddr::new(ip, port)]);
    }
    let found = lookup_host((spec.address.host(), port)).await.map_err(|_| Kind::Unresolvable)?;
    let addresses: Vec<SocketAddr> = found.collect();
    if addresses.is_empty() { Err(Kind::Unresolvable) } else { Ok(addresses) }
}

#[cfg(test)]
mod tests {
    use super::{Forbidden, Options};

    #[track_caller]
    fn check(ip: &str, allow_loopback: bool, expected: Option<Forbidden>) {
        let found = Forbidden::of(ip.parse().expect("an address"), Options { allow_loopback });
        assert_eq!(found, expected, "{ip}");
    }

    #[test]
    fn what_a_connection_may_not_go_to() {
        for ip in ["127.0.0.1", "127.77.1.2", "::1", "::ffff:127.0.0.1"] {
            check(ip, false, Some(Forbidden::Loopback));
            check(ip, true, None);
        }
        for ip in ["169.254.169.254", "fe80::1", "febf::1", "::ffff:169.254.1.1", "fd00:ec2::254"] {
            check(ip, false, Some(Forbidden::LinkLocal));
            check(ip, true, Some(Forbidden::LinkLocal));
        }
        for ip in ["0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"] {
            check(ip, true, Some(Forbidden::NotUnicast));
        }
        for ip in ["10.0.0.1", "192.168.1.1", "fd00::1", "2001:db8::1"] {
            check(ip, false, None);
        }
    }
}
