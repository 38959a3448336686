//! What the judge's side and the porter say to each other: one JSON line an order, one JSON line a reply.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Bytes that cross the border as base64 text.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blob(pub Vec<u8>);

impl Serialize for Blob {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Blob {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Blob, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text.as_bytes()).map(Blob).map_err(serde::de::Error::custom)
    }
}

impl From<&str> for Blob {
    fn from(text: &str) -> Blob {
        Blob(text.as_bytes().to_vec())
    }
}

impl Blob {
    /// The bytes as text, what is no UTF-8 replaced.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

/// One thing in a world, at an absolute path inside the box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Placed {
    /// Where, below `/world`, `/work` or `/run/turncoat/kit`.
    pub path: String,
    /// What.
    pub thing: Thing,
}

/// What stands at a path.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Thing {
    /// A file and its permission bits.
    File {
        /// Contents.
        bytes: Blob,
        /// Permission bits.
        mode: u32,
    },
    /// A symlink and its target as written.
    Link(String),
    /// An empty folder.
    Dir,
}

/// A stand-in HTTP server on the box's own network.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Decoy {
    /// The name or address it is asked by.
    pub host: String,
    /// The address it listens on.
    pub address: String,
    /// The port it listens on.
    pub port: u16,
    /// Replies by path without the query string; anything else is 404.
    pub paths: BTreeMap<String, DecoyPath>,
}

/// One reply of a decoy.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct DecoyPath {
    /// HTTP status.
    pub status: u16,
    /// Headers beside `content-length` and `connection`.
    pub headers: BTreeMap<String, String>,
    /// Body.
    pub body: Blob,
}

/// A stub program on the box's `PATH`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Stub {
    /// The program's name.
    pub name: String,
    /// What it prints.
    pub stdout: Blob,
    /// What it prints to standard error.
    pub stderr: Blob,
    /// Its exit code.
    pub exit: u8,
    /// A file it writes: which argument names it (negative counts from the end), and the text.
    pub writes: Option<(i64, String)>,
}

/// What a program finds when it starts.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct World {
    /// Files, links and folders; parents are made.
    pub placed: Vec<Placed>,
    /// Stand-in servers.
    pub decoys: Vec<Decoy>,
    /// Stub programs.
    pub stubs: Vec<Stub>,
}

/// What a program may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// CPU seconds of all its processes together.
    pub cpu_s: u32,
    /// Wall-clock seconds, the backstop.
    pub wall_s: u32,
    /// Data segment of one process in MiB; all together may hold twice as much resident.
    pub memory_mib: u32,
    /// Largest file in MiB.
    pub file_mib: u32,
    /// Processes and threads at one time.
    pub processes: u32,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits { cpu_s: 5, wall_s: 50, memory_mib: 512, file_mib: 128, processes: 64 }
    }
}

/// A program to be started in the cell.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    /// Program and arguments.
    pub argv: Vec<String>,
    /// The whole environment beside `PATH`, `HOME`, `LANG`, `TZ` and `TMPDIR`.
    pub env: BTreeMap<String, String>,
    /// Working directory inside the box.
    pub cwd: String,
    /// Limits.
    pub limits: Limits,
    /// Whether standard output is a conversation of lines ([`Room::say`](crate::Room::say)) rather than output to keep.
    pub speaks: bool,
}

/// An HTTP request to a server in the box.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Request {
    /// Port on 127.0.0.1.
    pub port: u16,
    /// Method.
    pub method: String,
    /// Path with query string, sent as it is.
    pub path: String,
    /// Headers.
    pub headers: Vec<(String, String)>,
    /// Body; empty sends none.
    pub body: Blob,
    /// Longest wait in milliseconds.
    pub wait_ms: u64,
}

/// A server's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// HTTP status.
    pub status: u16,
    /// Headers in order, names in lower case.
    pub headers: Vec<(String, String)>,
    /// Body, cut at 2 MiB.
    pub body: Blob,
}

/// How a program ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Exit code; 128 + signal where a signal ended it.
    pub code: i32,
    /// Which limit ended it, if one did: `cpu`, `wall`, `memory`, `disk` or `output`.
    pub limit: Option<String>,
    /// CPU milliseconds of all its processes.
    pub cpu_ms: u64,
    /// What it printed (lossy, cut at 16 KiB).
    pub output: String,
}

/// What came back on a line that was said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Heard {
    /// A line.
    Line {
        /// The line without its end, lossy.
        text: String,
        /// CPU milliseconds the program had used by then.
        cpu_ms: u64,
    },
    /// Nothing: the program ended or broke a limit.
    Nothing(End),
}

/// What kind of thing an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A regular file.
    File,
    /// A folder.
    Dir,
    /// A symlink.
    Link,
    /// Anything else.
    Other,
}

/// One thing found below a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Path relative to the folder asked for.
    pub path: String,
    /// Kind.
    pub kind: EntryKind,
    /// Size in bytes of a file.
    pub size: u64,
    /// Permission bits.
    pub mode: u32,
    /// Changes with every write: inode and times in nanoseconds.
    pub stamp: (u64, i64, i64),
}

/// One call of a stub program.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StubCall {
    /// The program's name.
    pub tool: String,
    /// Its arguments, lossy.
    pub args: Vec<String>,
}

/// One request that a decoy saw.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecoyRequest {
    /// The decoy's host as the world names it.
    pub host: String,
    /// The decoy's port.
    pub port: u16,
    /// Method.
    pub method: String,
    /// Path with query string.
    pub path: String,
}

/// What decoys and stubs saw since the world was built.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logs {
    /// Calls of stub programs.
    pub calls: Vec<StubCall>,
    /// Requests to decoys.
    pub requests: Vec<DecoyRequest>,
}

/// An order to the porter.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Order {
    Build(World),
    Start(Program),
    Say(String),
    Ready { port: u16, path: String, wait_ms: u64 },
    Ask(Request),
    Stop,
    Read { path: String, most: u64 },
    Survey { path: String },
    Logs,
}

/// The porter's reply.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Hello,
    Done,
    Heard(Heard),
    Ready(bool),
    Response(Response),
    NoResponse(String),
    Ended(End),
    Bytes(Blob),
    Missing,
    Entries(Vec<Entry>),
    Logs(Logs),
    /// The porter could not do it: a fault of ours or of the machine.
    Failed(String),
}
