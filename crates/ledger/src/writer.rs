//! writer
pub(crate) struct Writer;
