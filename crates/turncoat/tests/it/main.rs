//! The whole program, as a person or another program uses it: the real binary against real HTTP, with its files, output and exit codes.
#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr, reason = "tests")]

mod contract;
mod disk;
mod hostile;
mod import;
mod input;
mod interrupt;
mod keys;
mod kill;
mod known;
mod local;
mod planning;
mod replay;
mod resume;
mod support;
mod tools;
