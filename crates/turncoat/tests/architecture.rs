//! The shape of the project: who depends on whom, how files open, how long they are, and what no file says.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, reason = "tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

fn output(program: &str, arguments: &[&str]) -> Option<String> {
    #[expect(clippy::disallowed_methods, reason = "the test asks cargo and git about the project")]
    let output = Command::new(program).args(arguments).current_dir(root()).output().ok()?;
    output.status.success().then(|| String::from_utf8(output.stdout).unwrap())
}

/// Folder of a crate: packages are named `turncoat-<folder>`, the program `turncoat`.
fn folder(package: &str) -> &str {
    package.strip_prefix("turncoat-").unwrap_or(package)
}

/// Dependencies of each crate on others of the project, tests and builds aside.
fn depends() -> BTreeMap<String, BTreeSet<String>> {
    let text = output(env!("CARGO"), &["metadata", "--format-version", "1", "--no-deps", "--offline"]).expect("cargo metadata");
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    let packages = value["packages"].as_array().unwrap();
    let own: BTreeSet<&str> = packages.iter().map(|package| package["name"].as_str().unwrap()).collect();
    let of = |package: &serde_json::Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null())
            .map(|dependency| dependency["name"].as_str().unwrap())
            .filter(|name| own.contains(name))
            .map(|name| folder(name).to_owned())
            .collect()
    };
    packages.iter().map(|package| (folder(package["name"].as_str().unwrap()).to_owned(), of(package))).collect()
}

#[test]
fn the_table_of_crates_is_what_cargo_says() {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    assert!(text.lines().count() <= 150, "ARCHITECTURE.md is {} lines long", text.lines().count());
    let rows = text.lines().skip_while(|line| !line.starts_with("| crate |")).skip(2).take_while(|line| line.starts_with('|'));
    let table: BTreeMap<String, String> = rows
        .map(|row| {
            let cells: Vec<&str> = row.trim_matches('|').split('|').map(str::trim).collect();
            assert_eq!(cells.len(), 4, "{row}");
            (cells[0].trim_matches('`').to_owned(), cells[3].to_owned())
        })
        .collect();
    let mut real = depends();
    let program = real.get("turncoat").cloned().unwrap();
    let all: BTreeSet<String> = real.keys().filter(|name| *name != "turncoat" && *name != "xtask").cloned().collect();
    assert_eq!(table.keys().collect::<Vec<_>>(), real.keys().collect::<Vec<_>>(), "the crates of the table and of the project");
    assert_eq!(table["turncoat"], "all");
    assert_eq!(program, all, "the program depends on every crate");
    real.remove("turncoat");
    for (name, depends) in real {
        let listed: BTreeSet<String> =
            table[&name].split(',').map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
        assert_eq!(listed, depends, "what `{name}` depends on: table against cargo");
    }
}

/// Tracked files, and those that are new and not ignored; without git every file below the project's folders.
fn files() -> Vec<PathBuf> {
    if let Some(list) = output("git", &["ls-files", "--cached", "--others", "--exclude-standard"]) {
        return list.lines().map(|line| root().join(line)).filter(|path| path.is_file()).collect();
    }
    let mut files = Vec::new();
    let mut open = vec![root()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if name != "target" && name != ".git" {
                    open.push(path);
                }
            } else {
                files.push(path);
            }
        }
    }
    files
}

fn sources() -> Vec<(String, String)> {
    let root = root();
    let rust = files().into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    let mut sources: Vec<(String, String)> = rust
        .map(|path| (path.strip_prefix(&root).unwrap().display().to_string(), std::fs::read_to_string(&path).unwrap()))
        .collect();
    sources.sort();
    assert!(sources.len() > 100, "{} source files", sources.len());
    sources
}

#[test]
fn every_source_file_opens_with_a_sentence() {
    let without: Vec<String> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//! ")).map(|(path, _)| path).collect();
    assert!(without.is_empty(), "{without:#?}");
}

#[test]
fn files_stay_short() {
    let is_test = |path: &str| path.contains("/tests/") || path.ends_with("/tests.rs");
    let mut lengths: Vec<(usize, String)> = sources()
        .into_iter()
        .filter(|(path, _)| !is_test(path))
        .map(|(path, text)| {
            let before_tests = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
            (before_tests.lines().count(), path)
        })
        .collect();
    lengths.sort();
    let median = lengths[lengths.len() / 2].0;
    assert!(median <= 200, "the median file has {median} lines");
    let long: Vec<&(usize, String)> = lengths.iter().filter(|(length, _)| *length > 700).collect();
    assert!(long.is_empty(), "{long:#?}");
}

#[test]
fn no_file_speaks_of_the_place_it_was_written_in() {
    // Put together here, so that this file does not hold them.
    let words = [
        ["/work/", "main"],
        ["/work/", "shared"],
        ["../sha", "red/notes"],
        ["/tmp/", "slot"],
        ["/tmp/", "target-"],
        ["fa", "rm-"],
        ["// TO", "DO"],
        ["// FIX", "ME"],
    ]
    .map(|parts| parts.concat());
    let mut found = Vec::new();
    let root = root();
    for path in files() {
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        for (number, line) in text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(*word)) {
                found.push(format!("{}:{}: `{word}`", path.strip_prefix(&root).unwrap().display(), number + 1));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_rule_has_its_page_and_is_in_the_list() {
    let rules = root().join("crates/scan/src/rules");
    let mut stems: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(&rules).unwrap() {
        let path = entry.unwrap().path();
        if let (Some(stem), Some(ending)) = (path.file_stem(), path.extension()) {
            stems.entry(stem.to_string_lossy().into_owned()).or_default().insert(ending.to_string_lossy().into_owned());
        }
    }
    let pages: BTreeSet<String> =
        stems.iter().filter(|(_, endings)| endings.contains("md")).map(|(stem, _)| stem.clone()).collect();
    assert!(pages.len() >= 8, "{pages:?}");
    assert!(pages.iter().all(|stem| stems[stem].contains("rs")), "a page without a rule: {stems:?}");
    let listed: BTreeSet<String> = turncoat_scan::pages().into_iter().map(|page| page.id.replace('-', "_")).collect();
    assert_eq!(listed, pages, "the rules that run against the pages that stand there");
}
