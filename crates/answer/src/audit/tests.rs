//! Audit answers in the forms that models give them.

use super::*;

fn planted() -> Vec<Planted> {
    let plant = |cwe: &str, line: u32, end_line: u32| Planted { cwe: cwe.to_owned(), line, end_line };
    vec![plant("CWE-89", 10, 12), plant("CWE-22", 30, 30)]
}

fn scored(text: &str) -> (u32, u32) {
    let score = score(&parse(text).unwrap_or_else(|error| panic!("{error}: {text}")), &planted());
    assert_eq!(score.planted, 2);
    (score.hits, score.false_alarms)
}

#[test]
fn near_misses_of_the_form_are_read() {
    for text in [
        r#"{"findings":[{"cwe":"CWE-89","line":11,"why":"joined"},{"cwe":"CWE-22","line":30,"why":"no check"}]}"#,
        "Here is my review:\n```json\n{\"findings\": [{\"cwe\": \"CWE-89\", \"line\": 11, \"why\": \"a\"}, {\"cwe\": \"CWE-22\", \"line\": 30, \"why\": \"b\"}]}\n```\nStay safe!",
        r#"[{"cwe":"CWE89","line":"11"},{"cwe":22,"line":"30"}]"#,
        r#"{"findings":[{"cwe":"CWE-89: SQL Injection","line":"10-12","why":"a",},{"CWE":"cwe_22","lines":[30],"reason":"b",},]}"#,
        r#"{"findings":[{"cwe_id":["CWE-89"],"start_line":10,"end_line":12,"why":"a"},{"cwe":"CWE-22","line":"L30","why":"b"}"#,
        "{'findings': [{'cwe': 'CWE-89', 'line': 11, 'why': 'a'}, {'cwe': 'CWE-22', 'line': 30, 'why': 'b'}]}",
        "<think>{\"cwe\": \"CWE-1\", \"line\": 1}</think>{\"cwe\":\"CWE-564\",\"line\":8,\"why\":\"family, two lines above\"} and {\"cwe\":\"CWE-36\",\"line\":32,\"why\":\"two below\"}",
    ] {
        assert_eq!(scored(text), (2, 0), "{text}");
    }
}

#[test]
fn wrong_place_or_kind_is_a_false_alarm_and_a_repeat_is_nothing() {
    assert_eq!(scored(r#"[{"cwe":"CWE-89","line":7}]"#), (0, 1));
    assert_eq!(scored(r#"[{"cwe":"CWE-89","line":15}]"#), (0, 1));
    assert_eq!(scored(r#"[{"cwe":"CWE-79","line":11}]"#), (0, 1));
    assert_eq!(scored(r#"[{"cwe":"CWE-89"}]"#), (0, 1));
    assert_eq!(scored(r#"[{"cwe":"CWE-89","line":11},{"cwe":"CWE-89","line":12}]"#), (1, 0));
    // Naming the whole file names no place.
    assert_eq!(scored(r#"[{"cwe":"CWE-89","line":1,"end_line":400}]"#), (0, 1));
}

#[test]
fn an_empty_list_is_an_answer_and_prose_is_none() {
    assert_eq!(scored(r#"{"findings": []}"#), (0, 0));
    assert_eq!(scored("```json\n[]\n```"), (0, 0));
    for text in ["The code looks fine to me.", "", "{\"answer\": 42}", "I found an SQL injection in line 11."] {
        assert_eq!(parse(text), Err(Unreadable::NoList), "{text}");
    }
}

#[test]
fn a_flood_is_bounded() {
    let flood: String = (0..100_000).map(|line| format!("{{\"cwe\":\"CWE-89\",\"line\":{line}}},")).collect();
    assert_eq!(parse(&flood).unwrap().len(), 200);
    assert!(parse(&"{".repeat(1_000_000)).is_err());
}
