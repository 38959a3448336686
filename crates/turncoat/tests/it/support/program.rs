//! The program as a process: an environment of its own, a time limit, and what it said.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Longer than any command of these tests takes on a busy machine.
const LIMIT: Duration = Duration::from_secs(240);

/// A working directory with a home of its own; gone at the end.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        std::fs::create_dir(place.path("home")).unwrap();
        place
    }

    /// A path below it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    /// Any program in this place, with nothing of the tests' own environment but the search path.
    pub(crate) fn command(&self, program: &str) -> Command {
        #[expect(clippy::disallowed_methods, reason = "the tests start the program that they test")]
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.path("home"))
            .env("COLUMNS", "100")
            .current_dir(self.folder.path())
            .stdin(Stdio::null());
        command
    }

    /// Our program with arguments.
    pub(crate) fn turncoat(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(binary());
        command.args(arguments);
        command
    }

    /// Runs our program to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        finish(&mut self.turncoat(arguments))
    }

    /// Runs our program, which must end with 0.
    pub(crate) fn ok(&self, arguments: &[&str]) -> Ended {
        let ended = self.run(arguments);
        assert_eq!(ended.code, Some(0), "{arguments:?}\n{ended:?}");
        ended
    }

    /// The report of a ledger as JSON.
    pub(crate) fn report(&self, ledger: &str) -> Value {
        self.ok(&["report", ledger, "--format", "json"]).json()
    }

    /// The rows of a ledger's CSV, each by column name.
    pub(crate) fn trials(&self, ledger: &str) -> Vec<std::collections::BTreeMap<String, String>> {
        let text = self.ok(&["report", ledger, "--format", "csv"]).out;
        csv::Reader::from_reader(text.as_bytes()).deserialize().map(|row| row.unwrap()).collect()
    }

    /// Every file below a folder.
    pub(crate) fn files(&self, name: &str) -> Vec<PathBuf> {
        fn walk(folder: &Path, into: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { walk(&path, into) } else { into.push(path) }
            }
        }
        let mut files = Vec::new();
        walk(&self.path(name), &mut files);
        files
    }
}

/// Where the program is.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_turncoat")
}

/// The project's root folder.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// How a process ended and what it said.
pub(crate) struct Ended {
    /// The exit code; `None` after a signal.
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl std::fmt::Debug for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let out: String = self.out.chars().take(4000).collect();
        write!(f, "exit code {:?}\n--- stdout\n{out}\n--- stderr\n{}", self.code, self.err)
    }
}

impl Ended {
    /// Standard output as one JSON value.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("standard output is no JSON ({error})\n{self:?}"))
    }

    /// The program ended with this code and its talk holds all of these texts; nothing went to standard output.
    pub(crate) fn refused(&self, code: i32, texts: &[&str]) {
        assert_eq!(self.code, Some(code), "{self:?}");
        for text in texts {
            assert!(self.err.contains(text), "`{text}` is missing\n{self:?}");
        }
        assert!(self.out.is_empty(), "{self:?}");
    }

    /// Its talk holds all of these texts.
    pub(crate) fn says(&self, texts: &[&str]) {
        for text in texts {
            assert!(self.err.contains(text), "`{text}` is missing\n{self:?}");
        }
    }
}

/// A process that is killed when its test ends before it.
pub(crate) struct Running {
    child: Child,
    out: mpsc::Receiver<Vec<u8>>,
    err: mpsc::Receiver<Vec<u8>>,
}

/// Starts a command with both outputs captured.
pub(crate) fn start(command: &mut Command) -> Running {
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let (out, err) = (drain(child.stdout.take().unwrap()), drain(child.stderr.take().unwrap()));
    Running { child, out, err }
}

/// Runs a command to its end.
pub(crate) fn finish(command: &mut Command) -> Ended {
    start(command).wait()
}

/// Reads a pipe in a thread of its own, so that a full one never stops the process.
fn drain(mut pipe: impl Read + Send + 'static) -> mpsc::Receiver<Vec<u8>> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _gone = pipe.read_to_end(&mut bytes);
        let _gone = send.send(bytes);
    });
    receive
}

impl Running {
    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_raw(i32::try_from(self.child.id()).unwrap()).unwrap();
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// The process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it has ended.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end, at most the time limit.
    pub(crate) fn wait(mut self) -> Ended {
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status;
            }
            assert!(begun.elapsed() < LIMIT, "a command did not end within {LIMIT:?}");
            std::thread::sleep(Duration::from_millis(5));
        };
        let text = |from: &mpsc::Receiver<Vec<u8>>| String::from_utf8(from.recv().unwrap()).unwrap();
        Ended { code: status.code(), out: text(&self.out), err: text(&self.err) }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _ended = self.child.wait();
    }
}

/// Waits until something holds.
pub(crate) fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(60), "waited in vain for: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
