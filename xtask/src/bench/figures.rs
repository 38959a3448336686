//! The measurements themselves.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::endpoint::Endpoint;
use super::program::{self, Asked};
use super::table::Row;
use super::{Bench, client, study};
use crate::run::{cargo, root, run};

/// Calls at once in every study here.
const CONCURRENCY: u32 = 256;
/// Answers of the study at 0 ms.
const RATE_ANSWERS: u64 = 60_000;
/// The upstream's latency in the second study, and its answers: sixteen seconds' worth.
const LATENCY_MS: u64 = 200;
const LATENCY_ANSWERS: u64 = 20_480;
/// Answers of the study whose memory and reports are measured.
const LARGE_ANSWERS: u64 = 100_000;
/// Answers of the study whose table is measured.
const SMALL_ANSWERS: u64 = 10_000;

#[expect(clippy::cast_precision_loss, reason = "counts and sizes are far below 2^53")]
fn number(count: u64) -> f64 {
    count as f64
}

/// Durable answers a second and a CPU second, against an endpoint that answers at once.
pub(super) fn rate(bench: &Bench) -> Result<Vec<Row>, String> {
    let endpoint = Endpoint::start(0)?;
    eprintln!("rate: what the endpoint gives a plain client");
    let plain = client::load(&endpoint.address, CONCURRENCY as usize, Duration::from_secs(3))?;
    eprintln!("rate: {RATE_ANSWERS} answers at 0 ms");
    let (path, answers) = study::write(&bench.folder, "rate", RATE_ANSWERS, &endpoint.base_url(), CONCURRENCY)?;
    let asked = whole(program::study(&bench.program, &path, &bench.folder.join("rate.ledger"))?, answers)?;
    let (per_cpu_s, per_s) = (number(asked.answers) / asked.asking_cpu_s, number(asked.answers) / asked.asking_s);
    let beside = |ours: f64, plain: f64| format!("plain client {plain:.0}/s: {:.2} of it", ours / plain);
    Ok(vec![
        Row {
            figure: "durable answers a CPU second, 0 ms upstream".to_owned(),
            measured: format!("{per_cpu_s:.0}/s"),
            beside: beside(per_cpu_s, plain.per_cpu_s),
            target: ">= 5,000, better 10,000",
            met: Some(per_cpu_s >= 5_000.0),
        },
        Row {
            figure: "durable answers a second of the clock, 0 ms upstream".to_owned(),
            measured: format!("{per_s:.0}/s"),
            beside: beside(per_s, plain.per_s),
            target: "",
            met: None,
        },
    ])
}

/// The share of the ideal rate at the usual latency.
pub(super) fn latency(bench: &Bench) -> Result<Row, String> {
    let endpoint = Endpoint::start(LATENCY_MS)?;
    eprintln!("latency: what the endpoint gives a plain client");
    let plain = client::load(&endpoint.address, CONCURRENCY as usize, Duration::from_secs(6))?;
    eprintln!("latency: {LATENCY_ANSWERS} answers at {LATENCY_MS} ms");
    let (path, answers) = study::write(&bench.folder, "latency", LATENCY_ANSWERS, &endpoint.base_url(), CONCURRENCY)?;
    let asked = whole(program::study(&bench.program, &path, &bench.folder.join("latency.ledger"))?, answers)?;
    let ideal = f64::from(CONCURRENCY) * 1e3 / number(LATENCY_MS);
    let rate = number(asked.answers) / asked.asking_s;
    Ok(Row {
        figure: format!("answers a second, {LATENCY_MS} ms upstream, {CONCURRENCY} at once"),
        measured: format!("{rate:.0}/s"),
        beside: format!(
            "ideal {ideal:.0}/s: {:.1} % of it; plain client {:.0}/s: {:.1} %",
            100.0 * rate / ideal,
            plain.per_s,
            100.0 * rate / plain.per_s
        ),
        target: ">= 90 % of the ideal",
        met: Some(rate >= 0.9 * ideal),
    })
}

/// The large study's run and ledger.
pub(super) struct Large {
    asked: Asked,
    ledger: PathBuf,
}

/// Runs the large study.
pub(super) fn large(bench: &Bench) -> Result<Large, String> {
    let endpoint = Endpoint::start(0)?;
    eprintln!("memory: {LARGE_ANSWERS} answers at 0 ms");
    let (path, answers) = study::write(&bench.folder, "large", LARGE_ANSWERS, &endpoint.base_url(), CONCURRENCY)?;
    let ledger = bench.folder.join("large.ledger");
    let asked = whole(program::study(&bench.program, &path, &ledger)?, answers)?;
    Ok(Large { asked, ledger })
}

/// Its memory.
pub(super) fn memory(large: &Large) -> Vec<Row> {
    let row = |what: &str, kb: u64, beside: String| Row {
        figure: format!("peak memory, {} answers, {what}", large.asked.answers),
        measured: format!("{:.0} MB", number(kb) / 1024.0),
        beside,
        target: "<= 100 MB",
        met: Some(kb <= 100 * 1024),
    };
    let bytes = number(large.asked.asking_peak_kb) * 1024.0 / number(large.asked.answers);
    vec![
        row("while asking", large.asked.asking_peak_kb, format!("{bytes:.0} bytes an answer")),
        row(
            "scored, analysed, page written",
            large.asked.whole_peak_kb,
            format!("{:.1} s after the last answer", large.asked.whole_s - large.asked.asking_s),
        ),
    ]
}

/// Reports of many answers, beside the program's mere start.
pub(super) fn reports(bench: &Bench, large: &Large) -> Result<Vec<Row>, String> {
    let start_s = program::repeat(&bench.program, &["--version"], 11)?.median_s;
    let ledger = large.ledger.to_string_lossy();
    eprintln!("report: of {} answers", large.asked.answers);
    let json = program::repeat(&bench.program, &["report", &ledger, "--format", "json"], 5)?;
    let csv = program::repeat(&bench.program, &["report", &ledger, "--format", "csv"], 3)?;
    let again = program::repeat(&bench.program, &["--quiet", "analyse", &ledger, "--format", "json"], 1)?;
    let endpoint = Endpoint::start(0)?;
    let (path, answers) = study::write(&bench.folder, "small", SMALL_ANSWERS, &endpoint.base_url(), CONCURRENCY)?;
    let small = bench.folder.join("small.ledger");
    let asked = whole(program::study(&bench.program, &path, &small)?, answers)?;
    let table = program::repeat(&bench.program, &["report", &small.to_string_lossy()], 21)?;
    let row = |figure: String, took: &program::Took, target: &'static str, met: Option<bool>| Row {
        figure,
        measured: if took.median_s < 1.0 { format!("{:.1} ms", took.median_s * 1e3) } else { format!("{:.2} s", took.median_s) },
        beside: format!(
            "a mere start takes {:.1} ms: {:.1} of it; {} KB",
            start_s * 1e3,
            took.median_s / start_s,
            took.bytes / 1024
        ),
        target,
        met,
    };
    Ok(vec![
        row(format!("report --format json, {} answers", large.asked.answers), &json, "< 5 s", Some(json.median_s < 5.0)),
        row(format!("report --format csv, {} answers", large.asked.answers), &csv, "", None),
        row(format!("analysed anew and a page made, {} answers", large.asked.answers), &again, "", None),
        row(format!("report, the table, {} answers", asked.answers), &table, "< 50 ms", Some(table.median_s < 0.05)),
    ])
}

/// The program's start.
pub(super) fn start(bench: &Bench) -> Result<Row, String> {
    eprintln!("start: --help");
    let help = program::repeat(&bench.program, &["--help"], 41)?;
    // A program that does nothing shows what the machine takes to start one.
    let nothing = program::repeat(std::path::Path::new("/bin/true"), &[], 41)?;
    Ok(Row {
        figure: "turncoat --help".to_owned(),
        measured: format!("{:.1} ms", help.median_s * 1e3),
        beside: format!("/bin/true {:.1} ms: {:.1} of it", nothing.median_s * 1e3, help.median_s / nothing.median_s),
        target: "< 20 ms",
        met: Some(help.median_s < 0.02),
    })
}

/// The program's size.
pub(super) fn size(bench: &Bench) -> Result<Row, String> {
    let bytes =
        std::fs::metadata(&bench.program).map_err(|error| format!("{} is missing: {error}", bench.program.display()))?.len();
    let mb = number(bytes) / 1e6;
    Ok(Row {
        figure: "release binary".to_owned(),
        measured: format!("{mb:.1} MB"),
        beside: format!("{:.2} of the limit", mb / 60.0),
        target: "<= 60 MB",
        met: Some(mb <= 60.0),
    })
}

/// A release build from nothing, in a folder of its own.
pub(super) fn build() -> Result<Row, String> {
    let folder = root().join("target/bench-build");
    let failed = |error: std::io::Error| format!("{} cannot be removed: {error}", folder.display());
    if folder.exists() {
        std::fs::remove_dir_all(&folder).map_err(failed)?;
    }
    let started = Instant::now();
    run(cargo().args(["build", "--release", "--package", "turncoat"]).env("CARGO_TARGET_DIR", &folder))?;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    std::fs::remove_dir_all(&folder).map_err(failed)?;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Row {
        figure: "cold release build".to_owned(),
        measured: format!("{minutes:.1} min"),
        beside: format!("{cores} cores; {:.1} core minutes at most", minutes * number(cores as u64)),
        target: "<= 12 min on 2 cores",
        met: (cores <= 2).then_some(minutes <= 12.0),
    })
}

/// Refuses a run whose answers are not all there: its figures would mean nothing.
fn whole(asked: Asked, wanted: u64) -> Result<Asked, String> {
    if asked.answers == wanted { Ok(asked) } else { Err(format!("{} of {wanted} answers came", asked.answers)) }
}
