//! The rules: a file with the check and a page each, registered by one line.
//!
//! A page is documentation, the text of `turncoat explain`, and the rule's test: lines of its code blocks that end in a comment
//! `error: [id]` must be reported by that rule, and no others.

use std::sync::LazyLock;

use turncoat_answer::code;
use turncoat_answer::{Confidence, Severity};

use crate::event::{Call, Event, Scene};
use crate::flow::value::{Entry, Taint};
use crate::program::{Expr, ExprId, Module};

/// What a rule is about.
pub(crate) struct Meta {
    /// The weakness it reports unless a finding says otherwise.
    pub(crate) cwe: &'static str,
    pub(crate) severity: Severity,
}

/// One rule.
pub(crate) struct Rule {
    stem: &'static str,
    page: &'static str,
    source: &'static str,
    pub(crate) meta: Meta,
    pub(crate) check: fn(&Event<'_>, &mut Hits),
}

impl Rule {
    pub(crate) fn id(&self) -> String {
        self.stem.replace('_', "-")
    }
}

/// A place a rule reports.
pub(crate) struct Hit {
    pub(crate) line: u32,
    pub(crate) end_line: u32,
    pub(crate) cwe: Option<&'static str>,
    pub(crate) severity: Option<Severity>,
    pub(crate) confidence: Confidence,
    pub(crate) message: String,
    /// Line and note of each step; the file's name is added later.
    pub(crate) trace: Vec<(u32, String)>,
}

impl Hit {
    /// Sets another weakness than the rule's own.
    pub(crate) fn cwe(&mut self, cwe: &'static str) -> &mut Hit {
        self.cwe = Some(cwe);
        self
    }

    pub(crate) fn severity(&mut self, severity: Severity) -> &mut Hit {
        self.severity = Some(severity);
        self
    }

    /// Adds where the data enters and is joined.
    pub(crate) fn from(&mut self, taint: &Taint) -> &mut Hit {
        let source = &taint.source;
        let what = match source.entry {
            Entry::Parameter => format!("parameter `{}` enters here", source.name),
            Entry::Request => format!("`{}` comes with the request", source.name),
            Entry::Archive => format!("{} enter here", source.name),
            Entry::Stored => format!("read from {}", source.name),
        };
        self.trace.push((source.line, what));
        if let Some(line) = taint.joined_at {
            self.trace.push((line, "joined into a text here".to_owned()));
        }
        self.trace.push((self.line, "used here".to_owned()));
        self
    }
}

/// What the rules report.
#[derive(Default)]
pub(crate) struct Hits(pub(crate) Vec<Hit>);

impl Hits {
    pub(crate) fn add(&mut self, line: u32, end_line: u32, confidence: Confidence, message: impl Into<String>) -> &mut Hit {
        self.0.push(Hit { line, end_line, cwe: None, severity: None, confidence, message: message.into(), trace: Vec::new() });
        // The hit was pushed the line above; an empty list cannot be here.
        let last = self.0.len() - 1;
        #[expect(clippy::indexing_slicing, reason = "the index of the element just pushed")]
        &mut self.0[last]
    }

    pub(crate) fn at_call(
        &mut self,
        scene: &Scene<'_>,
        call: &Call<'_>,
        confidence: Confidence,
        message: impl Into<String>,
    ) -> &mut Hit {
        self.add(scene.line, call.end_line, confidence, message)
    }
}

macro_rules! rules {
    ($($stem:ident),* $(,)?) => {
        $(mod $stem;)*
        /// Every rule, in alphabetical order.
        pub(crate) static ALL: &[Rule] = &[$(Rule {
            stem: stringify!($stem),
            page: include_str!(concat!("rules/", stringify!($stem), ".md")),
            source: include_str!(concat!("rules/", stringify!($stem), ".rs")),
            meta: $stem::META,
            check: $stem::check,
        }),*];
    };
}

rules! {
    archive_slip,
    argument_injection,
    code_injection,
    command_injection,
    cross_site_scripting,
    csv_formula,
    flask_debug,
    hard_coded_secret,
    jwt_unverified,
    missing_authorization,
    path_traversal,
    sql_injection,
    ssrf,
    temp_file,
    template_injection,
    timing_compare,
    tls_verification_off,
    unsafe_deserialization,
    weak_hash,
    weak_random,
    xml_external_entity,
}

/// The version of the rule set: a hash over every rule, page and part of the engine, so that results of other rules are never
/// mistaken for today's.
pub static RULES_VERSION: LazyLock<String> = LazyLock::new(|| {
    let engine = [
        ("flow.rs", include_str!("flow.rs")),
        ("flow/call.rs", include_str!("flow/call.rs")),
        ("flow/expression.rs", include_str!("flow/expression.rs")),
        ("flow/guard.rs", include_str!("flow/guard.rs")),
        ("flow/model.rs", include_str!("flow/model.rs")),
        ("flow/pattern.rs", include_str!("flow/pattern.rs")),
        ("flow/value.rs", include_str!("flow/value.rs")),
        ("event.rs", include_str!("event.rs")),
        ("program.rs", include_str!("program.rs")),
        ("python.rs", include_str!("python.rs")),
        ("python/expression.rs", include_str!("python/expression.rs")),
        ("python/statement.rs", include_str!("python/statement.rs")),
        ("rules.rs", include_str!("rules.rs")),
        ("scan.rs", include_str!("scan.rs")),
    ];
    let mut files: code::Files = engine.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned())).collect();
    for rule in ALL {
        files.insert(format!("rules/{}.rs", rule.stem), rule.source.to_owned());
        files.insert(format!("rules/{}.md", rule.stem), rule.page.to_owned());
    }
    let hash = code::hash(&files);
    format!("rules/{}", turncoat_study::canonical::hex(hash.get(..8).unwrap_or_default()))
});

/// A rule's page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The rule's id, such as `sql-injection`.
    pub id: String,
    /// The weakness it mostly reports.
    pub cwe: &'static str,
    /// How bad that mostly is.
    pub severity: Severity,
    /// The page, Markdown.
    pub text: &'static str,
}

/// Every rule's page, in order of id.
#[must_use]
pub fn pages() -> Vec<Page> {
    ALL.iter().map(|rule| Page { id: rule.id(), cwe: rule.meta.cwe, severity: rule.meta.severity, text: rule.page }).collect()
}

/// The page of one rule.
#[must_use]
pub fn page(id: &str) -> Option<Page> {
    pages().into_iter().find(|page| page.id == id)
}

/// A code block of a page: its text, and by line from 1 whether the rule must report it.
pub(crate) struct Sample {
    pub(crate) code: String,
    pub(crate) marked: Vec<u32>,
    /// The page's line before the block's first.
    pub(crate) offset: u32,
}

/// The samples of a rule's page.
pub(crate) fn samples(rule: &Rule) -> Vec<Sample> {
    let mark = format!("error: [{}]", rule.id());
    let mut out: Vec<Sample> = Vec::new();
    let mut inside = false;
    for (line, number) in rule.page.lines().zip(1_u32..) {
        if line.starts_with("```") {
            inside = !inside && line.starts_with("```python");
            if inside {
                out.push(Sample { code: String::new(), marked: Vec::new(), offset: number });
            }
        } else if let Some(sample) = out.last_mut().filter(|_| inside) {
            let code = match line.find("# error: [") {
                Some(at) => {
                    if line.contains(&mark) {
                        sample.marked.push(number - sample.offset);
                    }
                    // The mark itself must not help a rule.
                    line.get(..at).unwrap_or(line).trim_end()
                }
                None => line,
            };
            sample.code.push_str(code);
            sample.code.push('\n');
        }
    }
    out
}

/// The ids of rules that did not report on their own page's bad sample: empty when the scanner is alive.
#[must_use]
pub fn alive() -> Vec<String> {
    static DEAD: LazyLock<Vec<String>> = LazyLock::new(|| {
        let dead = crate::scan::on_deep_stack(|| ALL.iter().filter(|rule| !reports_its_own(rule)).map(Rule::id).collect());
        dead.unwrap_or_else(|| ALL.iter().map(Rule::id).collect())
    });
    DEAD.clone()
}

fn reports_its_own(rule: &Rule) -> bool {
    samples(rule).iter().filter(|sample| !sample.marked.is_empty()).any(|sample| {
        let found = crate::scan::check(&sample.code, "canary.py").map(|checked| checked.findings).unwrap_or_default();
        sample.marked.iter().all(|line| found.iter().any(|finding| finding.rule == rule.id() && finding.line == *line))
    })
}

/// How sure a finding on tainted data is: requests are always from outside, parameters mostly, stored data sometimes.
pub(crate) fn confidence_of(taint: &Taint) -> Confidence {
    match taint.source.entry {
        Entry::Request | Entry::Archive => Confidence::High,
        Entry::Parameter if taint.joined_at.is_some() => Confidence::High,
        Entry::Parameter => Confidence::Medium,
        Entry::Stored => Confidence::Low,
    }
}

/// Whether the names around an event, or a name itself, speak of a secret that must not be guessed.
pub(crate) fn names_secret(names: &str) -> bool {
    const WORDS: [&str; 20] = [
        "token",
        "secret",
        "password",
        "passwd",
        "passphrase",
        "otp",
        "nonce",
        "salt",
        "session_id",
        "sessionid",
        "csrf",
        "reset",
        "api_key",
        "apikey",
        "invite",
        "verification",
        "activation",
        "recovery",
        "auth_code",
        "private_key",
    ];
    let names = names.to_lowercase();
    WORDS.iter().any(|word| names.contains(word))
}

/// Whether some part of an expression satisfies `is`; at most a few hundred parts are looked at.
pub(crate) fn mentions(module: &Module, id: ExprId, is: &dyn Fn(ExprId, &Expr) -> bool) -> bool {
    let mut open = vec![id];
    let mut left = 400_u32;
    while let Some(id) = open.pop() {
        left = left.saturating_sub(1);
        if left == 0 {
            return false;
        }
        let expr = module.expr(id);
        if is(id, expr) {
            return true;
        }
        open.extend(parts(expr));
    }
    false
}

/// The direct parts of an expression.
pub(crate) fn parts(expr: &Expr) -> Vec<ExprId> {
    match expr {
        Expr::Attribute(object, _) => vec![*object],
        Expr::Call(callee, arguments) => {
            std::iter::once(*callee).chain(arguments.iter().map(|argument| argument.value)).collect()
        }
        Expr::Join(parts) | Expr::Add(parts) | Expr::And(parts) | Expr::Or(parts) | Expr::Items(parts) | Expr::Opaque(parts) => {
            parts.clone()
        }
        Expr::Mod(a, b) | Expr::Div(a, b) | Expr::Index(a, b) | Expr::Walrus(a, b) => vec![*a, *b],
        Expr::Not(a) | Expr::Spread(a) => vec![*a],
        Expr::Compare(a, rest) => std::iter::once(*a).chain(rest.iter().map(|(_, b)| *b)).collect(),
        Expr::Map(pairs) => pairs.iter().flat_map(|(key, value)| key.iter().copied().chain([*value])).collect(),
        Expr::Lambda(_, body) => vec![*body],
        Expr::Choice { condition, yes, no } => vec![*condition, *yes, *no],
        Expr::Comprehension { element, clauses } => std::iter::once(*element)
            .chain(clauses.iter().flat_map(|clause| [clause.iterable].into_iter().chain(clause.conditions.iter().copied())))
            .collect(),
        Expr::Name(_) | Expr::Text(_) | Expr::Number(_) | Expr::Bool(_) | Expr::None => Vec::new(),
    }
}

/// The last part of a dotted name, for judging by names.
pub(crate) fn last_name(module: &Module, id: ExprId) -> Option<String> {
    match module.expr(id) {
        Expr::Name(name) | Expr::Attribute(_, name) => Some(name.to_string()),
        Expr::Index(_, index) => module.text(*index).map(str::to_owned),
        Expr::Call(callee, arguments) => {
            let method = last_name(module, *callee)?;
            let key = arguments.first().and_then(|argument| module.text(argument.value));
            if method == "get" { key.map(str::to_owned) } else { Some(method) }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
