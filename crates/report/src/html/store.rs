//! Texts that many answers share: each is kept once in the page and named by the answers that have it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use maud::Markup;
use sha2::{Digest, Sha256};

/// Fragments of the page in the order they were first needed.
#[derive(Default)]
pub(super) struct Store {
    numbers: BTreeMap<[u8; 32], usize>,
    fragments: Vec<Markup>,
}

impl Store {
    /// Keeps a fragment, unless it is there already, and gives the id it has in the page.
    pub(super) fn keep(&mut self, fragment: Markup) -> String {
        let hash: [u8; 32] = Sha256::digest(fragment.0.as_bytes()).into();
        let next = self.fragments.len();
        let number = *self.numbers.entry(hash).or_insert(next);
        if number == next {
            self.fragments.push(fragment);
        }
        format!("x{number}")
    }

    /// Writes all fragments, for the end of the page. With scripting off they are read here.
    pub(super) fn write(self, out: &mut dyn Write) -> io::Result<()> {
        if self.fragments.is_empty() {
            return Ok(());
        }
        out.write_all(b"<section class=\"store\"><h2>Texts of the answers</h2>")?;
        for (number, fragment) in self.fragments.into_iter().enumerate() {
            // Already escaped when it was made by the template.
            write!(out, "<div id=\"x{number}\">{}</div>", fragment.into_string())?;
        }
        out.write_all(b"</section>")
    }
}
