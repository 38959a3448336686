//! Suites: folders of tasks, read from texts that are handed in.

use std::sync::Arc;

use crate::source::{Document, Problem, Problems, Section};
use crate::task::{Kind, Language, Planted, Standing, Task, TaskFiles, Topic};

/// The files of one task's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskFolder {
    /// The folder's name, which is the task's id.
    pub name: String,
    /// How the folder is shown in messages.
    pub shown: String,
    /// Its files.
    pub files: TaskFiles,
}

/// The folders of one suite.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SuiteFolder {
    /// The suite's name: the name of its folder.
    pub name: String,
    /// How it is shown in messages.
    pub shown: String,
    /// Its tasks' folders, in order of name.
    pub tasks: Vec<TaskFolder>,
}

/// Reads every task of a suite.
///
/// # Errors
/// Every mistake in every task file, and an empty suite.
pub fn parse(folder: &SuiteFolder) -> Result<Vec<Task>, Problems> {
    let mut tasks = Vec::new();
    let mut problems: Vec<Problem> = Vec::new();
    for task in &folder.tasks {
        match parse_task(&folder.name, task) {
            Ok(task) => tasks.push(task),
            Err(found) => problems.extend(found.0),
        }
    }
    if tasks.is_empty() && problems.is_empty() {
        let help = "a suite is a folder of task folders, each with a task.toml".to_owned();
        return Err(Problems::of_file(&folder.shown, "the suite holds no task", Some(help)));
    }
    if problems.is_empty() { Ok(tasks) } else { Err(Problems(problems)) }
}

/// Reads one task's folder.
///
/// # Errors
/// Every mistake in its `task.toml`; a write or modify task without references or tests.
pub fn parse_task(suite: &str, folder: &TaskFolder) -> Result<Task, Problems> {
    let file = format!("{}/task.toml", folder.shown);
    let Some(bytes) = folder.files.by_path.get("task.toml") else {
        return Err(Problems::of_file(
            &file,
            "is missing",
            Some("every folder of a suite is a task and needs a task.toml".to_owned()),
        ));
    };
    let text = String::from_utf8_lossy(bytes);
    let document = Document::parse(&file, &text);
    let task = {
        let root = document.root();
        let task = read_task(suite, folder, &root);
        check_task(&task, folder, &root);
        root.done();
        task
    };
    document.finish()?;
    Ok(task)
}

fn read_task(suite: &str, folder: &TaskFolder, root: &Section<'_>) -> Task {
    let kind = root.choice("kind", &Kind::ALL.map(Kind::name));
    let language = root.choice("language", &Language::ALL.map(Language::name));
    let cwes = root.strings_if_any("cwes").unwrap_or_default().into_iter().map(|(cwe, _)| cwe).collect();
    let mut planted = Vec::new();
    for section in root.sections("planted") {
        let line = section.count_if_any("line", 1..=1_000_000).unwrap_or(0);
        if line == 0 && section.get("line").is_none() {
            section.report("line", "is missing; expected a line number from 1", None);
        }
        let end_line = section.count_if_any("end_line", line..=1_000_000).unwrap_or(line);
        planted.push(Planted { cwe: section.string("cwe"), line, end_line });
        section.done();
    }
    let topic = root.section_if_any("topic").map(|section| {
        let topic = Topic {
            name: section.string("name"),
            side: section.choice("side", &["sensitive", "mirror", "neutral"]).unwrap_or_default(),
            twin: section.string("twin"),
        };
        section.done();
        topic
    });
    Task {
        suite: suite.to_owned(),
        id: root.string("id"),
        cluster: root.string("cluster"),
        kind: Kind::ALL.into_iter().find(|one| Some(one.name()) == kind.as_deref()).unwrap_or(Kind::Write),
        language: Language::ALL.into_iter().find(|one| Some(one.name()) == language.as_deref()).unwrap_or(Language::Python),
        cwes,
        entry: root.string_if_any("entry"),
        prompt: root.string("prompt"),
        hint: root.string_if_any("hint"),
        planted,
        topic,
        files: Arc::new(folder.files.clone()),
    }
}

/// What a task of each kind must have beside its fields.
fn check_task(task: &Task, folder: &TaskFolder, root: &Section<'_>) {
    if root.get("id").is_some() && task.id != folder.name {
        root.report(
            "id",
            format!("is `{}`, but the folder is named `{}`", task.id, folder.name),
            Some("they must be equal".to_owned()),
        );
    }
    if root.get("prompt").is_some() && task.prompt.trim().is_empty() {
        root.report("prompt", "is empty", None);
    }
    if task.kind.is_run() {
        if !task.files.by_path.contains_key("tests/tests.toml") {
            let help = "function cases and exploit probes stand in tests/tests.toml; docs/suite-tests.md describes it";
            root.report("kind", format!("a {} task needs tests, and this one has none", task.kind), Some(help.to_owned()));
        }
        let standings: Vec<Standing> = task.references().iter().filter_map(|reference| reference.standing()).collect();
        if !standings.contains(&Standing::Secure) || !standings.contains(&Standing::Vulnerable) {
            let help = "add reference/secure.* and reference/vulnerable.* (and two reference/weak-*)";
            root.report("kind", format!("a {} task needs a secure and a vulnerable reference", task.kind), Some(help.to_owned()));
        }
    }
    if task.kind == Kind::Topic && task.topic.is_none() && root.get("topic").is_none() {
        root.report("topic", "a topic task needs a [topic] table with name, side and twin", None);
    }
}
