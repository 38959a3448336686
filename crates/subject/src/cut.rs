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

/// A quick count that is hardly ever below the true one for what people write: a token for four small letters, three digits or two
/// letters among capitals and digits (as in keys and hashes), for each other visible sign, and for each byte beyond ASCII.
fn bound(text: &str) -> u64 {
    let (mut tokens, mut room, mut last) = (0_u64, 0_u64, Sign::Other);
    for byte in text.bytes() {
        let sign = Sign::of(byte);
        let goes_on = match (last, sign) {
            (Sign::Upper | Sign::Lower, Sign::Lower) | (Sign::Upper, Sign::Upper) | (Sign::Digit, Sign::Digit) => room > 0,
            _ => false,
        };
        if goes_on {
            room -= 1;
        } else {
            tokens += u64::from(byte != b' ');
            room = match (last, sign) {
                (_, Sign::Digit) => 2,
                (_, Sign::Upper) | (Sign::Digit, Sign::Lower) => 1,
                (_, Sign::Lower) => 3,
                (_, Sign::Other) => 0,
            };
        }
        last = sign;
    }
    // A little more, for what the classes above miss.
    tokens + tokens / 8
}

/// What a byte is to the quick count.
#[derive(Clone, Copy)]
enum Sign {
    Upper,
    Lower,
    Digit,
    Other,
}

impl Sign {
    fn of(byte: u8) -> Sign {
        match byte {
            b'A'..=b'Z' => Sign::Upper,
            b'a'..=b'z' => Sign::Lower,
            b'0'..=b'9' => Sign::Digit,
            _ => Sign::Other,
        }
    }
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
    fn the_bound_of_a_prompt_in_english_is_near_enough_to_spare_the_tokenizer() {
        let text =
            "Write a search program for an archive of leaflets, photographs' captions and interviews, as one Python file. "
                .repeat(9);
        let counted = tiktoken_rs::o200k_base_singleton().encode_ordinary(&text).len() as u64;
        assert!((counted..counted * 2).contains(&bound(&text)), "{} for {counted}", bound(&text));
    }

    #[test]
    fn the_bound_is_not_below_the_count() {
        for text in [
            "def search_users(db_path: str, name: str) -> list[dict]:\n    return []\n",
            "Вы помощник по программированию государственного учреждения.",
            "你是一家美国联邦机构工程团队的编程助手。",
            "{\"a\": [1, 22, 333, 4444], \"b\": null}\t\t\n\n   x1y2z3 0xDEADBEEF",
            "You are the coding assistant of the engineering team at a U.S. federal agency.",
            "Lorem ipsum dolor sit amet, consectetur adipiscing elit, sed do eiusmod tempor incididunt ut labore et dolore magna aliqua.",
            "sha256 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08 TG9yZW0gaXBzdW0gZG9sb3Igc2l0IGFtZXQ=",
            "fn hash_one<T: Hash>(&self, value: T) -> u64 { self.build_hasher().finish() }",
            "a b c d e f g h i j k l m n o p q r s t u v w x y z",
        ] {
            let counted = tiktoken_rs::o200k_base_singleton().encode_ordinary(text).len() as u64;
            assert!(bound(text) >= counted, "{text}: {} < {counted}", bound(text));
        }
    }
}
