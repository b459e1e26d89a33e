//! Real Vault and OpenBao servers: what was found out about them, held against them again, one module per story.

mod pods;
mod starts;
