//! Garbage in, no panic out: everything that the controller decodes, fed with whatever a fuzzer comes up with.
//!
//! An input is a text of [`input`] lines, each something that an API server might send. [`check()`] feeds them all and
//! decides on what came of it. [`mutation`] changes inputs as someone would who knows that they are JSON; [`seeds`] are
//! the manifests of the checkout. An input that begins with `== ` is a [`checkout`] of files, which the audit reads and
//! builds. The same functions run under libFuzzer (`cargo xtask fuzz`) and in ordinary tests, over
//! what was kept. Absent: servers, clocks; what isn't decoded from a server's answer.

mod check;
pub mod checkout;
pub mod input;
pub mod mutation;
pub mod seeds;

pub use check::check;
