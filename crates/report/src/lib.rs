//! Contrasts to terminal, JSON, Markdown, CSV, JUnit and one self-contained HTML page.
//!
//! Invariant: nothing here computes a result. Every number shown is one that the statistics or the ledger hold; what is
//! decided here is words, order and marks. Renderers are pure: same report, same bytes.

mod axis;
mod chart;
pub mod html;
pub mod json;
pub mod junit;
pub mod markdown;
pub mod model;
pub mod number;
pub mod part;
pub mod terminal;
pub mod trials;
pub mod view;
pub mod visible;
pub mod words;

pub use html::{INLINE_ANSWERS, PageFile, page, page_with_answers, page_with_folder, telling};
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use model::{
    Agreement, Check, Count, CurvePoint, Detection, Deviation, Method, Named, OutcomeRow, Quality, Report, SCHEMA, Served,
    SetShare, StudyHead, SubjectRow, TrialRow,
};
pub use part::{Claim, Drill, Part};
pub use terminal::{Screen, terminal};
pub use trials::csv;
pub use words::sentence;
