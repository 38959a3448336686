//! What came back and what it plainly is: the answer, the code in it, refusals, and the words for outcomes.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; results depend on arguments alone.

pub mod answer;
pub mod code;
pub mod finding;
pub mod outcome;

pub use answer::{Answer, ErrorKind, Finish, ToolCall, Usage};
pub use finding::{Confidence, Finding, Severity, Step};
pub use outcome::{Outcome, ProbeResult, Proof, RefusalLayer, Tier};
