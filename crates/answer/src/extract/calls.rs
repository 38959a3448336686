//! Files that come as data: arguments of tool calls, tagged text, notebooks, here-documents in shell commands.

use serde_json::{Map, Value};

/// A file as an answer hands it over; without a name it is the solution itself.
pub(super) type Handed = (Option<String>, String);

const NAME_KEYS: [&str; 9] =
    ["path", "file_path", "filepath", "filePath", "filename", "file_name", "file", "target_file", "name"];
const TEXT_KEYS: [&str; 7] = ["content", "contents", "file_text", "file_content", "code", "text", "source"];
const COMMAND_KEYS: [&str; 3] = ["command", "cmd", "script"];

/// The files in a tool call's arguments, or in any JSON of the same form.
pub(super) fn from_json(text: &str) -> Vec<Handed> {
    let Ok(value) = serde_json::from_str::<Value>(text) else {
        return Vec::new();
    };
    let mut files = Vec::new();
    collect(&value, 0, &mut files);
    files
}

fn collect(value: &Value, depth: u32, files: &mut Vec<Handed>) {
    if depth > 6 {
        return;
    }
    match value {
        Value::Array(items) => {
            for item in items {
                collect(item, depth + 1, files);
            }
        }
        Value::Object(fields) => collect_object(fields, depth, files),
        // Arguments are sometimes JSON within a JSON string.
        Value::String(inner) if inner.trim_start().starts_with(['{', '[']) => {
            if let Ok(value) = serde_json::from_str::<Value>(inner) {
                collect(&value, depth + 1, files);
            }
        }
        _ => {}
    }
}

fn collect_object(fields: &Map<String, Value>, depth: u32, files: &mut Vec<Handed>) {
    let text_of = |keys: &[&str]| keys.iter().find_map(|key| fields.get(*key).and_then(Value::as_str)).map(str::to_owned);
    let name = text_of(&NAME_KEYS);
    let named = name.as_deref().is_some_and(|name| super::name::path_like(name).is_some());
    if let Some(text) = text_of(&TEXT_KEYS).filter(|_| named) {
        files.push((name, text));
        return;
    }
    if let Some(code) = fields.get("code").and_then(Value::as_str) {
        files.push((None, code.to_owned()));
    }
    if let Some(command) = text_of(&COMMAND_KEYS) {
        files.extend(from_shell(&command));
    }
    for (key, field) in fields {
        match field {
            Value::String(text) if super::name::path_like(key).is_some() => files.push((Some(key.clone()), text.clone())),
            Value::Object(_) | Value::Array(_) => collect(field, depth + 1, files),
            Value::String(_) if matches!(key.as_str(), "arguments" | "input" | "parameters") => collect(field, depth + 1, files),
            _ => {}
        }
    }
}

/// The files that a shell text writes: `cat > app.py <<'EOF'` up to the closing word.
pub(super) fn from_shell(text: &str) -> Vec<Handed> {
    let mut files = Vec::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        let Some((before, after)) = line.split_once("<<") else { continue };
        let (word, tail) = heredoc_word(after.trim_start_matches('-').trim_start());
        let Some(name) = redirected(before).or_else(|| redirected(tail)) else { continue };
        let mut body = String::new();
        for inner in lines.by_ref() {
            if inner.trim() == word {
                break;
            }
            body.push_str(inner);
            body.push('\n');
        }
        files.push((Some(name), body));
    }
    files
}

fn heredoc_word(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    let (word, tail) = text.split_at(end);
    (word.trim_matches(['\'', '"', '\\']), tail)
}

fn redirected(command: &str) -> Option<String> {
    let target = match command.rsplit_once('>') {
        Some((_, target)) => target,
        None => command.split_once("tee ")?.1,
    };
    super::name::path_like(target.split_whitespace().next()?.trim_matches(['\'', '"']))
}

/// Files in tagged text: `<tool_call>` with JSON, `<function=..><parameter=..>`, `<invoke><parameter name="..">`, and
/// `<path>..</path><content>..</content>`.
pub(super) fn from_tags(text: &str) -> Vec<Handed> {
    let mut files = Vec::new();
    for body in between(text, "<tool_call>", "</tool_call>") {
        files.extend(from_json(body.trim()));
    }
    for call in text.split("<function=").skip(1).chain(text.split("<invoke ").skip(1)) {
        let call = call.split("</function>").next().and_then(|call| call.split("</invoke>").next()).unwrap_or(call);
        files.extend(from_parameters(call));
    }
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("<path>") {
        let Some((path, after)) = after.split_once("</path>") else { break };
        let Some((_, body)) = after.split_once("<content>") else { break };
        let (body, after) = body.split_once("</content>").unwrap_or((body, ""));
        rest = after;
        files.push((super::name::path_like(path.trim()), without_cdata(body)));
    }
    files
}

fn from_parameters(call: &str) -> Vec<Handed> {
    let mut fields = Map::new();
    let plain = call.split("<parameter=").skip(1);
    let attributed = call.split("<parameter name=").skip(1);
    for parameter in plain.chain(attributed) {
        let Some((key, value)) = parameter.split_once('>') else { continue };
        let value = value.rsplit_once("</parameter>").map_or(value, |(value, _)| value);
        let value = value.strip_prefix('\n').unwrap_or(value);
        let value = value.strip_suffix('\n').unwrap_or(value);
        fields.insert(key.trim_matches(['"', '\'', ' ']).to_owned(), Value::String(value.to_owned()));
    }
    let mut files = Vec::new();
    collect_object(&fields, 0, &mut files);
    files
}

fn without_cdata(body: &str) -> String {
    let trimmed = body.trim();
    match trimmed.strip_prefix("<![CDATA[") {
        Some(inner) => {
            inner.strip_suffix("]]>").unwrap_or(inner).trim_start_matches([' ', '\t']).trim_start_matches('\n').to_owned()
        }
        None => body.trim_start_matches('\n').to_owned(),
    }
}

fn between<'a>(text: &'a str, open: &str, close: &str) -> Vec<&'a str> {
    text.split(open).skip(1).map(|part| part.split(close).next().unwrap_or(part)).collect()
}

/// The code cells of a notebook, joined, without its `%` and `!` lines.
pub(super) fn from_notebook(text: &str) -> Option<String> {
    let value: Value = serde_json::from_str(text.trim()).ok()?;
    let cells = value.get("cells")?.as_array()?;
    let mut out = String::new();
    for cell in cells {
        if cell.get("cell_type").and_then(Value::as_str) != Some("code") {
            continue;
        }
        let source = match cell.get("source") {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Array(lines)) => lines.iter().filter_map(Value::as_str).collect(),
            _ => continue,
        };
        for line in source.lines().filter(|line| !line.trim_start().starts_with(['%', '!'])) {
            out.push_str(line);
            out.push('\n');
        }
        out.push('\n');
    }
    Some(out)
}
