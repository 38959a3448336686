//! Expressions of Python.

use tree_sitter::Node as Syntax;

use super::{Lowering, MAX_DEPTH, children, end_line, line};
use crate::program::{Argument, Clause, Comparison, Expr, ExprId};

impl Lowering<'_> {
    pub(super) fn expression(&mut self, node: Syntax<'_>, depth: u32) -> ExprId {
        if depth > MAX_DEPTH {
            self.module.is_partial = true;
            return self.module.add(Expr::Opaque(Vec::new()), line(node), end_line(node));
        }
        let depth = depth + 1;
        let expr = match node.kind() {
            "identifier" | "keyword_identifier" => Expr::Name(self.slice(node).into()),
            "integer" | "float" => Expr::Number(self.slice(node).into()),
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "none" => Expr::None,
            "string" => self.string(node, depth),
            "concatenated_string" => self.many(node, depth, Expr::Join),
            "attribute" => match (node.child_by_field_name("object"), node.child_by_field_name("attribute")) {
                (Some(object), Some(name)) => Expr::Attribute(self.expression(object, depth), self.slice(name).into()),
                _ => Expr::Opaque(Vec::new()),
            },
            "call" => self.call(node, depth),
            "subscript" => {
                let indices: Vec<Syntax<'_>> = node.children_by_field_name("subscript", &mut node.walk()).collect();
                match (node.child_by_field_name("value"), indices.first()) {
                    (Some(value), Some(index)) => Expr::Index(self.expression(value, depth), self.expression(*index, depth)),
                    _ => Expr::Opaque(Vec::new()),
                }
            }
            "binary_operator" => self.binary(node, depth),
            "boolean_operator" => self.logic(node, depth),
            "not_operator" => match node.child_by_field_name("argument") {
                Some(argument) => Expr::Not(self.expression(argument, depth)),
                None => Expr::Opaque(Vec::new()),
            },
            "comparison_operator" => self.comparison(node, depth),
            "parenthesized_expression" | "await" | "type" => match children(node).first() {
                Some(inner) => return self.expression(*inner, depth),
                None => Expr::Opaque(Vec::new()),
            },
            "list" | "tuple" | "set" | "expression_list" | "pattern_list" | "tuple_pattern" | "list_pattern" => {
                self.many(node, depth, Expr::Items)
            }
            "dictionary" => {
                let pairs = children(node)
                    .into_iter()
                    .filter_map(|pair| {
                        let value = pair.child_by_field_name("value").or_else(|| children(pair).first().copied())?;
                        let key = pair.child_by_field_name("key").map(|key| self.expression(key, depth));
                        Some((key, self.expression(value, depth)))
                    })
                    .collect();
                Expr::Map(pairs)
            }
            "conditional_expression" => match children(node).as_slice() {
                [yes, condition, no] => {
                    let (yes, condition, no) =
                        (self.expression(*yes, depth), self.expression(*condition, depth), self.expression(*no, depth));
                    Expr::Choice { condition, yes, no }
                }
                _ => Expr::Opaque(Vec::new()),
            },
            "list_comprehension" | "set_comprehension" | "generator_expression" | "dictionary_comprehension" => {
                self.comprehension(node, depth)
            }
            "lambda" => {
                let parameters =
                    node.child_by_field_name("parameters").map(|list| self.parameters(list, depth)).unwrap_or_default();
                match node.child_by_field_name("body") {
                    Some(body) => Expr::Lambda(parameters, self.expression(body, depth)),
                    None => Expr::Opaque(Vec::new()),
                }
            }
            "named_expression" => match (node.child_by_field_name("name"), node.child_by_field_name("value")) {
                (Some(name), Some(value)) => Expr::Walrus(self.expression(name, depth), self.expression(value, depth)),
                _ => Expr::Opaque(Vec::new()),
            },
            "list_splat" | "dictionary_splat" | "list_splat_pattern" => match children(node).first() {
                Some(inner) => Expr::Spread(self.expression(*inner, depth)),
                None => Expr::Opaque(Vec::new()),
            },
            _ => self.many(node, depth, Expr::Opaque),
        };
        self.module.add(expr, line(node), end_line(node))
    }

    fn many(&mut self, node: Syntax<'_>, depth: u32, make: fn(Vec<ExprId>) -> Expr) -> Expr {
        make(children(node).into_iter().map(|child| self.expression(child, depth)).collect())
    }

    /// A literal, or the parts of an interpolated one.
    fn string(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        let parts = children(node);
        let raw = parts.first().map(|start| self.slice(*start)).unwrap_or_default();
        let is_raw = raw.trim_end_matches(['"', '\'']).contains(['r', 'R']);
        let is_template = parts.iter().any(|part| part.kind() == "interpolation");
        let mut out = Vec::new();
        let mut constant = String::new();
        for part in parts {
            match part.kind() {
                "string_content" => {
                    let text = self.slice(part);
                    let text = if is_raw { text.to_owned() } else { unescape(text) };
                    if is_template {
                        let text = text.replace("{{", "{").replace("}}", "}");
                        out.push(self.module.add(Expr::Text(text.into()), line(part), end_line(part)));
                    } else {
                        constant.push_str(&text);
                    }
                }
                "interpolation" => {
                    if let Some(inner) = part.child_by_field_name("expression") {
                        // A format such as `:d` or `:.2f` admits numbers alone.
                        let format =
                            part.child_by_field_name("format_specifier").map(|format| self.slice(format)).unwrap_or_default();
                        let value = self.expression(inner, depth);
                        let numeric = format.ends_with(['d', 'f', 'e', 'g', 'x', 'X', 'b', 'o', '%']) && format.len() > 1;
                        let value =
                            if numeric { self.module.add(Expr::Number("0".into()), line(part), end_line(part)) } else { value };
                        out.push(value);
                    }
                }
                _ => {}
            }
        }
        if is_template { Expr::Join(out) } else { Expr::Text(constant.into()) }
    }

    fn call(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        let Some(callee) = node.child_by_field_name("function") else { return Expr::Opaque(Vec::new()) };
        let callee = self.expression(callee, depth);
        let mut arguments = Vec::new();
        if let Some(list) = node.child_by_field_name("arguments") {
            if list.kind() == "generator_expression" {
                arguments.push(Argument { name: None, value: self.expression(list, depth), is_spread: false });
            } else {
                for child in children(list) {
                    let (name, value) = match (child.child_by_field_name("name"), child.child_by_field_name("value")) {
                        (Some(name), Some(value)) if child.kind() == "keyword_argument" => (Some(self.slice(name).into()), value),
                        _ => (None, child),
                    };
                    let is_spread = matches!(value.kind(), "list_splat" | "dictionary_splat");
                    arguments.push(Argument { name, value: self.expression(value, depth), is_spread });
                }
            }
        }
        Expr::Call(callee, arguments)
    }

    /// Operators; a chain of the same left-leaning operator is walked, not recursed into.
    fn binary(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        let operator = node.child_by_field_name("operator").map(|operator| operator.kind()).unwrap_or_default();
        if operator == "+" {
            let mut operands = Vec::new();
            let mut at = node;
            loop {
                operands.extend(at.child_by_field_name("right"));
                match at.child_by_field_name("left") {
                    Some(left)
                        if left.kind() == "binary_operator"
                            && left.child_by_field_name("operator").is_some_and(|o| o.kind() == "+") =>
                    {
                        at = left
                    }
                    left => {
                        operands.extend(left);
                        break;
                    }
                }
            }
            operands.reverse();
            return Expr::Add(operands.into_iter().map(|operand| self.expression(operand, depth)).collect());
        }
        let (Some(left), Some(right)) = (node.child_by_field_name("left"), node.child_by_field_name("right")) else {
            return Expr::Opaque(Vec::new());
        };
        let (left, right) = (self.expression(left, depth), self.expression(right, depth));
        match operator {
            "%" => Expr::Mod(left, right),
            "/" => Expr::Div(left, right),
            _ => Expr::Opaque(vec![left, right]),
        }
    }

    fn logic(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        fn operator(node: Syntax<'_>) -> Option<&'static str> {
            node.child_by_field_name("operator").map(|operator| if operator.kind() == "and" { "and" } else { "or" })
        }
        let kind = operator(node);
        let mut operands = Vec::new();
        let mut at = node;
        loop {
            operands.extend(at.child_by_field_name("right"));
            match at.child_by_field_name("left") {
                Some(left) if left.kind() == "boolean_operator" && operator(left) == kind => at = left,
                left => {
                    operands.extend(left);
                    break;
                }
            }
        }
        operands.reverse();
        let operands = operands.into_iter().map(|operand| self.expression(operand, depth)).collect();
        if kind == Some("and") { Expr::And(operands) } else { Expr::Or(operands) }
    }

    fn comparison(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        let operators: Vec<Comparison> = node
            .children_by_field_name("operators", &mut node.walk())
            .filter_map(|operator| match operator.kind() {
                "==" => Some(Comparison::Equal),
                "!=" | "<>" => Some(Comparison::Unequal),
                "in" => Some(Comparison::In),
                "not in" => Some(Comparison::NotIn),
                "is" => Some(Comparison::Is),
                "is not" => Some(Comparison::IsNot),
                "<" | "<=" | ">" | ">=" => Some(Comparison::Order),
                _ => None,
            })
            .collect();
        let mut operands = children(node)
            .into_iter()
            .filter(|child| !matches!(child.kind(), "not in" | "is not"))
            .map(|child| self.expression(child, depth));
        match operands.next() {
            Some(first) => {
                let rest: Vec<ExprId> = operands.collect();
                Expr::Compare(first, operators.into_iter().zip(rest).collect())
            }
            None => Expr::Opaque(Vec::new()),
        }
    }

    fn comprehension(&mut self, node: Syntax<'_>, depth: u32) -> Expr {
        let mut clauses: Vec<Clause> = Vec::new();
        for child in children(node) {
            match child.kind() {
                "for_in_clause" => {
                    if let (Some(left), Some(right)) = (child.child_by_field_name("left"), child.child_by_field_name("right")) {
                        let (target, iterable) = (self.expression(left, depth), self.expression(right, depth));
                        clauses.push(Clause { target, iterable, conditions: Vec::new() });
                    }
                }
                "if_clause" => {
                    if let (Some(condition), Some(clause)) = (children(child).first(), clauses.last_mut()) {
                        clause.conditions.push(self.expression(*condition, depth));
                    }
                }
                _ => {}
            }
        }
        match node.child_by_field_name("body") {
            Some(body) => Expr::Comprehension { element: self.expression(body, depth), clauses },
            None => Expr::Opaque(Vec::new()),
        }
    }
}

/// The escapes that matter to rules; others stay as written.
fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('0') => out.push('\0'),
            Some('\n') => {}
            Some(c @ ('\\' | '\'' | '"')) => out.push(c),
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
    }
    out
}
