//! What runs in the box besides the porter and the box's first process.

use std::fs;

use rustix::process::{Pid, Signal};

/// What all processes of the program use together.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Load {
    /// CPU milliseconds, children already ended included.
    pub(super) cpu_ms: u64,
    /// Resident memory in bytes.
    pub(super) resident: u64,
}

/// Every process but the box's first and the porter.
pub(super) fn others() -> Vec<i32> {
    let own = i32::try_from(std::process::id()).unwrap_or(0);
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid != 1 && *pid != own)
        .collect()
}

/// Adds up what the others use.
pub(super) fn load() -> Load {
    let mut sum = Load::default();
    for pid in others() {
        let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else { continue };
        // The name in parentheses may hold anything, so fields are counted from the last one.
        let Some((_, rest)) = text.rsplit_once(')') else { continue };
        let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at).and_then(|text| text.parse::<u64>().ok()).unwrap_or(0);
        // utime, stime, cutime, cstime in ticks of 10 ms; resident pages of 4 KiB.
        sum.cpu_ms += (number(11) + number(12) + number(13) + number(14)) * 10;
        sum.resident += number(21) * 4096;
    }
    sum
}

/// Kills the others until none is left; whether that came true.
pub(super) fn sweep() -> bool {
    for _ in 0..2000 {
        let left = others();
        if left.is_empty() {
            return true;
        }
        kill(&left);
        std::thread::sleep(std::time::Duration::from_millis(1));
    }
    false
}

/// Kills processes; one that is gone already is fine.
pub(super) fn kill(pids: &[i32]) {
    for pid in pids.iter().filter_map(|pid| Pid::from_raw(*pid)) {
        rustix::process::kill_process(pid, Signal::KILL).ok();
    }
}
