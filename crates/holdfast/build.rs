//! Has the linker pack the addresses that the loader fills in (`DT_RELR`): unpacked they are a twentieth of the program, all of which a
//! start reads into memory.
//!
//! The loader of glibc understands that from 2.36 on and refuses it before. A program needs the glibc it was built on, or a newer one, anyway,
//! so what is installed here decides.

use std::env;
use std::process::Command;

/// The first glibc whose loader unpacks them.
const UNPACKS: (u32, u32) = (2, 36);

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let is = |variable: &str, value: &str| env::var(variable).is_ok_and(|set| set == value);
    let at_home = env::var("HOST").ok() == env::var("TARGET").ok();
    if is("CARGO_CFG_TARGET_ENV", "gnu") && at_home && glibc().is_some_and(|version| UNPACKS <= version) {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
}

fn glibc() -> Option<(u32, u32)> {
    let output = Command::new("getconf").arg("GNU_LIBC_VERSION").output().ok()?;
    let said = String::from_utf8(output.stdout).ok()?;
    let (major, minor) = said.trim().strip_prefix("glibc ")?.split_once('.')?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
