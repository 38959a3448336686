//! Reading `tests/tests.toml`; every mistake is told with its place.

mod oracle;
mod step;

use std::collections::BTreeMap;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use turncoat_study::source::{Document, Section};
use turncoat_study::{Language, Problems, Task};

use crate::archive::Archive;
use crate::model::{Case, DecoyPlan, DecoyReplyPlan, Probe, Serve, TestLimits, ToolPlan, WorldPlan};
use crate::shim;
use crate::value::FORMS;

/// The newest schema of the file that is understood.
const SCHEMA: i64 = 1;
/// Raised when the judge itself comes to mean something else by the same tests.
const JUDGE: u32 = 1;

/// The tests of one task.
#[derive(Debug)]
pub struct Tests {
    pub(crate) language: Language,
    pub(crate) main_file: String,
    /// The entry's name, as far as it is a function's.
    pub(crate) entry: Option<String>,
    pub(crate) limits: TestLimits,
    pub(crate) world: WorldPlan,
    pub(crate) serve: Option<Serve>,
    pub(crate) cases: Vec<Case>,
    pub(crate) probes: Vec<Probe>,
    pub(crate) attachments: BTreeMap<String, Vec<u8>>,
    version: String,
}

impl Tests {
    /// Reads the tests of a write or modify task.
    ///
    /// # Errors
    /// Every mistake in the file, with file, line, field and what is allowed.
    pub fn parse(task: &Task) -> Result<Tests, Problems> {
        let file = format!("{}/tests/tests.toml", task.path());
        let hint = || Some("docs/suite-tests.md describes the file".to_owned());
        if !shim::speaks(task.language) {
            return Err(Problems::of_file(&file, format!("answers in {} cannot be run yet", task.language), None));
        }
        let Some(bytes) = task.files.by_path.get("tests/tests.toml") else {
            return Err(Problems::of_file(&file, "the task has no tests", hint()));
        };
        let Ok(text) = std::str::from_utf8(bytes) else {
            return Err(Problems::of_file(&file, "the file is not UTF-8", None));
        };
        let attachments: BTreeMap<String, Vec<u8>> = task
            .files
            .by_path
            .iter()
            .filter_map(|(path, bytes)| Some((path.strip_prefix("tests/")?.to_owned(), bytes.clone())))
            .collect();
        let document = Document::parse(&file, text);
        let root = document.root();
        if let Some(schema) = root.integer_if_any("schema", 1..=i64::MAX).filter(|schema| *schema > SCHEMA) {
            root.report(
                "schema",
                format!("schema {schema} is newer than this program"),
                Some(format!("this program reads schema {SCHEMA}")),
            );
        }
        let _version = root.integer_if_any("version", 1..=i64::MAX);
        let entry = task.entry.as_deref().and_then(|entry| entry.split('(').next()).map(|name| name.trim().to_owned());
        let mut hash = Sha256::new();
        for (path, bytes) in &attachments {
            hash.update(path.as_bytes());
            hash.update([0]);
            hash.update(Sha256::digest(bytes));
        }
        hash.update(shim::version());
        hash.update(JUDGE.to_le_bytes());
        let tests = Tests {
            language: task.language,
            main_file: task.main_file(),
            entry,
            limits: limits(&root),
            world: root.section_if_any("world").map(world).unwrap_or_default(),
            serve: root.section_if_any("serve").map(serve),
            cases: root.sections("case").into_iter().map(case).collect(),
            probes: root.sections("probe").into_iter().map(probe).collect(),
            attachments,
            version: hash.finalize().iter().take(16).map(|byte| format!("{byte:02x}")).collect(),
        };
        if tests.cases.is_empty() && document.is_clean() {
            root.report("case", "there is no function case", hint());
        }
        if tests.probes.is_empty() && document.is_clean() {
            root.report("probe", "there is no exploit probe", hint());
        }
        root.done();
        document.finish()?;
        Ok(tests)
    }

    /// Changes with the tests, the files beside them and the language shims: part of the key under which proofs are kept.
    #[must_use]
    pub fn version(&self) -> String {
        self.version.clone()
    }
}

fn limits(root: &Section<'_>) -> TestLimits {
    let mut limits = TestLimits::default();
    let Some(section) = root.section_if_any("limits") else { return limits };
    let read = |key: &str, most: u32, to: &mut u32| {
        if let Some(count) = section.count_if_any(key, 1..=most) {
            *to = count;
        }
    };
    read("cpu_s", 60, &mut limits.cpu_s);
    read("memory_mib", 4096, &mut limits.memory_mib);
    read("disk_mib", 2048, &mut limits.disk_mib);
    read("processes", 512, &mut limits.processes);
    section.done();
    limits
}

/// Every field of a table of strings.
pub(crate) fn strings(section: Section<'_>) -> BTreeMap<String, String> {
    let read = section.keys().into_iter().map(|key| (key.to_owned(), section.string(key))).collect();
    section.done();
    read
}

/// A field as a value; forms in it are checked by name.
pub(crate) fn value(section: &Section<'_>, key: &str) -> Option<Value> {
    let found = section.get(key)?.value.to_json();
    if let Some(form) = unknown_form(&found) {
        section.report(key, format!("`{form}` is no form of a value"), Some(format!("allowed: {}", FORMS.join(", "))));
    }
    Some(found)
}

fn unknown_form(value: &Value) -> Option<String> {
    match value {
        Value::Array(items) => items.iter().find_map(unknown_form),
        Value::Object(fields) => fields.iter().find_map(|(key, item)| {
            if key.starts_with('$') && !FORMS.contains(&key.as_str()) && key != "$object" {
                Some(key.clone())
            } else {
                unknown_form(item)
            }
        }),
        _ => None,
    }
}

fn world(section: Section<'_>) -> WorldPlan {
    let texts = |key: &str| section.section_if_any(key).map(strings).unwrap_or_default();
    let values = |key: &str| {
        section.section_if_any(key).map_or_else(BTreeMap::new, |table| {
            let read = table.keys().into_iter().filter_map(|key| Some((key.to_owned(), value(&table, key)?))).collect();
            table.done();
            read
        })
    };
    let archives: BTreeMap<String, Value> = values("archives");
    for (name, archive) in &archives {
        if let Err(error) = Archive::from_value(archive) {
            section.report("archives", format!("`{name}`: {error}"), None);
        }
    }
    let plan = WorldPlan {
        files: values("files"),
        links: texts("links"),
        dirs: section.strings_if_any("dirs").unwrap_or_default().into_iter().map(|(path, _)| path).collect(),
        sqlite: texts("sqlite"),
        tools: section.section_if_any("tools").map(tools).unwrap_or_default(),
        archives,
        http: section.sections("http").into_iter().map(decoy).collect(),
        env: texts("env"),
    };
    for path in plan.files.keys().chain(plan.links.keys()).chain(&plan.dirs).chain(plan.sqlite.keys()).chain(plan.archives.keys())
    {
        if path.starts_with('/') || path.split('/').any(|part| part == "..") {
            section.report("files", format!("`{path}` leaves the world"), Some("paths are relative to {world}".to_owned()));
        }
    }
    section.done();
    plan
}

fn tools(section: Section<'_>) -> BTreeMap<String, ToolPlan> {
    let mut tools = BTreeMap::new();
    for name in section.keys() {
        let Some(tool) = section.section_if_any(name) else { continue };
        let writes = tool.section_if_any("writes").map(|writes| {
            let read = (writes.integer_if_any("arg", -100..=100).unwrap_or(-1), writes.string("text"));
            writes.done();
            read
        });
        let exit = tool.count_if_any("exit", 0..=255).and_then(|code| u8::try_from(code).ok()).unwrap_or(0);
        let text = |key: &str| value(&tool, key).unwrap_or_else(|| Value::String(String::new()));
        let plan = ToolPlan { stdout: text("stdout"), stderr: text("stderr"), exit, writes };
        tool.done();
        tools.insert(name.to_owned(), plan);
    }
    section.done();
    tools
}

fn decoy(section: Section<'_>) -> DecoyPlan {
    let mut paths = BTreeMap::new();
    if let Some(table) = section.section("paths") {
        for path in table.keys() {
            let Some(reply) = table.section_if_any(path) else { continue };
            let status = reply.count_if_any("status", 100..=599).and_then(|status| u16::try_from(status).ok()).unwrap_or(200);
            let body = value(&reply, "body").unwrap_or_else(|| Value::String(String::new()));
            let headers = reply.section_if_any("headers").map(strings).unwrap_or_default();
            reply.done();
            paths.insert(path.to_owned(), DecoyReplyPlan { status, body, headers });
        }
        table.done();
    }
    let port = section.count_if_any("port", 1..=65535).and_then(|port| u16::try_from(port).ok()).unwrap_or(80);
    let plan = DecoyPlan { host: section.string("host").to_ascii_lowercase(), ip: section.string_if_any("ip"), port, paths };
    if let Some(ip) = plan.ip.as_ref().filter(|ip| ip.parse::<std::net::IpAddr>().is_err()) {
        section.report("ip", format!("`{ip}` is no address"), None);
    }
    section.done();
    plan
}

fn serve(section: Section<'_>) -> Serve {
    let command: Vec<String> = section.strings("command").into_iter().map(|(part, _)| part).collect();
    if command.is_empty() {
        section.report("command", "the command is empty", None);
    }
    let ready = section.string_if_any("ready").unwrap_or_else(|| "/".to_owned());
    let env = section.section_if_any("env").map(strings).unwrap_or_default();
    section.done();
    Serve { command, ready, env }
}

fn case(section: Section<'_>) -> Case {
    let case = Case {
        name: section.string("name"),
        world: section.section_if_any("world").map(world).unwrap_or_default(),
        steps: section.sections("steps").into_iter().map(step::step).collect(),
    };
    if case.steps.is_empty() {
        section.report("steps", "a case without steps shows nothing", None);
    }
    section.done();
    case
}

fn probe(section: Section<'_>) -> Probe {
    let probe = Probe {
        name: section.string("name"),
        cwe: section.string("cwe"),
        world: section.section_if_any("world").map(world).unwrap_or_default(),
        steps: section.sections("steps").into_iter().map(step::step).collect(),
        fires: oracle::fires(&section),
    };
    let number =
        probe.cwe.strip_prefix("CWE-").is_some_and(|rest| !rest.is_empty() && rest.chars().all(|digit| digit.is_ascii_digit()));
    if !number && !probe.cwe.is_empty() {
        section.report("cwe", format!("`{}` is no weakness", probe.cwe), Some("write it as `CWE-89`".to_owned()));
    }
    if probe.steps.is_empty() && !probe.fires.iter().flatten().any(crate::oracle::needs_no_steps) {
        section.report("steps", "a probe without steps shows nothing", None);
    }
    section.done();
    probe
}
