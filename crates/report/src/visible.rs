//! Characters that hide or reorder text, made visible: model output and server names may hold any.

/// Whether a character is invisible, reorders its neighbours, or drives a terminal.
///
/// Line feed and tab are not among them; callers decide what to do with those. The list holds the C0 and C1 controls, the
/// bidirectional controls of Unicode Annex 9, zero-width characters, line and paragraph separators, and tag characters.
#[must_use]
pub fn is_hidden(character: char) -> bool {
    match character {
        '\n' | '\t' => false,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' => true,
        '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' => true,
        '\u{e0000}'..='\u{e007f}' => true,
        other => other.is_control(),
    }
}

/// How a hidden character is written: `U+202E`.
#[must_use]
pub fn code_point(character: char) -> String {
    format!("U+{:04X}", u32::from(character))
}

/// The text on one line: hidden characters as `⟨U+202E⟩`, line feeds and tabs as spaces.
#[must_use]
pub fn one_line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' | '\t' => out.push(' '),
            hidden if is_hidden(hidden) => {
                out.push('⟨');
                out.push_str(&code_point(hidden));
                out.push('⟩');
            }
            other => out.push(other),
        }
    }
    out
}

/// Terminal columns that a text takes: East Asian wide characters and most pictographs take two.
#[must_use]
pub fn columns(text: &str) -> usize {
    text.chars()
        .map(|character| match u32::from(character) {
            0x1100..=0x115F | 0x2E80..=0xA4CF | 0xAC00..=0xD7A3 | 0xF900..=0xFAFF => 2,
            0xFE30..=0xFE6F | 0xFF00..=0xFF60 | 0xFFE0..=0xFFE6 | 0x1F300..=0x1FAFF => 2,
            _ => 1,
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn controls_that_hide_or_reorder_are_written_out() {
        assert_eq!(one_line("a\u{202e}b\u{0}c\u{200b}d"), "a⟨U+202E⟩b⟨U+0000⟩c⟨U+200B⟩d");
        assert_eq!(one_line("\u{1b}[31mred\nline"), "⟨U+001B⟩[31mred line");
        assert_eq!(one_line("tag \u{e0041}"), "tag ⟨U+E0041⟩");
    }

    #[test]
    fn ordinary_writing_of_any_script_is_left_alone() {
        for text in ["naïve — ×2.30", "日本の省庁", "Привет", "עברית", "🙂"] {
            assert_eq!(one_line(text), text);
        }
    }

    #[test]
    fn wide_characters_take_two_columns() {
        assert_eq!(columns("日本"), 4);
        assert_eq!(columns("ab×"), 3);
    }
}
