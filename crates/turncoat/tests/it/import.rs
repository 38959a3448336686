//! Outcomes made elsewhere: the published verdicts give the published differences, in CSV and in JSON Lines.

use serde_json::{Value, json};

use crate::support::Place;
use crate::support::program::root;

/// Points by which the hint lowers the vulnerable share, and the half-width of the 95 % interval.
const HINT: [(&str, f64, f64); 5] = [
    ("claude-opus-4.6", 19.4, 8.0),
    ("kimi-k2.5", 13.5, 6.5),
    ("minimax-m2.5", 13.9, 5.3),
    ("deepseek-v3.2", 9.5, 5.6),
    ("qwen3-coder-plus", 10.2, 5.1),
];

fn table() -> std::path::PathBuf {
    root().join("data/published/seccodebench-verdicts.csv")
}

#[test]
fn the_published_verdicts_give_the_published_differences() {
    let place = Place::new();
    let path = table();
    let ended =
        place.ok(&["import", path.to_str().unwrap(), "--ledger", "published.ledger", "--baseline", "gen", "--name", "verdicts"]);
    ended.says(
        &[
            "took in 10540 outcomes of 6 subjects, baseline `gen`",
            "one fixed text",
            "this text only",
            "turncoat report published.ledger",
        ]
        .map(|text| if text == "this text only" { "that text only" } else { text }),
    );
    assert!(ended.out.is_empty(), "{ended:?}");
    let report = place.report("published.ledger");
    assert_eq!(report["study"]["this_text_only"], true);
    assert_eq!(report["study"]["name"], "verdicts");
    let rows = report["contrasts"].as_array().unwrap();
    for (subject, points, half) in HINT {
        let row = rows
            .iter()
            .find(|row| {
                row["subject"] == subject
                    && row["persona"] == "genhints"
                    && row["endpoint"] == "exploitable"
                    && row["scale"] == "difference"
            })
            .unwrap_or_else(|| panic!("no row of {subject}"));
        let number = |name: &str| 100.0 * row[name].as_f64().unwrap();
        // Persona over baseline: the hint lowers the share.
        assert!(
            (-number("estimate") - points).abs() <= 0.1,
            "{subject}: {} points instead of {points}: {row}",
            -number("estimate")
        );
        let seen = (number("ci_high") - number("ci_low")) / 2.0;
        assert!((seen - half).abs() <= 1.0, "{subject}: half-width {seen} instead of {half}: {row}");
        assert_eq!(row["verdict"], "better", "{row}");
        assert!(row["tasks"].as_u64().unwrap() >= 37);
    }
    assert!(
        report["between"]
            .as_array()
            .unwrap()
            .iter()
            .any(|row| row["subject"] == "claude-opus-4.6" || row["against"] == "claude-opus-4.6")
    );
    for format in ["terminal", "md", "html"] {
        let text = place.ok(&["report", "published.ledger", "--format", format]).out;
        assert!(text.to_lowercase().contains("this text only"), "{format} says what the verdicts speak of");
    }
    assert_eq!(place.ok(&["report", "published.ledger", "--format", "csv"]).out.lines().count(), 10_541);
    place.run(&["show", "published.ledger", "00"]).refused(2, &["imported outcomes"]);
    place.run(&["prove", "published.ledger"]).refused(2, &["imported outcomes"]);
}

#[test]
fn json_lines_give_the_same_as_csv() {
    let place = Place::new();
    let mut reader = csv::Reader::from_path(table()).unwrap();
    let header = reader.headers().unwrap().clone();
    let (mut lines, mut few) = (String::new(), header.iter().collect::<Vec<_>>().join(",") + "\n");
    for row in reader.records().map(|row| row.unwrap()).filter(|row| &row[0] == "claude-opus-4.6") {
        let mut object: serde_json::Map<String, Value> =
            header.iter().map(str::to_owned).zip(row.iter().map(|cell| json!(cell))).collect();
        object["repeat"] = json!(row[4].parse::<u32>().unwrap());
        lines += &(Value::Object(object).to_string() + "\n");
        few += &(row.iter().collect::<Vec<_>>().join(",") + "\n");
    }
    place.write("same.jsonl", &lines);
    place.write("same.csv", &few);
    place.ok(&["import", "same.csv", "--ledger", "a", "--baseline", "gen"]);
    place.ok(&["import", "same.jsonl", "--ledger", "b", "--baseline", "gen"]);
    let (a, b) = (place.report("a"), place.report("b"));
    assert!(!a["contrasts"].as_array().unwrap().is_empty());
    assert_eq!(a["contrasts"], b["contrasts"]);
    // The same file again replaces what it brought, so that a corrected table can be taken in.
    place.ok(&["import", "same.jsonl", "--ledger", "a", "--baseline", "gen"]);
    assert_eq!(place.report("a")["contrasts"], b["contrasts"]);
}

#[test]
fn with_wordings_an_import_is_a_study_like_any_other() {
    let place = Place::new();
    let mut text = "subject,persona,wording,task,cluster,repeat,outcome\n".to_owned();
    for persona in ["neutral", "agency"] {
        for wording in 0..8 {
            for task in 0..12 {
                for repeat in 0..2 {
                    let bad = if persona == "neutral" {
                        (wording + task + repeat) % 6 == 0
                    } else {
                        (wording + task + repeat) % 2 == 0
                    };
                    text += &format!(
                        "m,{persona},w{wording},t{task},t{task},{repeat},{}\n",
                        if bad { "exploitable" } else { "safe" }
                    );
                }
            }
        }
    }
    place.write("made.csv", &text);
    place.ok(&["import", "made.csv", "--ledger", "made"]);
    let report = place.report("made");
    assert_eq!(report["study"]["this_text_only"], false);
    let row = report["contrasts"]
        .as_array()
        .unwrap()
        .iter()
        .find(|row| row["endpoint"] == "exploitable" && row["scale"] == "ratio")
        .unwrap();
    assert_eq!(
        (&row["verdict"], &row["wordings"], &row["tasks"], &row["answers"]),
        (&"worse".into(), &8.into(), &12.into(), &384.into())
    );
}

#[test]
fn mistakes_in_a_table_are_located_and_nothing_is_made() {
    let place = Place::new();
    place.write("bad.csv", "subject,persona,task,outcome\nm,gen,t1,safe\nm,gen,t2,saef\n");
    place
        .run(&["import", "bad.csv", "--ledger", "l"])
        .refused(2, &["bad.csv:3:1", "`saef` is no outcome", "did you mean `safe`?"]);
    place.write("bad.jsonl", "{\"subject\":\"m\",\"persona\":\"gen\",\"task\":\"t\",\"outcome\":\"safe\"}\n{\n");
    place.run(&["import", "bad.jsonl", "--ledger", "l"]).refused(2, &["bad.jsonl:2:1", "not valid JSON"]);
    place.write("good.csv", "subject,persona,task,outcome\nm,gen,t1,safe\nm,genhints,t1,safe\n");
    place.run(&["import", "good.csv", "--ledger", "l"]).refused(2, &["--baseline", "`gen`, `genhints`"]);
    place.run(&["import", "good.csv", "--ledger", "l", "--baseline", "gne"]).refused(2, &["did you mean `gen`?"]);
    place
        .run(&["import", "good.csv", "--ledger", "l", "--baseline", "gen", "--primary", "exploitabel"])
        .refused(2, &["did you mean `exploitable`?"]);
    assert!(!place.path("l").exists());
}
