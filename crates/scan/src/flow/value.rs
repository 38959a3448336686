//! What is known of a value: where it comes from, what has been checked, and what text it is made of.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A set of uses a value has been checked or escaped for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Uses(pub(crate) u16);

impl Uses {
    pub(crate) const NONE: Uses = Uses(0);
    pub(crate) const SQL: Uses = Uses(1);
    pub(crate) const PATH: Uses = Uses(1 << 1);
    pub(crate) const SHELL: Uses = Uses(1 << 2);
    pub(crate) const ARGUMENT: Uses = Uses(1 << 3);
    pub(crate) const URL: Uses = Uses(1 << 4);
    pub(crate) const CODE: Uses = Uses(1 << 5);
    pub(crate) const HTML: Uses = Uses(1 << 6);
    pub(crate) const TEMPLATE: Uses = Uses(1 << 7);
    pub(crate) const CELL: Uses = Uses(1 << 8);
    pub(crate) const OBJECT: Uses = Uses(1 << 9);
    pub(crate) const XML: Uses = Uses(1 << 10);
    pub(crate) const ALL: Uses = Uses(0x7ff);

    pub(crate) fn with(self, other: Uses) -> Uses {
        Uses(self.0 | other.0)
    }

    pub(crate) fn and(self, other: Uses) -> Uses {
        Uses(self.0 & other.0)
    }

    pub(crate) fn without(self, other: Uses) -> Uses {
        Uses(self.0 & !other.0)
    }

    pub(crate) fn holds(self, other: Uses) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Where a value enters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Entry {
    /// A parameter of a function that others call.
    Parameter,
    /// A request of a web framework or server.
    Request,
    /// The names inside an archive.
    Archive,
    /// What was stored earlier, by whomever.
    Stored,
}

/// The place where a value enters.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) entry: Entry,
    pub(crate) name: Rc<str>,
    pub(crate) line: u32,
}

/// That a value is, or is made of, something from outside.
#[derive(Debug, Clone)]
pub(crate) struct Taint {
    pub(crate) source: Rc<Source>,
    /// The uses it is fit for.
    pub(crate) fit: Uses,
    /// Where it was joined into a larger text, if it was.
    pub(crate) joined_at: Option<u32>,
    /// Whether it stands below something else in a path.
    pub(crate) is_below: bool,
}

/// A value.
#[derive(Debug, Clone, Default)]
pub(crate) struct Value {
    pub(crate) taint: Option<Taint>,
    /// Its constant text, [`HOLE`] where the rest goes.
    pub(crate) text: Option<Rc<str>>,
    /// The dotted path that names it or made it: `re`, `sqlite3.connect()`.
    pub(crate) made: Option<Rc<str>>,
    /// Parts of a list or tuple literal.
    pub(crate) items: Option<Rc<[Value]>>,
    /// Places it derives from, and which checks on it hold for them too.
    pub(crate) from: Rc<[(Rc<str>, Uses)]>,
    /// The path was made absolute and free of `..` and links.
    pub(crate) is_resolved: bool,
    /// The condition that made it, for `ok = check(x)` and later `if ok`.
    pub(crate) condition: Option<crate::program::ExprId>,
}

/// Stands in a [`Value::text`] for what is not constant.
pub(crate) const HOLE: char = '\u{fffc}';
/// Longest text that is followed.
const MAX_TEXT: usize = 4_000;
/// Most places a value is said to derive from.
const MAX_FROM: usize = 8;

impl Value {
    pub(crate) fn constant(text: &str) -> Value {
        Value { text: Some(text.into()), ..Value::default() }
    }

    pub(crate) fn tainted(entry: Entry, name: &str, line: u32) -> Value {
        let source = Rc::new(Source { entry, name: name.into(), line });
        Value { taint: Some(Taint { source, fit: Uses::NONE, joined_at: None, is_below: false }), ..Value::default() }
    }

    /// The taint, unless the value is fit for this use.
    pub(crate) fn unfit(&self, uses: Uses) -> Option<&Taint> {
        self.taint.as_ref().filter(|taint| !taint.fit.holds(uses))
    }

    pub(crate) fn made_by(&self, path: &str) -> bool {
        self.made.as_deref().is_some_and(|made| made == path || made.strip_suffix("()") == Some(path))
    }

    /// Marks it fit for more uses.
    pub(crate) fn fit_for(mut self, uses: Uses) -> Value {
        if let Some(taint) = &mut self.taint {
            taint.fit = taint.fit.with(uses);
        }
        self
    }

    /// The places it derives from, with fewer uses passing through.
    pub(crate) fn derived(&self, through: Uses) -> Rc<[(Rc<str>, Uses)]> {
        self.from
            .iter()
            .map(|(place, uses)| (Rc::clone(place), uses.and(through)))
            .filter(|(_, uses)| *uses != Uses::NONE)
            .collect()
    }

    pub(crate) fn constant_text(&self) -> Option<&str> {
        self.text.as_deref().filter(|text| !text.contains(HOLE))
    }
}

/// The worse of two taints: from outside before stored, and fit only for what both are.
pub(crate) fn worse(a: Option<&Taint>, b: Option<&Taint>) -> Option<Taint> {
    match (a, b) {
        (Some(a), Some(b)) => {
            let rank = |taint: &Taint| (taint.fit == Uses::ALL, taint.source.entry == Entry::Stored, !taint.is_below);
            let mut taint = if rank(b) < rank(a) { b.clone() } else { a.clone() };
            taint.fit = a.fit.and(b.fit);
            taint.joined_at = a.joined_at.or(b.joined_at);
            taint.is_below = (a.is_below && !a.fit.holds(Uses::PATH)) || (b.is_below && !b.fit.holds(Uses::PATH));
            Some(taint)
        }
        (one, other) => one.or(other).cloned(),
    }
}

/// What holds when either of two values may be there.
pub(crate) fn either(a: &Value, b: &Value) -> Value {
    Value {
        taint: worse(a.taint.as_ref(), b.taint.as_ref()),
        text: if a.text == b.text {
            a.text.clone()
        } else {
            a.text.clone().or_else(|| b.text.clone()).filter(|_| a.text.is_none() || b.text.is_none()).or_else(|| longer(a, b))
        },
        made: if a.made == b.made {
            a.made.clone()
        } else {
            a.made.clone().or_else(|| b.made.clone()).filter(|_| a.made.is_none() || b.made.is_none())
        },
        items: if a.items.is_some() { a.items.clone() } else { b.items.clone() },
        from: merge_from([a, b]),
        is_resolved: a.is_resolved && b.is_resolved,
        condition: if a.condition == b.condition { a.condition } else { None },
    }
}

fn longer(a: &Value, b: &Value) -> Option<Rc<str>> {
    let length = |value: &Value| value.text.as_ref().map_or(0, |text| text.len());
    if length(b) > length(a) { b.text.clone() } else { a.text.clone() }
}

pub(crate) fn merge_from<'a>(values: impl IntoIterator<Item = &'a Value>) -> Rc<[(Rc<str>, Uses)]> {
    let mut out: Vec<(Rc<str>, Uses)> = Vec::new();
    for (place, uses) in values.into_iter().flat_map(|value| value.from.iter()) {
        let has_room = out.len() < MAX_FROM;
        match out.iter_mut().find(|(known, _)| known == place) {
            Some((_, known)) => *known = known.with(*uses),
            None if has_room => out.push((Rc::clone(place), *uses)),
            None => {}
        }
    }
    out.into()
}

/// A text put together from parts, at a line. The parts after the first stand below it, as in a path.
pub(crate) fn join(parts: &[Value], line: u32) -> Value {
    let mut taint: Option<Taint> = None;
    let mut text = String::new();
    for part in parts {
        let below = !text.is_empty();
        if let Some(found) = &part.taint {
            let mut found = found.clone();
            found.joined_at = Some(line);
            found.is_below |= below;
            if below {
                found.fit = found.fit.with(Uses::CELL).with(Uses::ARGUMENT);
            }
            taint = worse(taint.as_ref(), Some(&found));
        }
        match &part.text {
            Some(constant) if text.len() + constant.len() <= MAX_TEXT => text.push_str(constant),
            _ if text.len() <= MAX_TEXT => text.push(HOLE),
            _ => {}
        }
    }
    // A constant start decides what a spreadsheet or a program makes of the whole.
    if let (Some(taint), Some(start)) = (&mut taint, text.chars().next().filter(|c| *c != HOLE))
        && !matches!(start, '=' | '+' | '-' | '@' | '\t' | '\r')
    {
        taint.fit = taint.fit.with(Uses::CELL).with(Uses::ARGUMENT);
    }
    Value { taint, text: Some(text.into()), ..Value::default() }
}

/// Variables and attributes by place.
pub(crate) type State = BTreeMap<Rc<str>, Value>;

/// What holds after either of two states.
pub(crate) fn either_state(a: State, b: State) -> State {
    let mut out = a;
    for (place, value) in b {
        match out.get(&place) {
            Some(known) => {
                let both = either(known, &value);
                out.insert(place, both);
            }
            None => {
                out.insert(place, value);
            }
        }
    }
    out
}
