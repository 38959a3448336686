//! Runs over a real ledger with subjects of known behaviour: order, limits, money, ends, and kills.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod crash;
mod ends;
mod limits;
mod money;
mod order;
mod support;
