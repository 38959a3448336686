//! Code to findings: syntax-tree rules with simple data flow, made for code that a model wrote.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; the scanned code is never run, nothing
//! in it can switch a rule off, and a file that could not be read is reported as such, never as clean.

mod event;
mod flow;
mod program;
mod python;
mod rules;
mod scan;

pub use rules::{Page, RULES_VERSION, alive, page, pages};
pub use scan::{ScanReport, scan};
