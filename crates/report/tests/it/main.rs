//! The renderers over a realistic report: the contract, the words, escaping, size, determinism.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, reason = "tests")]

mod contract;
mod fixture;
mod page;
mod text;
