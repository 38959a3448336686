//! Text with gaps that are filled while it is written: a page's answers are long, and are not to be copied from one text into the
//! next.

use std::io::{self, Write};
use std::str::Split;

use maud::Markup;

/// Stands for what is written in between. No text of a page holds it, since control characters are shown as words.
pub(super) const GAP: &str = "\0";

/// The pieces of a text between its gaps.
pub(super) struct Frame<'f> {
    pieces: Split<'f, &'static str>,
}

impl<'f> Frame<'f> {
    /// Those of a text.
    pub(super) fn of(text: &'f Markup) -> Frame<'f> {
        Frame { pieces: text.0.split(GAP) }
    }

    /// Writes up to the next gap, or to the end.
    pub(super) fn go_on(&mut self, out: &mut dyn Write) -> io::Result<()> {
        out.write_all(self.pieces.next().unwrap_or_default().as_bytes())
    }
}
