//! The model in this process: two real answers, the same again with the same seed. Its weights are fetched once; without them the test says so.

use crate::support::program::finish;
use crate::support::{Place, Study};

const SUBJECT: &str = "[[subject]]\nid = \"here\"\nprovider = \"local\"\nmax_tokens = 24\ntemperature = 0.2\n";

#[test]
fn the_local_model_answers_a_smoke_study_and_says_the_same_again() {
    let place = Place::new();
    let asked = Study::one_task("reset-token-py", &[SUBJECT.to_owned()]);
    asked.save(&place);
    let command = |arguments: &[&str]| {
        let mut command = place.turncoat(arguments);
        // The weights are looked for where the user of the tests has them, and fetched the way that user's pip is set up.
        for (name, value) in std::env::vars_os() {
            let text = name.to_string_lossy().into_owned();
            if text == "HOME"
                || text == "XDG_CACHE_HOME"
                || text.starts_with("PIP_")
                || text.ends_with("_proxy")
                || text.ends_with("_PROXY")
                || text.starts_with("SSL_CERT")
            {
                command.env(name, value);
            }
        }
        command
    };
    let ended = finish(&mut command(&["run", "study.toml"]));
    if ended.code == Some(4) {
        eprintln!("skipped: the local model cannot be had here: {}", ended.err.trim());
        return;
    }
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let report = place.report("small.ledger");
    assert_eq!((&report["study"]["answers"], &report["study"]["errors"]), (&2.into(), &0.into()));
    let here = &report["subjects"][0];
    assert_eq!((&here["provider"], &here["simulated"], &here["usd"]), (&"local".into(), &false.into(), &0.0.into()));
    assert!(here["tokens_out"].as_u64().unwrap() > 0 && here["served_models"][0].as_str().is_some(), "{here}");
    let primary: Vec<_> = report["contrasts"].as_array().unwrap().iter().filter(|row| row["primary"] == true).collect();
    assert!(
        primary.iter().all(|row| row["verdict"] == "inconclusive" && row["reason"].is_string()),
        "two answers bear no verdict"
    );

    let texts = |ledger: &str| -> Vec<String> {
        let trials = place.trials(ledger);
        let answer = |trial: &str| {
            place.ok(&["show", ledger, trial, "--format", "json"]).json()["answer"]["text"].as_str().unwrap().to_owned()
        };
        trials.iter().map(|row| answer(&row["trial"])).collect()
    };
    let first = texts("small.ledger");
    assert!(first.iter().all(|text| !text.trim().is_empty()), "{first:?}");
    asked.save(&place);
    let again = finish(&mut command(&["run", "study.toml", "--ledger", "again.ledger"]));
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(texts("again.ledger"), first, "the same seed gives the same text");
}
