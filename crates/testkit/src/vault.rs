//! Real Vault and OpenBao servers, as processes on loopback.
//!
//! Each has an address of its own in 127.77.0.0/16 and listens on its usual ports there, so any number run side by side,
//! in parallel test processes too. "A" in what follows is a [`TransitServer`], "B" a [`SealedServer`], which seals itself
//! with a key in A. A server sees none of the variables of the person who runs the tests, and ends with the test.

mod config;
mod endpoint;
mod product;
mod run;
mod sealed_server;
mod server;
mod transit_server;

pub use config::{ServerConfig, Storage, TlsFiles, TransitSeal};
pub use endpoint::{Answer, Endpoint};
pub use product::Product;
pub use run::Exit;
pub(crate) use run::{Command, Run, read_log};
pub use sealed_server::{Initialized, SealedServer, Shape, initialize, launch};
pub use server::{Builder, Server, Started};
pub use transit_server::{StorageCopy, Token, TransitServer, sealing_policy};
