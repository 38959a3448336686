//! Numbers to contrasts: estimators, intervals, multiplicity, power.
//!
//! Invariant: nothing here touches the network, the file system, the clock or a process; results depend on the
//! arguments alone, bit for bit.
//!
//! [`analyse`] is the only door. What its intervals are worth is measured on simulated studies of known truth, which
//! [`calibration`] makes.

pub mod analysis;
pub mod calibration;
pub mod input;
pub mod multiplicity;
pub mod planning;
pub mod proportion;
pub mod quantile;
pub mod rows;

mod between;
mod contrast;
mod effect;
mod endpoint;
mod rate;
mod selection;
mod table;
mod verdict;

pub use analysis::analyse;
pub use input::{Design, Observation, PersonaDesign, SampleOutcome};
pub use rate::ALL_TOPICS;
pub use rows::{AaRow, Analysis, BetweenRow, Contrast, FindingRow, InteractionRow, RateRow, RefusalRow, Verdict};
