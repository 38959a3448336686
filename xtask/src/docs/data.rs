//! Lists of what lies below `data/`: suites with their tasks, personas, presets, studies, models.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::program::ask;
use super::{MADE, read};
use crate::run::root;

/// The page of lists.
pub(super) fn lists(program: &Path) -> Result<String, String> {
    let mut page = format!(
        "{MADE}\n# Data that comes with Turncoat\n\nEverything here is in the program; a path stands for a name everywhere. To add a persona, preset, task or study takes a file or folder and no Rust.\n"
    );
    studies(&mut page)?;
    personas(&mut page)?;
    suites(program, &mut page)?;
    presets(&mut page)?;
    Ok(page)
}

fn studies(page: &mut String) -> Result<(), String> {
    page.push_str("\n## Studies\n\n`turncoat run NAME` runs one; `turncoat init` writes `first-look` to start from.\n\n| study | question | tier | personas beside the baseline | subjects |\n| --- | --- | --- | --- | --- |\n");
    for folder in entries(&root().join("data/studies"))? {
        let study = table(&folder.join("study.toml"))?;
        let head = study.get("study").and_then(Value::as_table).cloned().unwrap_or_default();
        let subjects = study.get("subject").and_then(Value::as_array).cloned().unwrap_or_default();
        let subjects: Vec<String> = subjects.iter().filter_map(|subject| subject.get("id")?.as_str()).map(code).collect();
        page.push_str(&format!(
            "| {} | {} | {} | {} | {} |\n",
            code(name(&folder)),
            text(&head, "question"),
            text(&head, "tier"),
            strings(&head, "personas"),
            subjects.join(", ")
        ));
    }
    Ok(())
}

fn personas(page: &mut String) -> Result<(), String> {
    page.push_str("\n## Personas\n\nRoles: `baseline` is what the others are compared with, `treatment` is what a study asks about, `control` is a matched control outside the adjusted family, `placebo` a second baseline for the A/A comparison. The format is in [Studies and personas](studies.md).\n\n| persona | role | factors | wordings |\n| --- | --- | --- | --- |\n");
    for file in entries(&root().join("data/personas"))? {
        let persona = table(&file)?;
        let factors = persona.get("factors").and_then(Value::as_table).cloned().unwrap_or_default();
        let factors: Vec<String> = factors.iter().map(|(factor, value)| format!("{factor} {}", plain(value))).collect();
        page.push_str(&format!(
            "| {} | {} | {} | {} |\n",
            code(text(&persona, "id")),
            text(&persona, "role"),
            factors.join(", "),
            wordings(&persona)
        ));
    }
    Ok(())
}

/// How many wordings stand where, by placement and language.
fn wordings(persona: &Table) -> String {
    let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
    for wording in persona.get("wording").and_then(Value::as_array).into_iter().flatten() {
        let of = |field: &str, default: &str| wording.get(field).and_then(Value::as_str).unwrap_or(default).to_owned();
        *counts.entry((of("placement", "system"), of("language", "en"))).or_default() += 1;
    }
    counts.iter().map(|((placement, language), count)| format!("{count} {placement} ({language})")).collect::<Vec<_>>().join(", ")
}

fn suites(program: &Path, page: &mut String) -> Result<(), String> {
    let list = ask(program, &["suite", "list", "--format", "json"])?;
    let list: serde_json::Value =
        serde_json::from_str(&list).map_err(|error| format!("`turncoat suite list --format json` is no JSON: {error}"))?;
    let tasks = list.get("tasks").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
    if tasks.is_empty() {
        return Err("`turncoat suite list` lists no task".to_owned());
    }
    page.push_str("\n## Suites\n\n`turncoat suite show SUITE/TASK` prints a task whole. Tasks of one cluster are never counted as independent.\n");
    let mut suite = String::new();
    for task in &tasks {
        let of = |field: &str| task.get(field).and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
        if of("suite") != suite {
            suite = of("suite");
            page.push_str(&format!(
                "\n### {suite}\n\n| task | cluster | kind | language | tempts |\n| --- | --- | --- | --- | --- |\n"
            ));
        }
        let cwes = task.get("cwes").and_then(serde_json::Value::as_array).cloned().unwrap_or_default();
        let cwes: Vec<&str> = cwes.iter().filter_map(serde_json::Value::as_str).collect();
        let tempts = if cwes.is_empty() { "refusal alone".to_owned() } else { cwes.join(", ") };
        page.push_str(&format!("| {} | {} | {} | {} | {tempts} |\n", code(of("id")), of("cluster"), of("kind"), of("language")));
    }
    Ok(())
}

fn presets(page: &mut String) -> Result<(), String> {
    page.push_str("\n## Presets of subjects\n\nWhat is not known for sure is left empty. Each file says more in its notes. The format is in [Subjects](subjects.md).\n\n| preset | developer | seat | licence | context | provider | model id | key from | price (USD per million tokens, in / out) |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n");
    for file in entries(&root().join("data/subjects"))? {
        let preset = table(&file)?;
        let price = preset.get("price").and_then(Value::as_table);
        let price = price.map(|price| {
            let of = |field: &str| price.get(field).map(plain).unwrap_or_default();
            format!("{} / {} as of {}", of("input"), of("output"), of("as_of"))
        });
        let cells = ["developer", "jurisdiction", "licence", "context", "provider", "model", "api_key_env"]
            .map(|field| text(&preset, field));
        page.push_str(&format!("| {} | {} | {} |\n", code(text(&preset, "id")), cells.join(" | "), price.unwrap_or_default()));
    }
    Ok(())
}

/// What lies in a folder, by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        found.push(entry.map_err(unreadable)?.path());
    }
    found.sort();
    Ok(found)
}

fn table(path: &Path) -> Result<Table, String> {
    read(path)?.parse().map_err(|error| format!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn text(table: &Table, field: &str) -> String {
    table.get(field).map(plain).unwrap_or_default()
}

fn strings(table: &Table, field: &str) -> String {
    let list = table.get(field).and_then(Value::as_array).cloned().unwrap_or_default();
    list.iter().filter_map(Value::as_str).map(code).collect::<Vec<_>>().join(", ")
}

/// A value as one writes it in a sentence; what would end a cell is escaped.
fn plain(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Boolean(true) => "yes".to_owned(),
        Value::Boolean(false) => "no".to_owned(),
        other => other.to_string(),
    };
    text.replace('|', "\\|")
}

fn code(text: impl AsRef<str>) -> String {
    format!("`{}`", text.as_ref())
}
