//! Walks a program statement by statement, follows where values come from, and shows each event to the rules.
//!
//! Flow-sensitive inside a function; calls to functions of the same file are followed to a small depth with their actual values, so
//! that a check or a join in a helper counts. Parameters of functions that nobody in the file calls are sources: a function that a
//! model wrote is called by someone, and no framework is there to say so. Work is bounded by a budget that grows with the length of
//! the program; when it runs out the file counts as partial.

mod call;
mod expression;
mod guard;
pub(crate) mod model;
mod pattern;
pub(crate) mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::event::{Event, Scene};
use crate::program::{Action, Class, Expr, ExprId, Function, Module, Stmt};
use value::{Entry, State, Uses, Value, either_state};

/// How deep calls within the file are followed.
const MAX_CALLS: usize = 4;
/// How deep statements and expressions are followed, over all calls in progress.
const MAX_NESTING: u32 = 150;

/// Shows the events of a module to `see`; returns whether all of it was walked.
pub(crate) fn walk(module: &Module, see: &mut dyn FnMut(&Event<'_>)) -> bool {
    let budget = 200_000 + 60 * module.exprs.len() as i64;
    let mut walker = Walker {
        module,
        see,
        functions: BTreeMap::new(),
        classes: BTreeMap::new(),
        called: BTreeSet::new(),
        globals: State::new(),
        frames: Vec::new(),
        quiet: 0,
        nesting: 0,
        budget,
        is_whole: true,
        walked: BTreeSet::new(),
    };
    walker.index(&module.body, None);
    walker.walk_module();
    walker.is_whole
}

/// One call in progress.
struct Frame {
    function: Option<Rc<Function>>,
    /// What each `return` gives, and the state there.
    returns: Vec<(Option<ExprId>, Value, State)>,
    breaks: Vec<State>,
    /// The name that the value being made is assigned to.
    target: Option<Rc<str>>,
}

struct Walker<'a> {
    module: &'a Module,
    see: &'a mut dyn FnMut(&Event<'_>),
    functions: BTreeMap<Rc<str>, Rc<Function>>,
    classes: BTreeMap<Rc<str>, Rc<Class>>,
    /// Names of functions and methods that some other function of the file calls.
    called: BTreeSet<Rc<str>>,
    globals: State,
    frames: Vec<Frame>,
    quiet: u32,
    nesting: u32,
    budget: i64,
    is_whole: bool,
    walked: BTreeSet<(Rc<str>, u32)>,
}

/// Where control goes after some statements: on with a state, or not at all.
type Onward = Option<State>;

impl<'a> Walker<'a> {
    /// Collects functions and classes, methods as `Class.name`.
    fn index(&mut self, body: &[Stmt], class: Option<&Rc<str>>) {
        for stmt in body {
            match &stmt.action {
                Action::Function(function) => {
                    let name =
                        class.map_or_else(|| Rc::clone(&function.name), |class| format!("{class}.{}", function.name).into());
                    self.functions.insert(name, Rc::clone(function));
                    self.index(&function.body, None);
                }
                Action::Class(found) => {
                    self.classes.insert(Rc::clone(&found.name), Rc::clone(found));
                    self.index(&found.body, Some(&found.name));
                }
                _ => self.index_inner(&stmt.action, class),
            }
        }
    }

    fn index_inner(&mut self, action: &Action, class: Option<&Rc<str>>) {
        match action {
            Action::If(_, a, b) | Action::For(_, _, a, b) | Action::While(_, a, b) => {
                self.index(a, class);
                self.index(b, class);
            }
            Action::Try { body, handlers, otherwise, finally } => {
                for block in [body, otherwise, finally].into_iter().chain(handlers) {
                    self.index(block, class);
                }
            }
            Action::With(_, body) => self.index(body, class),
            Action::Maybe(blocks) => blocks.iter().for_each(|block| self.index(block, class)),
            _ => {}
        }
    }

    fn walk_module(&mut self) {
        self.find_calls();
        self.frames.push(Frame { function: None, returns: Vec::new(), breaks: Vec::new(), target: None });
        let end = self.block(&self.module.body, State::new());
        self.globals = end.unwrap_or_default();
        self.frames.pop();
        self.remember_fields();
        let functions: Vec<(Rc<str>, Rc<Function>)> =
            self.functions.iter().map(|(name, function)| (Rc::clone(name), Rc::clone(function))).collect();
        for (_, function) in &functions {
            if self.is_entry(function) {
                self.enter(function);
            }
        }
        // What only unreached code calls is entered too: nothing is skipped.
        for (_, function) in &functions {
            if !self.walked.contains(&(Rc::clone(&function.name), function.line)) {
                self.enter(function);
            }
        }
    }

    /// Notes which functions other functions call; calls from `main`, tests and demonstrations do not count, since their constant
    /// arguments say nothing of what others pass.
    fn find_calls(&mut self) {
        let functions: Vec<Rc<Function>> = self.functions.values().cloned().collect();
        let mut spans: Vec<(u32, u32, Rc<Function>)> = functions
            .iter()
            .map(|function| (function.line, last_line(&function.body, function.line), Rc::clone(function)))
            .collect();
        spans.sort_by_key(|(start, _, _)| *start);
        for node in &self.module.exprs {
            let Expr::Call(callee, _) = &node.expr else { continue };
            let name = match self.module.expr(*callee) {
                Expr::Name(name) => name,
                Expr::Attribute(object, name) if matches!(self.module.expr(*object), Expr::Name(base) if &**base == "self" || &**base == "cls") => {
                    name
                }
                _ => continue,
            };
            let before = spans.partition_point(|(start, _, _)| *start <= node.line);
            let caller = spans.get(..before).unwrap_or_default().iter().rev().take(8).find(|(_, end, _)| *end >= node.line);
            let counts = caller.is_some_and(|(_, _, caller)| {
                let plain = caller.name.to_ascii_lowercase();
                &caller.name != name
                    && !["main", "test", "demo", "example", "run_example"]
                        .iter()
                        .any(|start| plain.trim_start_matches('_').starts_with(start))
            });
            if counts {
                self.called.insert(Rc::clone(name));
            }
        }
    }

    fn is_entry(&self, function: &Function) -> bool {
        !self.called.contains(&function.name) || !function.decorators.is_empty() || &*function.name == "__init__"
    }

    /// What constructors keep is configuration: known by its maker and text, not tainted.
    fn remember_fields(&mut self) {
        let classes: Vec<Rc<Class>> = self.classes.values().cloned().collect();
        for class in classes {
            let Some(init) = self.functions.get(&*format!("{}.__init__", class.name)).cloned() else { continue };
            self.quiet += 1;
            let state = init.parameters.iter().map(|parameter| (Rc::clone(&parameter.name), Value::default())).collect();
            self.frames.push(Frame { function: Some(Rc::clone(&init)), returns: Vec::new(), breaks: Vec::new(), target: None });
            let end = self.block(&init.body, state).unwrap_or_default();
            self.frames.pop();
            self.quiet -= 1;
            for (place, value) in end {
                if place.starts_with("self.") {
                    self.globals.insert(format!("{}:{place}", class.name).into(), value);
                }
            }
        }
    }

    /// Walks a function as others may call it.
    fn enter(&mut self, function: &Rc<Function>) {
        let mut state = State::new();
        for parameter in &function.parameters {
            let is_open = model::is_open(&parameter.name, parameter.annotation.as_deref());
            let mut value =
                if is_open { Value::tainted(Entry::Parameter, &parameter.name, parameter.line) } else { Value::default() };
            value.condition = None;
            state.insert(Rc::clone(&parameter.name), value);
        }
        self.run(function, state);
    }

    /// Walks a function's body in a frame of its own and returns the frame with its end among the returns.
    fn run(&mut self, function: &Rc<Function>, state: State) -> Frame {
        self.walked.insert((Rc::clone(&function.name), function.line));
        self.frames.push(Frame { function: Some(Rc::clone(function)), returns: Vec::new(), breaks: Vec::new(), target: None });
        if self.quiet == 0 {
            let scene = self.scene(function.line);
            (self.see)(&Event::Function { scene: &scene, function });
        }
        let end = self.block(&function.body, state);
        let mut frame =
            self.frames.pop().unwrap_or(Frame { function: None, returns: Vec::new(), breaks: Vec::new(), target: None });
        if let Some(state) = end {
            frame.returns.push((None, Value::default(), state));
        }
        frame
    }

    fn scene(&self, line: u32) -> Scene<'a> {
        let frame = self.frames.last();
        Scene {
            module: self.module,
            function: frame.and_then(|frame| frame.function.clone()),
            target: frame.and_then(|frame| frame.target.clone()),
            line,
        }
    }

    /// Pays for work; false when the budget is spent.
    fn pay(&mut self, cost: usize) -> bool {
        self.budget -= i64::try_from(cost).unwrap_or(i64::MAX / 2);
        if self.budget <= 0 || self.nesting > MAX_NESTING {
            self.is_whole = false;
            return false;
        }
        true
    }

    fn block(&mut self, body: &[Stmt], state: State) -> Onward {
        let mut state = state;
        for stmt in body {
            self.nesting += 1;
            let onward = if self.pay(1) { self.statement(stmt, state) } else { Some(state) };
            self.nesting -= 1;
            state = onward?;
        }
        Some(state)
    }

    fn statement(&mut self, stmt: &Stmt, mut state: State) -> Onward {
        match &stmt.action {
            Action::Expr(expr) => {
                self.eval(*expr, &mut state);
                Some(state)
            }
            Action::Assign(targets, value) => {
                self.assign_all(targets, *value, &mut state);
                Some(state)
            }
            Action::Extend(target, value) => {
                let old = self.eval(*target, &mut state);
                let added = self.eval(*value, &mut state);
                let line = self.module.node(*value).line;
                let both = self.joined(&[old, added], line, line);
                self.assign(*target, both, &mut state);
                Some(state)
            }
            Action::If(condition, yes, no) => self.branch(*condition, yes, no, state, stmt.line),
            Action::For(target, iterable, body, otherwise) => {
                let items = self.eval(*iterable, &mut state);
                self.repeat(Some((*target, items)), None, body, otherwise, state)
            }
            Action::While(condition, body, otherwise) => self.repeat(None, Some(*condition), body, otherwise, state),
            Action::Try { body, handlers, otherwise, finally } => self.attempt(body, handlers, otherwise, finally, state),
            Action::With(items, body) => {
                for (value, target) in items {
                    let opened = self.eval(*value, &mut state);
                    if let Some(target) = target {
                        self.assign(*target, opened, &mut state);
                    }
                }
                self.block(body, state)
            }
            Action::Return(value) => {
                let given = value.map(|value| self.eval(value, &mut state)).unwrap_or_default();
                if let Some(frame) = self.frames.last_mut() {
                    frame.returns.push((*value, given, state));
                }
                None
            }
            Action::Raise(parts) => {
                for part in parts {
                    self.eval(*part, &mut state);
                }
                None
            }
            Action::Break => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.breaks.push(state);
                }
                None
            }
            // What held before a `continue` is part of the next turn; the turn's end alone stands for all of them.
            Action::Continue => None,
            Action::Assert(condition) => {
                self.eval(*condition, &mut state);
                self.assume(*condition, true, &mut state, 0);
                Some(state)
            }
            Action::Function(function) => {
                self.define(function, &state);
                Some(state)
            }
            Action::Class(class) => Some(self.class(class, state)),
            Action::Maybe(blocks) => {
                let mut out = state.clone();
                for block in blocks {
                    self.pay(state.len());
                    if let Some(end) = self.block(block, state.clone()) {
                        out = either_state(out, end);
                    }
                }
                Some(out)
            }
        }
    }

    fn assign_all(&mut self, targets: &[ExprId], value: ExprId, state: &mut State) {
        let name = targets.first().and_then(|target| self.module.dotted(*target));
        let outer = self.frames.last_mut().and_then(|frame| std::mem::replace(&mut frame.target, name.as_deref().map(Rc::from)));
        let mut made = self.eval(value, state);
        if matches!(self.module.expr(value), Expr::Call(..) | Expr::Compare(..) | Expr::Not(_) | Expr::And(_) | Expr::Or(_)) {
            made.condition = Some(value);
        }
        if self.quiet == 0 {
            let scene = self.scene(self.module.node(value).line);
            for target in targets {
                (self.see)(&Event::Assign { scene: &scene, target: *target, expr: value });
            }
        }
        if let Some(frame) = self.frames.last_mut() {
            frame.target = outer;
        }
        for target in targets {
            self.assign(*target, made.clone(), state);
        }
    }

    fn assign(&mut self, target: ExprId, value: Value, state: &mut State) {
        match self.module.expr(target) {
            Expr::Name(name) => {
                let name = Rc::clone(name);
                // A place that derives from itself (`x = x.strip()`) keeps its deeper origins only.
                let from = value.from.iter().filter(|(place, _)| *place != name).cloned().collect();
                state.insert(name, Value { from, ..value });
            }
            Expr::Attribute(..) => {
                if let Some(place) = self.module.dotted(target) {
                    state.insert(place.into(), value);
                }
            }
            Expr::Index(object, _) => {
                if let Some(place) = self.module.dotted(*object) {
                    let old = state.get(&*place).cloned().unwrap_or_default();
                    let both = Value { taint: value::worse(old.taint.as_ref(), value.taint.as_ref()), ..old };
                    state.insert(place.into(), both);
                }
            }
            Expr::Items(targets) => {
                let items = value.items.clone();
                for (index, part) in targets.iter().enumerate() {
                    let known = items.as_ref().and_then(|items| items.get(index).cloned());
                    let piece = known.unwrap_or_else(|| model::element(&value));
                    self.assign(*part, piece, state);
                }
            }
            Expr::Spread(inner) => self.assign(*inner, value, state),
            _ => {}
        }
    }

    fn branch(&mut self, condition: ExprId, yes: &[Stmt], no: &[Stmt], mut state: State, line: u32) -> Onward {
        self.eval(condition, &mut state);
        if self.quiet == 0 {
            let scene = self.scene(line);
            (self.see)(&Event::Branch { scene: &scene, condition, yes });
        }
        self.pay(2 * state.len());
        let mut other = state.clone();
        self.assume(condition, true, &mut state, 0);
        self.assume(condition, false, &mut other, 0);
        match (self.block(yes, state), self.block(no, other)) {
            (Some(a), Some(b)) => Some(either_state(a, b)),
            (one, another) => one.or(another),
        }
    }

    /// A loop: its body is walked twice, so that what one turn makes reaches the next.
    fn repeat(
        &mut self,
        each: Option<(ExprId, Value)>,
        condition: Option<ExprId>,
        body: &[Stmt],
        otherwise: &[Stmt],
        mut state: State,
    ) -> Onward {
        let outer = self.frames.last_mut().map(|frame| std::mem::take(&mut frame.breaks)).unwrap_or_default();
        for turn in 0..2 {
            if turn == 1 && self.nesting > 60 {
                break;
            }
            self.pay(2 * state.len());
            let mut inside = state.clone();
            if let Some((target, items)) = &each {
                self.assign(*target, model::element(items), &mut inside);
            }
            if let Some(condition) = condition {
                self.eval(condition, &mut inside);
                self.assume(condition, true, &mut inside, 0);
            }
            let Some(end) = self.block(body, inside) else { break };
            // Checks made for every item hold for the whole: a loop that raises on a bad one is a check.
            let checked: Vec<(Rc<str>, Uses)> = end
                .iter()
                .filter_map(|(place, value)| {
                    let before = state.get(place)?.taint.as_ref()?;
                    let after = value.taint.as_ref()?;
                    (before.source == after.source).then(|| (Rc::clone(place), after.fit))
                })
                .collect();
            state = either_state(state, end);
            for (place, fit) in checked {
                if let Some(taint) = state.get_mut(&place).and_then(|value| value.taint.as_mut()) {
                    taint.fit = taint.fit.with(fit);
                }
            }
        }
        let breaks = self.frames.last_mut().map(|frame| std::mem::replace(&mut frame.breaks, outer)).unwrap_or_default();
        if let Some(condition) = condition {
            self.assume(condition, false, &mut state, 0);
        }
        let is_endless = condition.is_some_and(|condition| matches!(self.module.expr(condition), Expr::Bool(true)));
        let mut onward = if is_endless && !breaks.is_empty() { None } else { self.block(otherwise, state) };
        for exit in breaks {
            onward = Some(match onward {
                Some(state) => either_state(state, exit),
                None => exit,
            });
        }
        onward
    }

    fn attempt(&mut self, body: &[Stmt], handlers: &[Vec<Stmt>], otherwise: &[Stmt], finally: &[Stmt], state: State) -> Onward {
        self.pay(2 * state.len());
        let before = state.clone();
        let tried = self.block(body, state);
        // An exception may come before or after any assignment of the body.
        let caught = tried.clone().map_or_else(|| before.clone(), |end| either_state(before.clone(), end));
        let mut onward = tried.and_then(|end| self.block(otherwise, end));
        for handler in handlers {
            if let Some(end) = self.block(handler, caught.clone()) {
                onward = Some(match onward {
                    Some(state) => either_state(state, end),
                    None => end,
                });
            }
        }
        match onward {
            Some(state) => self.block(finally, state),
            None => {
                self.block(finally, caught);
                None
            }
        }
    }

    /// A function inside another is called by name with what surrounds it, or from outside if it is decorated or never called.
    fn define(&mut self, function: &Rc<Function>, state: &State) {
        if self.frames.len() < 2 {
            return;
        }
        if self.is_entry(function) && !self.walked.contains(&(Rc::clone(&function.name), function.line)) {
            let mut inner = state.clone();
            self.pay(inner.len());
            for parameter in &function.parameters {
                let is_open = model::is_open(&parameter.name, parameter.annotation.as_deref());
                let value =
                    if is_open { Value::tainted(Entry::Parameter, &parameter.name, parameter.line) } else { Value::default() };
                inner.insert(Rc::clone(&parameter.name), value);
            }
            self.run(function, inner);
        }
    }

    fn class(&mut self, class: &Rc<Class>, mut state: State) -> State {
        let inner = self.block(&class.body, State::new()).unwrap_or_default();
        for (name, value) in inner {
            state.insert(format!("{}:self.{name}", class.name).into(), value.clone());
            state.insert(format!("{}.{name}", class.name).into(), value);
        }
        state
    }
}

/// The last line of a block of statements.
pub(crate) fn last_line(body: &[Stmt], start: u32) -> u32 {
    let mut last = start;
    let mut open: Vec<&[Stmt]> = vec![body];
    while let Some(block) = open.pop() {
        for stmt in block {
            last = last.max(stmt.line);
            match &stmt.action {
                Action::If(_, a, b) | Action::For(_, _, a, b) | Action::While(_, a, b) => {
                    open.extend([a.as_slice(), b.as_slice()])
                }
                Action::Try { body, handlers, otherwise, finally } => {
                    open.extend([body.as_slice(), otherwise.as_slice(), finally.as_slice()]);
                    open.extend(handlers.iter().map(Vec::as_slice));
                }
                Action::With(_, body) => open.push(body),
                Action::Maybe(blocks) => open.extend(blocks.iter().map(Vec::as_slice)),
                Action::Function(function) => open.push(&function.body),
                Action::Class(class) => open.push(&class.body),
                _ => {}
            }
        }
    }
    // A statement may span lines; the last one's own end is close enough to tell which function a call stands in.
    last + 3
}

#[cfg(test)]
mod tests;
