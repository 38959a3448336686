//! The ledger on real files: plans, attempts, answers, scores, and the ways it is refused.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::exit, unreachable_pub, reason = "tests")]

mod calls;
mod full;
mod lock;
mod plans;
mod scores;
mod support;
