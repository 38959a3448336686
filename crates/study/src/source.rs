//! Files that people write, read with places: every mistake names its file, line, field, what is allowed and the
//! nearest match, and all mistakes of a file are found in one go.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use toml::de::{DeTable, DeValue};

/// One mistake in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The file, as it was named.
    pub file: String,
    /// Line from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// Column from 1.
    pub column: usize,
    /// The field's dotted path, such as `study.tier`; empty where none is meant.
    pub field: String,
    /// What is wrong.
    pub message: String,
    /// What is allowed, or what to do.
    pub help: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        if !self.field.is_empty() {
            write!(f, ": `{}`", self.field)?;
        }
        write!(f, ": {}", self.message)?;
        if let Some(help) = &self.help {
            write!(f, "\n  hint: {help}")?;
        }
        Ok(())
    }
}

/// All mistakes found in one go; never empty when returned as an error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
pub struct Problems(pub Vec<Problem>);

impl Problems {
    /// One mistake that concerns a file as a whole.
    #[must_use]
    pub fn of_file(file: &str, message: impl Into<String>, help: Option<String>) -> Self {
        Problems(vec![Problem { file: file.to_owned(), line: 0, column: 0, field: String::new(), message: message.into(), help }])
    }
}

/// The candidate nearest to `name`, if one is near enough to be meant.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 2 || *distance * 3 <= candidate.len())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "did you mean `x`? Allowed: a, b, c" for a name that is not among the allowed ones.
#[must_use]
pub fn allowed_hint(name: &str, allowed: &[&str]) -> String {
    let list = allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    match nearest(name, allowed.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? Allowed: {list}"),
        None => format!("allowed: {list}"),
    }
}

/// A line and column, both from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
}

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// A TOML value.
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "the variants are TOML's own")]
pub enum Value {
    String(String),
    Integer(i64),
    Float(f64),
    Boolean(bool),
    /// Kept as text: no file of ours needs a date as such.
    Datetime(String),
    Array(Vec<Node>),
    Table(Vec<(String, Place, Node)>),
}

impl Value {
    /// The kind in words, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::String(_) => "a string",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a number",
            Value::Boolean(_) => "true or false",
            Value::Datetime(_) => "a date",
            Value::Array(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// The same value as JSON; dates become strings.
    #[must_use]
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Value::String(text) | Value::Datetime(text) => serde_json::Value::String(text.clone()),
            Value::Integer(number) => (*number).into(),
            Value::Float(number) => serde_json::Number::from_f64(*number).map_or(serde_json::Value::Null, Into::into),
            Value::Boolean(flag) => (*flag).into(),
            Value::Array(items) => items.iter().map(|item| item.value.to_json()).collect(),
            Value::Table(fields) => {
                serde_json::Value::Object(fields.iter().map(|(key, _, node)| (key.clone(), node.value.to_json())).collect())
            }
        }
    }
}

/// One parsed file; collects the mistakes found while its sections are read.
#[derive(Debug)]
pub struct Document {
    file: String,
    root: Node,
    problems: RefCell<Vec<Problem>>,
    broken: Cell<bool>,
}

impl Document {
    /// Parses a text. Syntax errors are kept and reported by [`Document::finish`].
    #[must_use]
    pub fn parse(file: &str, text: &str) -> Self {
        let lines = LineIndex::new(text);
        let (table, errors) = DeTable::parse_recoverable(text);
        let problems: Vec<Problem> = errors
            .iter()
            .map(|error| {
                let place = lines.place(error.span().map_or(0, |span| span.start));
                Problem {
                    file: file.to_owned(),
                    line: place.line,
                    column: place.column,
                    field: String::new(),
                    message: format!("not valid TOML: {}", error.message()),
                    help: None,
                }
            })
            .collect();
        let place = Place { line: 1, column: 1 };
        let root = Node { place, value: convert_table(table.get_ref(), &lines) };
        let broken = Cell::new(!problems.is_empty());
        Document { file: file.to_owned(), root, problems: RefCell::new(problems), broken }
    }

    /// The top level.
    #[must_use]
    pub fn root(&self) -> Section<'_> {
        Section::new(self, String::new(), &self.root)
    }

    /// The file's name.
    #[must_use]
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Adds a mistake at a place.
    pub fn report(&self, place: Place, field: &str, message: impl Into<String>, help: Option<String>) {
        self.problems.borrow_mut().push(Problem {
            file: self.file.clone(),
            line: place.line,
            column: place.column,
            field: field.to_owned(),
            message: message.into(),
            help,
        });
    }

    /// Whether nothing is wrong so far.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.problems.borrow().is_empty()
    }

    /// Ends the reading.
    ///
    /// # Errors
    /// Every mistake found, in order of place.
    pub fn finish(self) -> Result<(), Problems> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| (problem.line, problem.column));
        problems.dedup();
        if problems.is_empty() { Ok(()) } else { Err(Problems(problems)) }
    }

    /// Syntax errors make fields go missing that are there: such follow-up mistakes would only confuse.
    fn has_syntax_errors(&self) -> bool {
        self.broken.get()
    }
}

/// One table of a document. What is not read by the time of [`Section::done`] is an unknown field.
#[derive(Debug)]
pub struct Section<'d> {
    document: &'d Document,
    path: String,
    node: &'d Node,
    read: RefCell<BTreeSet<String>>,
}

impl<'d> Section<'d> {
    fn new(document: &'d Document, path: String, node: &'d Node) -> Self {
        Section { document, path, node, read: RefCell::new(BTreeSet::new()) }
    }

    /// Where the table starts.
    #[must_use]
    pub fn place(&self) -> Place {
        self.node.place
    }

    /// The dotted path of a field in it.
    #[must_use]
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The fields' names, in order.
    #[must_use]
    pub fn keys(&self) -> Vec<&'d str> {
        match &self.node.value {
            Value::Table(fields) => fields.iter().map(|(key, _, _)| key.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// The raw field, marked as read.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&'d Node> {
        self.read.borrow_mut().insert(key.to_owned());
        match &self.node.value {
            Value::Table(fields) => fields.iter().find(|(name, _, _)| name == key).map(|(_, _, node)| node),
            _ => None,
        }
    }

    /// Reports a mistake about one of the fields, at its place if it is there, else at the table's.
    pub fn report(&self, key: &str, message: impl Into<String>, help: Option<String>) {
        let place = self.get(key).map_or(self.node.place, |node| node.place);
        self.document.report(place, &self.path_of(key), message, help);
    }

    fn mismatch(&self, key: &str, node: &Node, expected: &str) {
        self.document.report(node.place, &self.path_of(key), format!("expected {expected}, found {}", node.value.kind()), None);
    }

    fn missing(&self, key: &str, expected: &str) {
        if !self.document.has_syntax_errors() {
            self.document.report(self.node.place, &self.path_of(key), format!("is missing; expected {expected}"), None);
        }
    }

    /// A string that may be left out.
    #[must_use]
    pub fn string_if_any(&self, key: &str) -> Option<String> {
        let node = self.get(key)?;
        if let Value::String(text) = &node.value {
            Some(text.clone())
        } else {
            self.mismatch(key, node, "a string");
            None
        }
    }

    /// A string; its absence is a mistake and reads as empty.
    #[must_use]
    pub fn string(&self, key: &str) -> String {
        if self.get(key).is_none() {
            self.missing(key, "a string");
        }
        self.string_if_any(key).unwrap_or_default()
    }

    /// A string out of a fixed set, if given.
    #[must_use]
    pub fn choice_if_any(&self, key: &str, allowed: &[&str]) -> Option<String> {
        let text = self.string_if_any(key)?;
        if allowed.contains(&text.as_str()) {
            Some(text)
        } else {
            self.report(key, format!("`{text}` is not one of the allowed values"), Some(allowed_hint(&text, allowed)));
            None
        }
    }

    /// A string out of a fixed set; its absence is a mistake.
    #[must_use]
    pub fn choice(&self, key: &str, allowed: &[&str]) -> Option<String> {
        if self.get(key).is_none() {
            self.missing(key, &format!("one of {}", allowed.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ")));
            return None;
        }
        self.choice_if_any(key, allowed)
    }

    /// True or false, if given.
    #[must_use]
    pub fn boolean_if_any(&self, key: &str) -> Option<bool> {
        let node = self.get(key)?;
        if let Value::Boolean(flag) = node.value {
            Some(flag)
        } else {
            self.mismatch(key, node, "true or false");
            None
        }
    }

    /// An integer within bounds, if given.
    #[must_use]
    pub fn integer_if_any(&self, key: &str, bounds: std::ops::RangeInclusive<i64>) -> Option<i64> {
        let node = self.get(key)?;
        match node.value {
            Value::Integer(number) if bounds.contains(&number) => Some(number),
            Value::Integer(number) => {
                let (low, high) = bounds.into_inner();
                self.report(key, format!("{number} is out of bounds"), Some(format!("allowed: {low} to {high}")));
                None
            }
            _ => {
                self.mismatch(key, node, "an integer");
                None
            }
        }
    }

    /// A small count within bounds, if given.
    #[must_use]
    pub fn count_if_any(&self, key: &str, bounds: std::ops::RangeInclusive<u32>) -> Option<u32> {
        let (low, high) = bounds.into_inner();
        self.integer_if_any(key, i64::from(low)..=i64::from(high)).and_then(|number| u32::try_from(number).ok())
    }

    /// A number (integers serve too) within bounds, if given.
    #[must_use]
    pub fn number_if_any(&self, key: &str, bounds: std::ops::RangeInclusive<f64>) -> Option<f64> {
        let node = self.get(key)?;
        let number = match node.value {
            Value::Float(number) => number,
            #[expect(clippy::cast_precision_loss, reason = "settings are far below 2^53")]
            Value::Integer(number) => number as f64,
            _ => {
                self.mismatch(key, node, "a number");
                return None;
            }
        };
        if bounds.contains(&number) {
            Some(number)
        } else {
            let (low, high) = bounds.into_inner();
            self.report(key, format!("{number} is out of bounds"), Some(format!("allowed: {low} to {high}")));
            None
        }
    }

    /// A list of strings, each with its place, if given.
    #[must_use]
    pub fn strings_if_any(&self, key: &str) -> Option<Vec<(String, Place)>> {
        let node = self.get(key)?;
        let Value::Array(items) = &node.value else {
            self.mismatch(key, node, "a list of strings");
            return None;
        };
        let mut strings = Vec::with_capacity(items.len());
        for item in items {
            if let Value::String(text) = &item.value {
                strings.push((text.clone(), item.place));
            } else {
                self.mismatch(key, item, "a string");
            }
        }
        Some(strings)
    }

    /// A list of strings; its absence is a mistake.
    #[must_use]
    pub fn strings(&self, key: &str) -> Vec<(String, Place)> {
        if self.get(key).is_none() {
            self.missing(key, "a list of strings");
        }
        self.strings_if_any(key).unwrap_or_default()
    }

    /// A table, if given.
    #[must_use]
    pub fn section_if_any(&self, key: &str) -> Option<Section<'d>> {
        let node = self.get(key)?;
        if matches!(node.value, Value::Table(_)) {
            Some(Section::new(self.document, self.path_of(key), node))
        } else {
            self.mismatch(key, node, "a table");
            None
        }
    }

    /// A table; its absence is a mistake.
    #[must_use]
    pub fn section(&self, key: &str) -> Option<Section<'d>> {
        if self.get(key).is_none() {
            self.missing(key, "a table");
        }
        self.section_if_any(key)
    }

    /// A list of tables (`[[key]]`), empty if not given; paths are numbered from 0, or named where `id` or `name` is set.
    #[must_use]
    pub fn sections(&self, key: &str) -> Vec<Section<'d>> {
        let Some(node) = self.get(key) else { return Vec::new() };
        let Value::Array(items) = &node.value else {
            self.mismatch(key, node, "a list of tables");
            return Vec::new();
        };
        let mut sections = Vec::with_capacity(items.len());
        for (number, item) in items.iter().enumerate() {
            if let Value::Table(fields) = &item.value {
                let named = fields.iter().find_map(|(name, _, field)| match (&**name, &field.value) {
                    ("id" | "name", Value::String(text)) => Some(text.clone()),
                    _ => None,
                });
                let label = named.unwrap_or_else(|| number.to_string());
                sections.push(Section::new(self.document, format!("{}[{label}]", self.path_of(key)), item));
            } else {
                self.mismatch(key, item, "a table");
            }
        }
        sections
    }

    /// Ends the reading of this table: fields that nothing asked for are unknown.
    pub fn done(self) {
        let Value::Table(fields) = &self.node.value else { return };
        let read = self.read.borrow();
        for (key, place, _) in fields {
            if !read.contains(key) {
                let allowed: Vec<&str> = read.iter().map(String::as_str).collect();
                self.document.report(*place, &self.path_of(key), "unknown field", Some(allowed_hint(key, &allowed)));
            }
        }
    }
}

/// Byte offsets of line starts.
struct LineIndex<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    fn new(text: &'t str) -> Self {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        LineIndex { text, starts }
    }

    fn place(&self, offset: usize) -> Place {
        let line = self.starts.partition_point(|start| *start <= offset);
        let start = self.starts.get(line.saturating_sub(1)).copied().unwrap_or(0);
        let column = self.text.get(start..offset).map_or(0, |before| before.chars().count()) + 1;
        Place { line: line.max(1), column }
    }
}

fn convert_table(table: &DeTable<'_>, lines: &LineIndex<'_>) -> Value {
    let mut fields: Vec<(usize, String, Place, Node)> = table
        .iter()
        .map(|(key, value)| {
            let start = key.span().start;
            let mut node = convert(value.get_ref(), lines.place(value.span().start), lines);
            // A table opened by a header spans from its header; its key is the better place for messages.
            if matches!(node.value, Value::Table(_)) {
                node.place = lines.place(start);
            }
            (start, key.get_ref().to_string(), lines.place(start), node)
        })
        .collect();
    fields.sort_by_key(|(start, ..)| *start);
    Value::Table(fields.into_iter().map(|(_, key, place, node)| (key, place, node)).collect())
}

fn convert(value: &DeValue<'_>, place: Place, lines: &LineIndex<'_>) -> Node {
    let value = match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => Value::Integer(number),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        DeValue::Float(number) => match number.as_str().parse() {
            Ok(number) => Value::Float(number),
            Err(_) => Value::String(number.as_str().to_owned()),
        },
        DeValue::Boolean(flag) => Value::Boolean(*flag),
        DeValue::Datetime(date) => Value::Datetime(date.to_string()),
        DeValue::Array(items) => {
            Value::Array(items.iter().map(|item| convert(item.get_ref(), lines.place(item.span().start), lines)).collect())
        }
        DeValue::Table(table) => convert_table(table, lines),
    };
    Node { place, value }
}

#[cfg(test)]
mod tests;
