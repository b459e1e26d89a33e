//! Loopback ports that stay ours until they are dropped.
//!
//! Asking the system for port 0 and letting go of it again is a race: the next outgoing connection may be given it.
//! So ports are taken from below the range the system hands out, and a locked file in the cache keeps other processes of
//! ours away from them for as long as we live. That nobody else listens there is tried once.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::ops::Range;

use anyhow::{Result, bail};

use crate::cache::Cache;

/// Below the ephemeral range of Linux (from 32768) and of macOS (from 49152), above what people usually run.
const RANGE: Range<u16> = 21_000..31_000;

/// A reserved port on 127.0.0.1.
#[derive(Debug)]
pub(crate) struct Port {
    number: u16,
    _reservation: File,
}

impl Port {
    /// Reserves a port that nobody listens on.
    pub(crate) fn reserve() -> Result<Self> {
        let folder = Cache::locate()?.root().join("ports");
        fs::create_dir_all(&folder)?;
        // Starting at a place of our own saves walking over the ports of everybody who came before.
        let start = (std::process::id() % u32::from(RANGE.end - RANGE.start)) as u16;
        for number in (RANGE.start + start..RANGE.end).chain(RANGE.start..RANGE.start + start) {
            let reservation = File::create(folder.join(number.to_string()))?;
            if reservation.try_lock().is_ok() && TcpListener::bind((Ipv4Addr::LOCALHOST, number)).is_ok() {
                return Ok(Self { number, _reservation: reservation });
            }
        }
        bail!("no free loopback port in {RANGE:?}")
    }

    /// Its number.
    pub(crate) fn number(&self) -> u16 {
        self.number
    }

    /// `127.0.0.1:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reserved_port_is_not_given_again() {
        let ports: Vec<Port> = (0..20).map(|_| Port::reserve().unwrap()).collect();
        let mut numbers: Vec<u16> = ports.iter().map(Port::number).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 20);
    }

    #[test]
    fn a_port_somebody_listens_on_is_passed_over() {
        let free = Port::reserve().unwrap();
        let listener = TcpListener::bind(free.address()).unwrap();
        let number = free.number();
        drop(free);
        assert_ne!(Port::reserve().unwrap().number(), number);
        drop(listener);
    }
}
