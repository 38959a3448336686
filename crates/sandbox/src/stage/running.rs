//! One program in the cell: its pipes, its watch, its end.

use std::io::{Read, Write as _};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::cell::CellOrder;
use super::{STAGE_PATH, STUB_DIR, WORD, procs, world};
use crate::message::{End, Heard, Limits, Program};

/// A line longer than this is no reply but an attack.
const MOST_LINE: usize = 4 << 20;
/// What a program may print in all before its pipe is closed.
const MOST_OUTPUT: usize = 16 << 20;
/// What is kept of it.
const KEPT_OUTPUT: usize = 16 << 10;
const WATCH_EVERY: Duration = Duration::from_millis(25);

/// The program that runs now.
pub(super) struct Running {
    cell: Child,
    stdin: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
    readers: Vec<JoinHandle<()>>,
    shared: Arc<Shared>,
    watch: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    output: Mutex<Vec<u8>>,
    broken: Mutex<Option<&'static str>>,
    most_cpu_ms: Mutex<u64>,
    over: std::sync::atomic::AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    /// Starts the program in a fresh cell.
    pub(super) fn start(program: Program) -> Result<Running, String> {
        let mut env = program.env;
        for (name, value) in [("HOME", "/tmp"), ("LANG", "C.UTF-8"), ("TZ", "UTC"), ("TMPDIR", "/tmp")] {
            env.entry(name.to_owned()).or_insert_with(|| value.to_owned());
        }
        env.insert("PATH".to_owned(), format!("{STUB_DIR}:/usr/local/bin:/usr/bin:/bin"));
        let order = CellOrder { argv: program.argv, env, cwd: program.cwd, limits: program.limits };
        let text = serde_json::to_string(&order).map_err(|error| error.to_string())?;
        #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
        let mut cell = std::process::Command::new(STAGE_PATH)
            .args([WORD, "cell", &text])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("cannot start the cell: {error}"))?;
        let shared = Arc::new(Shared::default());
        let (sender, lines) = channel();
        let mut readers = Vec::new();
        if let Some(stdout) = cell.stdout.take() {
            let shared = Arc::clone(&shared);
            readers.push(std::thread::spawn(
                move || {
                    if program.speaks { hear(stdout, &sender, &shared) } else { keep(stdout, &shared) }
                },
            ));
        }
        if let Some(stderr) = cell.stderr.take() {
            let shared = Arc::clone(&shared);
            readers.push(std::thread::spawn(move || keep(stderr, &shared)));
        }
        let watch = {
            let shared = Arc::clone(&shared);
            std::thread::spawn(move || watch(&shared, program.limits))
        };
        let stdin = cell.stdin.take();
        Ok(Running { cell, stdin, lines, readers, shared, watch: Some(watch) })
    }

    /// Writes a line and waits for one; the watch sees to it that the wait ends.
    pub(super) fn say(&mut self, line: &str) -> Option<Heard> {
        let stdin = self.stdin.as_mut()?;
        // A program that does not read is found out by the silence that follows.
        let wrote = stdin.write_all(line.as_bytes()).and_then(|()| stdin.write_all(b"\n")).and_then(|()| stdin.flush());
        drop(wrote);
        let bytes = self.lines.recv().ok()?;
        let cpu_ms = procs::load().cpu_ms;
        Some(Heard::Line { text: String::from_utf8_lossy(&bytes).into_owned(), cpu_ms })
    }

    /// Gives a program that fell silent a moment to end by itself, so that its exit code is its own.
    pub(super) fn await_end(&mut self) {
        let cpu_ms = procs::load().cpu_ms;
        {
            let mut most = lock(&self.shared.most_cpu_ms);
            *most = cpu_ms.max(*most);
        }
        for _ in 0..100 {
            if self.has_ended() {
                return;
            }
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// Whether the program has ended by itself or by a limit.
    pub(super) fn has_ended(&mut self) -> bool {
        !matches!(self.cell.try_wait(), Ok(None))
    }

    /// Ends the program and all it started.
    pub(super) fn stop(mut self) -> Result<End, String> {
        let cpu_ms = procs::load().cpu_ms;
        let ended_itself = self.has_ended();
        self.shared.over.store(true, std::sync::atomic::Ordering::Release);
        drop(self.stdin.take());
        procs::kill(&procs::others());
        let status = self.cell.wait().map_err(|error| error.to_string())?;
        if !procs::sweep() {
            return Err("processes of the program cannot be ended".to_owned());
        }
        for reader in self.readers.drain(..) {
            drop(reader.join());
        }
        if let Some(watch) = self.watch.take() {
            watch.thread().unpark();
            drop(watch.join());
        }
        if status.signal() == Some(libc::SIGABRT) {
            return Err(String::from_utf8_lossy(&lock(&self.shared.output)).into_owned());
        }
        let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
        let limit = *lock(&self.shared.broken);
        let most = *lock(&self.shared.most_cpu_ms);
        let output = String::from_utf8_lossy(&lock(&self.shared.output)).into_owned();
        let code = if ended_itself { code } else { 137 };
        Ok(End { code, limit: limit.map(str::to_owned), cpu_ms: cpu_ms.max(most), output })
    }
}

/// Ends the program's processes when they break a limit.
fn watch(shared: &Shared, limits: Limits) {
    let started = Instant::now();
    let most_resident = u64::from(limits.memory_mib) << 21;
    let wall = Duration::from_secs(u64::from(limits.wall_s));
    let mut busy = (0, started);
    while !shared.over.load(std::sync::atomic::Ordering::Acquire) {
        std::thread::park_timeout(WATCH_EVERY);
        let load = procs::load();
        {
            let mut most = lock(&shared.most_cpu_ms);
            *most = load.cpu_ms.max(*most);
        }
        if load.cpu_ms != busy.0 {
            busy = (load.cpu_ms, Instant::now());
        }
        let broken = if load.cpu_ms >= u64::from(limits.cpu_s) * 1000 {
            "cpu"
        } else if load.resident > most_resident {
            "memory"
        } else if world::has_too_many_files() {
            "disk"
        } else if started.elapsed() > wall || busy.1.elapsed() > wall / 3 {
            // What uses no CPU for so long sleeps or waits for what never comes: the judge itself never pauses.
            "wall"
        } else if lock(&shared.broken).is_some() {
            "output"
        } else {
            continue;
        };
        if shared.over.load(std::sync::atomic::Ordering::Acquire) {
            return;
        }
        lock(&shared.broken).get_or_insert(broken);
        procs::kill(&procs::others());
    }
}

/// Passes lines on; a line beyond the cap breaks the output limit.
fn hear(mut from: impl Read, to: &Sender<Vec<u8>>, shared: &Shared) {
    let mut buffer = vec![0_u8; 64 << 10];
    let mut line = Vec::new();
    let mut sum = 0_usize;
    while let Ok(count) = from.read(&mut buffer) {
        let Some(mut chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { return };
        sum += count;
        while let Some(at) = chunk.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = chunk.split_at(at);
            line.extend_from_slice(head);
            if to.send(std::mem::take(&mut line)).is_err() {
                return;
            }
            chunk = tail.get(1..).unwrap_or_default();
        }
        line.extend_from_slice(chunk);
        if line.len() > MOST_LINE || sum > MOST_OUTPUT * 4 {
            lock(&shared.broken).get_or_insert("output");
            return;
        }
    }
}

/// Keeps the first part of what is printed and lets go of the rest, up to a cap.
fn keep(mut from: impl Read, shared: &Shared) {
    let mut buffer = vec![0_u8; 64 << 10];
    let mut sum = 0_usize;
    while let Ok(count) = from.read(&mut buffer) {
        let Some(chunk) = buffer.get(..count).filter(|chunk| !chunk.is_empty()) else { return };
        sum += count;
        let mut kept = lock(&shared.output);
        let room = KEPT_OUTPUT.saturating_sub(kept.len());
        kept.extend(chunk.iter().take(room));
        drop(kept);
        if sum > MOST_OUTPUT {
            lock(&shared.broken).get_or_insert("output");
            return;
        }
    }
}
