//! Initialisation: tables and properties of what is pure, and the whole against servers that fail at every point.

mod claim;
mod gate;
mod kept;
mod keys;
mod machine;
mod next;
mod order;
mod recipients;
mod spool;
mod verdict;

mod audit;
mod run;
mod world;
