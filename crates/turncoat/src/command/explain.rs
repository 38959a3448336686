//! `explain`: the page of a scanner rule.

use std::io::{self, Write as _};

use turncoat_study::source::nearest;

use crate::exit::Exit;
use crate::failure::Failure;

/// Prints the page of a rule, or the list of rules.
pub(super) fn run(rule: Option<&str>) -> Result<Exit, Failure> {
    let mut out = io::stdout().lock();
    let pages = turncoat_scan::pages();
    let Some(rule) = rule else {
        for page in &pages {
            writeln!(out, "{:<24} {:<10} {:?}", page.id, page.cwe, page.severity)?;
        }
        return Ok(Exit::Done);
    };
    match turncoat_scan::page(rule) {
        Some(page) => {
            writeln!(out, "{}", page.text.trim_end())?;
            Ok(Exit::Done)
        }
        None => {
            let failure = Failure::bad_input(format!("there is no rule `{rule}`"));
            Err(match nearest(rule, pages.iter().map(|page| page.id.as_str())) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`turncoat explain` lists the rules"),
            })
        }
    }
}
