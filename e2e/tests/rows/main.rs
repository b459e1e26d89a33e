//! Scratch; removed again.
#[path = "../system/admission.rs"]
mod admission;
#[path = "../system/bad_input.rs"]
mod bad_input;
#[path = "../system/decision_table.rs"]
mod decision_table;
#[path = "../system/write_rules.rs"]
mod write_rules;
