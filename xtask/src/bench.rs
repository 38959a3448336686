//! Speed and size of the program, each as a ratio within one run against a fixed endpoint on this machine.

mod client;
mod endpoint;
mod figures;
mod program;
mod study;
mod table;

use std::path::PathBuf;

use crate::demo;
use crate::run::{cargo, root, run};
use table::Row;

pub(crate) use endpoint::serve;

/// The measurements by name, in order; `build` is left out unless it is named, since it takes minutes.
const NAMES: [&str; 7] = ["rate", "latency", "memory", "report", "start", "size", "build"];

/// What every measurement needs.
struct Bench {
    /// The release build of the program.
    program: PathBuf,
    /// An empty folder on the disk that the build lies on, so that "durable" means what it does in use.
    folder: PathBuf,
}

/// Measures everything, or one thing, and prints the table. Missing a target is no failure: it is there to be read.
pub(crate) fn run_bench(only: Option<&str>) -> Result<(), String> {
    if let Some(only) = only.filter(|only| !NAMES.contains(only)) {
        return Err(format!("`{only}` is no measurement; there are {}", NAMES.join(", ")));
    }
    if only == Some("build") {
        table::print(&[figures::build()?]);
        return Ok(());
    }
    run(cargo().args(["build", "--release", "--package", "turncoat"]))?;
    let program = demo::program();
    let folder =
        program.parent().and_then(|release| release.parent()).map_or_else(|| root().join("target"), PathBuf::from).join("bench");
    let bench = Bench { program, folder };
    bench.empty()?;
    let wanted = |name: &str| only.is_none_or(|only| only == name);
    let mut rows: Vec<Row> = Vec::new();
    if wanted("rate") {
        rows.extend(figures::rate(&bench)?);
    }
    if wanted("latency") {
        rows.push(figures::latency(&bench)?);
    }
    if wanted("memory") || wanted("report") {
        let large = figures::large(&bench)?;
        if wanted("memory") {
            rows.extend(figures::memory(&large));
        }
        if wanted("report") {
            rows.extend(figures::reports(&bench, &large)?);
        }
    }
    if wanted("start") {
        rows.push(figures::start(&bench)?);
    }
    if wanted("size") {
        rows.push(figures::size(&bench)?);
    }
    bench.empty()?;
    table::print(&rows);
    Ok(())
}

impl Bench {
    /// Makes the folder empty.
    fn empty(&self) -> Result<(), String> {
        let failed = |error: std::io::Error| format!("{} cannot be emptied: {error}", self.folder.display());
        if self.folder.exists() {
            std::fs::remove_dir_all(&self.folder).map_err(failed)?;
        }
        std::fs::create_dir_all(&self.folder).map_err(failed)
    }
}
