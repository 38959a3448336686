//! Stub programs: scripts that start the stage, which reports its arguments at the porter's desk and does what it is told.

use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead as _, BufReader, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{DESK_PATH, STAGE_PATH, STUB_DIR, STUB_WORD};
use crate::message::{Blob, Stub, StubCall};

/// The most calls that are logged, and the longest report that is read.
const MOST_CALLS: usize = 2000;
const MOST_REPORT: u64 = 4 << 20;

/// What a stub is told to do.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    stdout: Blob,
    stderr: Blob,
    exit: u8,
    write: Option<(String, String)>,
}

/// The stubs of the current world and the calls they reported.
#[derive(Debug, Default)]
pub(super) struct Desk {
    pub(super) stubs: Vec<Stub>,
    pub(super) calls: Vec<StubCall>,
}

/// Opens the desk; it stays open as long as the porter lives.
pub(super) fn open() -> io::Result<Arc<Mutex<Desk>>> {
    let desk = Arc::new(Mutex::new(Desk::default()));
    let listener = UnixListener::bind(DESK_PATH)?;
    let shared = Arc::clone(&desk);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            // One report after the other; a silent caller is let go after a moment.
            drop(attend(&stream, &shared));
        }
    });
    Ok(desk)
}

fn attend(stream: &UnixStream, desk: &Mutex<Desk>) -> io::Result<()> {
    use std::io::Read as _;
    stream.set_read_timeout(Some(Duration::from_secs(1)))?;
    stream.set_write_timeout(Some(Duration::from_secs(1)))?;
    let mut line = String::new();
    BufReader::new(stream.take(MOST_REPORT)).read_line(&mut line)?;
    let call: StubCall = serde_json::from_str(&line)?;
    let told = {
        let mut desk = desk.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stub) = desk.stubs.iter().find(|stub| stub.name == call.tool).cloned() else { return Ok(()) };
        let write = stub.writes.and_then(|(at, text)| Some((argument(&call.args, at)?, text)));
        if desk.calls.len() < MOST_CALLS {
            desk.calls.push(call);
        }
        Told { stdout: stub.stdout, stderr: stub.stderr, exit: stub.exit, write }
    };
    let mut stream = stream;
    stream.write_all(serde_json::to_string(&told)?.as_bytes())?;
    stream.write_all(b"\n")
}

fn argument(args: &[String], at: i64) -> Option<String> {
    let index =
        if at < 0 { args.len().checked_sub(usize::try_from(at.unsigned_abs()).ok()?)? } else { usize::try_from(at).ok()? };
    args.get(index).cloned()
}

/// Makes the scripts of a world's stubs, and removes those of the last.
pub(super) fn install(stubs: &[Stub]) -> io::Result<()> {
    if Path::new(STUB_DIR).exists() {
        fs::remove_dir_all(STUB_DIR)?;
    }
    fs::create_dir_all(STUB_DIR)?;
    for stub in stubs {
        if stub.name.contains('/') {
            return Err(io::Error::other(format!("`{}` is no program's name", stub.name)));
        }
        let path = Path::new(STUB_DIR).join(&stub.name);
        fs::write(&path, format!("#!{STAGE_PATH} {STUB_WORD}\n"))?;
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755))?;
    }
    Ok(())
}

/// Plays a stub program: the first argument is the script's path, the others are the caller's.
pub(super) fn run_stub(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let script = args.next().unwrap_or_default();
    let tool = Path::new(&script).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let args = args.map(|arg| arg.to_string_lossy().into_owned()).collect();
    match report(&StubCall { tool, args }) {
        Ok(exit) => ExitCode::from(exit),
        Err(error) => super::fault("stub", &error.to_string()),
    }
}

fn report(call: &StubCall) -> io::Result<u8> {
    let mut stream = UnixStream::connect(DESK_PATH)?;
    stream.write_all(serde_json::to_string(call)?.as_bytes())?;
    stream.write_all(b"\n")?;
    let mut line = String::new();
    BufReader::new(&stream).read_line(&mut line)?;
    let told: Told = serde_json::from_str(&line)?;
    if let Some((path, text)) = told.write {
        fs::write(path, text)?;
    }
    io::stdout().write_all(&told.stdout.0)?;
    io::stderr().write_all(&told.stderr.0)?;
    Ok(told.exit)
}
