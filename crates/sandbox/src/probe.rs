//! The self-test: attempts to break each promise of the box, made by our own program inside the cell.

pub(crate) mod attempt;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use serde::Serialize;

use crate::message::{End, Limits, Program, World};
use crate::room::{Room, RoomError};
use crate::sandbox::Sandbox;
use crate::stage::{STAGE_PATH, WORD};

/// Attempts made at one time.
const AT_ONE_TIME: usize = 3;

/// One promise and whether it held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ProbeRow {
    /// The promise's name.
    pub name: &'static str,
    /// What must hold.
    pub promise: &'static str,
    /// Whether it held.
    pub holds: bool,
    /// What was seen.
    pub seen: String,
}

/// The table of a self-test.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SelfTest {
    /// A row for each promise.
    pub rows: Vec<ProbeRow>,
    /// Milliseconds from the start of a box until its porter spoke.
    pub start_ms: u128,
}

impl fmt::Display for SelfTest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for row in &self.rows {
            writeln!(f, "{:<7} {:<12} {} ({})", if row.holds { "holds" } else { "BROKEN" }, row.name, row.promise, row.seen)?;
        }
        Ok(())
    }
}

impl SelfTest {
    /// Whether every promise held.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.rows.iter().all(|row| row.holds)
    }

    /// Makes every attempt, each in a box of its own.
    pub(crate) fn run(sandbox: &Sandbox) -> SelfTest {
        let started = Instant::now();
        let opened = sandbox.open().map(drop);
        let start_ms = started.elapsed().as_millis();
        let mut rows = vec![row(
            "box",
            "a box starts",
            opened.is_ok(),
            opened.err().map_or_else(|| format!("{start_ms} ms"), |error| error.to_string()),
        )];
        rows.extend(make_all(sandbox));
        let (holds, seen) = match leftovers(sandbox) {
            Ok(found) => (found.is_empty(), if found.is_empty() { "nothing left".to_owned() } else { found.join(", ") }),
            Err(error) => (false, error.to_string()),
        };
        rows.push(row("daemon", "everything started is gone afterwards", holds, seen));
        SelfTest { rows, start_ms }
    }
}

/// Makes every attempt, a few at a time, since most of the time goes into waiting for limits to bite.
fn make_all(sandbox: &Sandbox) -> Vec<ProbeRow> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONE_TIME {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    let Some(attempt) = attempt::ALL.get(at) else { return };
                    let (holds, seen) = match make(sandbox, attempt.name) {
                        Ok(end) => ((attempt.holds)(&end), seen(&end)),
                        Err(error) => (false, error.to_string()),
                    };
                    let made = row(attempt.name, attempt.promise, holds, seen);
                    done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, made);
                }
            });
        }
    });
    done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
}

fn row(name: &'static str, promise: &'static str, holds: bool, seen: String) -> ProbeRow {
    ProbeRow { name, promise, holds, seen }
}

fn seen(end: &End) -> String {
    let output = end.output.trim();
    match &end.limit {
        Some(limit) => format!("stopped by the {limit} limit"),
        None if output.is_empty() => format!("ended with code {}", end.code),
        None => output.lines().last().unwrap_or_default().to_owned(),
    }
}

fn start(sandbox: &Sandbox, name: &str) -> Result<Room, RoomError> {
    let mut room = sandbox.open()?;
    room.build(World::default())?;
    room.start(Program {
        argv: [STAGE_PATH, WORD, "try", name].map(str::to_owned).to_vec(),
        env: BTreeMap::new(),
        cwd: "/work".to_owned(),
        limits: Limits { cpu_s: if name == "cpu" { 1 } else { 3 }, wall_s: 30, ..Limits::default() },
        speaks: true,
    })?;
    Ok(room)
}

/// Runs an attempt to its end.
fn make(sandbox: &Sandbox, name: &str) -> Result<End, RoomError> {
    let mut room = start(sandbox, name)?;
    loop {
        if let crate::message::Heard::Nothing(end) = room.say(String::new())? {
            return Ok(end);
        }
    }
}

/// Starts a daemon that leaves its session, stops the program, and looks for a file the daemon goes on writing.
fn leftovers(sandbox: &Sandbox) -> Result<Vec<String>, RoomError> {
    let mut room = start(sandbox, "daemon")?;
    let heard = room.say(String::new())?;
    if !matches!(heard, crate::message::Heard::Line { .. }) {
        return Ok(vec!["the daemon could not be started".to_owned()]);
    }
    room.stop()?;
    let before = room.read("/tmp/daemon", 1 << 20)?;
    std::thread::sleep(std::time::Duration::from_millis(60));
    let after = room.read("/tmp/daemon", 1 << 20)?;
    if before.is_none() {
        return Ok(vec!["the daemon never wrote".to_owned()]);
    }
    Ok(if before == after { Vec::new() } else { vec!["the daemon still writes".to_owned()] })
}
