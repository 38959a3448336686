//! Keys stay in the environment: a server that throws one back puts it into no file, no output and no message.

use std::time::Duration;

use crate::support::program::finish;
use crate::support::{Endpoint, Place, Reply, Study, study};

const CANARY: &str = "sk-canary-5f2e9c0b7a1d4e68";

#[test]
fn a_key_is_in_no_file_and_no_output_even_where_the_server_echoes_it() {
    let place = Place::new();
    let endpoint = Endpoint::start(Duration::ZERO, |seen| {
        let headers = format!("{:?}", seen.headers);
        match seen.number {
            0 => Reply::Status(500, format!("{{\"error\":{{\"message\":{}}}}}", serde_json::json!(headers))),
            1 => Reply::Status(400, format!("{{\"error\":{{\"message\":{}}}}}", serde_json::json!(headers))),
            2 => Reply::Status(200, format!("not json but {headers}")),
            _ => Reply::Text(format!("You sent {headers}\n\n```python\nKEY = {headers:?}\n```\n")),
        }
    });
    Study::topics(&[study::subject("house", &endpoint, "api_key_env = \"HOUSE_KEY\"\nconcurrency = 1")]).save(&place);
    let mut said = String::new();
    let mut run = |arguments: &[&str]| {
        let ended = finish(place.turncoat(arguments).env("HOUSE_KEY", CANARY));
        said.push_str(&ended.out);
        said.push_str(&ended.err);
        ended
    };
    let first = run(&["run", "study.toml"]);
    assert_eq!(first.code, Some(3), "one cell failed for good: {first:?}");
    assert!(
        endpoint.seen().iter().all(|seen| seen.headers["authorization"] == format!("Bearer {CANARY}")),
        "the server did get the key"
    );
    run(&["run", "study.toml", "--format", "csv"]);
    let trials = place.trials("small.ledger");
    assert_eq!(trials.len(), 16);
    let mut echoed = 0;
    for row in &trials {
        let shown = run(&["show", "small.ledger", &row["trial"], "--format", "json"]);
        assert_eq!(shown.code, Some(0), "{shown:?}");
        echoed += usize::from(shown.json()["answer"]["text"].as_str().is_some_and(|text| text.contains("You sent")));
        run(&["show", "small.ledger", &row["trial"]]);
    }
    assert_eq!(echoed, 15, "the answers are there all the same");
    for format in ["terminal", "json", "md", "csv", "html", "junit"] {
        run(&["report", "small.ledger", "--format", format]);
    }
    run(&["doctor", "study.toml"]);
    run(&["plan", "study.toml", "--format", "json"]);
    assert!(!said.contains(CANARY), "the key was printed");
    for path in place.files(".") {
        let bytes = std::fs::read(&path).unwrap();
        assert!(!bytes.windows(CANARY.len()).any(|window| window == CANARY.as_bytes()), "the key stands in {}", path.display());
    }
}

#[test]
fn a_key_in_a_study_file_is_refused_and_not_repeated() {
    let place = Place::new();
    let endpoint = Endpoint::saying("no");
    let text =
        Study::topics(&[study::subject("house", &endpoint, &format!("headers = {{ Authorization = \"Bearer {CANARY}\" }}"))])
            .text();
    place.write("study.toml", &text);
    let ended = place.run(&["run", "study.toml"]);
    ended.refused(2, &["study.toml:", "credentials do not belong into a study file"]);
    assert!(!ended.err.contains(CANARY), "{ended:?}");
}
