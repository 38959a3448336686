//! `doctor`: what this machine can do, and what to install.

use std::io::{self, Write};
use std::path::Path;

use serde_json::{Value, json};
use turncoat_sandbox::{Detected, Sandbox, SelfTest};

use crate::cli::PlainFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::screen::Screen;
use crate::subjects;

/// One line of the examination.
struct Line {
    name: String,
    good: bool,
    seen: String,
    advice: Option<String>,
}

/// Examines the machine, and a study's keys if one is named.
pub(super) fn run(study: Option<&Path>, format: PlainFormat, screen: &Screen) -> Result<Exit, Failure> {
    screen.say("examining this machine");
    let detected = Detected::look();
    let sandbox = Sandbox::find(None);
    let self_test = sandbox.as_ref().ok().map(Sandbox::self_test);
    let tier = self_test.as_ref().filter(|test| test.holds()).map(|_| "A");
    let mut lines = vec![sandbox_line(&sandbox, self_test.as_ref())];
    lines.push(match &detected.python {
        Some(python) => good("python3", format!("{} {}", python.program.display(), python.version)),
        None => bad("python3", "not found; answers in Python stay unproven", "apt-get install -y python3"),
    });
    lines.push(match subjects::local_weights() {
        Ok(path) => good("local model", path),
        Err(reason) => Line { name: "local model".to_owned(), good: true, seen: reason, advice: None },
    });
    if let Some(path) = study {
        lines.extend(keys(path, screen)?);
    }
    let mut out = io::stdout().lock();
    match format {
        PlainFormat::Json => {
            let value = json!({
                "schema": "turncoat.doctor/1",
                "sandbox": { "tier": tier, "probes": self_test, "missing": sandbox.as_ref().err().map(ToString::to_string) },
                "checks": lines.iter().map(line_json).collect::<Vec<_>>(),
                "advice": detected.advice(),
            });
            serde_json::to_writer_pretty(&mut out, &value).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        PlainFormat::Terminal => print(&mut out, &lines, self_test.as_ref(), screen)?,
    }
    Ok(Exit::Done)
}

fn good(name: &str, seen: impl Into<String>) -> Line {
    Line { name: name.to_owned(), good: true, seen: seen.into(), advice: None }
}

fn bad(name: &str, seen: impl Into<String>, advice: impl Into<String>) -> Line {
    Line { name: name.to_owned(), good: false, seen: seen.into(), advice: Some(advice.into()) }
}

fn sandbox_line(sandbox: &Result<Sandbox, turncoat_sandbox::SandboxError>, self_test: Option<&SelfTest>) -> Line {
    match (sandbox, self_test) {
        (Err(error), _) => {
            let text = error.to_string();
            let (what, advice) = text.split_once("\n  hint: ").unwrap_or((&text, "without it outcomes stay unproven"));
            bad("sandbox", what, advice)
        }
        (Ok(_), Some(test)) if test.holds() => good(
            "sandbox",
            format!("tier A, {} of {} promises hold, a box starts in {} ms", test.rows.len(), test.rows.len(), test.start_ms),
        ),
        (Ok(_), Some(test)) => {
            let broken: Vec<&str> = test.rows.iter().filter(|row| !row.holds).map(|row| row.name).collect();
            bad(
                "sandbox",
                format!("does not hold: {}", broken.join(", ")),
                "user namespaces must be allowed; in a container start it with a profile that allows them, on Ubuntu give bubblewrap an AppArmor profile",
            )
        }
        (Ok(_), None) => bad("sandbox", "was not examined", "report this"),
    }
}

/// Whether the keys that a study needs are there; never what they are.
fn keys(path: &Path, screen: &Screen) -> Result<Vec<Line>, Failure> {
    let plan = files::study(path, screen)?.plan;
    Ok(plan
        .subjects
        .iter()
        .filter_map(|subject| {
            let variable = subject.conduct.api_key_env.as_ref()?;
            let name = format!("key of {}", subject.id);
            Some(match std::env::var_os(variable) {
                Some(value) if !value.is_empty() => good(&name, format!("{variable} is set")),
                _ => bad(&name, format!("{variable} is not set"), format!("export {variable}=...")),
            })
        })
        .collect())
}

fn line_json(line: &Line) -> Value {
    json!({ "name": line.name, "good": line.good, "seen": line.seen, "advice": line.advice })
}

fn print(out: &mut impl Write, lines: &[Line], self_test: Option<&SelfTest>, screen: &Screen) -> io::Result<()> {
    for line in lines {
        writeln!(out, "{} {:<14} {}", mark(line.good, screen), line.name, line.seen)?;
        if let Some(advice) = &line.advice {
            writeln!(out, "{:>17} {advice}", "->")?;
        }
    }
    if let Some(test) = self_test {
        writeln!(out, "\nwhat the sandbox was seen to withhold:")?;
        for row in &test.rows {
            writeln!(out, "{} {:<24} {} ({})", mark(row.holds, screen), row.name, row.promise, row.seen.trim())?;
        }
    }
    Ok(())
}

/// A word, so that colour is never alone.
fn mark(good: bool, screen: &Screen) -> &'static str {
    match (good, screen.colour) {
        (true, true) => "\u{1b}[32mok  \u{1b}[0m",
        (true, false) => "ok  ",
        (false, true) => "\u{1b}[31mmiss\u{1b}[0m",
        (false, false) => "miss",
    }
}
