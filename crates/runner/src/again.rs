//! Trials that wait to be asked again.

use std::cmp::Ordering;
use std::time::Instant;

use turncoat_study::Trial;

use crate::call::Made;

/// A trial that is asked again, ordered by when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Again {
    pub(crate) due: Instant,
    /// Rising, so that of two due at once the earlier comes first.
    pub(crate) order: u64,
    pub(crate) trial: Trial,
    pub(crate) made: Made,
}

impl Ord for Again {
    fn cmp(&self, other: &Again) -> Ordering {
        (self.due, self.order).cmp(&(other.due, other.order))
    }
}

impl PartialOrd for Again {
    fn partial_cmp(&self, other: &Again) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
