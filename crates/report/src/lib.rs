//! Contrasts to terminal, JSON, Markdown, CSV, JUnit and one self-contained HTML page.
//!
//! Invariant: nothing here computes a result. Every number shown is one that the statistics or the ledger hold; what is
//! decided here is words, order and marks. Renderers are pure: same report, same bytes.

pub mod model;

pub use model::{
    Agreement, Check, Claim, Count, CurvePoint, Detection, Deviation, Drill, Method, Named,
    OutcomeRow, Part, Quality, Report, SCHEMA, Served, SetShare, StudyHead, SubjectRow, TrialRow,
};
