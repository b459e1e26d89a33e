//! Initialisation: tables and properties of what is pure, and the whole against servers that fail at every point.

#![expect(clippy::wildcard_enum_match_arm, reason = "a test that finds something else than it expects fails")]

mod claim;
mod gate;
mod kept;
mod keys;
mod machine;
mod next;
mod recipients;
mod spool;
mod verdict;

mod run;
mod world;
