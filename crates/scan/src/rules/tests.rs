//! Every page is its rule's test, and every file of the folder is registered.

use super::*;

#[test]
fn pages_say_exactly_what_their_rules_report() {
    let mut failures = Vec::new();
    for rule in ALL {
        let samples = samples(rule);
        assert!(samples.iter().any(|sample| !sample.marked.is_empty()), "{}: no bad sample", rule.id());
        assert!(samples.iter().any(|sample| sample.marked.is_empty()), "{}: no good sample", rule.id());
        for sample in samples {
            let found = crate::scan::on_deep_stack(|| crate::scan::check(&sample.code, "sample.py"))
                .flatten()
                .expect("a sample can be read");
            assert!(!found.is_partial, "{}.md:{}: read in part", rule.stem, sample.offset);
            let lines: Vec<u32> =
                found.findings.iter().filter(|finding| finding.rule == rule.id()).map(|finding| finding.line).collect();
            for line in sample.marked.iter().filter(|line| !lines.contains(line)) {
                failures.push(format!("{}.md:{}: {} was not reported", rule.stem, line + sample.offset, rule.id()));
            }
            for line in lines.iter().filter(|line| !sample.marked.contains(line)) {
                failures.push(format!("{}.md:{}: {} was reported and is not marked", rule.stem, line + sample.offset, rule.id()));
            }
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

#[test]
fn every_file_in_the_folder_is_registered_in_pairs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/rules");
    let mut stems: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "tests.rs")
        .collect();
    stems.sort();
    let mut wanted: Vec<String> =
        ALL.iter().flat_map(|rule| [format!("{}.md", rule.stem), format!("{}.rs", rule.stem)]).collect();
    wanted.sort();
    assert_eq!(stems, wanted);
}

#[test]
fn the_scanner_is_alive_and_pages_open_with_a_title() {
    assert_eq!(alive(), Vec::<String>::new());
    for page in pages() {
        assert!(page.text.starts_with("# "), "{}", page.id);
        assert!(page.cwe.starts_with("CWE-"), "{}", page.id);
        assert_eq!(super::page(&page.id), Some(page));
    }
    assert!(RULES_VERSION.starts_with("rules/") && RULES_VERSION.len() == 22);
}
