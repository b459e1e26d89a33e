//! Upgrades of nodes, as the resource of whoever carries them out tells of them.

use crate::Text;

/// An upgrade.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upgrade {
    /// Whether it is under way.
    pub progress: Progress,
    /// Its phase in the words of its controller; empty when it says none.
    pub phase: Text,
    /// The nodes that are being done, where it names them.
    pub nodes: Box<[Text]>,
    /// How much of it is done: nodes, or machines.
    pub done: u32,
    /// How much of it failed.
    pub failed: u32,
}

/// Whether an upgrade is under way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    /// It hasn't begun, it waits for its time, or it has ended.
    Idle,
    /// It is under way.
    Active,
    /// It says something that isn't known here: it may be.
    Unknown,
}
