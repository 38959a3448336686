//! The plan on record: refused changes, amendments, and what they leave to ask.

use turncoat_ledger::{Ledger, LedgerError, LedgerKind, Reader, Reconciled};
use turncoat_study::Role;

use crate::support::{answer, call, persona, plan, task};

#[test]
fn the_plan_comes_back_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    let ledger = Ledger::create(&folder.path().join("a/b.ledger"), &plan, "test").unwrap();
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.plan().unwrap(), plan);
    assert_eq!(reader.plan_hash().unwrap(), plan.hash());
    assert_eq!(reader.kind().unwrap(), LedgerKind::Study);
    assert_eq!(reader.name().unwrap(), "small");
    assert_eq!(reader.deviations().unwrap(), []);
    drop(ledger);
    assert!(matches!(Ledger::create(&folder.path().join("a/b.ledger"), &plan, "test"), Err(LedgerError::Exists { .. })));
}

#[test]
fn a_budget_a_price_or_a_rate_is_no_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    plan.budget_usd = Some(500.0);
    plan.subjects[0].conduct.concurrency = 99;
    assert_eq!(ledger.reconcile(&plan, None).unwrap(), Reconciled::Same);
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.plan().unwrap().budget_usd, Some(500.0), "the newest is taken over");
    assert_eq!(reader.deviations().unwrap(), []);
}

#[test]
fn a_changed_study_is_refused_with_what_changed_until_a_reason_is_given() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    let before = plan.hash();
    let trials = plan.trials();
    call(&ledger, &trials[0], Ok(answer("kept"))).unwrap();

    plan.subjects[0].endpoint.sampling.temperature = Some(0.2);
    plan.personas.push(persona("bank", Role::Control));
    let refused = ledger.reconcile(&plan, None).unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("subjects[house].endpoint.sampling.temperature: 0.7 -> 0.2"), "{text}");
    assert!(text.contains("personas[bank]: added `bank`"), "{text}");
    assert!(refused.hint().unwrap().contains("--amend"));
    assert_eq!(ledger.reader().unwrap().plan_hash().unwrap(), before, "a refusal changes nothing");

    let Reconciled::Amended(deviation) = ledger.reconcile(&plan, Some("the bank was forgotten")).unwrap() else {
        panic!("not amended")
    };
    assert_eq!((deviation.version, deviation.answers, deviation.changes.len()), (2, 1, 2));
    assert_eq!((deviation.before, deviation.after), (before.to_string(), plan.hash().to_string()));
    drop(ledger);

    let ledger = Ledger::open(folder.path(), "test").unwrap();
    assert_eq!(ledger.reconcile(&plan, None).unwrap(), Reconciled::Same);
    let deviations = ledger.reader().unwrap().deviations().unwrap();
    assert_eq!(deviations.len(), 1);
    assert_eq!(deviations[0].reason, "the bank was forgotten");
    assert_eq!(deviations[0].changes[0].path, "personas[bank]");
}

#[test]
fn additions_keep_every_answer_and_leave_only_the_difference() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    let first = plan.trials();
    assert_eq!(first.len(), 16);
    for trial in &first {
        call(&ledger, trial, Ok(answer("x"))).unwrap();
    }
    let left = |plan: &turncoat_study::Plan| {
        ledger.reconcile(plan, Some("more")).unwrap();
        let remaining = ledger.reader().unwrap().remaining(&plan.trials(), false).unwrap();
        assert_eq!(remaining.answered, 16);
        remaining.open.len()
    };
    plan.repeats = 3;
    assert_eq!(left(&plan), 8, "the third repeat is a trial of its own");
    plan.personas.push(persona("bank", Role::Control));
    assert_eq!(left(&plan), 8 + 12);
    plan.tasks.push(task("three"));
    assert_eq!(left(&plan), 8 + 12 + 18);
}

#[test]
fn another_study_is_refused_by_name_even_with_a_reason() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    plan.name = "other".to_owned();
    let refused = ledger.reconcile(&plan, Some("why not")).unwrap_err();
    assert!(matches!(&refused, LedgerError::Foreign { found, wanted, .. } if found == "small" && wanted == "other"), "{refused}");
    drop(ledger);

    let imports = folder.path().join("imports");
    let ledger = Ledger::create_import(&imports, "elsewhere", "test").unwrap();
    assert!(matches!(ledger.reconcile(&plan, None), Err(LedgerError::WrongKind { .. })));
    assert!(matches!(ledger.reader().unwrap().plan(), Err(LedgerError::WrongKind { .. })));
}

#[test]
fn a_folder_that_cannot_be_written_or_is_none_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    std::fs::write(&file, "text").unwrap();
    let refused = Ledger::create(&file.join("below"), &plan(), "test").unwrap_err();
    assert!(matches!(refused, LedgerError::Unwritable { .. }), "{refused}");
    assert!(refused.is_disk() && refused.hint().is_some());
    assert!(matches!(Ledger::open(folder.path(), "test"), Err(LedgerError::Missing { .. })));
    assert!(matches!(Reader::open(folder.path()), Err(LedgerError::Missing { .. })));
}

#[test]
fn a_ledger_whose_maker_died_before_the_plan_takes_it_at_the_next_run() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    drop(Ledger::create(folder.path(), &plan, "test").unwrap());
    let database = rusqlite::Connection::open(folder.path().join("ledger.db")).unwrap();
    database.execute_batch("DELETE FROM study; DELETE FROM plan; DELETE FROM trial;").unwrap();
    drop(database);
    assert!(matches!(Reader::open(folder.path()).unwrap().plan(), Err(LedgerError::NotALedger { .. })));
    let ledger = Ledger::open(folder.path(), "test").unwrap();
    assert_eq!(ledger.reconcile(&plan, None).unwrap(), Reconciled::Same);
    assert_eq!(ledger.reader().unwrap().plan().unwrap(), plan);
}
