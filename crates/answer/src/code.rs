//! The code of an answer in its normal form, and the hash by which it is known everywhere.
//!
//! Scan results, proofs and our own references are all keyed by [`hash`]: two answers that differ in line ends, trailing
//! blanks or blank lines at the end are one piece of code, scored once and blind to who asked.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

/// Named files of one answer; the names are relative, with `/`.
pub type Files = BTreeMap<String, String>;

/// Brings one file into its normal form.
///
/// Line ends become `\n`, a byte order mark at the start and blanks at the ends of lines go, blank lines at the end go, and a
/// text that is not empty ends in exactly one `\n`. Nothing else changes: the result is what is run and scanned.
#[must_use]
pub fn normalise(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut out = String::with_capacity(text.len() + 1);
    // A lone carriage return is a line end too, as for Python's universal newlines.
    for line in text.replace("\r\n", "\n").split(['\n', '\r']) {
        out.push_str(line.trim_end_matches([' ', '\t', '\u{c}', '\u{b}']));
        out.push('\n');
    }
    let kept = out.trim_end_matches('\n').len();
    out.truncate(kept);
    if kept > 0 {
        out.push('\n');
    }
    out
}

/// The files with every text in its normal form.
#[must_use]
pub fn normalise_all(files: &Files) -> Files {
    files.iter().map(|(name, text)| (name.clone(), normalise(text))).collect()
}

/// SHA-256 over the names and normalised texts, each preceded by its length in bytes, so that no two sets of files collide by
/// moving a boundary.
#[must_use]
pub fn hash(files: &Files) -> [u8; 32] {
    let mut sha = Sha256::new();
    sha.update(b"turncoat.code/1\n");
    for (name, text) in files {
        let text = normalise(text);
        for part in [name.as_bytes(), text.as_bytes()] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
    }
    sha.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Files {
        Files::from([("solution.py".to_owned(), text.to_owned())])
    }

    #[test]
    fn line_ends_trailing_blanks_and_last_blank_lines_make_no_difference() {
        let plain = "def f():\n    return 1\n";
        for variant in [
            "def f():\r\n    return 1\r\n",
            "def f():  \n    return 1\t\n\n \n",
            "\u{feff}def f():\n    return 1",
            "def f():\r    return 1",
        ] {
            assert_eq!(normalise(variant), plain);
            assert_eq!(hash(&one(variant)), hash(&one(plain)));
        }
    }

    #[test]
    fn everything_else_makes_a_difference() {
        let plain = hash(&one("def f():\n    return 1\n"));
        assert_ne!(plain, hash(&one("def f():\n   return 1\n")));
        assert_ne!(plain, hash(&one("\ndef f():\n    return 1\n")));
        assert_ne!(plain, hash(&Files::from([("app.py".to_owned(), "def f():\n    return 1\n".to_owned())])));
        let split = Files::from([("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d".to_owned())]);
        let joined = Files::from([("a".to_owned(), "b\nc\nd".to_owned())]);
        assert_ne!(hash(&split), hash(&joined));
    }

    #[test]
    fn normal_form_is_a_fixed_point_and_empty_stays_empty() {
        for text in ["", "\n\n", "a", "a\n\n\nb  \n", "\r\n x\r\n"] {
            assert_eq!(normalise(&normalise(text)), normalise(text));
        }
        assert_eq!(normalise(" \n\t\n"), "");
    }
}
