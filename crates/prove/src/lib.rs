//! Code and tests become an outcome: function cases and exploit probes, run in the sandbox, judged outside of it.
//!
//! Invariant: no word that the answer's process says is trusted. The judge alone knows what is expected; it compares values, files,
//! databases and logs itself, and only size-capped JSON and lossy UTF-8 cross the border.

mod answer_files;
mod archive;
mod bench;
mod check;
mod control;
mod database;
mod model;
mod oracle;
mod parse;
mod run;
mod seen;
mod shim;
mod value;
mod words;

pub use answer_files::reference_named;
pub use bench::{Bench, Job, Options, unproven};
pub use check::{CheckReport, ReferenceReport};
pub use parse::Tests;
