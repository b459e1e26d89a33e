//! A: whether it answers, what its key is like, and whether we may look.

use holdfast_api::vault_transit_unseal::Product;
use jiff::Timestamp;

/// The transit server.
#[derive(Clone, Debug, PartialEq)]
pub struct TransitView {
    /// Whether it answers.
    pub reach: Reach,
    /// What it says about itself; of the last time when it is silent now.
    pub facts: Option<ServerFacts>,
    /// Our own login there.
    pub login: Login,
    /// The key, where we may read it. `Some(None)`: there is no such key.
    pub key: Option<Option<KeyFacts>>,
}

/// Whether a server answers, seen from here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It answers and isn't sealed.
    Answers,
    /// It says that it is sealed.
    Sealed,
    /// It says that it was never initialised.
    Uninitialised,
    /// Only a standby answers, which doesn't pass requests on.
    StandbyOnly,
    /// No connection: refused, no such name, no route. With the reason.
    Unreachable(String),
    /// The connection stands, and no answer comes.
    Hangs,
    /// TLS fails, with what is wrong.
    Tls(String),
    /// Something else answers: HTML of a proxy, another protocol.
    NotVault(String),
    /// The address may not be used, with the reason.
    Forbidden(String),
}

/// What a server says about itself without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// Which program.
    pub product: Product,
    /// Its version.
    pub version: String,
    /// The cluster; known once it is unsealed.
    pub cluster_id: Option<String>,
    /// `shamir`, `transit`, `static` ...
    pub seal_type: String,
    /// Whether it was initialised.
    pub initialised: bool,
    /// Whether it is sealed.
    pub sealed: bool,
    /// Whether a migration of the seal waits for shares.
    pub migration: bool,
    /// How many shares are needed.
    pub threshold: u32,
    /// How many shares there are.
    pub shares: u32,
}

/// Our own login to a server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// None is configured: only B's token is looked at.
    NotConfigured,
    /// It worked.
    Works,
    /// It works by a token that ends at some time, which nobody renews but us.
    ByToken {
        /// When it ends; `None` for one that doesn't.
        ends: Option<Timestamp>,
    },
    /// It was refused, with what was said.
    Refused(String),
    /// It couldn't be tried.
    Untried,
}

/// What A says about the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The newest version.
    pub latest: u32,
    /// The oldest version that may decrypt.
    pub min_decryption: u32,
    /// Whether it may be deleted.
    pub deletion_allowed: bool,
    /// Whether it may be taken out.
    pub exportable: bool,
    /// When its newest version was made.
    pub rotated: Option<Timestamp>,
}
