//! Which server: the product and its release.

use std::fmt;

use crate::tools::{OLDER_OPENBAO_VERSION, OPENBAO_VERSION, Tool, VAULT_VERSION};

/// A server that tests can run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Product {
    /// OpenBao, the newest release.
    OpenBao,
    /// OpenBao, an older release.
    OlderOpenBao,
    /// HashiCorp Vault.
    Vault,
}

impl Product {
    /// Every one.
    pub const ALL: [Self; 3] = [Self::OpenBao, Self::OlderOpenBao, Self::Vault];

    /// Where its program comes from.
    pub const fn tool(self) -> Tool {
        match self {
            Self::OpenBao => Tool::OpenBao,
            Self::OlderOpenBao => Tool::OlderOpenBao,
            Self::Vault => Tool::Vault,
        }
    }

    /// Its release, as `sys/health` says it: `2.7.2`.
    pub const fn version(self) -> &'static str {
        match self {
            Self::OpenBao => OPENBAO_VERSION,
            Self::OlderOpenBao => OLDER_OPENBAO_VERSION,
            Self::Vault => VAULT_VERSION,
        }
    }

    /// Whether it is an OpenBao of any release.
    pub const fn is_openbao(self) -> bool {
        match self {
            Self::OpenBao | Self::OlderOpenBao => true,
            Self::Vault => false,
        }
    }
}

impl fmt::Display for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.is_openbao() { "OpenBao" } else { "Vault" };
        write!(f, "{name} {}", self.version())
    }
}
