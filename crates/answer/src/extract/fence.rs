//! Fenced blocks in Markdown as models write it: longer fences, tildes, list and quote indents, Markdown in Markdown, and a last
//! fence that never closes.

use super::name;

/// One fenced block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The language tag, lower case, or empty.
    pub(super) tag: String,
    /// A file name from the info string, the line above or the first line, as written.
    pub(super) name: Option<String>,
    /// The lines inside, joined with `\n`.
    pub(super) body: String,
    /// Whether a closing fence came.
    pub(super) is_closed: bool,
}

struct Fence<'a> {
    mark: char,
    width: usize,
    indent: usize,
    info: &'a str,
}

/// The text split into its fenced blocks and the prose around them.
pub(super) fn split(text: &str) -> (Vec<Block>, String) {
    let lines: Vec<&str> = text.split('\n').collect();
    let mut blocks = Vec::new();
    let mut prose = String::new();
    let mut markdown: Option<(char, usize)> = None;
    let mut above: Option<&str> = None;
    let mut rest = lines.as_slice();
    while let Some((line, after)) = rest.split_first() {
        rest = after;
        let Some(fence) = opening(line) else {
            prose.push_str(line);
            prose.push('\n');
            if !line.trim().is_empty() {
                above = Some(line);
            }
            continue;
        };
        if markdown.is_some_and(|(mark, width)| mark == fence.mark && fence.info.is_empty() && fence.width >= width) {
            markdown = None;
            continue;
        }
        let (tag, named) = name::from_info(fence.info);
        if markdown.is_none() && matches!(tag.as_str(), "markdown" | "md") && named.is_none() {
            markdown = Some((fence.mark, fence.width));
            continue;
        }
        let (body, used, is_closed) = inside(&fence, &tag, rest);
        rest = rest.get(used..).unwrap_or_default();
        let name = named.or_else(|| name::from_first_line(&body)).or_else(|| above.and_then(name::from_line_above));
        above = None;
        blocks.push(Block { tag, name, body, is_closed });
    }
    (blocks, prose)
}

/// Reads an opening fence; quote marks and list indents before it are skipped.
fn opening(line: &str) -> Option<Fence<'_>> {
    let inner = line.trim_start_matches([' ', '\t', '>']);
    let inner = list_item(inner).unwrap_or(inner);
    let mark = inner.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = inner.trim_start_matches(mark);
    let width = inner.len() - info.len();
    let info = info.trim();
    if width < 3 || (mark == '`' && info.contains('`')) {
        return None;
    }
    Some(Fence { mark, width, indent: line.len() - inner.len(), info })
}

/// What follows `- ` or `1. `, if a fence stands there.
fn list_item(line: &str) -> Option<&str> {
    let rest = line
        .strip_prefix(['-', '*', '+'])
        .or_else(|| line.trim_start_matches(|c: char| c.is_ascii_digit()).strip_prefix(['.', ')']))?;
    let rest = rest.strip_prefix(' ')?.trim_start();
    (rest.starts_with("```") || rest.starts_with("~~~")).then_some(rest)
}

/// The body below an opening fence, the number of lines used (the closing one included) and whether it closes.
fn inside(fence: &Fence<'_>, tag: &str, lines: &[&str]) -> (String, usize, bool) {
    let mut body: Vec<&str> = Vec::new();
    let mut quotes = Quotes::default();
    // A fence inside a triple-quoted string of Python does not close, unless no later fence would.
    let mut held: Option<(usize, usize)> = None;
    let follows_quotes = matches!(tag, "python" | "py" | "python3" | "");
    for (index, line) in lines.iter().enumerate() {
        if closes(fence, line) {
            if follows_quotes && quotes.is_inside() {
                held = held.or(Some((body.len(), index + 1)));
            } else {
                return (body.join("\n"), index + 1, true);
            }
        }
        let line = dedent(line, fence.indent);
        quotes.read(line);
        body.push(line);
    }
    if let Some((kept, used)) = held {
        body.truncate(kept);
        return (body.join("\n"), used, true);
    }
    (body.join("\n"), lines.len(), false)
}

fn closes(fence: &Fence<'_>, line: &str) -> bool {
    let inner = line.trim_start_matches([' ', '\t', '>']).trim_end();
    inner.len() >= fence.width && inner.chars().all(|c| c == fence.mark)
}

/// Takes off up to `indent` bytes of blanks and quote marks, the column where the fence stands.
fn dedent(line: &str, indent: usize) -> &str {
    let blanks = line
        .char_indices()
        .take_while(|(at, c)| *at < indent && matches!(c, ' ' | '\t' | '>'))
        .map(|(at, c)| at + c.len_utf8())
        .last()
        .unwrap_or(0);
    line.get(blanks..).unwrap_or(line)
}

/// Follows Python's triple quotes from line to line.
#[derive(Default)]
struct Quotes {
    open: Option<char>,
}

impl Quotes {
    fn is_inside(&self) -> bool {
        self.open.is_some()
    }

    fn read(&mut self, line: &str) {
        let mut single: Option<char> = None;
        let mut rest = line.chars();
        while let Some(c) = rest.next() {
            let triple = matches!(c, '"' | '\'') && {
                let mut ahead = rest.clone();
                ahead.next() == Some(c) && ahead.next() == Some(c)
            };
            match (self.open, single) {
                (Some(quote), _) => {
                    if c == '\\' {
                        rest.next();
                    } else if triple && c == quote {
                        self.open = None;
                        rest.nth(1);
                    }
                }
                (None, Some(quote)) => {
                    if c == '\\' {
                        rest.next();
                    } else if c == quote {
                        single = None;
                    }
                }
                (None, None) => {
                    if c == '#' {
                        return;
                    }
                    if triple {
                        self.open = Some(c);
                        rest.nth(1);
                    } else if matches!(c, '"' | '\'') {
                        single = Some(c);
                    }
                }
            }
        }
    }
}
