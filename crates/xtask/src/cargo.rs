//! Calling cargo from a program that cargo itself runs.

use std::ffi::OsString;
use std::process::Command;

/// Where the checkout is.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The cargo that runs us.
pub(crate) fn program() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

/// A call of it that builds as a person's own call would.
pub(crate) fn command() -> Command {
    let mut command = Command::new(program());
    forget_us(&mut command);
    command
}

/// Removes what cargo told us about ourselves. Build scripts watch these variables, so a cargo that inherited them would
/// build a good part of the dependencies again, and the cargo that a person calls next would too.
pub(crate) fn forget_us(command: &mut Command) {
    let about_us = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_", "CARGO_PRIMARY_"];
    for (variable, _) in std::env::vars_os() {
        if variable.to_str().is_some_and(|name| about_us.iter().any(|prefix| name.starts_with(prefix))) {
            command.env_remove(&variable);
        }
    }
}
