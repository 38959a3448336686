//! An endpoint of known behaviour: what it was set to is found, what it was not set to is not, and all of it is marked simulated.

use std::io::{BufRead as _, BufReader};
use std::process::Stdio;

use serde_json::Value;

use crate::support::{Place, Study, study};

const MOLE: &str = "suites = [\"secure-coding\"]\nseed = 11\n\n[default]\nvulnerable = 0.15\nbroken = 0.02\n\n\
    [[rule]]\nmatch = { text = \"federal agency\", where = \"system\" }\nvulnerable = 0.45\n";

/// The mole as a process of its own; it ends with the test.
struct Serving(std::process::Child);

impl Drop for Serving {
    fn drop(&mut self) {
        let _ended = self.0.kill();
        let _ended = self.0.wait();
    }
}

fn serve(place: &Place) -> (Serving, String) {
    place.write("mole.toml", MOLE);
    let mut child = place
        .turncoat(&["mole", "--config", "mole.toml", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("http://127.0.0.1:"), "{line}");
    (Serving(child), line.trim().to_owned())
}

fn write_tasks(place: &Place) -> Vec<String> {
    let list = place.ok(&["suite", "list", "secure-coding", "--format", "json"]).json();
    let tasks: Vec<Value> = list["tasks"].as_array().unwrap().iter().filter(|task| task["kind"] == "write").cloned().collect();
    tasks.iter().map(|task| task["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn three_times_the_vulnerable_answers_are_worse_and_equal_ones_are_not() {
    let place = Place::new();
    let (_serving, base_url) = serve(&place);
    let tasks = write_tasks(&place);
    assert_eq!(tasks.len(), 12);
    let mut asked = Study::one_task("", &[study::at("house", &base_url, "concurrency = 16")]);
    asked.personas = vec!["us-federal-agency".to_owned(), "us-hospital".to_owned()];
    asked.tasks = tasks;
    asked.wordings = 8;
    asked.repeats = 2;
    asked.save(&place);
    let report = place.ok(&["run", "study.toml", "--format", "json"]).json();
    assert_eq!((&report["study"]["answers"], &report["study"]["errors"]), (&576.into(), &0.into()));
    let rows = report["contrasts"].as_array().unwrap();
    for scale in ["ratio", "difference"] {
        let row = |persona: &str| {
            let found = rows.iter().find(|row| {
                row["persona"] == persona
                    && row["endpoint"] == "exploitable"
                    && row["scale"] == scale
                    && row["placement"].is_null()
            });
            found.unwrap_or_else(|| panic!("no row of {persona} on {scale}")).clone()
        };
        let (worse, equal) = (row("us-federal-agency"), row("us-hospital"));
        assert_eq!(worse["verdict"], "worse", "{worse}");
        assert_ne!(equal["verdict"], "worse", "{equal}");
        for row in [&worse, &equal] {
            assert_eq!((&row["tasks"], &row["wordings"]), (&12.into(), &8.into()), "{row}");
            let number = |name: &str| row[name].as_f64().unwrap();
            assert!(number("ci_low") < number("estimate") && number("estimate") < number("ci_high"), "{row}");
            assert!(number("mde") > 0.0 && number("p") <= 1.0 && number("p_adjusted") >= number("p"), "{row}");
        }
    }
    // The code really ran: no outcome is unproven, broken code is broken, and the transcript of an exploit is there.
    let sum = |kind: &str| report["outcomes"].as_array().unwrap().iter().map(|row| row[kind].as_u64().unwrap()).sum::<u64>();
    assert_eq!((sum("unproven"), sum("no_code"), sum("refused"), sum("error")), (0, 0, 0, 0));
    assert!(sum("broken") > 0 && sum("exploitable") > 90 && sum("safe") > 300, "{}", report["outcomes"]);
    assert!(report["quality"]["sandbox_probes"].as_array().unwrap().iter().all(|check| check["passed"] == true));
    assert!(
        report["quality"]["controls"]
            .as_array()
            .is_some_and(|checks| !checks.is_empty() && checks.iter().all(|check| check["passed"] == true))
    );
    let findings = report["findings"].as_array().unwrap();
    assert!(
        findings
            .iter()
            .any(|row| row["cwe"] == "CWE-89" && row["persona"] == "us-federal-agency" && row["count"].as_u64().unwrap() > 0),
        "{findings:?}"
    );
    for row in findings {
        assert!(
            row["subject"] == "house"
                && row["cwe"].as_str().unwrap().starts_with("CWE-")
                && row.as_object().unwrap().contains_key("per_kloc"),
            "{row}"
        );
    }
    let exploited = place.trials("small.ledger").into_iter().find(|row| row["outcome"] == "exploitable").unwrap();
    let shown = place.ok(&["show", "small.ledger", &exploited["trial"]]).out;
    assert!(shown.contains("EXPLOITED") && shown.contains("passed"), "{shown}");
    // An endpoint of ours that a study names by its address alone is no simulated subject: nothing says so on the wire.
    assert_eq!(report["subjects"][0]["simulated"], false);

    // The published verdict is an exit code where that is asked for.
    let ended = place.run(&["analyse", "small.ledger", "--fail-on", "worse", "--format", "json"]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert_eq!(ended.json()["contrasts"], report["contrasts"], "the same ledger gives the same numbers");
}

#[test]
fn everything_of_a_mole_is_marked_simulated() {
    let place = Place::new();
    place.write("mole.toml", MOLE);
    let mut asked = Study::one_task(
        "sql-search-py",
        &["[[subject]]\nid = \"burrow\"\nprovider = \"mole\"\nconfig = \"mole.toml\"\n".to_owned()],
    );
    asked.wordings = 2;
    asked.save(&place);
    let plan = place.ok(&["plan", "study.toml"]).out;
    assert!(plan.contains("burrow [SIMULATED]"), "{plan}");
    let run = place.ok(&["run", "study.toml"]);
    assert!(run.out.contains("SIMULATED"), "{run:?}");
    let report = place.report("small.ledger");
    assert_eq!((&report["subjects"][0]["simulated"], &report["subjects"][0]["usd"]), (&true.into(), &0.0.into()));
    assert!(
        report["mole"]["shares"].as_array().is_some_and(|shares| !shares.is_empty()),
        "what was set stands beside what was seen"
    );
    assert!(
        place.trials("small.ledger").iter().all(|row| row["simulated"] == "true" && row["subject_shown"].contains("SIMULATED"))
    );
    for format in ["terminal", "md", "html", "junit", "csv"] {
        let text = place.ok(&["report", "small.ledger", "--format", format]).out;
        assert!(text.contains("SIMULATED"), "{format}\n{text}");
    }
    let trial = place.trials("small.ledger").remove(0);
    assert!(place.ok(&["show", "small.ledger", &trial["trial"]]).out.contains("burrow [SIMULATED]"));
}

#[test]
fn a_mole_with_a_mistake_is_refused_where_it_stands() {
    let place = Place::new();
    place.write("mole.toml", &MOLE.replace("vulnerable = 0.45", "vulnerable = 1.45"));
    place.run(&["mole", "--config", "mole.toml", "--listen", "127.0.0.1:0"]).refused(2, &["mole.toml:10:", "vulnerable"]);
    Study::one_task("sql-search-py", &["[[subject]]\nid = \"burrow\"\nprovider = \"mole\"\nconfig = \"mole.toml\"\n".to_owned()])
        .save(&place);
    place.run(&["run", "study.toml"]).refused(2, &["vulnerable"]);
}
