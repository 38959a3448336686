//! The tests of a task as data: worlds, steps, expectations, oracles. `docs/suite-tests.md` describes the file they come from.

use std::collections::BTreeMap;

use serde_json::Value;

/// What every case and probe may use.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TestLimits {
    pub(crate) cpu_s: u32,
    pub(crate) memory_mib: u32,
    pub(crate) disk_mib: u32,
    pub(crate) processes: u32,
}

impl Default for TestLimits {
    fn default() -> TestLimits {
        TestLimits { cpu_s: 5, memory_mib: 512, disk_mib: 256, processes: 64 }
    }
}

/// A world as written; values are resolved when it is made.
#[derive(Debug, Clone, Default)]
pub(crate) struct WorldPlan {
    pub(crate) files: BTreeMap<String, Value>,
    pub(crate) links: BTreeMap<String, String>,
    pub(crate) dirs: Vec<String>,
    pub(crate) sqlite: BTreeMap<String, String>,
    pub(crate) tools: BTreeMap<String, ToolPlan>,
    pub(crate) archives: BTreeMap<String, Value>,
    pub(crate) http: Vec<DecoyPlan>,
    pub(crate) env: BTreeMap<String, String>,
}

impl WorldPlan {
    /// This world with another laid over it, entry by entry.
    pub(crate) fn under(&self, over: &WorldPlan) -> WorldPlan {
        let mut both = self.clone();
        both.files.extend(over.files.clone());
        both.links.extend(over.links.clone());
        both.dirs.extend(over.dirs.iter().cloned());
        both.sqlite.extend(over.sqlite.clone());
        both.tools.extend(over.tools.clone());
        both.archives.extend(over.archives.clone());
        both.env.extend(over.env.clone());
        both.http.retain(|decoy| !over.http.iter().any(|other| other.host == decoy.host && other.port == decoy.port));
        both.http.extend(over.http.iter().cloned());
        both
    }
}

/// A stub program.
#[derive(Debug, Clone)]
pub(crate) struct ToolPlan {
    pub(crate) stdout: Value,
    pub(crate) stderr: Value,
    pub(crate) exit: u8,
    pub(crate) writes: Option<(i64, String)>,
}

/// A decoy server.
#[derive(Debug, Clone)]
pub(crate) struct DecoyPlan {
    pub(crate) host: String,
    pub(crate) ip: Option<String>,
    pub(crate) port: u16,
    pub(crate) paths: BTreeMap<String, DecoyReplyPlan>,
}

/// One reply of a decoy.
#[derive(Debug, Clone)]
pub(crate) struct DecoyReplyPlan {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: BTreeMap<String, String>,
}

/// How an answer that is a server is started.
#[derive(Debug, Clone)]
pub(crate) struct Serve {
    pub(crate) command: Vec<String>,
    pub(crate) ready: String,
    pub(crate) env: BTreeMap<String, String>,
}

/// A call of a function of the answer.
#[derive(Debug, Clone)]
pub(crate) struct CallPlan {
    pub(crate) name: String,
    pub(crate) args: Value,
    pub(crate) kwargs: Value,
    pub(crate) keep: Option<String>,
}

/// A request to the answer's server.
#[derive(Debug, Clone)]
pub(crate) struct HttpPlan {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: HttpBody,
    pub(crate) jar: Option<String>,
}

/// What a request carries.
#[derive(Debug, Clone)]
pub(crate) enum HttpBody {
    None,
    Plain(Value),
    Json(Value),
    Form(BTreeMap<String, Value>),
}

/// What a step does.
#[derive(Debug, Clone)]
pub(crate) enum Action {
    Call(CallPlan),
    Http(HttpPlan),
    Read(String),
    List(String),
    Query { db: String, sql: String },
    ToolCalls(String),
    Requests(String),
    Restart,
}

/// Where a kept value comes from.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Reply,
    Status,
    Header(String),
    Json(String),
    Regex(regex::Regex),
}

/// One step of a case or probe.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) expect: Expect,
    pub(crate) save: Vec<(String, Source)>,
    pub(crate) repeat: Option<u32>,
    pub(crate) look: bool,
}

/// Whether a step is to raise.
#[derive(Debug, Clone, Default)]
pub(crate) enum Raises {
    #[default]
    No,
    Any,
    Names(Vec<String>),
}

/// What a case expects of a step; all that is given must hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Expect {
    pub(crate) equals: Option<Value>,
    pub(crate) one_of: Option<Vec<Value>>,
    pub(crate) contains: Vec<Value>,
    pub(crate) not_contains: Vec<Value>,
    pub(crate) matches: Option<String>,
    pub(crate) raises: Raises,
    pub(crate) status: Vec<u16>,
    pub(crate) header: BTreeMap<String, String>,
    pub(crate) json: BTreeMap<String, Value>,
    pub(crate) length: Option<usize>,
    pub(crate) at_least: Option<usize>,
    pub(crate) type_name: Option<String>,
    pub(crate) unordered: bool,
}

/// A function case.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) world: WorldPlan,
    pub(crate) steps: Vec<Step>,
}

/// An exploit probe: it fires when all oracles of one of its tables hold.
#[derive(Debug, Clone)]
pub(crate) struct Probe {
    pub(crate) name: String,
    pub(crate) cwe: String,
    pub(crate) world: WorldPlan,
    pub(crate) steps: Vec<Step>,
    pub(crate) fires: Vec<Vec<Oracle>>,
}

/// Which of a stub's arguments gives an answer away.
#[derive(Debug, Clone)]
pub(crate) enum Argument {
    Equals(String),
    Contains(String),
    Starts(String),
}

/// What a database must say afterwards.
#[derive(Debug, Clone)]
pub(crate) enum RowsWanted {
    Equal(Value),
    Contain(String),
}

/// A sign that an exploit worked.
#[derive(Debug, Clone)]
pub(crate) enum Oracle {
    ReplyContains(Vec<String>),
    ReplyEquals(Value),
    ReplyMatches(String),
    ReplyJson(BTreeMap<String, Value>),
    ReplyLongerThan(usize),
    Status(Vec<u16>),
    NotRaised,
    Unescaped(String),
    FileExists(Vec<String>),
    FileContains { path: String, text: String },
    FileMissing(String),
    FileOutside(Vec<String>),
    FileMode { path: String, mask: u32 },
    BytesOver { path: String, bytes: u64 },
    Rows { db: String, sql: String, wanted: RowsWanted },
    ToolArgv { tool: String, argument: Argument },
    Requested { host: String, path: Option<String>, port: Option<u16> },
    Cell { starts: String, path: Option<String> },
    EqualReplies,
    Predictable(Predictable),
    Growth(Growth),
}

/// Whether draws can be foretold.
#[derive(Debug, Clone)]
pub(crate) struct Predictable {
    pub(crate) call: CallPlan,
    pub(crate) draws: u32,
    pub(crate) bits: f64,
    pub(crate) from: Option<String>,
}

/// Whether cost grows faster than it should.
#[derive(Debug, Clone)]
pub(crate) struct Growth {
    pub(crate) call: CallPlan,
    pub(crate) sizes: Vec<u32>,
    pub(crate) ratio: f64,
    pub(crate) cpu_s: f64,
}
