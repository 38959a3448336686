//! Pages made from the code: written, or compared with what lies there; and a check of every link between pages.

mod data;
mod links;
mod program;

use std::fs;
use std::path::Path;

use crate::example;
use crate::run::root;

/// Said at the top of each page that is made.
const MADE: &str = "<!-- Made by `cargo xtask docs` from the code; changes here are lost. -->";

/// Makes the pages, or with `check` compares them, the links and the example.
pub(crate) fn run(check: bool, program: Option<&Path>) -> Result<(), String> {
    let program = crate::run::debug_program(program)?;
    let pages = [
        ("docs/commands.md", program::commands(&program)?),
        ("docs/exit-codes.md", program::exit_codes(&read(&root().join("crates/turncoat/src/exit.rs"))?)?),
        ("docs/rules.md", program::rules(&program)?),
        ("docs/data.md", data::lists(&program)?),
    ];
    if !check {
        for (path, content) in &pages {
            fs::write(root().join(path), content).map_err(|error| format!("{path} cannot be written: {error}"))?;
            println!("wrote {path}");
        }
        return links::check();
    }
    let stale: Vec<String> = pages.iter().filter_map(|(path, content)| difference(path, content)).collect();
    if !stale.is_empty() {
        return Err(format!("{}\nrun `cargo xtask docs`", stale.join("\n")));
    }
    links::check()?;
    example::check(&program)?;
    println!("pages, links and the example are as the code has them");
    Ok(())
}

/// Where a page differs from what it should be, if it does.
fn difference(path: &str, expected: &str) -> Option<String> {
    let found = fs::read_to_string(root().join(path)).unwrap_or_default();
    if found == expected {
        return None;
    }
    let line = found.lines().zip(expected.lines()).take_while(|(found, expected)| found == expected).count();
    let of = |text: &str| text.lines().nth(line).unwrap_or("(the end)").to_owned();
    Some(format!("{path}:{} differs from the code\n  there: {}\n  code:  {}", line + 1, of(&found), of(expected)))
}

/// Reads a file of the project.
fn read(path: &Path) -> Result<String, String> {
    fs::read_to_string(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))
}
