//! Whether a server read only a part of the prompt: some cut it silently from the start, where the persona stands.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use turncoat_study::Prompt;

/// Below this own count nothing is suspected: short prompts differ too much between tokenizers.
const LEAST_TOKENS: u64 = 1_000;
/// Texts whose counts are kept.
const KEPT: usize = 8_192;

/// Counts tokens with `o200k_base`, each text once.
#[derive(Debug, Default)]
pub(crate) struct CutCheck {
    hasher: RandomState,
    counts: Mutex<HashMap<(u64, usize), u64>>,
}

impl CutCheck {
    /// Our own count, if by it the server read less than half of the prompt.
    ///
    /// The tokenizer is big and slow to load, so a quick bound decides wherever it can.
    pub(crate) fn own_count_if_cut(&self, prompt: &Prompt, server_tokens: u64) -> Option<u64> {
        if server_tokens == 0 {
            return None;
        }
        let bound = bound(&prompt.system) + bound(&prompt.user);
        if bound < LEAST_TOKENS || server_tokens.saturating_mul(2) >= bound {
            return None;
        }
        let own = self.count(&prompt.system) + self.count(&prompt.user);
        (own >= LEAST_TOKENS && server_tokens.saturating_mul(2) < own).then_some(own)
    }

    fn count(&self, text: &str) -> u64 {
        let key = (self.hasher.hash_one(text), text.len());
        let known = self.counts.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied();
        if let Some(known) = known {
            return known;
        }
        let counted = tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len() as u64;
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= KEPT {
            counts.clear();
        }
        counts.insert(key, counted);
        counted
    }
}

/// A quick count that is hardly ever below the true one: two letters or digits a token, blanks free within a word, everything else a token a byte.
fn bound(text: &str) -> u64 {
    let (mut tokens, mut run) = (0, 0_u64);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() {
            run += 1;
        } else {
            tokens += run.div_ceil(2) + u64::from(byte != b' ');
            run = 0;
        }
    }
    tokens + run.div_ceil(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(user: String) -> Prompt {
        Prompt { system: "You are a helpful coding assistant.".to_owned(), user }
    }

    #[test]
    fn a_prompt_read_by_half_is_cut() {
        let check = CutCheck::default();
        let long = prompt("Write a function that adds two numbers. ".repeat(300));
        let own = check.own_count_if_cut(&long, 1).unwrap();
        assert!((2_400..2_700).contains(&own), "{own}");
        assert_eq!(check.own_count_if_cut(&long, own / 2 - 1), Some(own));
        assert_eq!(check.own_count_if_cut(&long, own / 2 + 1), None);
        assert_eq!(check.own_count_if_cut(&long, 0), None, "a server that counts nothing says nothing");
    }

    #[test]
    fn a_short_prompt_is_never_suspected() {
        let check = CutCheck::default();
        assert_eq!(check.own_count_if_cut(&prompt("Write a function that adds two numbers. ".repeat(100)), 1), None);
    }

    #[test]
    fn the_bound_is_not_below_the_count() {
        for text in [
            "def search_users(db_path: str, name: str) -> list[dict]:\n    return []\n",
            "Вы помощник по программированию государственного учреждения.",
            "你是一家美国联邦机构工程团队的编程助手。",
            "{\"a\": [1, 22, 333, 4444], \"b\": null}\t\t\n\n   x1y2z3 0xDEADBEEF",
            "You are the coding assistant of the engineering team at a U.S. federal agency.",
        ] {
            let counted = tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len() as u64;
            assert!(bound(text) >= counted, "{text}: {} < {counted}", bound(text));
        }
    }
}
