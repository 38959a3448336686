//! Pages that the program itself tells: its commands, exit codes and rules.

use std::path::Path;

use super::MADE;
use crate::run::{command, output};

/// Every command's help.
pub(super) fn commands(program: &Path) -> Result<String, String> {
    let mut page = format!(
        "{MADE}\n# Commands\n\nWhat `turncoat COMMAND --help` prints. [Exit codes](exit-codes.md) have a page of their own.\n"
    );
    section(program, &[], &mut page)?;
    Ok(page)
}

/// One command's help, and below it those of its own commands.
fn section(program: &Path, words: &[&str], page: &mut String) -> Result<(), String> {
    let help = ask(program, &[words, &["--help"]].concat())?;
    let name = ["turncoat"].iter().chain(words).copied().collect::<Vec<_>>().join(" ");
    let help = help.lines().map(str::trim_end).collect::<Vec<_>>().join("\n");
    page.push_str(&format!("\n## `{name}`\n\n```text\n{}\n```\n", help.trim_end()));
    for inner in inner_commands(&help) {
        section(program, &[words, &[inner]].concat(), page)?;
    }
    Ok(())
}

/// The names below `Commands:`.
fn inner_commands(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    // Names stand two blanks in; what continues a description stands farther.
    let names = listed.filter_map(|line| line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

/// The exit codes, from the doc comments of their enum.
pub(super) fn exit_codes(source: &str) -> Result<String, String> {
    let mut page = format!("{MADE}\n# Exit codes\n\n| code | meaning |\n| --- | --- |\n");
    let mut rows = 0;
    for line in source.lines() {
        let Some((code, meaning)) = line.trim().strip_prefix("/// ").and_then(|text| text.split_once(": ")) else { continue };
        if code.parse::<u8>().is_ok() {
            page.push_str(&format!("| {code} | {meaning} |\n"));
            rows += 1;
        }
    }
    let variants = source.lines().filter(|line| line.trim_end().ends_with(',') && line.contains(" = ")).count();
    if rows == 0 || rows != variants {
        return Err(format!("exit.rs: {variants} codes, {rows} of them with a comment `/// CODE: meaning`"));
    }
    page.push_str(
        "\nData goes to standard output alone; progress, warnings and errors go to standard error. A pipe that is closed early is a clean end. \
         What a study found changes the exit code only where `--fail-on` asks for it.\n",
    );
    Ok(page)
}

/// Every rule of the scanner with its page.
pub(super) fn rules(program: &Path) -> Result<String, String> {
    let list = ask(program, &["explain"])?;
    let rules: Vec<Vec<&str>> = list.lines().map(|line| line.split_whitespace().collect()).collect();
    let mut page = format!(
        "{MADE}\n# Rules of the scanner\n\nWhat `turncoat explain RULE` prints. Each page is a test as well: the lines marked `error: [rule]` are found, and no other line is.\n\n\
         | rule | weakness | severity |\n| --- | --- | --- |\n"
    );
    let mut pages = String::new();
    for rule in &rules {
        let [id, cwe, severity, ..] = rule.as_slice() else {
            return Err(format!("`turncoat explain` printed a line without three columns: {}", rule.join(" ")));
        };
        page.push_str(&format!("| [{id}](#{id}) | {cwe} | {} |\n", severity.to_lowercase()));
        let text = ask(program, &["explain", id])?;
        pages.push_str(&format!("\n## {id}\n\n{}\n", lowered(&text).trim_end()));
    }
    if rules.is_empty() {
        return Err("`turncoat explain` lists no rule".to_owned());
    }
    page.push_str(&pages);
    Ok(page)
}

/// Headings two levels further down, outside of code.
fn lowered(text: &str) -> String {
    let mut in_code = false;
    let mut out = String::new();
    for line in text.lines() {
        in_code ^= line.starts_with("```");
        if line.starts_with('#') && !in_code {
            out.push_str("##");
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// What the program prints, the same on every terminal.
pub(super) fn ask(program: &Path, words: &[&str]) -> Result<String, String> {
    let mut asked = command(program);
    asked.args(words).env("COLUMNS", "100").env("NO_COLOR", "1");
    output(&mut asked).ok_or_else(|| format!("`turncoat {}` failed", words.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_found_below_their_heading_alone() {
        let help = "Does it?\n\nUsage: x\n\nCommands:\n  init    Write\n            more of it\n  run     Run\n  help    Print\n\nOptions:\n  -q";
        assert_eq!(inner_commands(help), ["init", "run"]);
    }

    #[test]
    fn every_exit_code_needs_its_comment() {
        let source = "    /// 0: done.\n    Done = 0,\n    /// 70: our own bug.\n    Bug = 70,\n";
        assert!(exit_codes(source).is_ok_and(|page| page.contains("| 70 | our own bug. |")));
        assert!(exit_codes("    /// 0: done.\n    Done = 0,\n    Bug = 70,\n").is_err());
    }

    #[test]
    fn headings_go_down_and_code_stays() {
        assert_eq!(lowered("# A\n```\n# b\n```\n"), "### A\n```\n# b\n```\n");
    }
}
