//! What came back and what it plainly is: the answer, the code in it, refusals, and the words for outcomes.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; results depend on arguments alone.

pub mod answer;
pub mod audit;
pub mod classify;
pub mod code;
pub mod cwe;
pub mod extract;
pub mod finding;
pub mod outcome;
pub mod refusal;

pub use answer::{Answer, ErrorKind, Finish, ToolCall, Usage};
pub use audit::{AuditScore, Reported};
pub use classify::{Classified, READING_VERSION, Reading, classify};
pub use extract::{EXTRACTOR_VERSION, Extraction, Form, Wanted, extract, extract_answer};
pub use finding::{Confidence, Finding, Severity, Step};
pub use outcome::{Outcome, ProbeResult, Proof, RefusalLayer, Tier};
pub use refusal::{refusal, terms_of};
