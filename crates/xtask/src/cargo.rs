//! The cargo that runs us, to be run by us.

use std::ffi::OsString;
use std::process::Command;

/// Where the checkout is.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The program.
pub(crate) fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// Takes away what cargo told us about ourselves. Build scripts watch these, so a cargo that inherited them would build a
/// good part of the dependencies again, and the cargo that a person calls next would too.
pub(crate) fn forget_ourselves(command: &mut Command) {
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(is_about_us) {
            command.env_remove(&variable);
        }
    }
}

fn is_about_us(variable: &str) -> bool {
    ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"]
        .iter()
        .any(|prefix| variable.starts_with(prefix))
}
