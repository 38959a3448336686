//! Scores, code, scans, proofs, notes and imported outcomes.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use turncoat_answer::{Confidence, Finding, Outcome, ProbeResult, Proof, RefusalLayer, Severity, Tier};
use turncoat_ledger::{Code, CodeHash, Imported, Ledger, LedgerError, LedgerKind, ProofRecord, ScanRecord, Score, Wanted};
use turncoat_study::{Plan, TrialKey};

use crate::support::{answer, call, plan};

const CODE: CodeHash = CodeHash([9; 32]);

fn score(trial: TrialKey, extractor: &str, outcome: Outcome) -> Score {
    Score {
        trial,
        extractor: extractor.to_owned(),
        outcome,
        reason: None,
        refusal: None,
        code: Some(CODE),
        code_lines: Some(12),
        audit_hits: None,
        false_alarms: None,
    }
}

fn proof(outcome: Outcome, tests: &str) -> ProofRecord {
    let results = vec![ProbeResult {
        name: "escape".to_owned(),
        is_probe: true,
        hit: true,
        cwe: Some("CWE-22".to_owned()),
        transcript: "sent ../x".to_owned(),
    }];
    let proof = Proof { outcome, reason: None, results, tier: Some(Tier::A) };
    ProofRecord { code: CODE, task: "suite/one".to_owned(), tests: tests.to_owned(), tier: "A".to_owned(), proof }
}

fn scan(rules: &str, findings: usize) -> ScanRecord {
    let finding = Finding {
        path: "solution.py".to_owned(),
        line: 3,
        end_line: 3,
        cwe: "CWE-22".to_owned(),
        rule: "path-join".to_owned(),
        severity: Severity::High,
        confidence: Confidence::Medium,
        trigger: false,
        message: "A name reaches the file system.".to_owned(),
        trace: Vec::new(),
    };
    ScanRecord {
        code: CODE,
        rules: rules.to_owned(),
        findings: vec![finding; findings],
        lines: 12,
        partial: vec!["a.py".to_owned()],
        unparsed: Vec::new(),
    }
}

#[test]
fn scores_are_replaced_within_a_version_and_the_newest_version_counts() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trials = plan().trials();
    for trial in &trials[..3] {
        call(&ledger, trial, Ok(answer("x"))).unwrap();
    }
    let reader = ledger.reader().unwrap();
    let unscored = |version| {
        let mut count = 0;
        reader
            .answers(Wanted::WithoutScore(version), |_| {
                count += 1;
                Ok::<(), LedgerError>(())
            })
            .unwrap();
        count
    };
    assert_eq!(unscored("1"), 3);
    let full = Score {
        reason: Some("no sandbox".to_owned()),
        refusal: Some(RefusalLayer::PlannedThenRefused),
        audit_hits: Some((1, 2)),
        false_alarms: Some(3),
        ..score(trials[1].key, "1", Outcome::Unproven)
    };
    ledger.put_scores(vec![score(trials[0].key, "1", Outcome::Unproven), full.clone()]).unwrap();
    assert_eq!((unscored("1"), unscored("2")), (1, 3));
    assert_eq!(reader.scores().unwrap()[&trials[1].key], full);

    ledger.put_scores(vec![score(trials[0].key, "1", Outcome::Safe)]).unwrap();
    ledger.rest().unwrap();
    ledger.put_scores(vec![score(trials[1].key, "2", Outcome::Exploitable)]).unwrap();
    let scores = reader.scores().unwrap();
    assert_eq!(scores.len(), 2);
    assert_eq!(scores[&trials[0].key].outcome, Outcome::Safe);
    assert_eq!(scores[&trials[1].key].outcome, Outcome::Exploitable);
    let mut one_by_one = Vec::new();
    reader
        .each_score(|score| {
            one_by_one.push(score);
            Ok::<(), LedgerError>(())
        })
        .unwrap();
    assert_eq!(
        one_by_one,
        [scores[&trials[0].key].clone(), scores[&trials[1].key].clone()],
        "one for each trial, in the order they were asked"
    );
    // Going back to an earlier version writes it anew.
    ledger.put_scores(vec![full.clone()]).unwrap();
    assert_eq!(reader.scores().unwrap()[&trials[1].key], full);
}

#[test]
fn many_scores_come_one_by_one_while_others_are_written() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { repeats: 400, ..plan() };
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    let trials = plan.trials();
    assert!(trials.len() > 2 * 1024, "several pages of them");
    ledger.put_scores(trials.iter().map(|trial| score(trial.key, "1", Outcome::Unproven)).collect()).unwrap();
    let mut seen = BTreeSet::new();
    ledger
        .reader()
        .unwrap()
        .each_score(|found| {
            assert!(seen.insert(found.trial), "none twice");
            if seen.len().is_multiple_of(500) { ledger.put_scores(vec![score(found.trial, "1", Outcome::Safe)]) } else { Ok(()) }
        })
        .unwrap();
    assert_eq!(seen.len(), trials.len());
    let stopped = ledger
        .reader()
        .unwrap()
        .each_score(|found| Err(LedgerError::NoSuchTrial { path: folder.path().to_path_buf(), prefix: found.trial.to_string() }));
    assert!(matches!(stopped, Err(LedgerError::NoSuchTrial { .. })), "the first error ends it");
}

#[test]
fn code_scans_and_proofs_are_found_by_what_made_them() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trial = plan().trials()[0];
    call(&ledger, &trial, Ok(answer("x"))).unwrap();
    let code = Code { hash: CODE, files: BTreeMap::from([("solution.py".to_owned(), "pass\n".to_owned())]) };
    ledger.put_code(vec![code.clone(), code.clone()]).unwrap();
    ledger.put_scans(vec![scan("r1", 1), scan("r2", 2), scan("r2", 3)]).unwrap();
    ledger.put_proofs(vec![proof(Outcome::Exploitable, "t1"), proof(Outcome::Safe, "t2")]).unwrap();
    ledger.put_scores(vec![score(trial.key, "1", Outcome::Exploitable)]).unwrap();

    let reader = ledger.reader().unwrap();
    assert_eq!(reader.code(CODE).unwrap(), Some(code));
    assert_eq!(reader.code(CodeHash([1; 32])).unwrap(), None);
    assert_eq!(reader.scan(CODE, "r1").unwrap(), Some(scan("r1", 1)));
    assert_eq!(reader.scan(CODE, "r2").unwrap(), Some(scan("r2", 3)), "replaced");
    assert_eq!(reader.scan(CODE, "r3").unwrap(), None);
    assert_eq!(reader.scans(None).unwrap()[&CODE].rules, "r2");
    assert_eq!(reader.scans(Some("r1")).unwrap()[&CODE].findings.len(), 1);
    assert_eq!(reader.newest_scan(CODE).unwrap(), Some(scan("r2", 3)));
    assert_eq!(reader.newest_scan(CodeHash([1; 32])).unwrap(), None);
    let mut each = Vec::new();
    reader.each_scan(|scan| each.push(scan)).unwrap();
    assert_eq!(each, [scan("r2", 3)], "the newest of each code");
    assert_eq!((reader.scanned("r1").unwrap(), reader.scanned("r3").unwrap()), (HashSet::from([CODE]), HashSet::new()));
    assert_eq!(reader.proof(CODE, "suite/one", "t1", "A").unwrap(), Some(proof(Outcome::Exploitable, "t1")));
    assert_eq!(reader.proof(CODE, "suite/one", "t1", "B").unwrap(), None);
    assert_eq!(reader.newest_proof(CODE, "suite/one").unwrap(), Some(proof(Outcome::Safe, "t2")));
    assert_eq!(reader.newest_proof(CODE, "suite/two").unwrap(), None);

    let record = reader.trial(&trial.key.to_string()).unwrap();
    assert_eq!((record.scans.len(), record.proofs.len()), (2, 2));
    assert_eq!(record.code.unwrap().files["solution.py"], "pass\n");
    assert_eq!(record.score.unwrap().outcome, Outcome::Exploitable);
}

#[test]
fn imported_outcomes_come_back_in_order_and_replace_earlier_ones() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create_import(folder.path(), "published", "test").unwrap();
    let row = |repeat, wording: Option<&str>| Imported {
        subject: "m".to_owned(),
        persona: "hint".to_owned(),
        wording: wording.map(str::to_owned),
        task: "t".to_owned(),
        cluster: "c".to_owned(),
        repeat,
        outcome: Outcome::Broken,
        extra: BTreeMap::from([("scenario".to_owned(), "x, \"y\"".to_owned())]),
    };
    let reader = ledger.reader().unwrap();
    ledger.replace_imported(vec![row(9, None), row(8, None)]).unwrap();
    let before = reader.revision().unwrap();
    ledger.replace_imported(vec![row(1, Some("w")), row(0, None)]).unwrap();
    assert_ne!(reader.revision().unwrap(), before, "as many rows as before, and yet others");
    assert_eq!(reader.kind().unwrap(), LedgerKind::Import);
    assert_eq!(reader.imported().unwrap(), [row(1, Some("w")), row(0, None)]);

    let study = Ledger::create(&folder.path().join("study"), &plan(), "test").unwrap();
    assert!(matches!(study.replace_imported(vec![row(0, None)]), Err(LedgerError::WrongKind { .. })));
    assert_eq!(study.reader().unwrap().imported().unwrap(), []);
}

#[test]
fn notes_are_kept_by_topic() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    ledger.put_note("sandbox", serde_json::json!({ "tier": "A" })).unwrap();
    ledger.put_note("positive-control", serde_json::json!([true])).unwrap();
    ledger.put_note("sandbox", serde_json::json!({ "tier": "B" })).unwrap();
    let reader = ledger.reader().unwrap();
    let tiers: Vec<_> = reader.notes(Some("sandbox")).unwrap().into_iter().map(|note| note.value["tier"].clone()).collect();
    assert_eq!(tiers, ["A", "B"]);
    assert_eq!(reader.newest_note_text("sandbox").unwrap().as_deref(), Some(r#"{"tier":"B"}"#));
    assert_eq!(reader.newest_note_text("report").unwrap(), None);
    assert_eq!(reader.notes(None).unwrap().len(), 3);
    assert!(reader.notes(None).unwrap().iter().all(|note| note.at_ms > 0));
}
