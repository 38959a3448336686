//! Bad input: each mistake is located, says what would be right, ends with the documented code, and starts nothing.

use std::fs;
use std::os::unix::fs::symlink;

use crate::support::program::root;
use crate::support::{Endpoint, Place, Study, study};

/// A place with a study of one subject; nothing must be asked of the endpoint.
fn desk() -> (Place, Endpoint, Study) {
    let endpoint = Endpoint::saying("no");
    let asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    (Place::new(), endpoint, asked)
}

/// Plan and run both refuse the study with these texts; no ledger is left and nothing was asked.
fn refused(place: &Place, endpoint: &Endpoint, text: &str, expected: &[&str]) {
    place.write("study.toml", text);
    place.run(&["plan", "study.toml"]).refused(2, expected);
    place.run(&["run", "study.toml"]).refused(2, expected);
    assert!(!place.path("small.ledger").exists(), "nothing was begun");
    assert_eq!(endpoint.count(), 0);
}

#[test]
fn an_unknown_persona_is_located_and_the_nearest_offered() {
    let (place, endpoint, mut asked) = desk();
    asked.personas = vec!["us-federal-agensy".to_owned()];
    refused(
        &place,
        &endpoint,
        &asked.text(),
        &["study.toml:5:13", "study.personas", "no persona `us-federal-agensy`", "did you mean `us-federal-agency`?"],
    );
}

#[test]
fn an_unknown_suite_is_located_and_the_nearest_offered() {
    let (place, endpoint, mut asked) = desk();
    asked.suites = vec!["sensitive-topic".to_owned()];
    refused(
        &place,
        &endpoint,
        &asked.text(),
        &["study.toml:6:11", "study.suites", "no suite `sensitive-topic`", "did you mean `sensitive-topics`?"],
    );
    asked.suites = vec!["./nowhere".to_owned()];
    refused(&place, &endpoint, &asked.text(), &["study.toml:6:11", "./nowhere"]);
}

#[test]
fn an_unknown_field_is_located_with_what_is_allowed() {
    let (place, endpoint, asked) = desk();
    let text = asked.text().replace("repeats = 1", "repeat = 1");
    refused(&place, &endpoint, &text, &["study.toml:9:1", "repeat", "did you mean `repeats`?"]);
    let text = asked.text().replace("max_tokens = 1000", "max_token = 1000");
    refused(&place, &endpoint, &text, &["study.toml:17:1", "max_token", "did you mean `max_tokens`?"]);
}

#[test]
fn every_mistake_is_told_at_once() {
    let (place, endpoint, asked) = desk();
    let text = asked.text().replace("us-federal-agency", "nobody-at-all").replace("repeats = 1", "repeats = \"two\"");
    refused(&place, &endpoint, &text, &["study.toml:5:", "study.toml:9:", "repeats"]);
}

#[test]
fn an_unknown_preset_is_located_and_the_nearest_offered() {
    let (place, endpoint, mut asked) = desk();
    asked.subjects = vec!["[[subject]]\nid = \"kimi\"\npreset = \"kimi-k2.6\"\n".to_owned()];
    refused(&place, &endpoint, &asked.text(), &["study.toml:14:10", "no preset `kimi-k2.6`", "did you mean `kimi-k2.5`?"]);
}

#[test]
fn an_unknown_placement_is_located_and_the_nearest_offered() {
    let (place, endpoint, asked) = desk();
    let text = asked.text().replace("seed = 7", "seed = 7\nplacement = [\"sistem\"]");
    refused(&place, &endpoint, &text, &["study.toml:11:14", "unknown placement `sistem`", "did you mean `system`?"]);
}

#[test]
fn an_unknown_provider_and_a_file_that_is_no_toml_are_located() {
    let (place, endpoint, asked) = desk();
    let text = asked.text().replace("provider = \"openai\"", "provider = \"opnai\"");
    refused(&place, &endpoint, &text, &["study.toml:14:12", "opnai", "did you mean `openai`?"]);
    let text = asked.text().replace("[study]", "[study");
    refused(&place, &endpoint, &text, &["study.toml:1:"]);
}

#[test]
fn a_study_that_is_not_there_is_named_with_what_to_do() {
    Place::new().run(&["run", "absent.toml"]).refused(2, &["absent.toml", "turncoat init"]);
}

#[test]
fn a_missing_key_is_named_before_anything_is_written_or_asked() {
    let (place, endpoint, mut asked) = desk();
    asked.subjects = vec![study::subject("house", &endpoint, "api_key_env = \"HOUSE_KEY\"")];
    asked.save(&place);
    place.run(&["run", "study.toml"]).refused(2, &["house", "HOUSE_KEY", "not set"]);
    assert!(!place.path("small.ledger").exists(), "nothing was begun");
    assert_eq!(endpoint.count(), 0);
    // Looking at the plan needs no key.
    place.ok(&["plan", "study.toml"]);
    let seen = place.ok(&["doctor", "study.toml"]);
    assert!(seen.out.contains("HOUSE_KEY is not set"), "{seen:?}");
}

#[test]
fn a_budget_without_a_price_is_refused_and_not_ignored() {
    let (place, endpoint, mut asked) = desk();
    asked.budget_usd = Some(5.0);
    refused(&place, &endpoint, &asked.text(), &["study.toml:", "house", "price", "budget in USD", "add price = {"]);
}

#[test]
fn a_ledger_of_another_study_is_refused_and_stays_as_it_was() {
    let (place, endpoint, asked) = desk();
    asked.save(&place);
    place.ok(&["run", "study.toml", "--ledger", "one.ledger"]);
    let before = place.report("one.ledger");
    let count = endpoint.count();
    let other = Study { name: "second", ..asked };
    other.save(&place);
    place
        .run(&["run", "study.toml", "--ledger", "one.ledger"])
        .refused(2, &["one.ledger", "belongs to the study `small`", "not to `second`", "hint:"]);
    assert_eq!(endpoint.count(), count);
    assert_eq!(place.report("one.ledger"), before);
}

#[test]
fn a_newer_schema_is_refused_by_everything_that_opens_it() {
    let (place, endpoint, asked) = desk();
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    // The schema's version stands at byte 60 of an SQLite file, big-endian.
    let path = place.path("small.ledger/ledger.db");
    let mut bytes = fs::read(&path).unwrap();
    bytes[60..64].copy_from_slice(&99_u32.to_be_bytes());
    fs::write(&path, &bytes).unwrap();
    let count = endpoint.count();
    for command in
        [&["run", "study.toml"][..], &["report", "small.ledger"], &["analyse", "small.ledger"], &["show", "small.ledger", "00"]]
    {
        place.run(command).refused(2, &["small.ledger", "has schema 99", "newer version"]);
    }
    assert_eq!(fs::read(&path).unwrap(), bytes, "the file is untouched");
    assert_eq!(endpoint.count(), count);
}

#[test]
fn a_folder_or_file_that_is_no_ledger_is_told() {
    let place = Place::new();
    place.write("plain/ledger.db", "not a database at all, but long enough to be looked at as one by whoever tries to open it");
    place.run(&["report", "plain"]).refused(2, &["plain", "not a ledger"]);
    place.run(&["report", "nowhere"]).refused(2, &["there is no ledger at nowhere", "turncoat run"]);
}

/// Copies a built-in task into the suite `mine`.
fn copy_task(place: &Place, task: &str) -> std::path::PathBuf {
    fn copy(from: &std::path::Path, to: &std::path::Path) {
        fs::create_dir_all(to).unwrap();
        for entry in fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            let target = to.join(path.file_name().unwrap());
            if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
        }
    }
    let target = place.path("mine").join(task);
    copy(&root().join("data/suites/secure-coding").join(task), &target);
    target
}

#[test]
fn a_write_task_without_tests_is_refused() {
    let (place, endpoint, mut asked) = desk();
    let task = copy_task(&place, "sql-search-py");
    fs::remove_dir_all(task.join("tests")).unwrap();
    asked.suites = vec!["./mine".to_owned()];
    asked.tasks.clear();
    refused(&place, &endpoint, &asked.text(), &["mine/sql-search-py/task.toml:3:8", "a write task needs tests"]);
    place.run(&["suite", "check", "./mine"]).refused(2, &["mine/sql-search-py/task.toml:3:8", "a write task needs tests"]);
}

#[test]
fn a_suite_folder_with_a_loop_of_links_is_refused_where_it_stands() {
    let (place, endpoint, mut asked) = desk();
    let task = copy_task(&place, "sql-search-py");
    symlink("..", task.join("tests/again")).unwrap();
    asked.suites = vec!["./mine".to_owned()];
    asked.tasks.clear();
    refused(&place, &endpoint, &asked.text(), &["sql-search-py/tests/again", "symbolic link"]);
    fs::remove_file(task.join("tests/again")).unwrap();
    symlink("loop", place.path("mine/loop")).unwrap();
    refused(&place, &endpoint, &asked.text(), &["mine/loop"]);
}

#[test]
fn a_task_that_is_not_in_the_suite_is_located() {
    let (place, endpoint, mut asked) = desk();
    asked.tasks = vec!["member-signup-taiwan-independense".to_owned()];
    refused(
        &place,
        &endpoint,
        &asked.text(),
        &["study.toml:7:", "member-signup-taiwan-independense", "did you mean `member-signup-taiwan-independence`?"],
    );
}

#[test]
fn an_unknown_subject_and_an_empty_reason_are_refused() {
    let (place, endpoint, asked) = desk();
    asked.save(&place);
    place.run(&["run", "study.toml", "--only", "hause"]).refused(2, &["hause", "house"]);
    place.run(&["run", "study.toml", "--amend", ""]).refused(2, &["--amend"]);
    assert_eq!(endpoint.count(), 0);
}
