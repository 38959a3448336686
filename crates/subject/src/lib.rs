//! How a model is reached: wire dialects over HTTP, a model in this process, recorded answers; a file each.
//!
//! Invariant: a subject never retries, waits or decides. One request brings one faithful result, and the exact bytes that came are kept.

mod anthropic;
mod call;
mod cut;
mod engine;
mod failure;
mod lenient;
mod limits;
mod ollama;
mod open;
mod openai;
mod pick;
mod reading;
mod reasoning;
mod replay;
mod sse;
mod understand;
mod web;
mod wire;

pub use call::{Allowance, Call, CallFailure, Exchange, RateHints, Subject};
pub use engine::{Engine, Generated};
pub use open::{OpenError, Surroundings, Variables, open};
pub use replay::{Recordings, Tape};
pub use web::Web;
