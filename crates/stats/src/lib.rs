//! Numbers to contrasts: estimators, resampling, multiplicity, power.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; results depend on the
//! arguments alone, bit for bit.

pub mod input;
pub mod rows;

pub use input::{Design, Observation, PersonaDesign, SampleOutcome};
pub use rows::{Analysis, BetweenRow, Contrast, InteractionRow, RateRow, RefusalRow, FindingRow, Verdict};
