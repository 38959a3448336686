//! Regular expressions and character lists used as checks: which characters they let through, and what that makes a text fit for.

use super::value::Uses;

/// What a text is fit for whose characters all satisfy `allows`.
pub(super) fn fit_of(allows: impl Fn(char) -> bool) -> Uses {
    let none = |characters: &str| !characters.chars().any(&allows);
    let mut uses = Uses::NONE;
    if none("'\"`;()\\") {
        uses = uses.with(Uses::SQL);
    }
    if none("/") {
        uses = uses.with(Uses::PATH);
    }
    if none(" \t\n;|&$`<>(){}[]*?!#~'\"\\") {
        uses = uses.with(Uses::SHELL);
    }
    if none("-") {
        uses = uses.with(Uses::ARGUMENT);
    }
    if none("/:@?#\\.") {
        uses = uses.with(Uses::URL);
    }
    if none("abcdefghijklmnopqrstuvwxyz_") || none("([.") {
        uses = uses.with(Uses::CODE);
    }
    if none("<>&\"'") {
        uses = uses.with(Uses::HTML);
    }
    if none("{%") {
        uses = uses.with(Uses::TEMPLATE);
    }
    if none("=+-@") {
        uses = uses.with(Uses::CELL);
    }
    if none("<") {
        uses = uses.with(Uses::XML);
    }
    uses
}

/// ASCII characters as a set.
#[derive(Clone, Copy, Default)]
struct Characters(u128);

impl Characters {
    const ALL: Characters = Characters(u128::MAX);

    fn add(&mut self, c: char) {
        if c.is_ascii() {
            self.0 |= 1 << (c as u32);
        }
    }

    fn add_range(&mut self, from: char, to: char) {
        for c in from..=to {
            if !c.is_ascii() {
                break;
            }
            self.add(c);
        }
    }

    fn holds(self, c: char) -> bool {
        !c.is_ascii() || self.0 & (1 << (c as u32)) != 0
    }

    fn or(self, other: Characters) -> Characters {
        Characters(self.0 | other.0)
    }
}

/// What a text is fit for that matches the expression as a whole (`is_whole`, or anchored at its end).
pub(super) fn fit_with(expression: &str, is_whole: bool) -> Uses {
    let anchored = is_whole || ["$", "\\Z", "\\z"].iter().any(|end| expression.ends_with(end));
    if !anchored || expression.len() > 2_000 {
        return Uses::NONE;
    }
    let (all, first) = characters(expression);
    let mut uses = fit_of(|c| all.holds(c));
    if !first.holds('-') {
        uses = uses.with(Uses::ARGUMENT);
    }
    if !['=', '+', '-', '@'].iter().any(|c| first.holds(*c)) {
        uses = uses.with(Uses::CELL);
    }
    uses
}

/// What a text is fit for in which the expression is not found: telling only for a single negated class such as `[^\w.-]`.
pub(super) fn fit_without(expression: &str) -> Uses {
    let inner = expression.trim_end_matches(['+', '*']).strip_prefix("[^").and_then(|rest| rest.strip_suffix(']'));
    match inner {
        Some(inner) if !inner.contains(']') => {
            let (allowed, _) = characters(&format!("[{inner}]"));
            fit_of(|c| allowed.holds(c))
        }
        _ => Uses::NONE,
    }
}

/// The characters an expression can match anywhere, and those its first part can.
fn characters(expression: &str) -> (Characters, Characters) {
    let mut all = Characters::default();
    let mut first: Option<Characters> = None;
    let mut chars = expression.chars().peekable();
    while let Some(c) = chars.next() {
        let set = match c {
            '^' | '$' | '(' | ')' => {
                // Group marks such as `?:` and `?P<name>`; a look-around says nothing about what is let through.
                let is_named = c == '(' && chars.next_if_eq(&'?').is_some() && matches!(chars.next(), Some('P' | '<'));
                if is_named {
                    while chars.next().is_some_and(|c| c != '>') {}
                }
                continue;
            }
            '|' => {
                // Another way in: its first part counts as a first part too, which is not followed.
                first = Some(Characters::ALL);
                continue;
            }
            '*' | '+' | '?' => continue,
            '{' => {
                while chars.next().is_some_and(|c| c != '}') {}
                continue;
            }
            '.' => Characters::ALL,
            '[' => class(&mut chars),
            '\\' => match chars.next() {
                Some('Z' | 'z' | 'A' | 'b' | 'B') => continue,
                Some(c) => escape(c),
                None => continue,
            },
            c => {
                let mut one = Characters::default();
                one.add(c);
                one
            }
        };
        all = all.or(set);
        first.get_or_insert(set);
    }
    (all, first.unwrap_or(Characters::ALL))
}

fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Characters {
    let mut set = Characters::default();
    let is_negated = chars.next_if_eq(&'^').is_some();
    let mut last: Option<char> = None;
    let mut is_first = true;
    while let Some(c) = chars.next() {
        match c {
            ']' if !is_first => break,
            '\\' => {
                if let Some(c) = chars.next() {
                    set = set.or(escape(c));
                    last = None;
                }
            }
            '-' if last.is_some() && chars.peek().is_some_and(|next| *next != ']') => {
                if let (Some(from), Some(to)) = (last.take(), chars.next()) {
                    set.add_range(from, to);
                }
            }
            c => {
                set.add(c);
                last = Some(c);
            }
        }
        is_first = false;
    }
    if is_negated { Characters(!set.0) } else { set }
}

fn escape(c: char) -> Characters {
    let mut set = Characters::default();
    match c {
        'd' => set.add_range('0', '9'),
        'w' => {
            set.add_range('a', 'z');
            set.add_range('A', 'Z');
            set.add_range('0', '9');
            set.add('_');
        }
        's' => " \t\n\r".chars().for_each(|c| set.add(c)),
        'D' | 'W' | 'S' => return Characters::ALL,
        c => set.add(c),
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_tell_what_they_let_through() {
        let plain = fit_with(r"^[A-Za-z0-9_]+$", false);
        assert!(plain.holds(Uses::SQL.with(Uses::PATH).with(Uses::SHELL).with(Uses::ARGUMENT).with(Uses::HTML)));
        assert!(!fit_with(r"[A-Za-z0-9_]+", false).holds(Uses::SQL), "a prefix match says nothing of the rest");
        assert!(fit_with(r"[\w.-]+", true).holds(Uses::PATH));
        assert!(!fit_with(r"[\w.-]+", true).holds(Uses::ARGUMENT));
        assert!(fit_with(r"\w[\w.-]*", true).holds(Uses::ARGUMENT));
        assert!(!fit_with(r"[\w/.]+", true).holds(Uses::PATH));
        assert!(!fit_with(r".*", true).holds(Uses::SQL));
        assert!(fit_with(r"[0-9+\-*/(). ]+", true).holds(Uses::CODE));
        assert!(!fit_with(r"[\w+\-*/(). ]+", true).holds(Uses::CODE));
        assert!(fit_without(r"[^\w]").holds(Uses::SQL.with(Uses::PATH)));
        assert_eq!(fit_without(r"[';]"), Uses::NONE);
    }
}
