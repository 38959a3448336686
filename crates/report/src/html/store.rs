//! Texts that many answers share: each is kept once in the page and named by the answers that have it.

use std::collections::BTreeMap;

use maud::{Markup, PreEscaped, html};
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

    /// All fragments, for the end of the page. With scripting off they are read here.
    pub(super) fn into_markup(self) -> Markup {
        if self.fragments.is_empty() {
            return html! {};
        }
        html! {
            section class="store" {
                h2 { "Texts of the answers" }
                @for (number, fragment) in self.fragments.into_iter().enumerate() {
                    // Already escaped when it was made by the template.
                    div id=(format!("x{number}")) { (PreEscaped(fragment.into_string())) }
                }
            }
        }
    }
}
