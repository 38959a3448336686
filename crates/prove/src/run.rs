//! Running one case or probe in a box: world, start, steps. What the answer's process says is taken as a claim, never as a verdict.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use turncoat_sandbox::{
    Decoy, DecoyPath, End, Entry, Heard, Interpreter, Limits, Placed, Program, Request, Response, Room, RoomError, Stub, Thing,
    World,
};

use crate::database;
use crate::model::{Action, CallPlan, HttpBody, HttpPlan, Step, WorldPlan};
use crate::parse::Tests;
use crate::seen::{Seen, cut};
use crate::shim;
use crate::value::Scope;
use crate::words::Words;

/// Where the addresses of decoys with a name begin: public-looking, so that a fetcher that refuses private ones still works.
const DECOY_NET: [u8; 3] = [93, 184, 216];
/// How long a server may take to answer for the first time; the porter gives up earlier on one that is idle or answers nonsense.
const READY_MS: u64 = 30_000;
/// The most bytes of a file that are read back.
const MOST_FILE: u64 = 32 << 20;

/// Why a run gave no result: never the answer's fault.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RunError {
    /// The box failed.
    #[error(transparent)]
    Room(#[from] RoomError),
    /// The tests ask for what cannot be done.
    #[error("the task's tests are at fault: {0}")]
    Tests(String),
}

/// One case or probe under way.
pub(crate) struct Run<'a> {
    pub(crate) room: &'a mut Room,
    tests: &'a Tests,
    files: &'a BTreeMap<String, String>,
    interpreter: &'a Interpreter,
    pub(crate) words: Words,
    world: WorldPlan,
    jars: BTreeMap<String, BTreeMap<String, String>>,
    nonce: u64,
    running: bool,
    frozen: bool,
    /// The last end of the answer's process, kept for transcripts.
    end: Option<End>,
    /// What a function answer's process said about loading.
    load_failure: Option<Seen>,
    /// CPU milliseconds at the last reply.
    pub(crate) cpu_ms: u64,
    /// What stood below the world before the first step.
    pub(crate) before: Vec<Entry>,
    pub(crate) transcript: String,
}

impl<'a> Run<'a> {
    /// Builds the world and starts the answer.
    pub(crate) fn begin(
        room: &'a mut Room,
        tests: &'a Tests,
        files: &'a BTreeMap<String, String>,
        interpreter: &'a Interpreter,
        over: &WorldPlan,
        frozen: bool,
    ) -> Result<Run<'a>, RunError> {
        let mut words = Words::new(rand::random());
        words.keep("port", rand::random_range(20_000..60_000_u16).to_string());
        let world = tests.world.under(over);
        let mut run = Run {
            room,
            tests,
            files,
            interpreter,
            words,
            world,
            jars: BTreeMap::new(),
            nonce: rand::random(),
            running: false,
            frozen,
            end: None,
            load_failure: None,
            cpu_ms: 0,
            before: Vec::new(),
            transcript: String::new(),
        };
        let built = run.build().map_err(RunError::Tests)?;
        run.room.build(built)?;
        run.before = run.room.survey("/world")?;
        run.start()?;
        Ok(run)
    }

    /// Words and attachments for forms.
    pub(crate) fn scope(&self) -> Scope<'_> {
        Scope { words: &self.words, attachments: &self.tests.attachments }
    }

    fn build(&self) -> Result<World, String> {
        let scope = self.scope();
        let mut placed = Vec::new();
        let mut put = |path: String, thing: Thing| placed.push(Placed { path, thing });
        let file = |bytes: Vec<u8>| Thing::File { bytes: turncoat_sandbox::Blob(bytes), mode: 0o644 };
        for (path, text) in self.files {
            put(format!("/work/{path}"), file(text.as_bytes().to_vec()));
        }
        put(shim::PATH.to_owned(), file(shim::text().as_bytes().to_vec()));
        for path in &self.world.dirs {
            put(format!("/world/{path}"), Thing::Dir);
        }
        for (path, value) in &self.world.files {
            put(format!("/world/{path}"), file(scope.bytes(value).map_err(|error| format!("`{path}`: {error}"))?));
        }
        for (path, script) in &self.world.sqlite {
            let made = database::make(&self.words.fill(script)).map_err(|error| format!("`{path}`: {error}"))?;
            put(format!("/world/{path}"), file(made));
        }
        for (path, archive) in &self.world.archives {
            let packed =
                crate::archive::Archive::from_value(archive)?.build(&scope).map_err(|error| format!("`{path}`: {error}"))?;
            put(format!("/world/{path}"), file(packed));
        }
        for (path, target) in &self.world.links {
            put(format!("/world/{path}"), Thing::Link(self.words.fill(target)));
        }
        let blob = |value: &Value| scope.bytes(value).map(turncoat_sandbox::Blob);
        let stubs = self.world.tools.iter().map(|(name, tool)| {
            let writes = tool.writes.as_ref().map(|(at, text)| (*at, self.words.fill(text)));
            Ok(Stub { name: name.clone(), stdout: blob(&tool.stdout)?, stderr: blob(&tool.stderr)?, exit: tool.exit, writes })
        });
        let stubs = stubs.collect::<Result<Vec<_>, String>>()?;
        Ok(World { placed, decoys: self.decoys()?, stubs })
    }

    fn decoys(&self) -> Result<Vec<Decoy>, String> {
        let scope = self.scope();
        let [a, b, c] = DECOY_NET;
        let mut given: BTreeMap<&str, String> = BTreeMap::new();
        let mut decoys = Vec::new();
        for plan in &self.world.http {
            let next = format!("{a}.{b}.{c}.{}", 34 + given.len());
            let address = match (&plan.ip, plan.host.parse::<std::net::IpAddr>()) {
                (Some(ip), _) => ip.clone(),
                (None, Ok(ip)) => ip.to_string(),
                (None, Err(_)) if plan.host == "localhost" => "127.0.0.1".to_owned(),
                (None, Err(_)) => given.entry(plan.host.as_str()).or_insert(next).clone(),
            };
            let mut paths = BTreeMap::new();
            for (path, reply) in &plan.paths {
                let headers = reply.headers.iter().map(|(name, value)| (name.clone(), self.words.fill(value))).collect();
                let body = turncoat_sandbox::Blob(scope.bytes(&reply.body)?);
                paths.insert(self.words.fill(path), DecoyPath { status: reply.status, headers, body });
            }
            decoys.push(Decoy { host: plan.host.clone(), address, port: plan.port, paths });
        }
        Ok(decoys)
    }

    fn program(&self) -> Program {
        let limits = self.tests.limits;
        let mut env: BTreeMap<String, String> =
            self.world.env.iter().map(|(name, value)| (name.clone(), self.words.fill(value))).collect();
        let argv = match &self.tests.serve {
            Some(serve) => {
                env.extend(serve.env.iter().map(|(name, value)| (name.clone(), self.words.fill(value))));
                env.insert("PORT".to_owned(), self.words.fill("{port}"));
                let command: Vec<String> = serve.command.iter().map(|part| self.words.fill(part)).collect();
                shim::serve_command(&command, self.interpreter)
            }
            None => shim::command(self.interpreter),
        };
        if self.frozen {
            env.insert("PYTHONHASHSEED".to_owned(), "1".to_owned());
        }
        Program {
            argv,
            env,
            cwd: "/work".to_owned(),
            limits: Limits {
                cpu_s: limits.cpu_s,
                wall_s: limits.cpu_s * 10,
                memory_mib: limits.memory_mib,
                file_mib: limits.disk_mib,
                processes: limits.processes,
            },
            speaks: self.tests.serve.is_none(),
        }
    }

    fn start(&mut self) -> Result<(), RunError> {
        self.room.start(self.program())?;
        self.running = true;
        self.load_failure = None;
        match &self.tests.serve {
            Some(serve) => {
                if !self.room.ready(self.port(), &serve.ready, READY_MS)? {
                    let end = self.stop()?;
                    self.load_failure = Some(Seen::failed(format!("the server is not ready{}", ended(&end))));
                }
            }
            None => {
                let stem = self.tests.main_file.rsplit_once('.').map_or(self.tests.main_file.as_str(), |(stem, _)| stem);
                let order = json!({ "op": "load", "module": stem, "frozen": self.frozen });
                let seen = self.say(order)?;
                if seen.failed.is_some() || seen.raised.is_some() {
                    self.load_failure = Some(Seen { failed: Some(format!("the file does not load: {}", seen.show())), ..seen });
                }
            }
        }
        Ok(())
    }

    fn port(&self) -> u16 {
        self.words.fill("{port}").parse().unwrap_or(0)
    }

    /// Ends the answer's process.
    pub(crate) fn stop(&mut self) -> Result<End, RunError> {
        if self.running {
            self.running = false;
            self.end = Some(self.room.stop()?);
        }
        Ok(self.end.clone().unwrap_or_default())
    }

    /// One exchange with the shim. A reply counts only when it carries this exchange's number.
    fn say(&mut self, mut order: Value) -> Result<Seen, RunError> {
        if !self.running {
            return Ok(Seen::failed(format!("the process has ended{}", ended(&self.end.clone().unwrap_or_default()))));
        }
        self.nonce = self.nonce.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let id = format!("{:016x}", self.nonce);
        if let Some(fields) = order.as_object_mut() {
            fields.insert("id".to_owned(), Value::String(id.clone()));
        }
        let text = match self.room.say(order.to_string())? {
            Heard::Line { text, cpu_ms } => {
                self.cpu_ms = cpu_ms;
                text
            }
            Heard::Nothing(end) => {
                self.running = false;
                let why = format!("the process ended{}", ended(&end));
                self.cpu_ms = end.cpu_ms;
                self.end = Some(end);
                return Ok(Seen::failed(why));
            }
        };
        let reply: Value = serde_json::from_str(&text).unwrap_or_default();
        if reply.get("id").and_then(Value::as_str) != Some(id.as_str()) {
            self.stop()?;
            return Ok(Seen::failed(format!("the reply is out of order: {}", cut(&text))));
        }
        if let Some(names) = reply.get("raised").and_then(Value::as_array) {
            let names = names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect();
            let message = reply.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
            return Ok(Seen::raised(names, message));
        }
        Ok(reply.get("value").map_or_else(|| Seen::failed("the reply holds no value"), |value| Seen::of(value.clone())))
    }

    /// Calls a function of the answer, `times` over where given.
    pub(crate) fn call(&mut self, plan: &CallPlan, times: Option<u32>) -> Result<Seen, RunError> {
        if let Some(failure) = &self.load_failure {
            return Ok(failure.clone());
        }
        let scope = self.scope();
        let args = scope.resolve(&plan.args).map_err(RunError::Tests)?;
        let kwargs = scope.resolve(&plan.kwargs).map_err(RunError::Tests)?;
        let mut order = json!({ "op": "call", "name": plan.name, "args": args, "kwargs": kwargs });
        if let Some(fields) = order.as_object_mut() {
            fields.extend(plan.keep.iter().map(|name| ("keep".to_owned(), Value::String(name.clone()))));
            fields.extend(times.map(|times| ("times".to_owned(), times.into())));
        }
        self.say(order)
    }

    /// Takes one step and writes it into the transcript.
    pub(crate) fn step(&mut self, step: &Step) -> Result<Seen, RunError> {
        let seen = match (&step.action, step.repeat) {
            (Action::Call(plan), repeat) => self.call(plan, repeat)?,
            (action, None) => self.act(action)?,
            (action, Some(repeat)) => {
                let mut values = Vec::new();
                for _ in 0..repeat {
                    let seen = self.act(action)?;
                    match seen.value {
                        Some(value) if seen.failed.is_none() && seen.raised.is_none() => values.push(value),
                        _ => return Ok(seen),
                    }
                }
                Seen::of(Value::Array(values))
            }
        };
        self.note(&format!("{}\n  -> {}\n", self.describe(&step.action), seen.show()));
        for (name, source) in &step.save {
            if let Some(value) = seen.take(source) {
                self.words.keep(name, value);
            }
        }
        Ok(seen)
    }

    /// Adds to the transcript, which stays short.
    pub(crate) fn note(&mut self, text: &str) {
        if self.transcript.len() < 16_000 {
            self.transcript.push_str(text);
        }
    }

    fn describe(&self, action: &Action) -> String {
        let fill = |text: &str| self.words.fill(text);
        let resolved = |value: &Value| cut(&self.words.fill_value(value).to_string());
        match action {
            Action::Call(plan) => format!(
                "{} {} {}",
                plan.name,
                resolved(&plan.args),
                if plan.kwargs == json!({}) { String::new() } else { resolved(&plan.kwargs) }
            ),
            Action::Http(plan) => {
                let body = match &plan.body {
                    HttpBody::None => String::new(),
                    HttpBody::Plain(value) | HttpBody::Json(value) => resolved(value),
                    HttpBody::Form(fields) => resolved(&json!(fields)),
                };
                format!("{} {} {body}", plan.method, fill(&plan.path))
            }
            Action::Read(path) => format!("read {}", fill(path)),
            Action::List(path) => format!("list {}", fill(path)),
            Action::Query { db, sql } => format!("query {}: {}", fill(db), fill(sql)),
            Action::ToolCalls(tool) => format!("calls of {tool}"),
            Action::Requests(host) => format!("requests to {host}"),
            Action::Restart => "restart".to_owned(),
        }
    }

    fn act(&mut self, action: &Action) -> Result<Seen, RunError> {
        match action {
            Action::Call(plan) => self.call(plan, None),
            Action::Http(plan) => self.http(plan),
            Action::Read(path) => Ok(match self.read(path)? {
                Some(bytes) => Seen::of(Value::String(String::from_utf8_lossy(&bytes).into_owned())),
                None => Seen::raised(vec!["FileNotFoundError".to_owned(), "OSError".to_owned()], format!("no file {path}")),
            }),
            Action::List(path) => {
                let root = self.inside(path);
                let entries = self.room.survey(&root)?;
                let files = entries.into_iter().filter(|entry| entry.kind != turncoat_sandbox::EntryKind::Dir);
                Ok(Seen::of(files.map(|entry| Value::String(entry.path)).collect()))
            }
            Action::Query { db, sql } => Ok(match self.query(db, sql)? {
                Ok(rows) => Seen::of(rows),
                Err(why) => Seen::raised(vec!["DatabaseError".to_owned()], why),
            }),
            Action::ToolCalls(tool) => {
                let calls = self.room.logs()?.calls;
                Ok(Seen::of(calls.into_iter().filter(|call| call.tool == *tool).map(|call| json!(call.args)).collect()))
            }
            Action::Requests(host) => {
                let requests = self.room.logs()?.requests;
                let seen = requests.into_iter().filter(|request| request.host == *host);
                Ok(Seen::of(
                    seen.map(|request| json!({ "method": request.method, "path": request.path, "host": request.host })).collect(),
                ))
            }
            Action::Restart => {
                self.stop()?;
                self.start()?;
                Ok(self.load_failure.clone().unwrap_or_else(|| Seen::of(Value::Null)))
            }
        }
    }

    /// A path below the world, as it stands in the box.
    fn inside(&self, path: &str) -> String {
        let path = self.words.fill(path);
        let path = path.strip_prefix("/world/").unwrap_or(&path).trim_end_matches('/');
        format!("/world/{path}").trim_end_matches('/').to_owned()
    }

    /// The bytes of a file below the world.
    pub(crate) fn read(&mut self, path: &str) -> Result<Option<Vec<u8>>, RunError> {
        let path = self.inside(path);
        Ok(self.room.read(&path, MOST_FILE)?.map(|blob| blob.0))
    }

    /// Asks a database below the world; the inner error is the database's.
    pub(crate) fn query(&mut self, db: &str, sql: &str) -> Result<Result<Value, String>, RunError> {
        let Some(file) = self.read(db)? else { return Ok(Err(format!("there is no file {db}"))) };
        let log = self.read(&format!("{db}-wal"))?;
        Ok(database::ask(&file, log.as_deref(), &self.words.fill(sql)))
    }

    fn http(&mut self, plan: &HttpPlan) -> Result<Seen, RunError> {
        if let Some(failure) = &self.load_failure {
            return Ok(failure.clone());
        }
        let request = self.request(plan).map_err(RunError::Tests)?;
        let response = match self.room.ask(request)? {
            Ok(response) => response,
            Err(why) => return Ok(Seen::failed(why)),
        };
        if let Some(jar) = &plan.jar {
            keep_cookies(self.jars.entry(jar.clone()).or_default(), &response);
        }
        let text = response.body.text();
        let value = serde_json::from_str(&text).unwrap_or_else(|_| Value::String(text.clone()));
        Ok(Seen { value: Some(value), text, status: Some(response.status), headers: response.headers, ..Seen::default() })
    }

    fn request(&self, plan: &HttpPlan) -> Result<Request, String> {
        let scope = self.scope();
        let one_line = |text: &str| self.words.fill(text).replace(['\r', '\n'], " ");
        let mut headers: Vec<(String, String)> =
            plan.headers.iter().map(|(name, value)| (name.clone(), one_line(value))).collect();
        let mut typed = |kind: &str| {
            if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
                headers.push(("content-type".to_owned(), kind.to_owned()));
            }
        };
        let body = match &plan.body {
            HttpBody::None => Vec::new(),
            HttpBody::Plain(value) => scope.bytes(value)?,
            HttpBody::Json(value) => {
                typed("application/json");
                scope.resolve(value)?.to_string().into_bytes()
            }
            HttpBody::Form(fields) => {
                typed("application/x-www-form-urlencoded");
                let pairs = fields.iter().map(|(name, value)| {
                    let value =
                        scope.bytes(value).or_else(|_| scope.resolve(value).map(|value| value.to_string().into_bytes()))?;
                    Ok(format!("{}={}", percent(name.as_bytes()), percent(&value)))
                });
                pairs.collect::<Result<Vec<_>, String>>()?.join("&").into_bytes()
            }
        };
        if let Some(cookies) = plan.jar.as_ref().and_then(|jar| self.jars.get(jar)).filter(|cookies| !cookies.is_empty()) {
            let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.push(("cookie".to_owned(), pairs.join("; ")));
        }
        let path = self.words.fill(&plan.path).replace(' ', "%20").replace(['\r', '\n'], "");
        // A kept `Location` may be a whole address; it is asked of this server all the same.
        let path = match path.strip_prefix("http://").map(|rest| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or("/")) {
            Some(local) => local.to_owned(),
            None => path,
        };
        let wait_ms = u64::from(self.tests.limits.cpu_s) * 10_000;
        Ok(Request { port: self.port(), method: plan.method.clone(), path, headers, body: turncoat_sandbox::Blob(body), wait_ms })
    }
}

fn keep_cookies(jar: &mut BTreeMap<String, String>, response: &Response) {
    for (_, value) in response.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let Some((name, value)) = value.split(';').next().and_then(|pair| pair.split_once('=')) else { continue };
        if value.is_empty() {
            jar.remove(name.trim());
        } else {
            jar.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
}

fn percent(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(*byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

/// How a process ended, for people.
fn ended(end: &End) -> String {
    let how = match &end.limit {
        Some(limit) => format!(" by the {limit} limit"),
        None => format!(" with code {}", end.code),
    };
    let last = end.output.trim().lines().last().map(|line| format!(": {}", cut(line))).unwrap_or_default();
    format!("{how}{last}")
}
