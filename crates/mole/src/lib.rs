//! A subject of known behaviour, served over HTTP: the positive control that shows what the instrument can see.
//!
//! Invariant: it sees texts alone, never a persona's or a task's id, and the same request to the same mole brings the same answer.

mod broken;
mod config;
mod draw;
mod mole;
mod server;
mod voice;

pub use config::{MoleConfig, Place, Rule, Shares, parse};
pub use mole::{Mole, MoleError, Rejected, Reply};
pub use server::Running;
