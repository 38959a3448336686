//! `import`: outcomes made elsewhere become a ledger for our analysis and report.

mod table;

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde_json::json;
use turncoat_ledger::{Imported, Ledger};
use turncoat_study::source::{allowed_hint, nearest};
use turncoat_study::study::ENDPOINTS;

use crate::analysis;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::ledgers;
use crate::screen::Screen;

/// What the command line asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) file: PathBuf,
    pub(super) ledger: PathBuf,
    pub(super) baseline: Option<String>,
    pub(super) name: Option<String>,
    pub(super) question: String,
    pub(super) primary: String,
}

/// Takes the outcomes in.
pub(super) fn run(asked: &Asked, screen: &Screen) -> Result<Exit, Failure> {
    if !ENDPOINTS.contains(&asked.primary.as_str()) {
        return Err(
            Failure::bad_input(format!("unknown endpoint `{}`", asked.primary)).hint(allowed_hint(&asked.primary, &ENDPOINTS))
        );
    }
    let table = table::read(&asked.file)?;
    let personas: BTreeSet<&str> = table.rows.iter().map(|row| row.persona.as_str()).collect();
    let baseline = choose_baseline(asked.baseline.as_deref(), &personas)?;
    let stem = asked.file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let name = asked.name.clone().unwrap_or(stem);
    let ledger = if Ledger::exists(&asked.ledger) {
        ledgers::open(&asked.ledger, "turncoat import")?
    } else {
        Ledger::create_import(&asked.ledger, &name, "turncoat import").map_err(|error| ledgers::failure(&error))?
    };
    let counted = table.rows.len();
    let fixed_texts = table.rows.iter().all(|row| row.wording.is_none());
    let subjects: BTreeSet<String> = table.rows.iter().map(|row| row.subject.clone()).collect();
    ledger.replace_imported(table.rows).map_err(|error| ledgers::failure(&error))?;
    let note = json!({
        "name": name, "question": asked.question, "baseline": baseline, "primary": asked.primary,
        "errors": table.errors, "source": asked.file.file_name().unwrap_or_default().to_string_lossy(),
    });
    ledger.put_note(analysis::IMPORT_NOTE, note).map_err(|error| ledgers::failure(&error))?;
    drop(ledger);
    analysis::refresh(&asked.ledger, screen)?;
    screen.say(&format!("took in {counted} outcomes of {} subjects, baseline `{baseline}`", subjects.len()));
    if table.errors > 0 {
        screen.say(&format!("{} rows are errors: cells without an answer", table.errors));
    }
    if fixed_texts {
        screen.say("there is no wording column: each arm is one fixed text, and every verdict speaks of that text only");
    }
    screen.say(&format!("next: turncoat report {}", asked.ledger.display()));
    Ok(Exit::Done)
}

/// The baseline that was asked for, else `neutral`, else none can be told.
fn choose_baseline(asked: Option<&str>, personas: &BTreeSet<&str>) -> Result<String, Failure> {
    let list = personas.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    match asked {
        Some(name) if personas.contains(name) => Ok(name.to_owned()),
        Some(name) => {
            let near = nearest(name, personas.iter().copied()).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            Err(Failure::bad_input(format!("--baseline: no row has the persona `{name}`"))
                .hint(format!("{near}personas in the file: {list}")))
        }
        None if personas.contains("neutral") => Ok("neutral".to_owned()),
        None => Err(Failure::bad_input("which persona is the baseline?")
            .hint(format!("name it with --baseline; personas in the file: {list}"))),
    }
}

/// Whether two rows speak of the same cell.
pub(super) fn cell(row: &Imported) -> (String, String, Option<String>, String, u32) {
    (row.subject.clone(), row.persona.clone(), row.wording.clone(), row.task.clone(), row.repeat)
}
