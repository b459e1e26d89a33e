//! Loopback addresses that stay ours until they are dropped, for servers that want fixed ports.
//!
//! All of 127.0.0.0/8 is loopback on Linux, so a server can have an address as a pod has one, and its usual port on it. Taken
//! as [`crate::port`] takes ports: a locked file in the cache keeps other processes of ours away for as long as we live,
//! and that nobody else listens there is tried once. Elsewhere than on Linux such addresses must be configured first.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};

use anyhow::{Result, bail};

use crate::cache::Cache;

/// The port of the API of Vault and OpenBao.
pub(crate) const API_PORT: u16 = 8200;
/// The port on which the members of a cluster talk to each other.
pub(crate) const CLUSTER_PORT: u16 = 8201;

/// How many addresses there are: 127.77.0.1 to 127.77.249.254, without those that end in 0 or 255.
const COUNT: u32 = 250 * 254;

/// A reserved address in 127.77.0.0/16, on which nobody listens on the two ports.
#[derive(Debug)]
pub(crate) struct Address {
    ip: Ipv4Addr,
    _reservation: File,
}

impl Address {
    pub(crate) fn reserve() -> Result<Self> {
        let folder = Cache::locate()?.root().join("addresses");
        fs::create_dir_all(&folder)?;
        // Starting at a place of our own saves walking over the addresses of everybody who came before.
        let start = std::process::id() % COUNT;
        for index in (start..COUNT).chain(0..start) {
            let ip = nth(index);
            let reservation = File::create(folder.join(ip.to_string()))?;
            if reservation.try_lock().is_ok() && is_free(ip) {
                return Ok(Self { ip, _reservation: reservation });
            }
        }
        bail!("no free address in 127.77.0.0/16 (only Linux has them without configuration)")
    }

    pub(crate) fn ip(&self) -> Ipv4Addr {
        self.ip
    }
}

fn nth(index: u32) -> Ipv4Addr {
    let [_, _, third, _] = ((index / 254) << 8).to_be_bytes();
    let [_, _, _, fourth] = (index % 254 + 1).to_be_bytes();
    Ipv4Addr::new(127, 77, third, fourth)
}

fn is_free(ip: Ipv4Addr) -> bool {
    [API_PORT, CLUSTER_PORT].iter().all(|port| TcpListener::bind((ip, *port)).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_index_has_an_address_of_its_own() {
        let all: BTreeSet<Ipv4Addr> = (0..COUNT).map(nth).collect();
        assert_eq!(all.len(), COUNT as usize);
        assert_eq!(all.first(), Some(&Ipv4Addr::new(127, 77, 0, 1)));
        assert_eq!(all.last(), Some(&Ipv4Addr::new(127, 77, 249, 254)));
    }

    #[test]
    fn a_reserved_address_is_not_given_again() {
        let addresses: Vec<Address> = (0..20).map(|_| Address::reserve().unwrap()).collect();
        let ips: BTreeSet<Ipv4Addr> = addresses.iter().map(Address::ip).collect();
        assert_eq!(ips.len(), 20);
    }

    #[test]
    fn an_address_where_somebody_listens_is_passed_over() {
        let free = Address::reserve().unwrap();
        let listener = TcpListener::bind((free.ip(), CLUSTER_PORT)).unwrap();
        let ip = free.ip();
        drop(free);
        assert_ne!(Address::reserve().unwrap().ip(), ip);
        drop(listener);
    }
}
