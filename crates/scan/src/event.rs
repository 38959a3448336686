//! What the walker shows to the rules.

use std::rc::Rc;

use crate::flow::value::Value;
use crate::program::{Comparison, ExprId, Function, Module, Stmt};

/// Where an event happens.
pub(crate) struct Scene<'a> {
    pub(crate) module: &'a Module,
    /// The function it is in, if any.
    pub(crate) function: Option<Rc<Function>>,
    /// The name that the value being made is assigned to.
    pub(crate) target: Option<Rc<str>>,
    pub(crate) line: u32,
}

impl Scene<'_> {
    /// The names around the event in lower case: function, class, target. Rules on secrets and passwords judge by them.
    pub(crate) fn names(&self) -> String {
        let function = self.function.as_ref().map(|function| function.name.to_lowercase()).unwrap_or_default();
        format!("{function} {}", self.target.as_deref().unwrap_or_default().to_lowercase())
    }
}

/// An argument of a call.
pub(crate) struct Given<'a> {
    pub(crate) name: Option<&'a str>,
    pub(crate) value: Value,
    pub(crate) expr: ExprId,
    pub(crate) is_spread: bool,
}

/// A call.
pub(crate) struct Call<'a> {
    /// Dotted path of what is called, imports resolved; `?.name` for a method of something unknown, `made().name` for a method of
    /// what a known call made.
    pub(crate) path: &'a str,
    /// The last part of the path.
    pub(crate) method: &'a str,
    pub(crate) receiver: Option<&'a Value>,
    pub(crate) arguments: &'a [Given<'a>],
    pub(crate) end_line: u32,
}

impl Call<'_> {
    /// The argument of that name, or else at that place.
    pub(crate) fn argument(&self, place: usize, name: &str) -> Option<&Given<'_>> {
        self.named(name).or_else(|| self.arguments.iter().filter(|given| given.name.is_none()).nth(place))
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Given<'_>> {
        self.arguments.iter().find(|given| given.name == Some(name))
    }

    /// Whether the call is of one of these paths.
    pub(crate) fn is(&self, paths: &[&str]) -> bool {
        paths.contains(&self.path)
    }
}

/// Something a rule may have a word on.
pub(crate) enum Event<'a> {
    Call { scene: &'a Scene<'a>, call: &'a Call<'a> },
    Join { scene: &'a Scene<'a>, end_line: u32, parts: &'a [Value], made: &'a Value },
    Assign { scene: &'a Scene<'a>, target: ExprId, expr: ExprId },
    Branch { scene: &'a Scene<'a>, condition: ExprId, yes: &'a [Stmt] },
    Compare { scene: &'a Scene<'a>, how: Comparison, left: ExprId, left_value: &'a Value, right: ExprId, right_value: &'a Value },
    Function { scene: &'a Scene<'a>, function: &'a Function },
}
