//! Tells what was found: findings, score and inventory in every format that a person or a program reads.
//!
//! No client, no clock, no global state: each `write_*` gets what to tell and the `Write` to tell it to. Nothing is
//! judged here; a place in a file comes from [`holdfast_model::Locate`], and without one the object and field are shown.

#![warn(missing_docs, clippy::wildcard_enum_match_arm)]
