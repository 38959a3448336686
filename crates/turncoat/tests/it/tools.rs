//! The commands around a study: `doctor`, `suite`, `explain`, `completions`, `man`.

use crate::support::Place;

#[test]
fn doctor_says_what_the_machine_can_do() {
    let place = Place::new();
    let seen = place.ok(&["doctor", "--format", "json"]).json();
    assert_eq!(seen["schema"], "turncoat.doctor/1");
    assert_eq!(seen["sandbox"]["tier"], "A", "{seen}");
    let names: Vec<&str> = seen["checks"].as_array().unwrap().iter().map(|check| check["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["sandbox", "python3", "local model"]);
    let text = place.ok(&["doctor"]).out;
    assert!(text.contains("tier A") && text.contains("what the sandbox was seen to withhold"), "{text}");
    // Without bubblewrap it says so and what to install, and stays a listing.
    let bare = crate::support::program::finish(place.turncoat(&["doctor"]).env("PATH", place.path("home")));
    assert_eq!(bare.code, Some(0), "{bare:?}");
    assert!(bare.out.contains("miss sandbox") && bare.out.contains("bubblewrap"), "{bare:?}");
}

#[test]
fn without_a_sandbox_a_run_ends_with_unproven_outcomes_and_prove_says_that_it_cannot() {
    let place = Place::new();
    let endpoint = crate::support::Endpoint::saying(
        "```python\ndef search_users(db_path, text, sort='name', descending=False):\n    return []\n```",
    );
    crate::support::Study::one_task("sql-search-py", &[crate::support::study::subject("house", &endpoint, "")]).save(&place);
    let bare = |arguments: &[&str]| crate::support::program::finish(place.turncoat(arguments).env("PATH", place.path("home")));
    let run = bare(&["run", "study.toml"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    run.says(&["no code is run", "unproven"]);
    assert!(place.trials("small.ledger").iter().all(|row| row["outcome"] == "unproven"));
    bare(&["prove", "small.ledger"]).refused(4, &["turncoat doctor"]);
    bare(&["suite", "check", "--task", "sql-search-py"]).refused(4, &["bubblewrap"]);
    // With one, the same answers are proven.
    let proven = place.ok(&["prove", "small.ledger", "--format", "csv"]).out;
    assert!(proven.contains("broken") && !proven.contains("unproven"), "{proven}");
    assert_eq!(endpoint.count(), 2);
}

#[test]
fn suite_check_proves_a_task_by_its_references() {
    let place = Place::new();
    let checked = place.ok(&["suite", "check", "--task", "sql-search-py", "--format", "json"]).json();
    assert_eq!(checked["schema"], "turncoat.check/1");
    let task = &checked["tasks"][0];
    assert_eq!(
        (&task["task"], &task["proven"], checked["tasks"].as_array().unwrap().len()),
        (&"secure-coding/sql-search-py".into(), &true.into(), 1)
    );
    let outcome = |name: &str| {
        let found =
            task["references"].as_array().unwrap().iter().find(|reference| reference["name"].as_str().unwrap().starts_with(name));
        found.unwrap()["outcome"].clone()
    };
    assert_eq!(
        (outcome("secure"), outcome("vulnerable"), outcome("weak")),
        ("safe".into(), "exploitable".into(), "exploitable".into())
    );
    place
        .run(&["suite", "check", "--task", "sql-serach-py"])
        .refused(2, &["no task `sql-serach-py`", "did you mean `sql-search-py`?"]);
}

#[test]
fn a_new_task_passes_its_check_and_a_spoilt_one_does_not() {
    let place = Place::new();
    for (kind, id) in [("write", "ledger-note-py"), ("modify", "ledger-change-py")] {
        let made = place.ok(&["suite", "new", &format!("mine-{kind}/{id}"), "--kind", kind]);
        made.says(&["wrote", id, "turncoat suite check"]);
        let checked = place.ok(&["suite", "check", &format!("./mine-{kind}"), "--task", id]).out;
        assert!(checked.contains(&format!("proven mine-{kind}/{id}")) && checked.contains("1 of 1 tasks proven"), "{checked}");
    }
    place.run(&["suite", "new", "mine-write/ledger-note-py"]).refused(2, &["is there already"]);
    place.run(&["suite", "new", "x", "--kind", "wirte"]).refused(2, &["`wirte`", "did you mean `write`?"]);
    // A secure reference that is not secure.
    let reference = place.path("mine-write/ledger-note-py/reference");
    std::fs::copy(reference.join("vulnerable.py"), reference.join("secure.py")).unwrap();
    let spoilt = place.run(&["suite", "check", "./mine-write"]);
    assert_eq!(spoilt.code, Some(1), "{spoilt:?}");
    assert!(spoilt.out.contains("FAILED mine-write/ledger-note-py") && spoilt.out.contains("fault:"), "{spoilt:?}");
}

#[test]
fn a_task_is_shown_whole() {
    let shown = Place::new().ok(&["suite", "show", "secure-coding/sql-search-py"]).out;
    for text in
        ["cluster sql-search/write", "CWE-89", "Write a Python module", "--- hint", "--- reference/secure.py", "--- tests/"]
    {
        assert!(shown.contains(text), "`{text}`\n{shown}");
    }
    Place::new().run(&["suite", "show", "secure-coding/sql-serach-py"]).refused(2, &["did you mean `sql-search-py`?"]);
}

#[test]
fn explain_lists_rules_and_shows_each() {
    let place = Place::new();
    let list = place.ok(&["explain"]).out;
    let ids: Vec<&str> = list.lines().map(|line| line.split_whitespace().next().unwrap()).collect();
    assert!(ids.len() >= 8, "{list}");
    for id in &ids {
        let page = place.ok(&["explain", id]).out;
        assert!(page.contains('#') && page.lines().count() > 5, "{id}\n{page}");
    }
    let near = format!("{}x", ids[0]);
    place.run(&["explain", &near]).refused(2, &[&format!("there is no rule `{near}`"), &format!("did you mean `{}`?", ids[0])]);
}

#[test]
fn completions_and_man_pages_are_made_from_the_command_line() {
    let place = Place::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = place.ok(&["completions", shell]).out;
        assert!(script.contains("turncoat") && script.contains("retry-errors"), "{shell}");
    }
    let made = place.ok(&["man", "pages"]);
    assert!(made.out.is_empty(), "{made:?}");
    let page = std::fs::read_to_string(place.path("pages/turncoat-run.1")).unwrap();
    assert!(page.contains("retry\\-errors"), "{page}");
    assert!(place.path("pages/turncoat.1").is_file());
    let version = place.ok(&["--version"]).out;
    assert!(version.starts_with("turncoat "), "{version}");
}
