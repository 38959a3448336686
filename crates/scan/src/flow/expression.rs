//! Expressions: what each one's value is, and the joins and comparisons that rules look at.

use std::rc::Rc;

use super::value::{self, State, Uses, Value, either, join, merge_from};
use super::{Walker, model};
use crate::event::Event;
use crate::program::{Clause, Expr, ExprId};

impl Walker<'_> {
    /// The value of an expression; its calls and joins are shown to the rules on the way.
    pub(super) fn eval(&mut self, id: ExprId, state: &mut State) -> Value {
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
    pub(super) fn joined(&mut self, values: &[Value], line: u32, end_line: u32) -> Value {
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
    pub(super) fn filled(&mut self, format: &Value, fillers: &[Value], line: u32, end_line: u32) -> Value {
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
