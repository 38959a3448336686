//! File names in answers: where models write them, and which of them are safe to use.

use turncoat_study::Language;

/// Longest name that is kept, in bytes.
const MAX_NAME: usize = 200;
/// Deepest folder that is kept.
const MAX_DEPTH: usize = 8;

/// Endings of files that answers hold, beside those of the task languages.
const ENDINGS: [&str; 34] = [
    "py", "pyi", "js", "mjs", "cjs", "jsx", "ts", "tsx", "go", "java", "c", "h", "rs", "html", "htm", "css", "sql", "json",
    "yaml", "yml", "toml", "ini", "cfg", "txt", "md", "xml", "sh", "env", "ipynb", "cpp", "hpp", "rb", "php", "jinja2",
];

/// The language tag and file name of a fence's info string: `python`, `py:app.py`, `python title="app.py"`, `{.python}`, `app.py`.
pub(super) fn from_info(info: &str) -> (String, Option<String>) {
    let mut tag = String::new();
    let mut name = None;
    let spaced = info.replace(['{', '}', ','], " ");
    for (index, token) in spaced.split_whitespace().enumerate() {
        if let Some((key, value)) = token.split_once('=') {
            if matches!(key.to_ascii_lowercase().as_str(), "title" | "filename" | "file" | "path" | "name") {
                name = name.or_else(|| path_like(value.trim_matches(['"', '\''])));
            }
            continue;
        }
        for part in token.split(':') {
            let part = part.trim_matches(['"', '\'', '(', ')', '`']);
            if let Some(path) = path_like(part) {
                name = name.or(Some(path));
            } else if index == 0 && tag.is_empty() && !part.chars().all(|c| c.is_ascii_digit()) {
                tag = part.trim_start_matches('.').to_ascii_lowercase();
            }
        }
    }
    if let (true, Some(path)) = (tag.is_empty(), &name) {
        tag = ending(path).unwrap_or_default().to_ascii_lowercase();
    }
    (tag, name)
}

/// The name that a first-line comment gives: `# file: app.py`, `// src/x.js`, `<!-- index.html -->`.
pub(super) fn from_first_line(body: &str) -> Option<String> {
    let line = body.lines().find(|line| !line.trim().is_empty())?.trim();
    let comment = ["#", "//", "/*", "<!--", "--", ";"].iter().find_map(|sign| line.strip_prefix(sign))?;
    if comment.starts_with('!') {
        return None;
    }
    let inner = comment
        .trim_end_matches("*/")
        .trim_end_matches("-->")
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '=' | '-' | '#' | '*'));
    let inner = strip_label(inner);
    path_like(inner.trim_matches(['`', '"', '\'']))
}

/// The name that the line above a block gives: `**app.py**`, `### src/app.py`, ``File: `app.py` ``, ``Put this in `app.py`:``.
pub(super) fn from_line_above(line: &str) -> Option<String> {
    let line = line.trim();
    let mut found: Vec<String> = Vec::new();
    for token in
        line.split(|c: char| c.is_whitespace() || matches!(c, '`' | '*' | '(' | ')' | '"' | '\'' | ',' | '[' | ']' | '：'))
    {
        let path = path_like(token.trim_end_matches([':', '.', ';']).trim_start_matches('#'));
        found.extend(path.filter(|path| !found.contains(path)));
    }
    match found.as_slice() {
        // Two names in a sentence say nothing about which one the block is.
        [only] => Some(only.clone()),
        _ => None,
    }
}

fn strip_label(text: &str) -> &str {
    for label in [
        "file name:",
        "filename:",
        "file path:",
        "filepath:",
        "file:",
        "path:",
        "module:",
        "文件名：",
        "文件：",
        "文件:",
        "файл:",
    ] {
        if text.get(..label.len()).is_some_and(|head| head.to_lowercase() == label) {
            return text.get(label.len()..).unwrap_or_default().trim();
        }
    }
    text
}

/// The token as a path, if it ends as a file of code does.
pub(super) fn path_like(token: &str) -> Option<String> {
    let token = token.trim();
    let last = token.rsplit(['/', '\\']).next()?;
    let (stem, end) = last.rsplit_once('.')?;
    let known = ENDINGS.contains(&end.to_ascii_lowercase().as_str());
    let plain = !stem.is_empty()
        && token.len() <= MAX_NAME
        && !token.contains("://")
        && token.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '\\' | ':' | '~' | '@' | '+'));
    (known && plain && !matches!(token, "Node.js" | "node.js" | "Vue.js" | "Next.js")).then(|| token.to_owned())
}

/// The ending of a path, without the dot.
pub(super) fn ending(path: &str) -> Option<&str> {
    path.rsplit('/').next()?.rsplit_once('.').map(|(_, end)| end)
}

/// The language that a path's ending names.
pub(super) fn language(path: &str) -> Option<Language> {
    ending(path).and_then(Language::from_tag)
}

/// A name that is safe to write below a folder: relative, without `..`, of plain characters. The flag tells that it differs from
/// what was written.
pub(super) fn safe(written: &str) -> Option<(String, bool)> {
    let slashed = written.trim().replace('\\', "/");
    let mut segments: Vec<&str> = slashed.split('/').filter(|s| !s.is_empty() && *s != ".").collect();
    let leaves = slashed.starts_with(['/', '~']) || segments.iter().any(|s| *s == ".." || s.contains(':'));
    if leaves {
        // An absolute path names a place on the model's imagined machine: only the file's own name means anything here.
        segments = segments.last().copied().filter(|s| *s != ".." && !s.contains(':')).into_iter().collect();
    }
    let plain = segments.iter().all(|s| s.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '@' | ' ')));
    if segments.is_empty() || segments.len() > MAX_DEPTH || !plain {
        return None;
    }
    let name = segments.join("/");
    if name.len() > MAX_NAME {
        return None;
    }
    let changed = name != written;
    Some((name, changed))
}
