//! Code from real answers: which text is code, which file it is, and what was left aside.
//!
//! Models write prose, several versions, shell lines and expected output around their code, name files in five ways, and are cut
//! in the middle. What comes out is what a careful reader would save to disk, in normal form (see [`crate::code`]); anything left
//! aside is told in a note.

mod calls;
mod choose;
mod fence;
mod name;
mod patch;
mod shape;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use turncoat_study::{Kind, Language, Task};

use crate::answer::Answer;
use crate::code::{Files, normalise};
use choose::Candidate;
pub(crate) use shape::is_stub;

/// The version of these rules; part of the key under which results are remembered.
pub const EXTRACTOR_VERSION: &str = "extract/1";

/// Most files that are kept of one answer.
const MAX_FILES: usize = 64;
/// Most bytes that are kept of one answer's files together.
const MAX_BYTES: usize = 1 << 20;

/// How the code was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Form {
    /// In closed fenced blocks.
    Fenced,
    /// In a fenced block that never closes: the answer was cut, most likely.
    Unclosed,
    /// The text is code without a fence.
    Bare,
    /// In tool calls, their tagged text form, or here-documents.
    ToolCall,
    /// In the code cells of a notebook.
    Notebook,
    /// In a diff that creates whole files.
    Diff,
    /// There is none.
    None,
}

/// What is looked for in an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// What the task asks for; audit answers hold no code of their own.
    pub kind: Kind,
    /// The language asked for.
    pub language: Language,
    /// The name that a one-file answer is stored under.
    pub main_file: String,
    /// The name of the function or class that the tests enter by.
    pub entry: Option<String>,
}

impl Wanted {
    /// What a task wants.
    #[must_use]
    pub fn of(task: &Task) -> Wanted {
        Wanted {
            kind: task.kind,
            language: task.language,
            main_file: task.main_file(),
            entry: task.entry.as_deref().and_then(entry_name),
        }
    }
}

/// The code of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extraction {
    /// Files in normal form by safe relative name; empty when there is no code.
    pub files: Files,
    /// How they were found.
    pub form: Form,
    /// What was renamed, left out or odd, one sentence each.
    pub notes: Vec<String>,
}

impl Extraction {
    fn none(note: Option<&str>) -> Extraction {
        Extraction { files: Files::new(), form: Form::None, notes: note.map(str::to_owned).into_iter().collect() }
    }

    /// Whether there is code that does something: neither empty nor a mere stub.
    #[must_use]
    pub fn is_substantial(&self) -> bool {
        self.files.values().any(|text| !text.trim().is_empty() && !is_stub(text))
    }

    /// The hash by which this code is known, or `None` without code.
    #[must_use]
    pub fn code_hash(&self) -> Option<[u8; 32]> {
        (!self.files.is_empty()).then(|| crate::code::hash(&self.files))
    }
}

/// The name that a signature such as `search(db: str) -> list` or `class Store` enters by; `None` for a mere file name.
#[must_use]
pub fn entry_name(entry: &str) -> Option<String> {
    let line = entry.trim().lines().next()?.trim();
    let mut words = line.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    let word = words
        .find(|word| !matches!(*word, "def" | "async" | "class" | "function" | "func" | "fn" | "pub" | "export" | "const"))?;
    if name::path_like(word).is_some() {
        return None;
    }
    let first: String = word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!first.is_empty()).then_some(first)
}

/// The code of a whole answer: its text, and where that holds none, its tool calls.
#[must_use]
pub fn extract_answer(answer: &Answer, wanted: &Wanted) -> Extraction {
    let from_text = extract(&answer.text, wanted);
    if wanted.kind == Kind::Audit || answer.tool_calls.is_empty() {
        return from_text;
    }
    let handed: Vec<calls::Handed> = answer.tool_calls.iter().flat_map(|call| calls::from_json(&call.arguments)).collect();
    if handed.is_empty() {
        return from_text;
    }
    let mut shelf = Shelf::new(wanted);
    shelf.take_handed(handed);
    let from_calls = shelf.finish(Form::ToolCall);
    // A tool call that writes files is the deliverable; the text beside it may show excerpts.
    if from_calls.files.is_empty() { from_text } else { from_calls }
}

/// The code in an answer's text.
#[must_use]
pub fn extract(text: &str, wanted: &Wanted) -> Extraction {
    if wanted.kind == Kind::Audit {
        return Extraction::none(None);
    }
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    let (text, was_thinking) = without_reasoning(&text);
    let mut shelf = Shelf::new(wanted);
    if was_thinking {
        shelf.note("reasoning within the text was left out".to_owned());
    }
    if let Some(code) = calls::from_notebook(&text) {
        shelf.main.push(Candidate { text: code, is_closed: true });
        return shelf.finish(Form::Notebook);
    }
    let tagged = calls::from_tags(&text);
    if !tagged.is_empty() {
        shelf.take_handed(tagged);
        return shelf.finish(Form::ToolCall);
    }
    let (blocks, prose) = fence::split(&text);
    if blocks.iter().all(|block| block.body.trim().is_empty()) {
        return without_fences(&text, &prose, shelf);
    }
    from_blocks(blocks, shelf)
}

fn from_blocks(blocks: Vec<fence::Block>, mut shelf: Shelf<'_>) -> Extraction {
    let mut form = Form::Fenced;
    let mut foreign: Option<Candidate> = None;
    let last_is_open = blocks.last().is_some_and(|block| !block.is_closed);
    for block in blocks {
        let tagged = Language::from_tag(&block.tag);
        let untagged = matches!(block.tag.as_str(), "" | "text" | "txt" | "plaintext" | "code" | "plain" | "output");
        if matches!(block.tag.as_str(), "diff" | "patch") || (tagged.is_none() && patch::is_diff(&block.body)) {
            if shelf.take_diff(&block.body) {
                form = Form::Diff;
            }
        } else if matches!(
            block.tag.as_str(),
            "bash" | "sh" | "shell" | "console" | "zsh" | "shell-session" | "powershell" | "bat" | "cmd"
        ) {
            shelf.take_handed(calls::from_shell(&block.body));
        } else if matches!(block.tag.as_str(), "json" | "ipynb") || (untagged && block.body.trim_start().starts_with('{')) {
            if let Some(code) = calls::from_notebook(&block.body) {
                form = Form::Notebook;
                shelf.main.push(Candidate { text: code, is_closed: block.is_closed });
            } else {
                shelf.take_handed(calls::from_json(&block.body).into_iter().filter(|(name, _)| name.is_some()).collect());
            }
        } else if let Some(name) = block.name.clone().filter(|_| !shape::is_shell(&block.body)) {
            shelf.take_named(&name, block.body, block.is_closed);
        } else if tagged.is_some_and(|language| shelf.speaks(language)) || (untagged && shelf.is_code(&block.body)) {
            shelf.main.push(Candidate { text: block.body, is_closed: block.is_closed });
        } else if tagged.is_some() {
            shelf.note(format!("a block tagged `{}` is not in the language asked for", block.tag));
            foreign = Some(Candidate { text: block.body, is_closed: block.is_closed });
        }
    }
    if shelf.is_empty() {
        // Code in the wrong language is code still: it will fail its cases, which is not the same as no code.
        shelf.main.extend(foreign);
    }
    if shelf.is_empty() {
        let note = shelf.notes.pop();
        return Extraction::none(note.as_deref().or(Some("no block holds code")));
    }
    let mut extraction = shelf.finish(form);
    if last_is_open {
        extraction.notes.push("the last fence never closes: the answer may be cut".to_owned());
    }
    extraction
}

fn without_fences(text: &str, prose: &str, mut shelf: Shelf<'_>) -> Extraction {
    if patch::is_diff(text) {
        if shelf.take_diff(text) {
            return shelf.finish(Form::Diff);
        }
        let note = shelf.notes.pop();
        return Extraction::none(note.as_deref());
    }
    let handed = calls::from_json(text.trim());
    if !handed.is_empty() {
        shelf.take_handed(handed);
        return shelf.finish(Form::ToolCall);
    }
    let Some(code) = bare_code(prose, shelf.wanted.language) else {
        return Extraction::none(None);
    };
    shelf.main.push(Candidate { text: code, is_closed: true });
    shelf.finish(Form::Bare)
}

/// The stretch of an unfenced text that is code: from the first line that can only be code to the last before prose.
fn bare_code(text: &str, language: Language) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let start =
        lines.iter().position(|line| shape::looks_like(line, language) && !line.starts_with([' ', '\t']) && !is_prose(line))?;
    let before = lines.get(..start)?;
    let is_lead =
        |line: &&&str| line.starts_with("#!") || line.starts_with("# ") || line.starts_with("//") || line.trim().is_empty();
    let lead = if is_preamble(before) { start } else { before.iter().rev().take_while(is_lead).count() };
    let body: Vec<&str> = lines.get(start - lead..)?.to_vec();
    let mut quotes = 0_usize;
    let mut end = body.len();
    for (index, line) in body.iter().enumerate() {
        if quotes.is_multiple_of(2) && is_prose(line) {
            end = index;
            break;
        }
        quotes += line.matches("\"\"\"").count() + line.matches("'''").count();
    }
    let code = body.get(..end)?.join("\n");
    (code.lines().filter(|line| !line.trim().is_empty()).count() >= 2).then_some(code)
}

/// Whether lines before the first that can only be code are code too: a docstring, comments, constants.
fn is_preamble(lines: &[&str]) -> bool {
    let mut quotes = 0_usize;
    lines.iter().all(|line| {
        let within = !quotes.is_multiple_of(2);
        quotes += line.matches("\"\"\"").count() + line.matches("'''").count();
        let starts = line.starts_with([' ', '\t', '#', '"', '\'', '}', ')', ']']) || line.starts_with("//");
        within || starts || line.trim().is_empty() || (line.contains(" = ") && !is_prose(line))
    })
}

/// Whether a line at the left margin is a sentence rather than code.
fn is_prose(line: &str) -> bool {
    if line.starts_with([' ', '\t', '#', '@', '/', '}', ')', ']', '"', '\'']) || line.trim().is_empty() {
        return false;
    }
    let words = line.split_whitespace().count();
    let ends = line.trim_end().ends_with(['.', ':', '!', '?', '。', '：']);
    let symbols = line.chars().filter(|c| matches!(c, '=' | '(' | ')' | '{' | '}' | '[' | ']' | ';')).count();
    let sentence = line.chars().next().is_some_and(|c| c.is_uppercase() || c > '\u{2e80}') && symbols <= 2;
    let marked = line.starts_with("- ") || line.starts_with("* ") || line.starts_with("**");
    marked || (sentence && ((words >= 4 && ends) || words >= 7))
}

/// Takes out `<think>` blocks that the wire layer could not know to be reasoning.
fn without_reasoning(text: &str) -> (String, bool) {
    let mut out = text.to_owned();
    let mut found = false;
    for (open, close) in [("<think>", "</think>"), ("<thinking>", "</thinking>"), ("<reasoning>", "</reasoning>")] {
        while let Some(start) = outside_code(&out, open) {
            let (before, inside) = out.split_at(start);
            let after = inside.split_once(close).map_or("", |(_, after)| after);
            out = format!("{before}{after}");
            found = true;
        }
        // Some templates put the opening tag into the prompt: then only the closing one comes back.
        if let Some(end) = outside_code(&out, close) {
            out = out.get(end + close.len()..).unwrap_or_default().to_owned();
            found = true;
        }
    }
    (out, found)
}

/// Where the tag first stands at the start or end of a line outside fenced code.
fn outside_code(text: &str, tag: &str) -> Option<usize> {
    let mut offset = 0;
    let mut fenced = false;
    for line in text.split_inclusive('\n') {
        let trimmed = line.trim();
        if trimmed.starts_with("```") || trimmed.starts_with("~~~") {
            fenced = !fenced;
        }
        if (!fenced || tag.starts_with("</")) && (trimmed.starts_with(tag) || trimmed.ends_with(tag)) {
            return line.find(tag).map(|at| offset + at);
        }
        offset += line.len();
    }
    None
}

/// The files found so far.
struct Shelf<'a> {
    wanted: &'a Wanted,
    named: Vec<(String, String, bool)>,
    main: Vec<Candidate>,
    notes: Vec<String>,
}

impl<'a> Shelf<'a> {
    fn new(wanted: &'a Wanted) -> Shelf<'a> {
        Shelf { wanted, named: Vec::new(), main: Vec::new(), notes: Vec::new() }
    }

    fn is_empty(&self) -> bool {
        self.named.is_empty() && self.main.is_empty()
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < 50 && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    fn speaks(&self, language: Language) -> bool {
        let script = |l| matches!(l, Language::Javascript | Language::Typescript);
        language == self.wanted.language || (script(language) && script(self.wanted.language))
    }

    fn is_code(&self, text: &str) -> bool {
        shape::looks_like(text, self.wanted.language) && !shape::is_shell(text)
    }

    fn take_handed(&mut self, handed: Vec<calls::Handed>) {
        for (name, text) in handed {
            match name {
                Some(name) => self.take_named(&name, text, true),
                None => self.main.push(Candidate { text, is_closed: true }),
            }
        }
    }

    /// Takes the files that a diff creates whole; false when it creates none.
    fn take_diff(&mut self, text: &str) -> bool {
        let (files, changes_others) = patch::created(text);
        if changes_others || files.is_empty() {
            self.note("a diff against code is no file and was not applied".to_owned());
        }
        let found = !files.is_empty();
        for (name, text) in files {
            self.take_named(&name, text, true);
        }
        found
    }

    fn take_named(&mut self, written: &str, text: String, is_closed: bool) {
        let Some((name, changed)) = name::safe(written) else {
            self.note(format!("`{}` is no safe file name; the file was left out", written.escape_debug()));
            return;
        };
        if changed && name != written.trim_start_matches("./") {
            self.note(format!("`{}` was stored as `{name}`", written.escape_debug()));
        }
        let wanted = self.wanted;
        // A later block of the same name is a revision, unless it is only an excerpt.
        if let Some(known) = self.named.iter_mut().find(|(known, _, _)| *known == name) {
            let defines =
                |text: &str| wanted.entry.as_ref().is_some_and(|entry| shape::defines(text, wanted.language).contains(entry));
            let is_excerpt = shape::is_elided(&text)
                || is_stub(&text)
                || (defines(&known.1) && !defines(&text))
                || (!defines(&text) && text.len() * 5 < known.1.len() * 2);
            if !is_excerpt {
                known.1 = text;
                known.2 = is_closed;
            }
            return;
        }
        self.named.push((name, text, is_closed));
    }

    fn finish(mut self, form: Form) -> Extraction {
        let mut is_closed = true;
        let mut files = Files::new();
        for (name, text, closed) in std::mem::take(&mut self.named) {
            is_closed &= closed;
            files.insert(name, text);
        }
        self.settle_main(&mut files, &mut is_closed);
        self.bound(&mut files);
        let files: Files = files
            .into_iter()
            .map(|(name, text)| (name, normalise(text.trim_start_matches('\n'))))
            .filter(|(_, text)| !text.is_empty())
            .collect();
        let form = match form {
            _ if files.is_empty() => Form::None,
            Form::Fenced if !is_closed => Form::Unclosed,
            other => other,
        };
        Extraction { files, form, notes: self.notes }
    }

    /// Finds the file that the tests enter by and stores it under the main file's name.
    fn settle_main(&mut self, files: &mut Files, is_closed: &mut bool) {
        let language = self.wanted.language;
        let entry = self.wanted.entry.as_deref();
        let main_file = self.wanted.main_file.clone();
        let defines_entry = |text: &str| entry.is_some_and(|entry| shape::defines(text, language).contains(entry));
        let unnamed = choose::choose(&self.main, language, entry);
        if files.contains_key(&main_file) {
            // An unnamed revision of the named main file wins when it defines the entry and the named one does not.
            let named_has_it = files.get(&main_file).is_some_and(|text| defines_entry(text));
            if let Some(candidate) =
                unnamed.filter(|candidate| entry.is_some() && !named_has_it && defines_entry(&candidate.text))
            {
                *is_closed &= candidate.is_closed;
                files.insert(main_file, candidate.text);
            }
            return;
        }
        let own: Vec<&String> = files.keys().filter(|name| name::language(name).is_some_and(|l| self.speaks(l))).collect();
        let by_entry = files.iter().find(|(_, text)| defines_entry(text)).map(|(name, _)| name.clone());
        let unnamed_has_it = unnamed.as_ref().is_some_and(|candidate| defines_entry(&candidate.text));
        let only = match own.as_slice() {
            [only] if self.main.is_empty() || !is_test(only) => Some((*only).clone()),
            _ => own.iter().find(|name| matches!(stem(name), "solution" | "main" | "app" | "index")).map(|name| (*name).clone()),
        };
        let renamed = if unnamed_has_it { None } else { by_entry.or(if unnamed.is_none() { only } else { None }) };
        if let Some(name) = renamed {
            let imported = files.iter().any(|(other, text)| *other != name && mentions_module(text, stem(&name)));
            let text = if imported { files.get(&name).cloned() } else { files.remove(&name) };
            self.note(format!("`{name}` was taken as `{main_file}`"));
            files.insert(main_file, text.unwrap_or_default());
        } else if let Some(candidate) = unnamed {
            *is_closed &= candidate.is_closed;
            files.insert(main_file, candidate.text);
        }
    }

    /// Drops what passes the bounds on number and size, and names that are folders of others.
    fn bound(&mut self, files: &mut Files) {
        let main_file = self.wanted.main_file.clone();
        let mut bytes = files.get(&main_file).map_or(0, String::len);
        if bytes > MAX_BYTES {
            self.note(format!("the code is larger than {MAX_BYTES} bytes and was left out"));
            files.clear();
            return;
        }
        let mut count = usize::from(files.contains_key(&main_file));
        let names: Vec<String> = files.keys().filter(|name| **name != main_file).cloned().collect();
        for name in names {
            let size = files.get(&name).map_or(0, String::len);
            let is_folder = files.keys().any(|other| other.strip_prefix(name.as_str()).is_some_and(|rest| rest.starts_with('/')));
            if is_folder || count >= MAX_FILES || bytes + size > MAX_BYTES {
                files.remove(&name);
                self.note(format!("`{name}` was left out: too many files, too large, or also a folder"));
            } else {
                count += 1;
                bytes += size;
            }
        }
    }
}

fn stem(name: &str) -> &str {
    let last = name.rsplit('/').next().unwrap_or(name);
    last.rsplit_once('.').map_or(last, |(stem, _)| stem)
}

fn is_test(name: &str) -> bool {
    let stem = stem(name);
    stem.starts_with("test") || stem.ends_with("_test") || stem.ends_with(".test")
}

fn mentions_module(text: &str, module: &str) -> bool {
    text.lines().any(|line| {
        let line = line.trim();
        (line.starts_with("import ") || line.starts_with("from ") || line.contains("require("))
            && shape::words(line).contains(module)
    })
}
