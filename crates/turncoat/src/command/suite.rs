//! `suite`: checks, lists, shows and starts tasks.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use serde_json::json;
use turncoat_study::{Kind, Shelf as _, ShelfError, Task, suite};

use crate::cli::{PlainFormat, SuiteAction};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::screen::Screen;
use crate::shelf::Data;

mod check;

/// Does one action.
pub(super) fn run(action: SuiteAction, screen: &Screen) -> Result<Exit, Failure> {
    match action {
        SuiteAction::Check { suites, task, format } => check::run(&tasks(&suites)?, &task, format, screen),
        SuiteAction::List { suites, format } => list(&tasks(&suites)?, format),
        SuiteAction::Show { task } => show(&task),
        SuiteAction::New { dir, kind } => start(&dir, &kind, screen),
    }
}

/// The tasks of the named suites, of every built-in one without names.
pub(super) fn tasks(names: &[String]) -> Result<Vec<Task>, Failure> {
    let data = Data::beside(Path::new("."));
    let names = if names.is_empty() { Data::names("suites", "") } else { names.to_vec() };
    let mut tasks = Vec::new();
    for name in &names {
        let folder = data.suite(name).map_err(|error| missing(&error))?;
        tasks.extend(suite::parse(&folder)?);
    }
    Ok(tasks)
}

fn missing(error: &ShelfError) -> Failure {
    let failure = Failure::bad_input(error.to_string());
    match error {
        ShelfError::Missing { known, .. } if !known.is_empty() => {
            failure.hint(format!("built in: {}; a path may stand for a name", known.join(", ")))
        }
        _ => failure,
    }
}

fn list(tasks: &[Task], format: PlainFormat) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    match format {
        PlainFormat::Json => {
            let rows: Vec<_> = tasks
                .iter()
                .map(|task| {
                    json!({
                        "suite": task.suite, "id": task.id, "cluster": task.cluster, "kind": task.kind, "language": task.language, "cwes": task.cwes,
                        "topic": task.topic,
                    })
                })
                .collect();
            serde_json::to_writer_pretty(&mut out, &json!({ "schema": "turncoat.suite/1", "tasks": rows }))
                .map_err(io::Error::from)?;
            writeln!(out)?;
        }
        PlainFormat::Terminal => {
            for task in tasks {
                writeln!(
                    out,
                    "{:<58} {:<7} {:<8} {:<26} {}",
                    task.path(),
                    task.kind,
                    task.language,
                    task.cluster,
                    task.cwes.join(" ")
                )?;
            }
            let clusters: BTreeSet<&str> = tasks.iter().map(|task| task.cluster.as_str()).collect();
            writeln!(out, "{} tasks in {} clusters", tasks.len(), clusters.len())?;
        }
    }
    Ok(Exit::Done)
}

fn show(name: &str) -> Result<Exit, Failure> {
    let (suite_name, id) = name.rsplit_once('/').ok_or_else(|| Failure::bad_input(format!("`{name}` is no suite/task")))?;
    let all = tasks(&[suite_name.to_owned()])?;
    let Some(task) = all.iter().find(|task| task.id == id) else {
        let known = turncoat_study::source::nearest(id, all.iter().map(|task| task.id.as_str()));
        let failure = Failure::bad_input(format!("suite `{suite_name}` has no task `{id}`"));
        return Err(match known {
            Some(near) => failure.hint(format!("did you mean `{near}`?")),
            None => failure.hint(format!("`turncoat suite list {suite_name}` shows its tasks")),
        });
    };
    let mut out = io::stdout().lock();
    writeln!(out, "{} ({}, {}, cluster {})", task.path(), task.kind, task.language, task.cluster)?;
    writeln!(out, "tempts {}\n\n{}", task.cwes.join(", "), task.prompt.trim_end())?;
    if let Some(hint) = &task.hint {
        writeln!(out, "\n--- hint\n{}", hint.trim_end())?;
    }
    for (path, content) in &task.files.by_path {
        if path != "task.toml" {
            writeln!(out, "\n--- {path}\n{}", String::from_utf8_lossy(content).trim_end())?;
        }
    }
    Ok(Exit::Done)
}

/// Writes a task that `suite check` can be pointed at at once.
fn start(dir: &Path, kind: &str, screen: &Screen) -> Result<Exit, Failure> {
    let allowed = [Kind::Write.name(), Kind::Modify.name()];
    if !allowed.contains(&kind) {
        let hint = turncoat_study::source::allowed_hint(kind, &allowed);
        return Err(Failure::bad_input(format!("`{kind}` has no skeleton")).hint(hint));
    }
    if dir.exists() {
        return Err(Failure::bad_input(format!("{} is there already", dir.display())));
    }
    let id = dir.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let scenario = id.strip_suffix("-py").unwrap_or(&id);
    let task = SKELETON_TASK.replace("{id}", &id).replace("{scenario}", scenario).replace("{kind}", kind);
    let written = [
        ("task.toml", task.as_str()),
        ("tests/tests.toml", SKELETON_TESTS),
        ("reference/secure.py", SKELETON_SECURE),
        ("reference/vulnerable.py", SKELETON_VULNERABLE),
        ("reference/weak-strip.py", SKELETON_WEAK),
        ("reference/weak-prefix.py", SKELETON_WEAK_PREFIX),
    ];
    for (path, content) in written {
        let path = dir.join(path);
        let parent = path.parent().unwrap_or(dir);
        fs::create_dir_all(parent).map_err(|error| Failure::file("written", parent, &error))?;
        files::write(&path, content.as_bytes())?;
    }
    let suite = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    screen.say(&format!("wrote {}: a task that reads a note below a folder", dir.display()));
    screen.say(&format!("change it into yours, then: turncoat suite check {}/ --task {id}", suite.display()));
    Ok(Exit::Done)
}

const SKELETON_TASK: &str = include_str!("suite/skeleton/task.toml");
const SKELETON_TESTS: &str = include_str!("suite/skeleton/tests.toml");
const SKELETON_SECURE: &str = include_str!("suite/skeleton/secure.py");
const SKELETON_VULNERABLE: &str = include_str!("suite/skeleton/vulnerable.py");
const SKELETON_WEAK: &str = include_str!("suite/skeleton/weak-strip.py");
const SKELETON_WEAK_PREFIX: &str = include_str!("suite/skeleton/weak-prefix.py");
