//! How a model is reached: wire dialects over HTTP, a model in this process, recorded answers; a file each.
//!
//! Invariant: a subject never retries, waits or decides. One request brings one faithful result, and the exact bytes that came are kept.

mod call;
mod engine;
mod open;
mod reasoning;
mod replay;
mod web;

pub use call::{Allowance, Call, CallFailure, Exchange, RateHints, Subject};
pub use engine::{Engine, Generated};
pub use open::{OpenError, Surroundings, Variables, open};
pub use replay::{Recordings, Tape};
pub use web::Web;
