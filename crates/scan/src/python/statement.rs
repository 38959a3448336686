//! Statements of Python.

use std::rc::Rc;

use tree_sitter::Node as Syntax;

use super::{Lowering, MAX_DEPTH, children, end_line, line};
use crate::program::{Action, Class, Comparison, Expr, ExprId, Function, Parameter, Stmt};

impl Lowering<'_> {
    /// The statements of a block, or of whatever an error-tolerant tree has in its place.
    pub(super) fn block(&mut self, node: Syntax<'_>, depth: u32) -> Vec<Stmt> {
        let mut out = Vec::new();
        if depth > MAX_DEPTH {
            self.module.is_partial = true;
            return out;
        }
        for child in children(node) {
            self.statement(child, depth + 1, &mut out);
        }
        out
    }

    fn statement(&mut self, node: Syntax<'_>, depth: u32, out: &mut Vec<Stmt>) {
        if depth > MAX_DEPTH {
            self.module.is_partial = true;
            return;
        }
        let action = match node.kind() {
            "expression_statement" => {
                for child in children(node) {
                    self.simple(child, depth, out);
                }
                return;
            }
            "import_statement" | "import_from_statement" | "future_import_statement" => return self.import(node),
            "return_statement" => Action::Return(children(node).first().map(|value| self.expression(*value, depth))),
            "raise_statement" => Action::Raise(children(node).into_iter().map(|value| self.expression(value, depth)).collect()),
            "assert_statement" => match children(node).first() {
                Some(condition) => Action::Assert(self.expression(*condition, depth)),
                None => return,
            },
            "break_statement" => Action::Break,
            "continue_statement" => Action::Continue,
            "if_statement" => self.branches(node, depth),
            "for_statement" => {
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
                    return;
                };
                let (target, iterable) = (self.expression(left, depth), self.expression(right, depth));
                Action::For(target, iterable, self.field_block(node, "body", depth), self.alternative(node, depth))
            }
            "while_statement" => {
                let Some(condition) = node.child_by_field_name("condition") else { return };
                let condition = self.expression(condition, depth);
                Action::While(condition, self.field_block(node, "body", depth), self.alternative(node, depth))
            }
            "try_statement" => self.attempt(node, depth),
            "with_statement" => self.with(node, depth),
            "function_definition" => self.function(node, Vec::new(), depth),
            "class_definition" => self.class(node, depth),
            "decorated_definition" => {
                let Some(definition) = node.child_by_field_name("definition") else { return };
                if definition.kind() == "class_definition" {
                    self.class(definition, depth)
                } else {
                    let marks: Vec<Syntax<'_>> = children(node).into_iter().filter(|child| child.kind() == "decorator").collect();
                    let decorators = marks
                        .iter()
                        .filter_map(|mark| children(*mark).first().map(|inner| self.expression(*inner, depth)))
                        .collect();
                    self.function(definition, decorators, depth)
                }
            }
            "match_statement" => self.cases(node, depth),
            "delete_statement" | "exec_statement" | "print_statement" => {
                let parts = children(node).into_iter().map(|part| self.expression(part, depth)).collect();
                Action::Expr(self.module.add(Expr::Opaque(parts), line(node), end_line(node)))
            }
            "pass_statement" | "global_statement" | "nonlocal_statement" | "type_alias_statement" => return,
            "block" => {
                out.extend(self.block(node, depth));
                return;
            }
            // An error node holds what could be read around the error.
            "ERROR" => {
                self.module.is_partial = true;
                for child in children(node) {
                    self.statement(child, depth + 1, out);
                }
                return;
            }
            _ => Action::Expr(self.expression(node, depth)),
        };
        out.push(Stmt { action, line: line(node) });
    }

    /// An expression, assignment or augmented assignment of an expression statement.
    fn simple(&mut self, node: Syntax<'_>, depth: u32, out: &mut Vec<Stmt>) {
        let action = match node.kind() {
            "assignment" => {
                let mut targets = Vec::new();
                let mut at = node;
                // `a = b = value` nests to the right.
                loop {
                    if let Some(left) = at.child_by_field_name("left") {
                        targets.push(self.expression(left, depth));
                    }
                    match at.child_by_field_name("right") {
                        Some(right) if right.kind() == "assignment" => at = right,
                        Some(right) => break Action::Assign(targets, self.expression(right, depth)),
                        None => return,
                    }
                }
            }
            "augmented_assignment" => {
                let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
                    return;
                };
                Action::Extend(self.expression(left, depth), self.expression(right, depth))
            }
            _ => Action::Expr(self.expression(node, depth)),
        };
        out.push(Stmt { action, line: line(node) });
    }

    fn field_block(&mut self, node: Syntax<'_>, field: &str, depth: u32) -> Vec<Stmt> {
        node.child_by_field_name(field).map(|block| self.block(block, depth + 1)).unwrap_or_default()
    }

    fn alternative(&mut self, node: Syntax<'_>, depth: u32) -> Vec<Stmt> {
        let clause = node.child_by_field_name("alternative");
        clause.map(|clause| self.field_block(clause, "body", depth)).unwrap_or_default()
    }

    /// `if`, `elif` and `else` as a chain, built from its end so that a long chain needs no deep call.
    fn branches(&mut self, node: Syntax<'_>, depth: u32) -> Action {
        let mut arms = Vec::new();
        let mut otherwise = Vec::new();
        let clauses: Vec<Syntax<'_>> =
            std::iter::once(node).chain(node.children_by_field_name("alternative", &mut node.walk())).collect();
        for clause in clauses {
            if clause.kind() == "else_clause" {
                otherwise = self.field_block(clause, "body", depth);
            } else if let Some(condition) = clause.child_by_field_name("condition") {
                let condition = self.expression(condition, depth);
                arms.push((condition, self.field_block(clause, "consequence", depth), line(clause)));
            }
        }
        self.chain(arms, otherwise)
    }

    /// Nests the arms of a chain from its end.
    fn chain(&mut self, mut arms: Vec<(ExprId, Vec<Stmt>, u32)>, otherwise: Vec<Stmt>) -> Action {
        // Long chains are cut: nesting them would let a hostile text overflow the stack later on.
        if arms.len() > 60 {
            self.module.is_partial = true;
            arms.truncate(60);
        }
        let mut rest = otherwise;
        let mut action = Action::Maybe(if arms.is_empty() { vec![std::mem::take(&mut rest)] } else { Vec::new() });
        while let Some((condition, body, at)) = arms.pop() {
            action = Action::If(condition, body, std::mem::take(&mut rest));
            if !arms.is_empty() {
                rest.push(Stmt { action: std::mem::replace(&mut action, Action::Break), line: at });
            }
        }
        action
    }

    /// `match` is a chain like `if`: over constants of equalities, over `_` of a last `else`, over other patterns of conditions that
    /// say nothing.
    fn cases(&mut self, node: Syntax<'_>, depth: u32) -> Action {
        let subject = node.child_by_field_name("subject").map(|subject| self.expression(subject, depth));
        let (mut arms, mut otherwise) = (Vec::new(), Vec::new());
        for case in node.child_by_field_name("body").map(children).unwrap_or_default() {
            let block = self.field_block(case, "consequence", depth);
            let pattern = children(case).first().copied().filter(|pattern| pattern.kind() == "case_pattern");
            let inner = pattern.and_then(|pattern| children(pattern).first().copied());
            let is_guarded = case.child_by_field_name("guard").is_some();
            if !is_guarded && pattern.is_some_and(|pattern| self.slice(pattern) == "_") {
                otherwise = block;
                break;
            }
            let expr = match (subject, inner) {
                (Some(subject), Some(inner)) if matches!(inner.kind(), "string" | "integer") => {
                    let constant = self.expression(inner, depth);
                    Expr::Compare(subject, vec![(Comparison::Equal, constant)])
                }
                _ => Expr::default(),
            };
            arms.push((self.module.add(expr, line(case), line(case)), block, line(case)));
        }
        self.chain(arms, otherwise)
    }

    fn attempt(&mut self, node: Syntax<'_>, depth: u32) -> Action {
        let body = self.field_block(node, "body", depth);
        let (mut handlers, mut otherwise, mut finally) = (Vec::new(), Vec::new(), Vec::new());
        for clause in children(node) {
            match clause.kind() {
                "except_clause" | "finally_clause" => {
                    let block = children(clause).into_iter().rfind(|child| child.kind() == "block");
                    let block = block.map(|block| self.block(block, depth + 1)).unwrap_or_default();
                    if clause.kind() == "finally_clause" { finally = block } else { handlers.push(block) }
                }
                "else_clause" => otherwise = self.field_block(clause, "body", depth),
                _ => {}
            }
        }
        Action::Try { body, handlers, otherwise, finally }
    }

    fn with(&mut self, node: Syntax<'_>, depth: u32) -> Action {
        let mut items = Vec::new();
        for clause in children(node).into_iter().filter(|child| child.kind() == "with_clause") {
            for item in children(clause) {
                let Some(value) = item.child_by_field_name("value") else { continue };
                if value.kind() == "as_pattern" {
                    let target = value.child_by_field_name("alias").and_then(|alias| children(alias).first().copied());
                    if let Some(subject) = children(value).first() {
                        let subject = self.expression(*subject, depth);
                        items.push((subject, target.map(|target| self.expression(target, depth))));
                    }
                } else {
                    items.push((self.expression(value, depth), None));
                }
            }
        }
        Action::With(items, self.field_block(node, "body", depth))
    }

    fn function(&mut self, node: Syntax<'_>, decorators: Vec<ExprId>, depth: u32) -> Action {
        let name = node.child_by_field_name("name").map(|name| self.slice(name)).unwrap_or_default();
        let parameters = node.child_by_field_name("parameters").map(|list| self.parameters(list, depth)).unwrap_or_default();
        let class = self.class.last().cloned();
        // Functions inside a method belong to no class.
        let outer = std::mem::take(&mut self.class);
        let body = self.field_block(node, "body", depth);
        self.class = outer;
        Action::Function(Rc::new(Function { name: name.into(), class, parameters, decorators, body, line: line(node) }))
    }

    pub(super) fn parameters(&mut self, list: Syntax<'_>, depth: u32) -> Vec<Parameter> {
        let mut out = Vec::new();
        for node in children(list) {
            let named = node.child_by_field_name("name").or_else(|| children(node).first().copied()).unwrap_or(node);
            let name = self.slice(named).trim_start_matches('*');
            if matches!(node.kind(), "keyword_separator" | "positional_separator") || name.is_empty() {
                continue;
            }
            let annotation = node.child_by_field_name("type").map(|kind| self.slice(kind).into());
            let default = node.child_by_field_name("value").map(|value| self.expression(value, depth));
            out.push(Parameter { name: name.into(), annotation, default, line: line(node) });
        }
        out
    }

    fn class(&mut self, node: Syntax<'_>, depth: u32) -> Action {
        let name: Rc<str> = node.child_by_field_name("name").map(|name| self.slice(name)).unwrap_or_default().into();
        let bases = node.child_by_field_name("superclasses").map(children).unwrap_or_default();
        let bases = bases.into_iter().map(|base| self.expression(base, depth)).collect();
        self.class.push(Rc::clone(&name));
        let body = self.field_block(node, "body", depth);
        self.class.pop();
        Action::Class(Rc::new(Class { name, bases, body }))
    }

    fn import(&mut self, node: Syntax<'_>) {
        let module = node.child_by_field_name("module_name").map(|name| self.slice(name));
        let names: Vec<Syntax<'_>> = node.children_by_field_name("name", &mut node.walk()).collect();
        for name in names {
            let (path, bound) = match (name.child_by_field_name("name"), name.child_by_field_name("alias")) {
                (Some(path), Some(alias)) => (self.slice(path), self.slice(alias)),
                _ => (self.slice(name), self.slice(name)),
            };
            let full = match module {
                Some(module) => format!("{}.{path}", module.trim_start_matches('.')),
                // `import a.b` binds `a`; `import a.b as c` binds `c` to all of it.
                None if path == bound => path.split('.').next().unwrap_or(path).to_owned(),
                None => path.to_owned(),
            };
            let bound = if module.is_none() && path == bound { bound.split('.').next().unwrap_or(bound) } else { bound };
            self.module.imports.insert(bound.into(), full.trim_start_matches('.').into());
        }
    }
}
