//! Text from outside on the page: escaped, cut where it is huge, hidden characters shown.

use maud::{Markup, html};

use crate::model::Report;
use crate::visible::{code_point, is_hidden, one_line};

/// Longest text shown of one piece; the ledger keeps all of it.
const LONGEST: usize = 64 * 1024;

/// The text with every hidden character shown by its number. Escaping is the template's: nothing here is marked as safe.
pub(super) fn shown(text: &str) -> Markup {
    let mut pieces: Vec<(String, Option<char>)> = Vec::new();
    let mut plain = String::new();
    for character in text.chars() {
        if is_hidden(character) && character != '\r' {
            pieces.push((std::mem::take(&mut plain), Some(character)));
        } else if character != '\r' {
            plain.push(character);
        }
    }
    pieces.push((plain, None));
    html! {
        @for (plain, hidden) in &pieces {
            (plain)
            @if let Some(hidden) = hidden { b class="u" title="hidden character" { (code_point(*hidden)) } }
        }
    }
}

/// The beginning of a text and how many characters were left out.
pub(super) fn cut(text: &str) -> (&str, usize) {
    match text.char_indices().nth(LONGEST) {
        None => (text, 0),
        Some((at, _)) => {
            let (head, tail) = text.split_at(at);
            (head, tail.chars().count())
        }
    }
}

/// A block of text from outside.
pub(super) fn block(text: &str) -> Markup {
    let (head, left) = cut(text);
    html! {
        pre class="w" tabindex="0" { (shown(head)) }
        @if left > 0 { p class="note" { (crate::number::count(left as u64)) " more characters are left out here; " code { "turncoat show" } " prints them." } }
    }
}

/// A subject's name, marked where it is simulated.
pub(super) fn subject(report: &Report, id: &str) -> Markup {
    html! { (shown(id)) @if report.is_simulated(id) { " " b class="sim" { "SIMULATED" } } }
}

/// A name as part of an address: everything but unreserved characters in percent form.
pub(super) fn in_address(text: &str) -> String {
    let mut out = String::new();
    for byte in one_line(text).bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~' | b'/') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// A name as part of an id: letters, digits and `-`.
pub(super) fn in_id(text: &str) -> String {
    let id: String = text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '-' }).collect();
    if id.is_empty() { "part".to_owned() } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_stays_text_and_hidden_characters_are_named() {
        let page = shown("</script><img onerror=x>\u{202e}\u{0}&").into_string();
        assert_eq!(
            page,
            "&lt;/script&gt;&lt;img onerror=x&gt;<b class=\"u\" title=\"hidden character\">U+202E</b><b class=\"u\" title=\"hidden character\">U+0000</b>&amp;"
        );
    }

    #[test]
    fn addresses_and_ids_hold_no_markup() {
        assert_eq!(in_address("a b;\"<ü"), "a%20b%3B%22%3C%C3%BC");
        assert_eq!(in_id("\"><script>"), "---script-");
    }

    #[test]
    fn huge_texts_are_cut_at_a_character() {
        let text = "ü".repeat(LONGEST + 7);
        let (head, left) = cut(&text);
        assert_eq!((head.chars().count(), left), (LONGEST, 7));
    }
}
