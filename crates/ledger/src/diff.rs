//! What changed between two versions of a plan, for people.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Where, such as `subjects[house].endpoint.sampling.temperature`.
    pub path: String,
    /// The value before; `None` where it was added.
    pub before: Option<Value>,
    /// The value after; `None` where it was removed.
    pub after: Option<Value>,
}
/// A list for people
pub(crate) fn list(changes: &[Change]) -> String {
    String::new()
}
