//! Checks: what holds of a value once a condition was true or false.

use super::call::{authenticate, clear};
use super::value::{Entry, HOLE, State, Uses, either_state};
use super::{Walker, model, pattern};
use crate::program::{Argument, Comparison, Expr, ExprId};

/// How deep conditions are followed through names and helpers.
const MAX_DEPTH: u32 = 6;

impl Walker<'_> {
    /// Narrows the state by a condition that is known to be true or false.
    pub(super) fn assume(&mut self, condition: ExprId, truth: bool, state: &mut State, depth: u32) {
        if depth > MAX_DEPTH || !self.pay(1) {
            return;
        }
        // Looking at values again must not show their calls to the rules again.
        self.quiet += 1;
        self.nesting += 1;
        self.assume_quietly(condition, truth, state, depth);
        self.nesting -= 1;
        self.quiet -= 1;
    }

    fn assume_quietly(&mut self, condition: ExprId, truth: bool, state: &mut State, depth: u32) {
        match self.module.expr(condition) {
            Expr::Not(inner) => self.assume(*inner, !truth, state, depth + 1),
            Expr::Walrus(_, value) => self.assume(*value, truth, state, depth + 1),
            Expr::And(parts) => self.assume_all(parts, true, truth, state, depth),
            Expr::Or(parts) => self.assume_all(parts, false, truth, state, depth),
            Expr::Name(name) => {
                if let Some(inner) = state.get(name).and_then(|value| value.condition) {
                    self.assume(inner, truth, state, depth + 1);
                }
            }
            Expr::Attribute(object, name) => {
                let denies = matches!(
                    &**name,
                    "is_private" | "is_loopback" | "is_link_local" | "is_reserved" | "is_multicast" | "is_unspecified"
                );
                if (denies && !truth) || (&**name == "is_global" && truth) {
                    let value = self.eval(*object, state);
                    clear(&value.from, Uses::URL, state);
                }
            }
            Expr::Compare(left, rest) => {
                if let [(how, right)] = rest.as_slice() {
                    self.assume_compared(*left, *how, *right, truth, state, depth);
                }
            }
            Expr::Call(callee, arguments) => self.assume_called(*callee, arguments, truth, state, depth),
            _ => {}
        }
    }

    /// A conjunction that is true or a disjunction that is false holds part by part; otherwise one part decides, and only what
    /// every way out shares is known.
    fn assume_all(&mut self, parts: &[ExprId], is_and: bool, truth: bool, state: &mut State, depth: u32) {
        if truth == is_and {
            for part in parts {
                self.assume(*part, truth, state, depth + 1);
            }
            return;
        }
        self.pay(parts.len() * state.len());
        let mut running = state.clone();
        let mut out: Option<State> = None;
        for part in parts.iter().take(16) {
            let mut here = running.clone();
            self.assume(*part, truth, &mut here, depth + 1);
            out = Some(match out {
                Some(known) => either_state(known, here),
                None => here,
            });
            self.assume(*part, !truth, &mut running, depth + 1);
        }
        if let Some(out) = out {
            *state = out;
        }
    }

    fn assume_compared(&mut self, left: ExprId, how: Comparison, right: ExprId, truth: bool, state: &mut State, depth: u32) {
        match how {
            Comparison::Is | Comparison::IsNot if matches!(self.module.expr(right), Expr::None) => {
                self.assume(left, truth != (how == Comparison::Is), state, depth + 1);
            }
            Comparison::Equal | Comparison::Unequal | Comparison::Is | Comparison::IsNot => {
                if truth == matches!(how, Comparison::Equal | Comparison::Is) {
                    self.assume_equal(left, right, state);
                }
            }
            Comparison::In => self.assume_member(left, right, truth, state),
            Comparison::NotIn => self.assume_member(left, right, !truth, state),
            Comparison::Order => {}
        }
    }

    fn assume_equal(&mut self, left: ExprId, right: ExprId, state: &mut State) {
        let (a, b) = (self.eval(left, state), self.eval(right, state));
        for (call, other) in [(left, &b), (right, &a)] {
            if let Expr::Call(callee, arguments) = self.module.expr(call) {
                let path = self.module.dotted(*callee).unwrap_or_default();
                if path.ends_with("commonpath") && other.taint.as_ref().is_none_or(|taint| !taint.is_below) {
                    let inside: Vec<ExprId> = arguments.iter().flat_map(|argument| self.parts(argument.value)).collect();
                    for part in inside {
                        let value = self.eval(part, state);
                        if value.is_resolved {
                            clear(&value.from, Uses::PATH, state);
                        }
                    }
                    return;
                }
            }
        }
        match (&a.taint, &b.taint) {
            (Some(_), None) => clear(&a.from, Uses::ALL, state),
            (None, Some(_)) => clear(&b.from, Uses::ALL, state),
            // `name == os.path.basename(name)`: what one side is fit for, so is the other.
            (Some(one), Some(other)) => {
                // A path that equals one which a caller gave whole stays where the caller said.
                let fit = |taint: &super::value::Taint| if taint.is_below { taint.fit } else { taint.fit.with(Uses::PATH) };
                let (one, other) = (fit(one), fit(other));
                clear(&a.from, other, state);
                clear(&b.from, one, state);
            }
            (None, None) => {}
        }
    }

    fn parts(&self, id: ExprId) -> Vec<ExprId> {
        match self.module.expr(id) {
            Expr::Items(parts) => parts.clone(),
            _ => vec![id],
        }
    }

    /// `left in right`, or not.
    fn assume_member(&mut self, left: ExprId, right: ExprId, is_member: bool, state: &mut State) {
        // `base in path.parents`: the path lies below.
        if let Expr::Attribute(object, name) = self.module.expr(right)
            && &**name == "parents"
            && is_member
        {
            let value = self.eval(*object, state);
            if value.is_resolved {
                clear(&value.from, Uses::PATH, state);
            }
            return;
        }
        let (a, b) = (self.eval(left, state), self.eval(right, state));
        let texts = model::texts(&b);
        if is_member {
            // A list read from our own store, such as a table's columns, is a list of known names too.
            let is_known = b.taint.as_ref().is_none_or(|taint| taint.source.entry == Entry::Stored);
            if a.taint.is_some() && is_known {
                let uses = match b.constant_text() {
                    Some(text) => pattern::fit_of(|c| text.contains(c)),
                    None => Uses::ALL,
                };
                clear(&a.from, uses, state);
            }
            return;
        }
        // A first character that starts no formula and no option.
        if a.taint.is_some() && b.taint.is_none() {
            let any = texts.concat();
            clear(&a.from, starts(&any), state);
        }
        // `"/" not in name`, `"<!DOCTYPE" not in text`, `".." not in path.parts`.
        if b.taint.is_some() && a.taint.is_none() {
            let needle = model::texts(&a).concat();
            let upper = needle.to_uppercase();
            let mut uses = Uses::NONE;
            if needle.contains('/')
                || (needle == ".." && matches!(self.module.expr(right), Expr::Attribute(_, name) if &**name == "parts"))
            {
                uses = uses.with(Uses::PATH);
            }
            if upper.contains("DOCTYPE") || upper.contains("ENTITY") {
                uses = uses.with(Uses::XML);
            }
            clear(&b.from, uses, state);
        }
    }

    fn assume_called(&mut self, callee: ExprId, arguments: &[Argument], truth: bool, state: &mut State, depth: u32) {
        let name = match self.module.expr(callee) {
            Expr::Name(name) | Expr::Attribute(_, name) => name.to_string(),
            _ => return,
        };
        let dotted = self.module.dotted(callee).unwrap_or_default();
        let receiver = match self.module.expr(callee) {
            Expr::Attribute(object, _) => Some(*object),
            _ => None,
        };
        match (name.as_str(), truth) {
            ("bool", _) => {
                if let Some(argument) = arguments.first() {
                    self.assume(argument.value, truth, state, depth + 1);
                }
            }
            ("all", true) | ("any", false) => self.assume_each(arguments, truth, state, depth),
            ("isinstance", _) => self.assume_type(arguments, truth, state),
            ("fullmatch" | "match", true) | ("search", false) => self.assume_pattern(&name, receiver, &dotted, arguments, state),
            ("isalnum" | "isdigit" | "isdecimal" | "isnumeric" | "isalpha" | "isidentifier", true) => {
                if let Some(object) = receiver {
                    let value = self.eval(object, state);
                    clear(&value.from, Uses::ALL, state);
                }
            }
            ("is_relative_to", true) => {
                if let Some(value) = receiver.map(|object| self.eval(object, state)).filter(|value| value.is_resolved) {
                    clear(&value.from, Uses::PATH, state);
                }
            }
            ("startswith", _) => self.assume_start(receiver, arguments, truth, state),
            ("endswith", true) => {
                let suffix = arguments.first().map(|argument| self.eval(argument.value, state)).unwrap_or_default();
                let all_domains = model::texts(&suffix).iter().all(|text| text.starts_with('.') && text.len() > 2);
                if let Some(value) =
                    receiver.map(|object| self.eval(object, state)).filter(|_| all_domains && suffix.taint.is_none())
                {
                    clear(&value.derived(Uses::URL), Uses::URL, state);
                }
            }
            ("compare_digest" | "verify" | "verify_signature" | "check_signature", true) => authenticate(state),
            _ => {
                if !self.implied(callee, arguments, truth, state)
                    && truth
                    && looks_like_check(&name)
                    && receiver.is_none_or(|object| matches!(self.module.expr(object), Expr::Name(_)))
                {
                    // A check that lives in another file cannot be read; its absence cannot be shown.
                    for argument in arguments {
                        let value = self.eval(argument.value, state);
                        clear(&value.from, Uses::ALL, state);
                    }
                }
            }
        }
    }

    /// `all(check(c) for c in x)`, `any(bad(c) for c in x)`: what holds of each holds of the whole.
    fn assume_each(&mut self, arguments: &[Argument], truth: bool, state: &mut State, depth: u32) {
        let Some(Expr::Comprehension { element, clauses }) = arguments.first().map(|argument| self.module.expr(argument.value))
        else {
            return;
        };
        let Some(clause) = clauses.first() else { return };
        let items = self.eval(clause.iterable, state);
        self.pay(state.len());
        let mut inner = state.clone();
        self.assign(clause.target, model::element(&items), &mut inner);
        self.assume(*element, truth, &mut inner, depth + 1);
        let known: Vec<_> = inner
            .iter()
            .filter_map(|(place, value)| {
                let after = value.taint.as_ref()?;
                let before = state.get(place)?.taint.as_ref()?;
                (before.source == after.source).then(|| (std::rc::Rc::clone(place), after.fit))
            })
            .collect();
        for (place, fit) in known {
            clear(&[(place, Uses::ALL)], fit, state);
        }
        if let Some(each) =
            self.module.dotted(clause.target).and_then(|target| inner.get(&*target).and_then(|value| value.taint.clone()))
        {
            clear(&items.from, each.fit, state);
        }
    }

    fn assume_type(&mut self, arguments: &[Argument], truth: bool, state: &mut State) {
        let [value, kind] = arguments else { return };
        let names: Vec<String> = self.parts(kind.value).into_iter().filter_map(|part| self.module.dotted(part)).collect();
        let any_node = names.iter().any(|name| name == "ast.AST");
        if !truth {
            // What is no syntax node at all is a constant or a list of a node.
            if any_node {
                let checked = self.eval(value.value, state);
                clear(&checked.from, Uses::CODE, state);
            }
            return;
        }
        let numeric = !names.is_empty()
            && names.iter().all(|name| {
                matches!(
                    name.as_str(),
                    "int"
                        | "float"
                        | "bool"
                        | "complex"
                        | "decimal.Decimal"
                        | "uuid.UUID"
                        | "datetime.date"
                        | "datetime.datetime"
                )
            });
        let plain = names
            .iter()
            .any(|name| matches!(name.as_str(), "str" | "bytes" | "dict" | "list" | "tuple" | "bytearray" | "object"));
        let checked = self.eval(value.value, state);
        if numeric {
            clear(&checked.from, Uses::ALL, state);
        } else if !plain && !any_node {
            // `isinstance(node, ALLOWED)` over a syntax tree: code of known node kinds.
            clear(&checked.from, Uses::CODE, state);
        }
    }

    fn assume_pattern(&mut self, name: &str, receiver: Option<ExprId>, dotted: &str, arguments: &[Argument], state: &mut State) {
        let (expression, subject) = if dotted.starts_with("re.") || dotted.starts_with("regex.") {
            match arguments {
                [expression, subject, ..] => (self.eval(expression.value, state), subject.value),
                _ => return,
            }
        } else {
            let (Some(receiver), [subject, ..]) = (receiver, arguments) else { return };
            (self.eval(receiver, state), subject.value)
        };
        let Some(text) = expression.text.clone().filter(|text| !text.contains(HOLE)) else { return };
        let uses = match name {
            "search" => pattern::fit_without(&text),
            "fullmatch" => pattern::fit_with(&text, true),
            _ => pattern::fit_with(&text, false),
        };
        let value = self.eval(subject, state);
        clear(&value.from, uses, state);
    }

    fn assume_start(&mut self, receiver: Option<ExprId>, arguments: &[Argument], truth: bool, state: &mut State) {
        let (Some(object), Some(argument)) = (receiver, arguments.first()) else { return };
        let (value, prefix) = (self.eval(object, state), self.eval(argument.value, state));
        let texts = model::texts(&prefix);
        if !truth {
            clear(&value.from, starts(&texts.concat()), state);
            return;
        }
        let below = texts.iter().all(|text| text.ends_with('/')) && !texts.is_empty();
        if value.is_resolved && below && prefix.taint.as_ref().is_none_or(|taint| !taint.is_below) {
            clear(&value.from, Uses::PATH, state);
        }
        // A fixed host with its slash: the rest of the address cannot change where it goes.
        if !texts.is_empty() && texts.iter().all(|text| model::has_fixed_host(text)) {
            clear(&value.from, Uses::URL, state);
        }
    }
}

/// What a text is fit for that starts with none of these characters.
fn starts(characters: &str) -> Uses {
    let mut uses = Uses::NONE;
    if characters.contains('-') {
        uses = uses.with(Uses::ARGUMENT);
    }
    if ['=', '+', '-', '@'].iter().all(|c| characters.contains(*c)) {
        uses = uses.with(Uses::CELL);
    }
    uses
}

fn looks_like_check(name: &str) -> bool {
    let name = name.trim_start_matches('_').to_lowercase();
    ["is_safe", "is_allowed", "is_valid", "validate", "check_", "allowed", "safe_", "is_permitted", "is_public", "verify"]
        .iter()
        .any(|start| name.starts_with(start))
}
