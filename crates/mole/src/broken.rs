//! Code that must fail its function cases: a reference that was cut off, or that ends in an error before it does anything.

use turncoat_study::Language;

use crate::draw::Draw;

/// Breaks one file; the result never loads, whatever it held.
pub(crate) fn break_file(text: &str, language: Language, draw: &Draw) -> String {
    let raises = draw.part(1_000) < 0.5;
    match language {
        Language::Python if raises => after_docstring(text, "raise NotImplementedError(\"to be completed\")\n"),
        Language::Javascript | Language::Typescript if raises => format!("throw new Error(\"not implemented\");\n{text}"),
        _ => cut_off(text, language),
    }
}

/// Keeps about the first half and ends it within an open bracket, as an answer that met its limit ends.
fn cut_off(text: &str, language: Language) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let half = lines.get(..lines.len() / 2).unwrap_or_default().join("\n");
    let open = match language {
        Language::Python => "result = [item for item in (",
        Language::Javascript | Language::Typescript => "const result = [].concat((",
        Language::Go | Language::Java | Language::C | Language::Rust => "{ result = ((",
    };
    format!("{half}\n{open}\n")
}

/// Puts a statement behind a leading docstring or comment, where people would put it.
fn after_docstring(text: &str, statement: &str) -> String {
    let body = text.trim_start();
    let lead = text.len() - body.len();
    let docstring = ["\"\"\"", "'''"].iter().find_map(|quote| {
        let inner = body.strip_prefix(quote)?;
        Some(quote.len() + inner.find(quote)? + quote.len())
    });
    let (head, tail) = text.split_at_checked(lead + docstring.unwrap_or(0)).unwrap_or(("", text));
    if docstring.is_some() { format!("{head}\n\n{statement}{tail}") } else { format!("{statement}{tail}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_variant_is_broken_and_both_kinds_occur() {
        let code = "\"\"\"Doc.\"\"\"\n\nimport os\n\n\ndef f(a):\n    return a\n";
        let variants: Vec<String> = (0..40).map(|seed| break_file(code, Language::Python, &Draw::new(seed, b"x"))).collect();
        let raised =
            "\"\"\"Doc.\"\"\"\n\nraise NotImplementedError(\"to be completed\")\n\n\nimport os\n\n\ndef f(a):\n    return a\n";
        assert!(variants.iter().any(|variant| variant == raised), "{variants:?}");
        assert!(variants.iter().any(|variant| variant.ends_with("in (\n")));
        assert!(variants.iter().all(|variant| variant == raised || variant.ends_with("in (\n")));
        assert_eq!(after_docstring("import os\n", "raise X\n"), "raise X\nimport os\n");
    }

    #[test]
    fn no_language_keeps_its_brackets_closed_when_cut() {
        for language in Language::ALL {
            let cut = cut_off("a\nb\nc\nd\n", language);
            let depth = |open: char, close: char| cut.matches(open).count() as i64 - cut.matches(close).count() as i64;
            assert!(depth('(', ')') > 0, "{cut}");
        }
    }
}
