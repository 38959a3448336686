//! Proofs in the real sandbox: oracles, references, and answers that cheat.
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

mod cheats;
mod common;
mod oracles;
mod suites;
