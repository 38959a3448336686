//! A program as the rules see it: expressions in one table, statements as a tree, names as written.
//!
//! The form is small on purpose: what a rule need not tell apart is one node, and what cannot be read is `Opaque`.

use std::collections::BTreeMap;
use std::rc::Rc;

/// An expression's place in [`Module::exprs`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ExprId(pub(crate) u32);

/// One source file.
#[derive(Debug, Default)]
pub(crate) struct Module {
    pub(crate) exprs: Vec<Node>,
    pub(crate) body: Vec<Stmt>,
    /// Dotted path by the name it is bound to: `sp` is `subprocess`, `run` is `subprocess.run`.
    pub(crate) imports: BTreeMap<Rc<str>, Rc<str>>,
    /// Whether parts could not be read.
    pub(crate) is_partial: bool,
    /// Stands in for an id that is not of this module.
    unread: Node,
}

/// An expression and where it stands, lines from 1.
#[derive(Debug, Default)]
pub(crate) struct Node {
    pub(crate) expr: Expr,
    pub(crate) line: u32,
    pub(crate) end_line: u32,
}

impl Module {
    pub(crate) fn add(&mut self, expr: Expr, line: u32, end_line: u32) -> ExprId {
        let id = ExprId(u32::try_from(self.exprs.len()).unwrap_or(u32::MAX));
        self.exprs.push(Node { expr, line, end_line });
        id
    }

    pub(crate) fn node(&self, id: ExprId) -> &Node {
        self.exprs.get(id.0 as usize).unwrap_or(&self.unread)
    }

    pub(crate) fn expr(&self, id: ExprId) -> &Expr {
        &self.node(id).expr
    }

    /// The dotted name of a chain of attributes, its first part looked up among the imports.
    pub(crate) fn dotted(&self, id: ExprId) -> Option<String> {
        let mut parts: Vec<&str> = Vec::new();
        let mut at = id;
        // Chains are capped so that no hostile one makes a quadratic name.
        for _ in 0..12 {
            match self.expr(at) {
                Expr::Attribute(object, name) => {
                    parts.push(name);
                    at = *object;
                }
                Expr::Name(name) => {
                    parts.push(self.imports.get(name).unwrap_or(name));
                    parts.reverse();
                    return Some(parts.join("."));
                }
                _ => return None,
            }
        }
        None
    }

    /// The text of a literal.
    pub(crate) fn text(&self, id: ExprId) -> Option<&str> {
        match self.expr(id) {
            Expr::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// A call's argument.
#[derive(Debug, Clone)]
pub(crate) struct Argument {
    pub(crate) name: Option<Rc<str>>,
    pub(crate) value: ExprId,
    pub(crate) is_spread: bool,
}

/// How two values are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Unequal,
    In,
    NotIn,
    Is,
    IsNot,
    Order,
}

/// One `for .. in .. if ..` of a comprehension.
#[derive(Debug, Clone)]
pub(crate) struct Clause {
    pub(crate) target: ExprId,
    pub(crate) iterable: ExprId,
    pub(crate) conditions: Vec<ExprId>,
}

/// An expression.
#[derive(Debug)]
pub(crate) enum Expr {
    Name(Rc<str>),
    Attribute(ExprId, Rc<str>),
    Call(ExprId, Vec<Argument>),
    Text(Rc<str>),
    Number(Rc<str>),
    Bool(bool),
    None,
    /// Parts of an interpolated text.
    Join(Vec<ExprId>),
    /// `+` of any number of operands.
    Add(Vec<ExprId>),
    Mod(ExprId, ExprId),
    Div(ExprId, ExprId),
    And(Vec<ExprId>),
    Or(Vec<ExprId>),
    Not(ExprId),
    Compare(ExprId, Vec<(Comparison, ExprId)>),
    Index(ExprId, ExprId),
    /// List, tuple or set.
    Items(Vec<ExprId>),
    Map(Vec<(Option<ExprId>, ExprId)>),
    Lambda(Vec<Parameter>, ExprId),
    Choice {
        condition: ExprId,
        yes: ExprId,
        no: ExprId,
    },
    Comprehension {
        element: ExprId,
        clauses: Vec<Clause>,
    },
    Spread(ExprId),
    Walrus(ExprId, ExprId),
    /// Anything else; the parts are still looked at.
    Opaque(Vec<ExprId>),
}

impl Default for Expr {
    fn default() -> Expr {
        Expr::Opaque(Vec::new())
    }
}

/// A parameter of a function.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    pub(crate) name: Rc<str>,
    pub(crate) annotation: Option<Rc<str>>,
    pub(crate) default: Option<ExprId>,
    pub(crate) line: u32,
}

/// A function or method.
#[derive(Debug)]
pub(crate) struct Function {
    pub(crate) name: Rc<str>,
    pub(crate) class: Option<Rc<str>>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) decorators: Vec<ExprId>,
    pub(crate) body: Vec<Stmt>,
    pub(crate) line: u32,
}

/// A class.
#[derive(Debug)]
pub(crate) struct Class {
    pub(crate) name: Rc<str>,
    pub(crate) bases: Vec<ExprId>,
    pub(crate) body: Vec<Stmt>,
}

/// A statement and its first line.
#[derive(Debug)]
pub(crate) struct Stmt {
    pub(crate) action: Action,
    pub(crate) line: u32,
}

/// What a statement does.
#[derive(Debug)]
pub(crate) enum Action {
    Expr(ExprId),
    Assign(Vec<ExprId>, ExprId),
    /// `target op= value`.
    Extend(ExprId, ExprId),
    If(ExprId, Vec<Stmt>, Vec<Stmt>),
    For(ExprId, ExprId, Vec<Stmt>, Vec<Stmt>),
    While(ExprId, Vec<Stmt>, Vec<Stmt>),
    Try {
        body: Vec<Stmt>,
        handlers: Vec<Vec<Stmt>>,
        otherwise: Vec<Stmt>,
        finally: Vec<Stmt>,
    },
    With(Vec<(ExprId, Option<ExprId>)>, Vec<Stmt>),
    Return(Option<ExprId>),
    Raise(Vec<ExprId>),
    Break,
    Continue,
    Assert(ExprId),
    Function(Rc<Function>),
    Class(Rc<Class>),
    /// A block that may or may not run, such as a `case`.
    Maybe(Vec<Vec<Stmt>>),
}
