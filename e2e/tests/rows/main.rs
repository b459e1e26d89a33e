//! Scratch; removed again.
#[path = "../system/decision_table.rs"]
mod decision_table;
#[path = "../system/write_rules.rs"]
mod write_rules;
#[path = "../system/admission.rs"]
mod admission;
