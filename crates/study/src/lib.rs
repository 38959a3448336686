//! What is asked: study files, personas, suites and tasks become a plan of trials.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; texts are handed in through a
//! [`Shelf`], and every result depends on the arguments alone.

pub mod canonical;
pub mod persona;
pub mod plan;
pub mod preset;
pub mod preview;
pub mod source;
pub mod study;
pub mod subject;
pub mod suite;
pub mod task;

pub use persona::{Persona, Placement, Role, Wording};
pub use plan::{Plan, PlanHash, Prompt, Trial, TrialKey};
pub use source::{Problem, Problems};
pub use study::{Loaded, NamedText, Shelf, ShelfError, load};
pub use subject::{About, Conduct, Endpoint, Price, Provider, Sampling, SubjectSpec};
pub use suite::{SuiteFolder, TaskFolder};
pub use task::{Kind, Language, Planted, Task, TaskFiles, Topic};
