//! Python, from text to a [`Module`], by way of tree-sitter; a text that is broken is read as far as it goes.

mod expression;
mod statement;

use std::ops::ControlFlow;

use tree_sitter::{Node as Syntax, ParseOptions, ParseState, Parser, Tree};

use crate::program::Module;

/// How deep the tree is followed; what lies deeper is left unread and the file is partial.
const MAX_DEPTH: u32 = 80;
/// Longest run of lines that hold a backslash alone.
const MAX_CONTINUATIONS: usize = 200;

/// Reads Python; `None` when it cannot be read at all.
///
/// Ladder: the whole text; the text without its common indent (a lone method); the error-tolerant tree, marked partial.
pub(crate) fn read(text: &str) -> Option<Module> {
    // A NUL ends the text for the grammar's own scanner, and would hide all that follows.
    let text = &*text.replace('\0', " ");
    let calmed = without_long_continuations(text);
    let is_calmed = calmed.is_some();
    let mut module = read_calm(calmed.as_deref().unwrap_or(text))?;
    module.is_partial |= is_calmed;
    Some(module)
}

/// The grammar's scanner looks over all that a run of lone backslashes continues, once for each: a long run takes quadratic time.
/// Such a run joins nothing but blank lines, so it is blanked; `None` when there is none.
fn without_long_continuations(text: &str) -> Option<String> {
    let is_lone = |line: &str| line.trim() == "\\";
    let mut run = 0_usize;
    let longest = text.lines().map(|line| {
        run = if is_lone(line) { run + 1 } else { 0 };
        run
    });
    if longest.max().unwrap_or(0) <= MAX_CONTINUATIONS {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        out.push_str(if is_lone(line) { "\n" } else { line });
    }
    Some(out)
}

fn read_calm(text: &str) -> Option<Module> {
    let tree = parse(text)?;
    if !tree.root_node().has_error() {
        return Some(lower(text, &tree));
    }
    if let Some(dedented) = dedent(text) {
        let again = parse(&dedented)?;
        if !again.root_node().has_error() {
            return Some(lower(&dedented, &again));
        }
    }
    let mut module = lower(text, &tree);
    module.is_partial = true;
    // A text of which nothing became a statement was not read, however tolerant the tree is.
    (!module.body.is_empty() || text.trim().is_empty()).then_some(module)
}

fn parse(text: &str) -> Option<Tree> {
    let mut parser = Parser::new();
    parser.set_language(&tree_sitter_python::LANGUAGE.into()).ok()?;
    // Error recovery may cost more than linear time on hostile text: the work is bounded by its length, not by a clock.
    let mut checks = 2_000 + text.len() / 4;
    let mut progress = |_: &ParseState| {
        checks = checks.saturating_sub(1);
        if checks == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let bytes = text.as_bytes();
    parser.parse_with_options(
        &mut |at, _| bytes.get(at..).unwrap_or_default(),
        None,
        Some(ParseOptions::new().progress_callback(&mut progress)),
    )
}

/// Takes the first line's indent off every line, blank lines aside; `None` when there is none to take.
fn dedent(text: &str) -> Option<String> {
    let first = text.lines().find(|line| !line.trim().is_empty())?;
    let indent = first.get(..first.len() - first.trim_start().len()).filter(|indent| !indent.is_empty())?;
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        out.push_str(line.strip_prefix(indent).unwrap_or_else(|| line.trim_start()));
        out.push('\n');
    }
    Some(out)
}

fn lower(text: &str, tree: &Tree) -> Module {
    let mut lowering = Lowering { text, module: Module::default(), class: Vec::new() };
    let body = lowering.block(tree.root_node(), 0);
    lowering.module.body = body;
    lowering.module
}

/// Turns syntax into a program.
struct Lowering<'a> {
    text: &'a str,
    module: Module,
    class: Vec<std::rc::Rc<str>>,
}

impl<'a> Lowering<'a> {
    fn slice(&self, node: Syntax<'_>) -> &'a str {
        self.text.get(node.byte_range()).unwrap_or_default()
    }
}

fn line(node: Syntax<'_>) -> u32 {
    u32::try_from(node.start_position().row).unwrap_or(u32::MAX).saturating_add(1)
}

fn end_line(node: Syntax<'_>) -> u32 {
    u32::try_from(node.end_position().row).unwrap_or(u32::MAX).saturating_add(1)
}

fn children(node: Syntax<'_>) -> Vec<Syntax<'_>> {
    node.named_children(&mut node.walk())
        .filter(|child| child.kind() != "comment" && child.kind() != "line_continuation")
        .collect()
}
