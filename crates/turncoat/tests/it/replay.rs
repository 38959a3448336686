//! Answers played again, and what people bring along by path: personas and tasks of their own.

use std::collections::BTreeMap;

use crate::support::program::root;
use crate::support::{Endpoint, Place, Reply, Study, study};

/// Outcome by persona, task, frame and repeat.
fn outcomes(place: &Place, ledger: &str) -> BTreeMap<[String; 4], String> {
    let rows = place.trials(ledger);
    rows.into_iter()
        .map(|mut row| {
            let key = ["persona", "task", "frame", "repeat"].map(|name| row.remove(name).unwrap());
            (key, row.remove("outcome").unwrap())
        })
        .collect()
}

#[test]
fn a_replayed_ledger_gives_the_same_outcomes_and_asks_nobody() {
    let place = Place::new();
    let secure = std::fs::read_to_string(root().join("data/suites/secure-coding/sql-search-py/reference/secure.py")).unwrap();
    let vulnerable =
        std::fs::read_to_string(root().join("data/suites/secure-coding/sql-search-py/reference/vulnerable.py")).unwrap();
    let endpoint = Endpoint::start(std::time::Duration::ZERO, move |seen| {
        let code = if seen.message("system").contains("federal agency") { &vulnerable } else { &secure };
        match (seen.message("user").contains("staff directory"), seen.seed() % 3) {
            (true, 0) => Reply::text("```python\ndef search_users(:\n```"),
            (true, _) => Reply::Text(format!("Here:\n\n```python\n{code}\n```\n")),
            (false, _) => Reply::text("I'm sorry, but I can't help with that."),
        }
    });
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    asked.suites.push("secure-coding".to_owned());
    asked.tasks = vec!["sql-search-py".to_owned(), "member-signup-taiwan-independence".to_owned()];
    asked.repeats = 2;
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    let first = outcomes(&place, "small.ledger");
    let count = |outcome: &str| first.values().filter(|found| *found == outcome).count();
    assert_eq!((first.len(), count("refused")), (16, 8), "{first:?}");
    assert_eq!(count("exploitable") + count("safe") + count("broken"), 8, "{first:?}");
    assert!(count("exploitable") > 0 || count("safe") > 0, "{first:?}");
    let calls = endpoint.count();

    let again =
        "[[subject]]\nid = \"tape\"\nprovider = \"replay\"\nconfig = \"small.ledger\"\nmodel = \"house\"\nmax_tokens = 1000\n";
    let replay = Study { name: "again", subjects: vec![again.to_owned()], ..asked };
    replay.save(&place);
    place.ok(&["run", "study.toml"]);
    assert_eq!(endpoint.count(), calls, "nobody was asked");
    assert_eq!(outcomes(&place, "again.ledger"), first);
    assert_eq!(place.report("again.ledger")["subjects"][0]["usd"], 0.0);

    place.write("study.toml", &replay.text().replace("small.ledger", "absent.ledger"));
    place.run(&["run", "study.toml", "--ledger", "third"]).refused(2, &["absent.ledger"]);
}

#[test]
fn a_persona_by_path_reaches_the_server_word_for_word() {
    let place = Place::new();
    let odd = "  Du hilfst dem Wasserwerk „Nord“ — zwei\u{a0}Leerzeichen:  \\n bleibt,\n\tein Tabulator auch. 水道局 😀 ";
    let text = std::fs::read_to_string(root().join("data/personas/us-hospital.toml")).unwrap();
    let (before, rest) = text.split_once("text = ").unwrap();
    let (_, after) = rest.split_once('\n').unwrap();
    let mine =
        format!("{before}text = {}\n{after}", serde_json::json!(odd)).replace("id = \"us-hospital\"", "id = \"waterworks\"");
    place.write("people/waterworks.toml", &mine);
    let endpoint = Endpoint::saying("no code here");
    let mut asked = Study::topics(&[study::subject("house", &endpoint, "")]);
    asked.personas = vec!["./people/waterworks.toml".to_owned()];
    asked.wordings = 1;
    asked.save(&place);
    let run = place.ok(&["run", "study.toml"]);
    let seen = endpoint.seen();
    assert_eq!(seen.len(), 8, "{run:?}");
    assert_eq!(seen.iter().filter(|seen| seen.message("system") == odd).count(), 4);
    let neutral = std::fs::read_to_string(root().join("data/personas/neutral.toml")).unwrap();
    let plain = seen.iter().find(|seen| seen.message("system") != odd).unwrap().message("system").to_owned();
    assert!(neutral.contains(&plain), "the neutral persona is an explicit message too: {plain}");
    let prompt =
        std::fs::read_to_string(root().join("data/suites/sensitive-topics/timeline-page-kent-state-1970/task.toml")).unwrap();
    assert!(seen.iter().any(|seen| prompt.contains(seen.message("user").trim())), "the task's prompt is the user message");
    assert!(place.trials("small.ledger").iter().any(|row| row["persona"] == "waterworks"));
}

#[test]
fn a_suite_by_path_is_asked_and_proven_like_a_built_in_one() {
    let place = Place::new();
    let from = root().join("data/suites/secure-coding/reset-token-py");
    for folder in ["reference", "tests", ""] {
        std::fs::create_dir_all(place.path("mine/own-py").join(folder)).unwrap();
        for entry in std::fs::read_dir(from.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                std::fs::copy(&path, place.path("mine/own-py").join(folder).join(path.file_name().unwrap())).unwrap();
            }
        }
    }
    let task = place.path("mine/own-py/task.toml");
    let text = std::fs::read_to_string(&task).unwrap().replace("id = \"reset-token-py\"", "id = \"own-py\"");
    std::fs::write(&task, text).unwrap();
    let checked = place.ok(&["suite", "check", "./mine", "--format", "json"]).json();
    assert_eq!((&checked["tasks"][0]["task"], &checked["tasks"][0]["proven"]), (&"mine/own-py".into(), &true.into()));

    let reference = |name: &str| std::fs::read_to_string(from.join(format!("reference/{name}.py"))).unwrap();
    let (secure, vulnerable) = (reference("secure"), reference("vulnerable"));
    let endpoint = Endpoint::start(std::time::Duration::ZERO, move |seen| {
        let code = if seen.message("system").contains("federal agency") { &vulnerable } else { &secure };
        Reply::Text(format!("```python\n{code}\n```\n"))
    });
    let mut asked = Study::one_task("own-py", &[study::subject("house", &endpoint, "")]);
    asked.suites = vec!["./mine".to_owned()];
    asked.save(&place);
    place.ok(&["run", "study.toml"]);
    let found: Vec<(String, String)> =
        outcomes(&place, "small.ledger").into_iter().map(|(key, outcome)| (key[0].clone(), outcome)).collect();
    assert_eq!(found, [("neutral".to_owned(), "safe".to_owned()), ("us-federal-agency".to_owned(), "exploitable".to_owned())]);

    // Changed tests are applied to the answers that are there; nobody is asked again.
    let calls = endpoint.count();
    let ended = place.ok(&["prove", "small.ledger", "--format", "json"]);
    assert_eq!((endpoint.count(), &ended.json()["study"]["answers"]), (calls, &2.into()));
}
