//! From plan to answers: order, concurrency, rates, retries, budget, and going on after any end.
//!
//! Invariant: the runner never looks inside an answer; it reads usage, the kind of error and what the server says of its
//! limits. It starts no call that is not durable in the ledger, and none whose bound could pass the budget.

mod again;
mod backoff;
mod budget;
mod call;
mod drive;
mod error;
mod pace;
mod price;
mod progress;
mod run;
mod stop;
mod summary;
mod window;

pub use backoff::Backoff;
pub use error::RunError;
pub use progress::{Event, Progress, SubjectProgress};
pub use run::{Options, Subjects, run};
pub use stop::Stop;
pub use summary::{Incomplete, Reason, StopReason, Summary};
