//! Calls: what is called, what the rules see of it, and what comes back.

use std::rc::Rc;

use super::value::{State, Uses, Value, either, merge_from, worse};
use super::{MAX_CALLS, Walker, model};
use crate::event::{Call, Event, Given};
use crate::program::{Argument, Expr, ExprId, Function};

/// The place that keeps a parameter's checks while the name itself may be assigned anew.
fn shadow(name: &str) -> Rc<str> {
    format!("\u{b7}{name}").into()
}

impl Walker<'_> {
    pub(super) fn call(&mut self, id: ExprId, callee: ExprId, arguments: &[Argument], state: &mut State) -> Value {
        let module = self.module;
        let node = module.node(id);
        let (receiver, path) = self.callee(callee, state);
        let given: Vec<Given<'_>> = arguments
            .iter()
            .map(|argument| Given {
                name: argument.name.as_deref(),
                value: self.eval(argument.value, state),
                expr: argument.value,
                is_spread: argument.is_spread,
            })
            .collect();
        let method = path.rsplit('.').next().unwrap_or(&path).to_owned();
        let call = Call { path: &path, method: &method, receiver: receiver.as_ref(), arguments: &given, end_line: node.end_line };
        if self.quiet == 0 {
            let scene = self.scene(node.line);
            (self.see)(&Event::Call { scene: &scene, call: &call });
        }
        self.note_effects(callee, &call, state);
        if let Some(function) = self.followed(callee, receiver.as_ref()) {
            return self.follow(&function, &given, state);
        }
        if matches!(method.as_str(), "format" | "format_map")
            && let Some(format) = receiver.as_ref().filter(|receiver| receiver.text.is_some())
        {
            let fillers: Vec<Value> = given.iter().map(|given| given.value.clone()).collect();
            return self.filled(format, &fillers, node.line, node.end_line);
        }
        if let ("join", Some(receiver), [parts]) = (method.as_str(), receiver.as_ref(), given.as_slice())
            && receiver.text.is_some()
            && !path.ends_with("path.join")
        {
            return self.text_of_parts(receiver, &parts.value, node.line);
        }
        let mut value = model::result(&call, node.line);
        if path.len() < 120 && value.made.is_none() {
            value.made = Some(format!("{path}()").into());
        }
        value
    }

    /// `separator.join(parts)`: a text of all parts.
    fn text_of_parts(&mut self, separator: &Value, parts: &Value, line: u32) -> Value {
        let pieces = match &parts.items {
            Some(items) => items.iter().flat_map(|item| [separator.clone(), item.clone()]).skip(1).collect::<Vec<_>>(),
            None => vec![Value { items: None, ..parts.clone() }],
        };
        let all_constant = pieces.iter().all(|piece| piece.taint.is_none());
        let mut made = super::value::join(&pieces, line);
        if let Some(taint) = made.taint.as_mut().filter(|_| parts.items.is_none()) {
            // The parts were joined where they were made, if at all.
            taint.joined_at = parts.taint.as_ref().and_then(|taint| taint.joined_at);
        }
        made.from = if all_constant { Rc::from([]) } else { merge_from(&pieces) };
        made
    }

    /// The receiver's value and the dotted path of what is called.
    fn callee(&mut self, callee: ExprId, state: &mut State) -> (Option<Value>, String) {
        match self.module.expr(callee) {
            Expr::Attribute(object, name) => {
                let value = self.eval(*object, state);
                let path = match &value.made {
                    Some(made) => format!("{made}.{name}"),
                    None => format!("?.{name}"),
                };
                (Some(value), path)
            }
            Expr::Name(name) => {
                let known = state.get(name).or_else(|| self.globals.get(name)).and_then(|value| value.made.clone());
                let path = known.unwrap_or_else(|| self.module.imports.get(name).unwrap_or(name).clone());
                (None, path.to_string())
            }
            _ => {
                let value = self.eval(callee, state);
                (None, value.made.map_or_else(|| "?".to_owned(), |made| made.to_string()))
            }
        }
    }

    /// What a call does to the places it is called on or with.
    fn note_effects(&mut self, callee: ExprId, call: &Call<'_>, state: &mut State) {
        let Expr::Attribute(object, _) = self.module.expr(callee) else { return };
        match call.method {
            // A list that tainted parts go into is tainted.
            "append" | "add" | "extend" | "insert" | "update" | "setdefault" | "write" | "appendleft" => {
                let Some(place) = self.module.dotted(*object) else { return };
                let added = call.arguments.iter().fold(None, |known, given| worse(known.as_ref(), given.value.taint.as_ref()));
                if let Some(known) = state.get_mut(&*place) {
                    known.taint = worse(known.taint.as_ref(), added.as_ref());
                    known.items = None;
                }
            }
            // Raises unless the path lies below.
            "relative_to" if call.receiver.is_some_and(|receiver| receiver.is_resolved) => {
                let from = call.receiver.map(|receiver| Rc::clone(&receiver.from)).unwrap_or_default();
                clear(&from, Uses::PATH, state);
            }
            "verify" if call.path.contains("hmac") || call.path.contains("key") || call.path.starts_with("?.") => {
                authenticate(state)
            }
            "visit" => {
                // A visitor of the syntax tree raises on what it does not know.
                for given in call.arguments {
                    clear(&given.value.from, Uses::CODE, state);
                }
            }
            _ => {}
        }
    }

    /// The function of this file that a call reaches.
    fn followed(&self, callee: ExprId, receiver: Option<&Value>) -> Option<Rc<Function>> {
        let found = match self.module.expr(callee) {
            Expr::Name(name) => self.functions.get(name),
            Expr::Attribute(object, name) => {
                let own = matches!(self.module.expr(*object), Expr::Name(base) if matches!(&**base, "self" | "cls"));
                let class = if own {
                    self.frames.last()?.function.as_ref()?.class.as_deref()?
                } else {
                    let made = receiver?.made.as_deref()?;
                    made.strip_suffix("()").unwrap_or(made)
                };
                self.functions.get(format!("{class}.{name}").as_str())
            }
            _ => None,
        }?;
        let in_progress = self
            .frames
            .iter()
            .filter(|frame| frame.function.as_ref().is_some_and(|function| Rc::ptr_eq(function, found)))
            .count();
        (in_progress == 0 && self.frames.len() <= MAX_CALLS + 1).then(|| Rc::clone(found))
    }

    /// Binds arguments to parameters; each also to a shadow place that keeps what is checked of it.
    fn bind(&mut self, function: &Function, given: &[Given<'_>]) -> (State, Vec<(Rc<str>, Value)>) {
        let mut state = State::new();
        let mut bound = Vec::new();
        let mut positional = given.iter().filter(|given| given.name.is_none() && !given.is_spread);
        let spread =
            given.iter().filter(|given| given.is_spread).fold(Value::default(), |known, given| either(&known, &given.value));
        let skip = usize::from(
            function.class.is_some() && function.parameters.first().is_some_and(|first| matches!(&*first.name, "self" | "cls")),
        );
        for parameter in function.parameters.iter().skip(skip) {
            let by_name = given.iter().find(|given| given.name == Some(&*parameter.name));
            let value = match by_name.or_else(|| positional.next()) {
                Some(given) => given.value.clone(),
                None if spread.taint.is_some() => spread.clone(),
                None => parameter.default.and_then(|default| self.module.text(default)).map(Value::constant).unwrap_or_default(),
            };
            let inner = Value { from: Rc::from([(shadow(&parameter.name), Uses::ALL)]), condition: None, ..value.clone() };
            state.insert(Rc::clone(&parameter.name), inner.clone());
            state.insert(shadow(&parameter.name), Value { from: Rc::from([]), ..inner });
            bound.push((Rc::clone(&parameter.name), value));
        }
        (state, bound)
    }

    /// Follows a call: the value that comes back, and the checks that the arguments went through.
    fn follow(&mut self, function: &Rc<Function>, given: &[Given<'_>], state: &mut State) -> Value {
        let (inner, bound) = self.bind(function, given);
        self.pay(inner.len() * 4);
        let frame = self.run(function, inner);
        let mut out: Option<Value> = None;
        for (_, value, _) in frame.returns.iter().filter(|(expr, _, _)| expr.is_some()) {
            let mut value = value.clone();
            let mut from: Vec<(Rc<str>, Uses)> = Vec::new();
            for (place, uses) in value.from.iter() {
                let argument = bound.iter().find(|(name, _)| *place == shadow(name));
                from.extend(argument.iter().flat_map(|(_, argument)| argument.derived(*uses).to_vec()));
            }
            value.from = from.into();
            value.condition = None;
            out = Some(out.map_or_else(|| value.clone(), |known| either(&known, &value)));
        }
        for (name, argument) in &bound {
            let gained = checked(&frame.returns.iter().map(|(_, _, state)| state).collect::<Vec<_>>(), name);
            clear(&argument.from, gained, state);
        }
        out.unwrap_or_default()
    }

    /// What a truthy (or falsy) result of a function of this file says about its arguments.
    pub(super) fn implied(&mut self, callee: ExprId, arguments: &[Argument], truth: bool, state: &mut State) -> bool {
        let receiver = match self.module.expr(callee) {
            Expr::Attribute(object, _) => Some(self.eval(*object, state)),
            _ => None,
        };
        let Some(function) = self.followed(callee, receiver.as_ref()) else { return false };
        let given: Vec<Given<'_>> = arguments
            .iter()
            .map(|argument| Given {
                name: argument.name.as_deref(),
                value: self.eval(argument.value, state),
                expr: argument.value,
                is_spread: argument.is_spread,
            })
            .collect();
        let (inner, bound) = self.bind(&function, &given);
        let frame = self.run(&function, inner);
        self.frames.push(super::Frame {
            function: Some(Rc::clone(&function)),
            returns: Vec::new(),
            breaks: Vec::new(),
            target: None,
        });
        let mut ends = Vec::new();
        for (expr, _, mut end) in frame.returns {
            match expr.map(|expr| self.module.expr(expr)) {
                Some(Expr::Bool(value)) if *value != truth => continue,
                Some(Expr::None) | None if truth => continue,
                _ => {}
            }
            if let Some(expr) = expr {
                self.assume(expr, truth, &mut end, 1);
            }
            ends.push(end);
        }
        self.frames.pop();
        for (name, argument) in &bound {
            let gained = checked(&ends.iter().collect::<Vec<_>>(), name);
            clear(&argument.from, gained, state);
        }
        true
    }
}

/// The uses that a parameter was found fit for on every way out.
fn checked(ends: &[&State], name: &str) -> Uses {
    let shadow = shadow(name);
    let mut ends = ends.iter().filter_map(|state| state.get(&shadow)?.taint.as_ref().map(|taint| taint.fit));
    let Some(first) = ends.next() else { return Uses::NONE };
    ends.fold(first, Uses::and)
}

/// Marks places fit for uses, as far as each lets them through.
pub(super) fn clear(from: &[(Rc<str>, Uses)], uses: Uses, state: &mut State) {
    for (place, through) in from {
        if let Some(taint) = state.get_mut(place).and_then(|value| value.taint.as_mut()) {
            taint.fit = taint.fit.with(uses.and(*through));
        }
    }
}

/// After a signature was checked, what was signed is our own.
pub(super) fn authenticate(state: &mut State) {
    for value in state.values_mut() {
        if let Some(taint) = &mut value.taint {
            taint.fit = taint.fit.with(Uses::OBJECT);
        }
    }
}
