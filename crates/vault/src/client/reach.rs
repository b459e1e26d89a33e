//! Which addresses may be reached at all, judged on what a name resolved to.
//!
//! A resource's author chooses the address, the controller's network makes the connection: so nothing is reached that
//! only the controller's own machine can reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Whether connections to loopback addresses are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Loopback {
    Refused,
    Allowed,
}

/// By which clouds' machines reach their metadata over IPv6, where it is an address as any other.
const METADATA: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether a connection to this address may be made.
pub(super) fn may_reach(address: IpAddr, loopback: Loopback) -> bool {
    match plain(address) {
        IpAddr::V4(v4) if v4.is_loopback() => loopback == Loopback::Allowed,
        IpAddr::V6(v6) if v6.is_loopback() => loopback == Loopback::Allowed,
        IpAddr::V4(v4) => !is_local_v4(v4),
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast() || v6.is_unicast_link_local() || v6 == METADATA),
    }
}

/// All of 0.0.0.0/8 is "this host", not only its first address.
fn is_local_v4(v4: Ipv4Addr) -> bool {
    v4.octets()[0] == 0 || v4.is_link_local() || v4.is_multicast() || v4.is_broadcast()
}

/// The address that is meant: IPv4 can be written as `::ffff:a.b.c.d`, `::a.b.c.d` and, for NAT64, `64:ff9b::a.b.c.d`.
fn plain(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    if v6 == Ipv6Addr::LOCALHOST || v6 == Ipv6Addr::UNSPECIFIED {
        return address;
    }
    let inner = match v6.segments() {
        [0, 0, 0, 0, 0, 0xffff, ..] | [0, 0, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 0, 0, 0, 0, ..] => v6.octets(),
        _ => return address,
    };
    IpAddr::V4(Ipv4Addr::new(inner[12], inner[13], inner[14], inner[15]))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[track_caller]
    fn check(address: &str, loopback: Loopback, expected: bool) {
        assert_eq!(may_reach(address.parse().unwrap(), loopback), expected, "{address}");
    }

    #[rstest]
    fn never(
        #[values(
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "fe80::1",
            "ff02::1",
            "fd00:ec2::254",
            "::ffff:169.254.169.254",
            "::ffff:0.0.0.0",
            "64:ff9b::169.254.169.254",
            "::169.254.169.254"
        )]
        address: &str,
        #[values(Loopback::Refused, Loopback::Allowed)] loopback: Loopback,
    ) {
        check(address, loopback, false);
    }

    #[rstest]
    fn loopback_where_allowed(
        #[values("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", "64:ff9b::127.0.0.1")] address: &str,
    ) {
        check(address, Loopback::Refused, false);
        check(address, Loopback::Allowed, true);
    }

    #[rstest]
    fn always(
        #[values("10.0.0.5", "192.168.1.4", "203.0.113.9", "fd00::5", "2001:db8::1", "::ffff:10.0.0.5")] address: &str,
    ) {
        check(address, Loopback::Refused, true);
    }
}
