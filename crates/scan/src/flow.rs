//! Walks a program statement by statement, follows where values come from, and shows each event to the rules.
//!
//! Flow-sensitive inside a function; calls to functions of the same file are followed to a small depth with their actual values, so
//! that a check or a join in a helper counts. Parameters of functions that nobody in the file calls are sources: a function that a
//! model wrote is called by someone, and no framework is there to say so. Work is bounded by a budget that grows with the length of
//! the program; when it runs out the file counts as partial.

mod call;
mod guard;
pub(crate) mod model;
mod pattern;
pub(crate) mod value;

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::event::{Event, Scene};
use crate::program::{Action, Class, Clause, Expr, ExprId, Function, Module, Stmt};
use value::{Entry, State, Uses, Value, either, either_state, join, merge_from};

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

    /// The value of an expression; its calls and joins are shown to the rules on the way.
    fn eval(&mut self, id: ExprId, state: &mut State) -> Value {
        self.nesting += 1;
        let value = if self.pay(1) { self.eval_inner(id, state) } else { Value::default() };
        self.nesting -= 1;
        value
    }

    fn eval_inner(&mut self, id: ExprId, state: &mut State) -> Value {
        let module = self.module;
        let node = module.node(id);
        match &node.expr {
            Expr::Name(name) => self.name(name, state),
            Expr::Attribute(object, name) => self.attribute(id, *object, name, state),
            Expr::Call(callee, arguments) => self.call(id, *callee, arguments, state),
            Expr::Text(text) => Value::constant(text),
            Expr::Number(_) => Value::constant("0"),
            Expr::Bool(_) | Expr::None => Value::default(),
            Expr::Join(parts) | Expr::Add(parts) => {
                let values: Vec<Value> = parts.iter().map(|part| self.eval(*part, state)).collect();
                self.joined(&values, node.line, node.end_line)
            }
            Expr::Mod(left, right) => {
                let format = self.eval(*left, state);
                let filled = self.eval(*right, state);
                self.filled(&format, &[filled], node.line, node.end_line)
            }
            Expr::Div(left, right) => {
                let parts = [self.eval(*left, state), self.eval(*right, state)];
                let mut below = join(&[parts[0].clone(), Value::constant("/"), parts[1].clone()], node.line);
                // A first part that is tainted itself is the folder the caller chose.
                if parts[1].taint.is_none() {
                    below.taint = parts[0].taint.clone();
                }
                below.made = Some("pathlib.Path()".into());
                below.from = merge_from([
                    &Value { from: parts[1].derived(Uses::PATH), ..Value::default() },
                    &Value { from: parts[0].derived(Uses::NONE), ..Value::default() },
                ]);
                below
            }
            Expr::And(parts) | Expr::Or(parts) => self.logic(parts, matches!(node.expr, Expr::And(_)), state),
            Expr::Not(inner) => {
                self.eval(*inner, state);
                Value::default()
            }
            Expr::Compare(first, rest) => {
                let left = self.eval(*first, state);
                for (how, right) in rest {
                    let value = self.eval(*right, state);
                    if self.quiet == 0 {
                        let scene = self.scene(node.line);
                        (self.see)(&Event::Compare {
                            scene: &scene,
                            how: *how,
                            left: *first,
                            left_value: &left,
                            right: *right,
                            right_value: &value,
                        });
                    }
                }
                Value::default()
            }
            Expr::Index(object, index) => {
                let value = self.eval(*object, state);
                self.eval(*index, state);
                let item = match (&value.items, module.expr(*index)) {
                    (Some(items), Expr::Number(number)) => number.parse::<usize>().ok().and_then(|at| items.get(at).cloned()),
                    _ => None,
                };
                item.unwrap_or_else(|| Value { from: model::part_of(&value), items: None, text: None, made: None, ..value })
            }
            Expr::Items(parts) => {
                let values: Vec<Value> = parts.iter().map(|part| self.eval(*part, state)).collect();
                let taint = values.iter().fold(None, |known, value| value::worse(known.as_ref(), value.taint.as_ref()));
                Value { taint, from: merge_from(&values), items: (values.len() <= 64).then(|| values.into()), ..Value::default() }
            }
            Expr::Map(pairs) => {
                let mut values = Vec::new();
                for (key, value) in pairs {
                    if let Some(key) = key {
                        self.eval(*key, state);
                    }
                    values.push(self.eval(*value, state));
                }
                Value {
                    taint: values.iter().fold(None, |known, value| value::worse(known.as_ref(), value.taint.as_ref())),
                    ..Value::default()
                }
            }
            Expr::Lambda(parameters, body) => {
                let mut inner = state.clone();
                self.pay(inner.len());
                for parameter in parameters {
                    inner.insert(Rc::clone(&parameter.name), Value::default());
                }
                self.eval(*body, &mut inner);
                Value::default()
            }
            Expr::Choice { condition, yes, no } => {
                self.eval(*condition, state);
                self.pay(2 * state.len());
                let (mut left, mut right) = (state.clone(), state.clone());
                self.assume(*condition, true, &mut left, 0);
                self.assume(*condition, false, &mut right, 0);
                let (a, b) = (self.eval(*yes, &mut left), self.eval(*no, &mut right));
                either(&a, &b)
            }
            Expr::Comprehension { element, clauses } => self.comprehension(*element, clauses, state),
            Expr::Spread(inner) => self.eval(*inner, state),
            Expr::Walrus(target, value) => {
                self.assign_all(&[*target], *value, state);
                self.eval(*target, state)
            }
            Expr::Opaque(parts) => {
                let values: Vec<Value> = parts.iter().map(|part| self.eval(*part, state)).collect();
                Value {
                    taint: values.iter().fold(None, |known, value| value::worse(known.as_ref(), value.taint.as_ref())),
                    from: merge_from(&values),
                    ..Value::default()
                }
            }
        }
    }

    /// `a and b`: what stands after holds only where what stands before does.
    fn logic(&mut self, parts: &[ExprId], is_and: bool, state: &mut State) -> Value {
        self.pay(state.len());
        let mut inner = state.clone();
        let mut out: Option<Value> = None;
        for part in parts {
            let value = self.eval(*part, &mut inner);
            self.assume(*part, is_and, &mut inner, 0);
            out = Some(out.map_or_else(|| value.clone(), |known| either(&known, &value)));
        }
        out.unwrap_or_default()
    }

    fn comprehension(&mut self, element: ExprId, clauses: &[Clause], state: &mut State) -> Value {
        self.pay(state.len());
        let mut inner = state.clone();
        for clause in clauses {
            let items = self.eval(clause.iterable, &mut inner);
            self.assign(clause.target, model::element(&items), &mut inner);
            for condition in &clause.conditions {
                self.eval(*condition, &mut inner);
                self.assume(*condition, true, &mut inner, 0);
            }
        }
        let value = self.eval(element, &mut inner);
        Value { items: None, made: None, ..value }
    }

    fn name(&self, name: &Rc<str>, state: &State) -> Value {
        let known = state.get(name).or_else(|| self.globals.get(name));
        match known {
            Some(value) => {
                let own = Value { from: Rc::from([(Rc::clone(name), Uses::ALL)]), ..Value::default() };
                Value { from: merge_from([&own, value]), ..value.clone() }
            }
            None => Value { made: Some(self.module.imports.get(name).unwrap_or(name).clone()), ..Value::default() },
        }
    }

    fn attribute(&mut self, id: ExprId, object: ExprId, name: &Rc<str>, state: &mut State) -> Value {
        let dotted = self.module.dotted(id);
        if let Some(place) = &dotted {
            let class = self.frames.last().and_then(|frame| frame.function.as_ref()).and_then(|function| function.class.clone());
            let field = class.as_ref().map(|class| format!("{class}:{place}"));
            let known = state
                .get(place.as_str())
                .or_else(|| field.and_then(|field| self.globals.get(field.as_str())))
                .or_else(|| self.globals.get(place.as_str()));
            if let Some(value) = known {
                let own = Value { from: Rc::from([(Rc::from(place.as_str()), Uses::ALL)]), ..Value::default() };
                return Value { from: merge_from([&own, value]), ..value.clone() };
            }
            let serves = class.is_some_and(|class| self.is_handler(&class));
            if let Some(value) = model::source(place, serves, self.module.node(id).line) {
                return value;
            }
        }
        let value = self.eval(object, state);
        model::attribute(&value, name, dotted.as_deref())
    }

    /// Whether a class answers requests: its bases say so.
    fn is_handler(&self, class: &str) -> bool {
        self.classes.get(class).is_some_and(|class| {
            class.bases.iter().any(|base| {
                self.module.dotted(*base).is_some_and(|base| {
                    base.ends_with("RequestHandler")
                        || base.ends_with("Handler")
                        || base.ends_with("View")
                        || base.ends_with("Resource")
                })
            })
        })
    }

    /// A join of texts, shown to the rules.
    fn joined(&mut self, values: &[Value], line: u32, end_line: u32) -> Value {
        let made = join(values, line);
        let from = merge_from(
            &values
                .iter()
                .map(|value| Value { from: value.derived(Uses::PATH.with(Uses::URL)), ..Value::default() })
                .collect::<Vec<_>>(),
        );
        if self.quiet == 0 {
            let scene = self.scene(line);
            (self.see)(&Event::Join { scene: &scene, end_line, parts: values, made: &made });
        }
        Value { from, ..made }
    }

    /// A format text with its holes filled.
    fn filled(&mut self, format: &Value, fillers: &[Value], line: u32, end_line: u32) -> Value {
        let Some(text) = format.text.clone() else {
            // Without a format text this is arithmetic, or a format from elsewhere.
            let parts: Vec<Value> = std::iter::once(format.clone()).chain(fillers.iter().cloned()).collect();
            return join(&parts, line);
        };
        let pieces = model::split_format(&text);
        let flat: Vec<Value> = fillers
            .iter()
            .flat_map(|filler| filler.items.as_ref().map_or_else(|| vec![filler.clone()], |items| items.to_vec()))
            .collect();
        let mut parts = Vec::new();
        let mut next = 0_usize;
        for piece in &pieces {
            match piece {
                Some(constant) => parts.push(Value { taint: format.taint.clone(), ..Value::constant(constant) }),
                None => {
                    let all = flat.iter().fold(Value::default(), |known, value| Value {
                        taint: value::worse(known.taint.as_ref(), value.taint.as_ref()),
                        ..known
                    });
                    parts.push(if pieces.iter().filter(|piece| piece.is_none()).count() == flat.len() {
                        flat.get(next).cloned().unwrap_or(all)
                    } else {
                        all
                    });
                    next += 1;
                }
            }
        }
        self.joined(&parts, line, end_line)
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
