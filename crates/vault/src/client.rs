//! What Vault and OpenBao are asked, over a client of our own: thin, never surprising, and silent about secrets.
//!
//! Every request has a new connection, on which the server's certificate is checked in full: a rehearsal has to see
//! what a server that starts would see, a kept connection or a resumed session would hide a certificate that expired,
//! and what must be sent once (init, a token) can't be lost on a connection that died quietly. At one request in five
//! seconds to each of 200 servers the handshakes cost a few hundredths of a core, and nothing is held in between.
//!
//! Every request is bounded in time from the resolver to the last byte, and in size. Redirects are never followed, and
//! loopback and link-local addresses are refused after the name was resolved. Only what changes nothing is repeated.
//! No token is stored, and no environment is read.

mod address;
mod breaker;
mod clients;
mod dial;
mod error;
mod exchange;
mod health;
mod init;
mod kind;
mod leader;
mod login;
mod pace;
mod path;
mod policy;
mod raft;
mod reach;
mod read_write;
mod refusal;
mod reply;
mod request;
mod role;
mod seal;
mod server;
mod shelf;
mod tls;
mod token;
mod transit;

#[cfg(test)]
mod tests;

pub use address::{Address, AddressError};
pub use clients::{Client, Clients, Options};
pub use dial::{Dial, Network, Stream};
pub use error::{Class, Effect, Error};
pub use health::{Health, HealthState};
pub use init::{InitAnswer, InitRequest};
pub use kind::{Kind, Phase, TlsFault, Unsendable};
pub use leader::Leader;
pub use login::Login;
pub use policy::Capability;
pub use raft::{RaftConfiguration, RaftServer};
pub use read_write::Answer;
pub use refusal::{Refusal, Says};
pub use request::Operation;
pub use role::TokenRole;
pub use seal::{Product, SealBackend, SealBackendStatus, SealStatus};
pub use server::ServerSpec;
pub use token::{MintRequest, Minted, Renewed, TokenLookup};
pub use transit::{BackupInfo, Ciphertext, TransitKey};
