//! What stands before a server, and counts what the controller asks there.

use std::net::Ipv4Addr;

use anyhow::Result;
use holdfast_testkit::eventually;

use super::{API, LISTENED};
use crate::stage::DEADLINE;
use crate::wire::Wire;

/// What stands before a server and is gone with its power, with all that the controller asked there.
pub(super) struct Front {
    pub(super) ip: Ipv4Addr,
    wire: Option<Wire>,
    asked: Vec<String>,
}

impl Front {
    pub(super) async fn open(ip: Ipv4Addr) -> Result<Self> {
        let mut front = Self { ip, wire: None, asked: Vec::new() };
        front.reopen().await?;
        Ok(front)
    }

    pub(super) async fn reopen(&mut self) -> Result<()> {
        // The one before has let go of the port as soon as its task has ended.
        let open = async || Wire::to((self.ip, API).into(), (self.ip, LISTENED)).await;
        self.wire = Some(eventually("the port before a server", DEADLINE, open).await?);
        Ok(())
    }

    pub(super) fn close(&mut self) {
        self.asked.extend(self.wire.take().iter().flat_map(|wire| wire.request_lines(0)));
    }

    pub(super) fn asked(&self) -> Vec<String> {
        let now = self.wire.iter().flat_map(|wire| wire.request_lines(0));
        self.asked.iter().cloned().chain(now).collect()
    }
}
