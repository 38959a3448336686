//! Cells of fixed width on one line, in colour or without, in Unicode or plain ASCII.

use std::io::{self, Write};

use super::Screen;
use crate::visible::columns;

/// How a cell stands out; always beside a word or a mark that says the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    Plain,
    Strong,
    Faint,
    Worse,
    Better,
}

impl Style {
    fn code(self) -> Option<&'static str> {
        match self {
            Style::Plain => None,
            Style::Strong => Some("1"),
            Style::Faint => Some("2"),
            Style::Worse => Some("1;31"),
            Style::Better => Some("1;32"),
        }
    }
}

/// A text, its width if it is padded, and how it stands out.
pub(super) struct Cell {
    text: String,
    width: Option<usize>,
    style: Style,
}

impl Cell {
    pub(super) fn new(text: impl Into<String>, style: Style) -> Cell {
        Cell { text: text.into(), width: None, style }
    }

    pub(super) fn fixed(text: impl Into<String>, width: usize, style: Style) -> Cell {
        Cell { text: text.into(), width: Some(width), style }
    }
}

/// Writes cells side by side without trailing spaces; a text too wide for its cell ends in `…`.
pub(super) fn line(cells: &[Cell], screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let mut written = String::new();
    let mut pending = 0;
    for cell in cells {
        let text = cell.width.map_or_else(|| cell.text.clone(), |width| shortened(&cell.text, width.saturating_sub(1)));
        let trimmed = text.trim_end();
        let leading = trimmed.len() - trimmed.trim_start().len();
        let used = columns(trimmed);
        if !trimmed.is_empty() {
            written.push_str(&" ".repeat(pending + leading));
            let shown = shown(trimmed.trim_start(), screen);
            match cell.style.code().filter(|_| screen.colour) {
                Some(code) => written.push_str(&format!("\u{1b}[{code}m{shown}\u{1b}[0m")),
                None => written.push_str(&shown),
            }
            pending = 0;
        }
        pending += cell.width.map_or(0, |width| width.saturating_sub(used));
    }
    writeln!(out, "{written}")
}

/// Writes a text over as many lines as it needs, each after the first indented by `indent`.
pub(super) fn paragraph(text: &str, indent: usize, screen: Screen, out: &mut dyn Write) -> io::Result<()> {
    let width = screen.width.max(24);
    let mut current = " ".repeat(text.len() - text.trim_start().len());
    for word in text.split_whitespace().flat_map(|word| broken(word, width.saturating_sub(indent + 4))) {
        let word = word.as_str();
        if !current.trim().is_empty() && columns(&current) + 1 + columns(word) > width {
            writeln!(out, "{}", shown(&current, screen))?;
            current = " ".repeat(indent);
            current.push_str(word);
        } else {
            if !current.trim().is_empty() {
                current.push(' ');
            }
            current.push_str(word);
        }
    }
    writeln!(out, "{}", shown(&current, screen))
}

/// A word in pieces of at most `longest` columns.
fn broken(word: &str, longest: usize) -> Vec<String> {
    if columns(word) <= longest {
        return vec![word.to_owned()];
    }
    let mut pieces = vec![String::new()];
    for character in word.chars() {
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
            if columns(piece) >= longest {
                pieces.push(String::new());
            }
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

fn shortened(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let mut out = String::new();
    for character in text.chars() {
        if columns(&out) + 2 > width {
            break;
        }
        out.push(character);
    }
    out.push('…');
    out
}

/// The text as this screen can show it: in ASCII each mark has a stand-in and every other character is written as its number.
fn shown(text: &str, screen: Screen) -> String {
    if screen.unicode {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            ascii if ascii.is_ascii() => out.push(ascii),
            '├' | '┤' | '┊' => out.push('|'),
            '─' | '−' | '–' => out.push('-'),
            '■' => out.push('#'),
            '▲' => out.push('!'),
            '▼' => out.push('+'),
            '○' => out.push('?'),
            '×' => out.push('x'),
            '·' => out.push('.'),
            '◂' => out.push('<'),
            '▸' => out.push('>'),
            '…' => out.push('~'),
            '⟨' => out.push('<'),
            '⟩' => out.push('>'),
            '✓' => out.push('+'),
            '✗' => out.push('!'),
            other => out.extend(other.escape_unicode()),
        }
    }
    out
}
