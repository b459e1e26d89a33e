//! What stays when a pod goes and another of its name comes: the address, the disks, the log, and what the test ordered.
//!
//! At most one server runs on a seat; it belongs to a pod by that pod's UID, so what is left of an earlier one touches nothing.

use std::fs;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use tokio::sync::watch;

use crate::address::Address;
use crate::vault::{Command, Exit, Run, read_log};

/// What the kubelet may do on a seat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Permit {
    /// Everything.
    May,
    /// Start no server.
    Held,
    /// Nothing at all: there is no power.
    Dark,
}

/// What is on a seat, for the pod that asks.
pub(super) enum Occupied {
    /// Nothing of that pod.
    No,
    /// Its server runs.
    Running,
    /// Its server ended.
    Ended(Exit),
}

struct Occupant {
    uid: String,
    run: Run,
}

pub(super) struct Seat {
    occupant: Mutex<Option<Occupant>>,
    permit: watch::Sender<Permit>,
    starts: watch::Sender<u32>,
    /// The folders behind the claims of the pod that was started last.
    disks: Mutex<Vec<PathBuf>>,
    pub(super) home: PathBuf,
    pub(super) log: PathBuf,
    address: Address,
}

impl Seat {
    pub(super) fn new(home: &Path, permit: Permit) -> Result<Self> {
        fs::create_dir_all(home)?;
        Ok(Self {
            occupant: Mutex::default(),
            permit: watch::Sender::new(permit),
            starts: watch::Sender::new(0),
            disks: Mutex::default(),
            home: home.to_owned(),
            log: home.join("server.log"),
            address: Address::reserve()?,
        })
    }

    pub(super) fn ip(&self) -> Ipv4Addr {
        self.address.ip()
    }

    pub(super) fn log(&self) -> Result<String> {
        read_log(&self.log)
    }

    pub(super) fn starts(&self) -> u32 {
        *self.starts.borrow()
    }

    pub(super) fn permit(&self) -> Permit {
        *self.permit.borrow()
    }

    pub(super) fn permits(&self) -> watch::Receiver<Permit> {
        self.permit.subscribe()
    }

    pub(super) fn allow(&self, permit: Permit) {
        self.permit.send_replace(permit);
    }

    /// Forgets the server, which ends it: after a power failure nobody knows how it ended.
    pub(super) fn go_dark(&self) {
        let mut occupant = self.occupant();
        self.allow(Permit::Dark);
        *occupant = None;
    }

    /// Starts a server for a pod, unless it may not or another pod's server still runs; says whether it did.
    pub(super) fn start(&self, uid: &str, command: &Command<'_>) -> Result<bool> {
        let mut occupant = self.occupant();
        // Looked at under the lock, so that nothing starts after a power cut.
        if self.permit() != Permit::May {
            return Ok(false);
        }
        if let Some(other) = occupant.as_mut()
            && other.run.ended()?.is_none()
        {
            return Ok(false);
        }
        *occupant = Some(Occupant { uid: uid.to_owned(), run: Run::start(command)? });
        self.starts.send_modify(|starts| *starts += 1);
        Ok(true)
    }

    pub(super) fn look(&self, uid: &str) -> Result<Occupied> {
        match self.occupant().as_mut().filter(|occupant| occupant.uid == uid) {
            None => Ok(Occupied::No),
            Some(occupant) => Ok(occupant.run.ended()?.map_or(Occupied::Running, Occupied::Ended)),
        }
    }

    /// Asks a pod's server to end; when it already has, nothing happens.
    pub(super) fn terminate(&self, uid: &str) -> Result<()> {
        let mut occupant = self.occupant();
        let Some(occupant) = occupant.as_mut().filter(|occupant| occupant.uid == uid) else { return Ok(()) };
        match occupant.run.ended()? {
            Some(_) => Ok(()),
            None => occupant.run.signal("TERM"),
        }
    }

    /// Ends a pod's server and forgets it.
    pub(super) fn clear(&self, uid: &str) {
        // It ends when it is dropped.
        drop(self.occupant().take_if(|occupant| occupant.uid == uid));
    }

    /// For the test: kills whoever sits here.
    pub(super) fn kill(&self) -> Result<()> {
        let mut occupant = self.occupant();
        let run = &mut occupant.as_mut().context("no server runs there")?.run;
        ensure!(run.ended()?.is_none(), "the server there has ended already");
        run.kill().map(drop)
    }

    pub(super) fn signal(&self, signal: &str) -> Result<()> {
        self.occupant().as_mut().context("no server runs there")?.run.signal(signal)
    }

    pub(super) fn has_disks(&self, disks: Vec<PathBuf>) {
        *self.disks.lock().unwrap_or_else(PoisonError::into_inner) = disks;
    }

    pub(super) fn wipe_disks(&self) -> Result<()> {
        // Held all the while, so that no server starts meanwhile.
        let mut occupant = self.occupant();
        if let Some(occupant) = occupant.as_mut() {
            occupant.run.kill()?;
        }
        let disks = self.disks.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(!disks.is_empty(), "no server with a disk was ever started there");
        for disk in disks.iter() {
            fs::remove_dir_all(disk).with_context(|| format!("emptying {}", disk.display()))?;
            fs::create_dir(disk)?;
        }
        Ok(())
    }

    fn occupant(&self) -> MutexGuard<'_, Option<Occupant>> {
        self.occupant.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
