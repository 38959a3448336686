//! Prints how many durable answers a second a run makes with a subject in this process that answers at once.
//!
//! `cargo run --release -p turncoat-runner --example rate -- [answers] [concurrency] [latency in ms]`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement for developers of this crate")]

#[path = "../tests/it/support.rs"]
mod support;

use std::time::{Duration, Instant};

use support::{Reply, Scripted, answered, opened, plan};
use turncoat_ledger::{Ledger, Wanted};
use turncoat_runner::{Options, run};

fn main() {
    let mut arguments = std::env::args().skip(1).map(|text| text.parse::<u64>().unwrap());
    let (answers, concurrency, latency_ms) =
        (arguments.next().unwrap_or(20_000), arguments.next().unwrap_or(256), arguments.next().unwrap_or(0));
    // Two personas of eight wordings, two repeats: 32 trials a task.
    let mut plan = plan(&["instant"], usize::try_from(answers.div_ceil(32)).unwrap(), 8, 2);
    for subject in &mut plan.subjects {
        subject.conduct.concurrency = u32::try_from(concurrency).unwrap();
    }
    let subject = Scripted::new(move |call, _| Reply { after: Duration::from_millis(latency_ms), ..answered(call) });
    let folder = tempfile::tempdir().unwrap();
    let started = Instant::now();
    let ledger = Ledger::create(folder.path(), &plan, "rate").unwrap();
    println!("plan of {} trials written in {:.2} s", plan.trial_count(), started.elapsed().as_secs_f64());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let cpu_before = cpu_s();
    let summary = runtime.block_on(run(&plan, &ledger, &opened(&[("instant", subject)]), &Options::default(), &|_| {})).unwrap();
    let cpu = cpu_s() - cpu_before;
    let rate = summary.answered_now as f64 / summary.elapsed_s;
    println!(
        "{} answers in {:.2} s: {rate:.0} a second; {:.2} CPU s: {:.0} a CPU second; peak memory {} MB",
        summary.answered_now,
        summary.elapsed_s,
        cpu,
        summary.answered_now as f64 / cpu,
        peak_kb() / 1024
    );
    if latency_ms > 0 {
        println!("{:.1} % of the ideal rate", 100.0 * rate / (concurrency as f64 / (latency_ms as f64 / 1e3)));
    }
    let reader = ledger.reader().unwrap();
    let started = Instant::now();
    let mut count = 0_u64;
    reader.summaries(|_| count += 1).unwrap();
    println!("{count} summaries read in {:.3} s", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let mut bytes = 0_usize;
    reader
        .answers(Wanted::All, |answer| {
            bytes += answer.request.len() + answer.response.len();
            Ok::<(), turncoat_ledger::LedgerError>(())
        })
        .unwrap();
    println!("all answers ({} MB of exchanges) read in {:.2} s", bytes / 1_000_000, started.elapsed().as_secs_f64());
    let started = Instant::now();
    let remaining = reader.remaining(&plan.trials(), false).unwrap();
    println!("what remains ({} trials) found in {:.2} s", remaining.open.len(), started.elapsed().as_secs_f64());
    let started = Instant::now();
    drop(reader);
    drop(ledger);
    let size: u64 = std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    println!("closed in {:.2} s; {} bytes an answer on disk", started.elapsed().as_secs_f64(), size / answers.max(1));
}

/// CPU time of this process in seconds.
fn cpu_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks = |index: usize| fields.get(index).unwrap().parse::<f64>().unwrap();
    (ticks(11) + ticks(12)) / 100.0
}

/// Highest resident memory in KB.
fn peak_kb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
