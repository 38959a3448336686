//! The program under measurement: what it says, and what the kernel says of it.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::run::command;

/// Ticks a second of the kernel's CPU times; Linux has shown this number to programs for decades, whatever it counts itself.
const TICKS_A_S: f64 = 100.0;

/// A study's run, measured.
pub(super) struct Asked {
    /// Answers that were made durable.
    pub(super) answers: u64,
    /// Seconds from the first call to the last answer.
    pub(super) asking_s: f64,
    /// CPU seconds of the program up to then, its start included.
    pub(super) asking_cpu_s: f64,
    /// Highest resident memory up to then, in KB.
    pub(super) asking_peak_kb: u64,
    /// Seconds of everything.
    pub(super) whole_s: f64,
    /// Highest resident memory of everything: scoring, analysis and page included, in KB.
    pub(super) whole_peak_kb: u64,
}

/// Runs a study to its end.
pub(super) fn study(program: &Path, study: &Path, ledger: &Path) -> Result<Asked, String> {
    let started = Instant::now();
    let mut child = command(program)
        .arg("run")
        .arg(study)
        .arg("--ledger")
        .arg(ledger)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
    let pid = child.id();
    let (peak, over) = (AtomicU64::new(0), AtomicBool::new(false));
    let mut asked = None;
    let mut said = Vec::new();
    let status = std::thread::scope(|scope| {
        // A process that has ended shows its memory no more, so it is looked at all the time.
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                peak.fetch_max(peak_kb(pid).unwrap_or(0), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(10));
            }
        });
        for line in child.stderr.take().into_iter().flat_map(|stderr| BufReader::new(stderr).lines()).map_while(Result::ok) {
            if let Some((answers, asking_s)) = summary(&line) {
                asked = Some((answers, asking_s, cpu_s(pid).unwrap_or(f64::NAN), peak_kb(pid).unwrap_or(0)));
            }
            said.push(line);
        }
        let status = child.wait();
        over.store(true, Ordering::Relaxed);
        status
    });
    let status = status.map_err(|error| format!("{} cannot be waited for: {error}", program.display()))?;
    match asked {
        Some((answers, asking_s, asking_cpu_s, asking_peak_kb)) if status.success() => Ok(Asked {
            answers,
            asking_s,
            asking_cpu_s,
            asking_peak_kb,
            whole_s: started.elapsed().as_secs_f64(),
            whole_peak_kb: peak.into_inner(),
        }),
        _ => Err(format!("`{} run {}` ended with {status}:\n{}", program.display(), study.display(), said.join("\n"))),
    }
}

/// Answers made now and seconds of the line that closes the asking:
/// `320 of 320 trials are answered (320 now, 320 calls, 0.4 s); 0.0000 USD spent over the ledger's life`.
fn summary(line: &str) -> Option<(u64, f64)> {
    let (_, rest) = line.split_once(" trials are answered (")?;
    let (inside, _) = rest.split_once(')')?;
    let mut parts = inside.split(',').map(str::trim);
    let answers = parts.next()?.strip_suffix(" now")?.parse().ok()?;
    let seconds = parts.next_back()?.strip_suffix(" s")?.parse().ok()?;
    Some((answers, seconds))
}

/// What one short call of the program took.
pub(super) struct Took {
    /// The middle of all tries, in seconds.
    pub(super) median_s: f64,
    /// Bytes on standard output.
    pub(super) bytes: usize,
}

/// Runs the program with these arguments a few times.
pub(super) fn repeat(program: &Path, arguments: &[&str], times: usize) -> Result<Took, String> {
    let mut seconds = Vec::with_capacity(times);
    let mut bytes = 0;
    for _ in 0..times {
        let started = Instant::now();
        let output = command(program)
            .args(arguments)
            .output()
            .map_err(|error| format!("{} cannot be started: {error}", program.display()))?;
        seconds.push(started.elapsed().as_secs_f64());
        if !output.status.success() {
            return Err(format!("`turncoat {}` failed: {}", arguments.join(" "), String::from_utf8_lossy(&output.stderr)));
        }
        bytes = output.stdout.len();
    }
    seconds.sort_by(f64::total_cmp);
    let median_s = seconds.get(seconds.len() / 2).copied().ok_or("nothing was run")?;
    Ok(Took { median_s, bytes })
}

/// CPU seconds of a process so far, in user and kernel mode, all its threads together.
pub(super) fn cpu_s(pid: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold spaces; user and kernel time are the 12th and 13th field after it.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, kernel): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + kernel) / TICKS_A_S)
}

/// Highest resident memory of a process so far, in KB.
fn peak_kb(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closing_line_is_read_and_no_other() {
        let line = "20480 of 20480 trials are answered (20480 now, 20481 calls, 16.4 s); 0.0000 USD spent over the ledger's life";
        assert_eq!(summary(line), Some((20_480, 16.4)));
        assert_eq!(summary("proving 3 pieces of code"), None);
    }

    #[test]
    fn this_process_has_memory_and_cpu_time() {
        let me = std::process::id();
        assert!(peak_kb(me).unwrap() > 500);
        assert!(cpu_s(me).unwrap() < 600.0);
    }
}
