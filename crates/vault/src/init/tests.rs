//! Initialisation: tables and properties of what is pure, and the whole against servers that fail at every point.

mod claim;
mod gate;
mod keys;
mod kept;
mod machine;
mod next;
mod recipients;
mod spool;

