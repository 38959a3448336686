//! The JSON contract `turncoat.report/1`: every field has its name, missing numbers are null, and what is written can be read.

use serde_json::Value;
use turncoat_report::{Report, TrialRow, csv, json};

use crate::fixture;

fn as_json(report: &Report) -> Value {
    let mut out = Vec::new();
    json(report, &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[test]
fn every_field_of_the_contract_is_there_under_its_name() {
    let value = as_json(&fixture::report());
    assert_eq!(value["schema"], "turncoat.report/1");
    let fields: [(&str, &str); 10] = [
        ("study", "name plan_hash tier trials_planned answers errors deviations"),
        ("subjects", "id provider model simulated served_models usd usd_per_secure_pass tokens_in tokens_out"),
        ("outcomes", "subject persona exploitable safe broken refused no_code unproven answered error"),
        ("rates", "subject persona endpoint events n rate ci_low ci_high"),
        (
            "contrasts",
            "subject persona role baseline endpoint placement language primary scale estimate ci_low ci_high p p_adjusted mde tasks wordings answers verdict reason",
        ),
        ("between", "persona subject against endpoint scale estimate ci_low ci_high p_adjusted verdict"),
        ("interactions", "persona subject against endpoint estimate ci_low ci_high p_adjusted"),
        ("refusals", "subject persona topic asked refused rate ci_low ci_high"),
        ("findings", "subject persona cwe count per_kloc"),
        ("aa", "subject persona endpoint scale estimate ci_low ci_high"),
    ];
    for (list, names) in fields {
        let row = if list == "study" { &value[list] } else { &value[list][0] };
        for name in names.split(' ') {
            assert!(row.as_object().unwrap().contains_key(name), "{list}.{name} is missing");
        }
    }
    for name in ["quality", "mole", "method", "limits"] {
        assert!(value.as_object().unwrap().contains_key(name), "{name} is missing");
    }
}

#[test]
fn a_missing_number_is_null_with_a_reason() {
    let value = as_json(&fixture::report());
    let rows = value["contrasts"].as_array().unwrap();
    let missing: Vec<&Value> = rows.iter().filter(|row| row["estimate"].is_null()).collect();
    assert!(!missing.is_empty());
    assert!(missing.iter().all(|row| row["reason"].is_string()));
    assert!(value["subjects"][0]["usd_per_secure_pass"].is_null());
    assert!(value["subjects"][0]["reason"].is_string());
}

#[test]
fn a_number_that_is_not_finite_becomes_null_and_never_zero() {
    let mut report = fixture::report();
    report.contrasts[0].estimate = Some(f64::INFINITY);
    report.rates[0].rate = Some(f64::NAN);
    let value = as_json(&report);
    assert!(value["contrasts"][0]["estimate"].is_null());
    assert!(value["rates"][0]["rate"].is_null());
}

#[test]
fn what_is_written_can_be_read_again() {
    let report = fixture::report();
    let mut out = Vec::new();
    json(&report, &mut out).unwrap();
    let read: Report = serde_json::from_slice(&out).unwrap();
    assert_eq!(read, report);
}

#[test]
fn the_csv_has_a_row_for_each_trial_and_empty_cells_for_what_is_unknown() {
    let drill = fixture::drill(50);
    let mut out = Vec::new();
    csv(drill.iter().map(|answer| &answer.row), &mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let mut reader = csv_reader(&text);
    assert_eq!(reader.len(), 50);
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    assert_eq!(header[..4], ["trial", "subject", "simulated", "persona"]);
    let first = reader.remove(0);
    assert_eq!(first[header.iter().position(|name| *name == "subject_shown").unwrap()], "qwen3-coder [SIMULATED]");
    let unknown = TrialRow { trial: "t".to_owned(), ..TrialRow::default() };
    let mut out = Vec::new();
    csv([&unknown], &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap().lines().nth(1).unwrap(), "t,,false,,,,,,,,,0,,,,,,,,,,,,,,false,");
}

#[test]
fn a_spreadsheet_meets_no_formula() {
    let row = TrialRow {
        served_model: Some("=HYPERLINK(\"http://x\")".to_owned()),
        reason: Some("@sum".to_owned()),
        ..TrialRow::default()
    };
    let mut out = Vec::new();
    csv([&row], &mut out).unwrap();
    let rows = csv_reader(&String::from_utf8(out).unwrap());
    assert!(rows[0].iter().all(|cell| !cell.starts_with(['=', '+', '-', '@'])), "{rows:?}");
    assert!(rows[0].iter().any(|cell| cell == "'@sum"));
}

fn csv_reader(text: &str) -> Vec<Vec<String>> {
    let mut reader = ::csv::Reader::from_reader(text.as_bytes());
    reader.records().map(|record| record.unwrap().iter().map(str::to_owned).collect()).collect()
}
