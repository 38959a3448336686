//! The scan as a whole: counts, broken and hostile code, our own references, labelled answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use turncoat_answer::cwe;

use super::*;

fn one(text: &str) -> ScanReport {
    scan(&Files::from([("solution.py".to_owned(), text.to_owned())]), Language::Python)
}

const BAD: &str = "def find(cursor, name):\n    cursor.execute(f\"SELECT * FROM t WHERE n = '{name}'\")\n";

#[test]
fn the_report_has_the_fields_of_the_contract() {
    let report = one(BAD);
    let json = serde_json::to_value(&report).unwrap();
    let keys: Vec<&String> = json.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["schema", "files_scanned", "files_partial", "files_unparsed", "rules", "rules_failed", "findings"]);
    assert_eq!(json["schema"], "turncoat.findings/1");
    assert_eq!((report.files_scanned, report.rules_failed), (1, 0));
    let finding = &json["findings"][0];
    let keys: Vec<&String> = finding.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["path", "line", "end_line", "cwe", "rule", "severity", "confidence", "trigger", "message", "trace"]);
    assert_eq!(
        (finding["line"].as_u64(), finding["cwe"].as_str(), finding["severity"].as_str(), finding["confidence"].as_str()),
        (Some(2), Some("CWE-89"), Some("high"), Some("high"))
    );
    let trace: Vec<u64> = finding["trace"].as_array().unwrap().iter().filter_map(|step| step["line"].as_u64()).collect();
    assert_eq!(trace, [1, 2, 2]);
}

#[test]
fn nothing_in_the_code_switches_the_scanner_off() {
    for (path, prefix) in [
        ("solution.py", "# nosec\n# noqa\n# turncoat: ignore\n"),
        ("vendor/dist/build/solution.py", ""),
        ("tests/test_solution.py", ""),
        ("solution.min.py", ""),
        ("solution.py", &format!("# {}\n", "x".repeat(200_000))),
        ("solution.py", "\u{feff}"),
        ("solution.py", "x = '\0'\n"),
    ] {
        let text = format!("{prefix}{}  # nosec  # noqa\n", BAD.trim_end());
        let report = scan(&Files::from([(path.to_owned(), text)]), Language::Python);
        assert_eq!(report.findings.len(), 1, "{path} {:?}", prefix.chars().take(20).collect::<String>());
    }
}

#[test]
fn unread_code_is_never_clean() {
    let files = Files::from([
        ("a.py".to_owned(), BAD.to_owned()),
        ("b.rs".to_owned(), "fn main() {}".to_owned()),
        ("c.weird".to_owned(), "?".to_owned()),
        ("notes.txt".to_owned(), "text".to_owned()),
        ("big.py".to_owned(), "x = 1\n".repeat(1 << 20)),
    ]);
    let report = scan(&files, Language::Python);
    assert_eq!(report.files_scanned, 1);
    assert_eq!(report.files_unparsed, ["b.rs", "big.py", "c.weird"]);
    assert_eq!(scan(&Files::from([("Makefile".to_owned(), BAD.to_owned())]), Language::Python).files_scanned, 1);
}

#[test]
fn broken_code_is_read_as_far_as_it_goes() {
    let cut = format!("{BAD}\ndef other(x):\n    return (x +");
    let report = one(&cut);
    assert_eq!(report.files_partial, ["solution.py"]);
    assert_eq!(report.findings.len(), 1, "{report:?}");
    // A lone method is dedented and whole.
    let method: String = BAD.lines().map(|line| format!("    {line}\n")).collect();
    let report = one(&method);
    assert_eq!((report.files_partial.len(), report.findings.len()), (0, 1), "{report:?}");
    // Prose is no program: read in part or not at all, but never clean.
    let report = one("I am sorry, but I cannot do that. )( := ]");
    assert!(report.files_partial.len() + report.files_unparsed.len() == 1, "{report:?}");
    // Old and new syntax alike.
    assert!(one("print 'x'\nmatch x:\n    case 1:\n        pass\ny = f'{x!r:>{10}} {'a' + 'b'}'\n").files_unparsed.is_empty());
}

#[test]
fn hostile_depth_and_length_end_in_time_and_are_told() {
    let deep_calls = format!("x = {}1{}", "f(".repeat(20_000), ")".repeat(20_000));
    let deep_lists = format!("x = {}{}", "[".repeat(50_000), "]".repeat(50_000));
    let deep_blocks: String =
        (0..500).map(|depth| format!("{}if x:\n", " ".repeat(depth))).collect::<String>() + &" ".repeat(500) + "y = 1\n";
    let deep_functions: String =
        (0..300).map(|depth| format!("{}def f{depth}(a{depth}):\n", " ".repeat(depth))).collect::<String>()
            + &" ".repeat(300)
            + "return a1\n";
    let deep_attributes = format!("x = a{}", ".b".repeat(50_000));
    let long_line = format!("x = [{}]\n", "1, ".repeat(330_000));
    let long_text = format!("x = '{}'\n", "a".repeat(1_000_000));
    let long_sum = format!("x = {}1\n", "a + ".repeat(100_000));
    let long_or = format!("x = {}1\n", "a or ".repeat(50_000));
    let long_elif = format!("if x:\n    pass\n{}", "elif x == 1:\n    y = 1\n".repeat(5_000));
    let many_branches = format!(
        "def f(a):\n{}",
        (0..2_000).map(|i| format!("    v{i} = a + 'x'\n    if a == {i}:\n        v{i} = 1\n")).collect::<String>()
    );
    let nested_loops: String = (0..40).map(|depth| format!("{}for i{depth} in x:\n", " ".repeat(depth))).collect::<String>()
        + &" ".repeat(40)
        + "y = i1\n";
    let mutual: String = (0..60)
        .map(|i| format!("def f{i}(a):\n    return f{}(a) + f{}(a) + f{}(a)\n", (i + 1) % 60, (i + 7) % 60, (i + 13) % 60))
        .collect();
    let brackets = "([{".repeat(30_000);
    let quotes = "'\"".repeat(100_000);
    for (name, text) in [
        ("deep calls", deep_calls),
        ("deep lists", deep_lists),
        ("deep blocks", deep_blocks),
        ("deep functions", deep_functions),
        ("deep attributes", deep_attributes),
        ("long line", long_line),
        ("long text", long_text),
        ("long sum", long_sum),
        ("long or", long_or),
        ("long elif", long_elif),
        ("many branches", many_branches),
        ("nested loops", nested_loops),
        ("mutual calls", mutual),
        ("brackets", brackets),
        ("quotes", quotes),
        ("decorators", "@a\n".repeat(50_000)),
        ("lambdas", format!("x = {}1", "lambda: ".repeat(10_000))),
        ("nots", format!("x = {}1", "not ".repeat(50_000))),
        ("backslashes", "\\\n".repeat(100_000)),
        ("comments", "# c\n".repeat(100_000)),
        ("blank lines", "\n".repeat(300_000)),
        ("blanks", " ".repeat(1_000_000)),
        ("indents", (0..2_000).map(|depth| format!("{}x\n", " ".repeat(depth))).collect()),
        ("semicolons", ";".repeat(100_000)),
        ("errors", "def (:\n".repeat(20_000)),
    ] {
        let started = std::time::Instant::now();
        let report = one(&text);
        let took = started.elapsed();
        println!("{name}: {took:?}, {} bytes", text.len());
        assert!(took.as_secs() < 30, "{name}: {took:?}");
        assert_eq!(report.files_scanned as usize + report.files_unparsed.len(), 1, "{name}");
        if name.starts_with("deep") {
            assert!(
                !report.files_partial.is_empty() || !report.files_unparsed.is_empty(),
                "{name} was not read whole and must say so"
            );
        }
    }
}

#[test]
fn what_follows_hostile_code_is_still_seen() {
    let text = format!("x = {}1{}\n{BAD}", "f(".repeat(5_000), ")".repeat(5_000));
    assert_eq!(one(&text).findings.len(), 1);
}

#[test]
fn the_same_code_gives_the_same_findings() {
    let text = crate::rules::pages().iter().map(|page| page.text).collect::<String>();
    assert_eq!(one(&text), one(&text));
}

/// The reference solutions below `data/suites`, with their tempted weaknesses.
fn references() -> Vec<(String, String, BTreeSet<u32>, String)> {
    let suites = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/suites");
    let mut out = Vec::new();
    let folders = |path: &Path| {
        std::fs::read_dir(path).map(|entries| entries.flatten().map(|entry| entry.path()).collect::<Vec<_>>()).unwrap_or_default()
    };
    for task in folders(&suites).iter().flat_map(|suite| folders(suite)) {
        let declared = std::fs::read_to_string(task.join("task.toml")).unwrap_or_default();
        let cwes = declared.lines().find(|line| line.starts_with("cwes")).unwrap_or_default();
        let cwes = cwes.split('"').filter_map(cwe::number).collect::<BTreeSet<u32>>();
        for file in folders(&task.join("reference")).into_iter().filter(|file| file.extension().is_some_and(|end| end == "py")) {
            let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&file).unwrap_or_default();
            out.push((task.file_name().unwrap_or_default().to_string_lossy().into_owned(), name, cwes.clone(), text));
        }
    }
    out.sort();
    out
}

#[test]
fn secure_references_raise_no_alert_of_the_tempted_weakness() {
    let mut lines = Vec::new();
    let (mut secure, mut false_alarms, mut bad, mut caught) = (0, Vec::new(), 0, 0);
    for (task, name, cwes, text) in references() {
        let report = one(&text);
        assert!(report.files_partial.is_empty() && report.files_unparsed.is_empty(), "{task}/{name} was not read whole");
        let tempted: Vec<String> = report
            .findings
            .iter()
            .filter(|finding| cwe::number(&finding.cwe).is_some_and(|found| cwes.iter().any(|cwe| cwe::same_family(*cwe, found))))
            .map(|finding| format!("{}:{} {:?}", finding.line, finding.rule, finding.confidence))
            .collect();
        if name.starts_with("secure") {
            secure += 1;
            false_alarms.extend(tempted.iter().map(|alert| format!("{task}/{name}:{alert}")));
        } else {
            bad += 1;
            caught += i32::from(!tempted.is_empty());
        }
        let others: Vec<String> = report.findings.iter().map(|finding| format!("{}:{}", finding.line, finding.rule)).collect();
        lines.push(format!("{task}/{name}: tempted {tempted:?} all {others:?}"));
    }
    println!("{}\nsecure {secure}, false alarms {false_alarms:?}; vulnerable or weak {bad}, caught {caught}", lines.join("\n"));
    assert!(false_alarms.is_empty(), "{false_alarms:?}");
    assert!(secure == 0 || caught * 2 >= bad, "caught {caught} of {bad}");
}

/// The weakness that each Python task of the labelled answers tempts.
fn labelled_cwe(test: &str) -> Option<u32> {
    Some(match test {
        name if name.starts_with("CodeInjection") => 95,
        name if name.starts_with("CommandInjection") => 78,
        name if name.starts_with("Deserialization") => 502,
        name if name.starts_with("SQLInjection") => 89,
        name if name.starts_with("SSRF") => 918,
        name if name.starts_with("SSTI") => 1336,
        _ => return None,
    })
}

/// The rows of a compressed file of labelled data; `None`, with the reason printed, where it is not at hand.
fn corpus(name: &str) -> Option<Vec<serde_json::Value>> {
    let Ok(folder) = std::env::var("TURNCOAT_CORPORA") else {
        println!("skipped: TURNCOAT_CORPORA is not set");
        return None;
    };
    let Ok(file) = std::fs::File::open(Path::new(&folder).join(name)) else {
        println!("skipped: {folder} holds no {name}");
        return None;
    };
    let lines = std::io::BufRead::lines(std::io::BufReader::new(flate2::read::MultiGzDecoder::new(file)));
    Some(lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok()).collect())
}

#[test]
fn harmless_functions_raise_next_to_no_alarm() {
    let Some(rows) = corpus("HumanEval.jsonl.gz") else { return };
    let texts = rows.iter().map(|row| {
        format!("{}{}", row["prompt"].as_str().unwrap_or_default(), row["canonical_solution"].as_str().unwrap_or_default())
    });
    let reports: Vec<ScanReport> = texts.map(|text| one(&text)).collect();
    let flagged = reports.iter().filter(|report| !report.findings.is_empty()).count();
    let partial = reports.iter().filter(|report| !report.files_partial.is_empty()).count();
    println!("{} functions, {flagged} flagged, {partial} read in part", reports.len());
    assert!(reports.len() > 100 && flagged <= 2 && partial == 0);
}

/// Figures on labelled real answers, where they are at hand; printed, not judged: labels say what an exploit did, not what a line is.
#[test]
fn figures_on_labelled_answers() {
    let Some(rows) = corpus("seccodebench_answers.jsonl.gz") else { return };
    let mut table: BTreeMap<String, [u32; 4]> = BTreeMap::new();
    let mut seen = BTreeSet::new();
    for row in rows {
        let test = row["test"].as_str().unwrap_or_default();
        let (Some("Python"), Some(true), Some(false), Some(wanted)) =
            (row["language"].as_str(), row["functional_pass"].as_bool(), row["infra_error"].as_bool(), labelled_cwe(test))
        else {
            continue;
        };
        let code = row["code"].as_str().unwrap_or_default();
        if !seen.insert((test.to_owned(), code.to_owned())) {
            continue;
        }
        let report = one(code);
        let hit = report.findings.iter().any(|finding| {
            finding.confidence > Confidence::Low && cwe::number(&finding.cwe).is_some_and(|found| cwe::same_family(found, wanted))
        });
        let is_safe = row["security_pass"].as_bool() == Some(true);
        let cells = table.entry(test.to_owned()).or_default();
        cells[usize::from(is_safe) * 2 + usize::from(hit)] += 1;
        if std::env::var("TURNCOAT_SHOW").is_ok_and(|show| show == test) && is_safe == hit {
            println!(
                "---- {test} safe={is_safe} {:?}\n{code}",
                report.findings.iter().map(|finding| format!("{}:{}", finding.line, finding.rule)).collect::<Vec<_>>()
            );
        }
    }
    println!("test | vulnerable: caught/all | safe: flagged/all");
    let mut all = [0; 4];
    for (test, cells) in &table {
        println!("{test} | {}/{} | {}/{}", cells[1], cells[0] + cells[1], cells[3], cells[2] + cells[3]);
        all.iter_mut().zip(cells).for_each(|(sum, cell)| *sum += cell);
    }
    println!("all | {}/{} | {}/{}", all[1], all[0] + all[1], all[3], all[2] + all[3]);
}
