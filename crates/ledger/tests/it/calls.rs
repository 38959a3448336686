//! Attempts, answers, money, and what remains.

use turncoat_answer::{Answer, ErrorKind, Finish};
use turncoat_ledger::{AnswerSummary, AttemptId, Ledger, LedgerError, Reader, Settlement, StoredAnswer, Wanted};

use crate::support::{answer, begin, call, failure, plan, settled, wait};

fn all(reader: &Reader, wanted: Wanted<'_>) -> Vec<StoredAnswer> {
    let mut answers = Vec::new();
    reader
        .answers(wanted, |answer| {
            answers.push(answer);
            Ok::<(), LedgerError>(())
        })
        .unwrap();
    answers
}

#[test]
fn an_answer_comes_back_whole_byte_for_byte() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trial = plan().trials()[3];
    call(&ledger, &trial, Ok(answer("def f(): ..."))).unwrap();
    let reader = ledger.reader().unwrap();
    let expected = StoredAnswer {
        trial: trial.key,
        attempt: AttemptId(1),
        http_status: Some(200),
        answer: answer("def f(): ..."),
        request: b"{\"ask\":1}".to_vec(),
        response: b"{\"raw\": \"\xff bytes\"}".to_vec(),
    };
    assert_eq!(reader.answer(trial.key).unwrap(), Some(expected.clone()));
    assert_eq!(all(&reader, Wanted::All), [expected]);
    assert_eq!(reader.answer(plan().trials()[4].key).unwrap(), None);

    let record = reader.trial(&trial.key.to_string()[..9]).unwrap();
    assert_eq!((record.trial, record.subject.as_deref(), record.attempts.len()), (trial.key, Some("house"), 1));
    assert!(record.answer.is_some());
    assert!(matches!(reader.trial("zz"), Err(LedgerError::NoSuchTrial { .. })));
    assert!(matches!(reader.trial(""), Err(LedgerError::NoSuchTrial { .. })));
    let first_digits: Vec<char> = plan().trials().iter().filter_map(|trial| trial.key.to_string().chars().next()).collect();
    let twice = first_digits.iter().find(|digit| first_digits.iter().filter(|other| other == digit).count() > 1).unwrap();
    assert!(
        matches!(reader.trial(&twice.to_string()), Err(LedgerError::Ambiguous { .. })),
        "sixteen keys share some first digit"
    );
}

#[test]
fn a_large_answer_goes_to_a_file_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trial = plan().trials()[0];
    // A linear congruential generator: bytes that do not compress.
    let mut state = 1_u32;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    })
    .take(3_000_000)
    .collect();
    let attempt = begin(&ledger, &trial);
    wait(ledger.finish_attempt(attempt, Settlement { response: noise.clone(), ..settled(Ok(answer("long"))) })).unwrap();
    assert_eq!(std::fs::read_dir(folder.path().join("blobs")).unwrap().count(), 1);
    let reader = ledger.reader().unwrap();
    assert_eq!(reader.answer(trial.key).unwrap().unwrap().response, noise);
    // A damaged file is told, not returned.
    let blob = std::fs::read_dir(folder.path().join("blobs")).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&blob, b"damage").unwrap();
    assert!(matches!(reader.answer(trial.key), Err(LedgerError::Corrupt { .. })));
}

#[test]
fn a_trial_has_one_answer_and_an_attempt_one_end() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trial = plan().trials()[0];
    let attempt = begin(&ledger, &trial);
    wait(ledger.finish_attempt(attempt, settled(Ok(answer("first"))))).unwrap();
    assert!(wait(ledger.finish_attempt(attempt, settled(Ok(answer("again"))))).is_err());
    assert!(call(&ledger, &trial, Ok(answer("second"))).is_err());
    let answers = all(&ledger.reader().unwrap(), Wanted::All);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].answer.text, "first");
}

#[test]
fn what_remains_depends_on_the_last_error() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trials = plan().trials();
    let ends = [
        Ok(answer("x")),
        failure(ErrorKind::Server),
        failure(ErrorKind::Auth),
        failure(ErrorKind::BadRequest),
        failure(ErrorKind::PromptCut),
    ];
    for (trial, end) in trials.iter().zip(ends) {
        call(&ledger, trial, end).unwrap();
    }
    // Failed, then answered.
    call(&ledger, &trials[5], failure(ErrorKind::BadRequest)).unwrap();
    call(&ledger, &trials[5], Ok(answer("y"))).unwrap();

    let reader = ledger.reader().unwrap();
    let remaining = reader.remaining(&trials, false).unwrap();
    assert_eq!(remaining.answered, 2);
    assert_eq!(remaining.held_back, [(trials[3], ErrorKind::BadRequest), (trials[4], ErrorKind::PromptCut)]);
    assert_eq!(remaining.open[..2], [trials[1], trials[2]]);
    assert_eq!(remaining.open[2..], trials[6..], "the plan's order is kept");
    let again = reader.remaining(&trials, true).unwrap();
    assert_eq!((again.open.len(), again.held_back.len()), (14, 0));

    let gaps = reader.gaps(&trials).unwrap();
    assert_eq!(gaps.len(), 14);
    assert_eq!(gaps[0].last.as_ref().unwrap().message, "it was server");
    assert_eq!((gaps[4].trial, gaps[4].last.clone(), gaps[4].attempts), (trials[6], None, 0));

    let totals = reader.totals().unwrap();
    assert_eq!(totals.len(), 1);
    let total = &totals[0];
    assert_eq!((total.subject.as_str(), total.attempts, total.answers, total.unknown), ("house", 7, 2, 0));
    assert_eq!((total.tokens_in, total.tokens_out), (20, 40));
    assert_eq!(total.failed_attempts.get(&ErrorKind::BadRequest), Some(&2));
    assert_eq!(total.failed_trials.get(&ErrorKind::BadRequest), Some(&1));
    assert_eq!(
        (total.served_models.as_slice(), total.fingerprints.as_slice()),
        (&["m-2".to_owned()][..], &["fp".to_owned()][..])
    );
    assert!((total.usd - 0.5).abs() < 1e-9);
}

#[test]
fn requests_are_kept_with_errors_they_may_have_caused() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trial = plan().trials()[0];
    call(&ledger, &trial, failure(ErrorKind::Server)).unwrap();
    call(&ledger, &trial, failure(ErrorKind::BadRequest)).unwrap();
    let record = ledger.reader().unwrap().trial(&trial.key.to_string()).unwrap();
    assert_eq!(record.attempts[0].request, b"");
    assert_eq!(record.attempts[1].request, b"{\"ask\":1}");
    assert!(record.attempts.iter().all(|attempt| attempt.response == b"{\"raw\": \"\xff bytes\"}"));
    assert_eq!(record.attempts[1].failure.as_ref().unwrap().kind, ErrorKind::BadRequest);
}

#[test]
fn a_call_without_an_end_is_in_flight_while_its_program_lives_and_unknown_after() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), &plan(), "test").unwrap();
    let trials = plan().trials();
    call(&ledger, &trials[0], Ok(answer("x"))).unwrap();
    begin(&ledger, &trials[1]);
    let spend = ledger.spend().unwrap();
    assert_eq!((spend.in_flight, spend.unknown), (1, 0));
    assert!((spend.settled_usd - 0.25).abs() < 1e-9 && (spend.in_flight_usd - 1.0).abs() < 1e-9);
    drop(ledger);

    // Its program is gone; a reader sees that without changing anything.
    let reader = Reader::open(folder.path()).unwrap();
    let spend = reader.spend().unwrap();
    assert_eq!((spend.in_flight, spend.unknown), (0, 1));
    assert!((spend.total_usd() - 1.25).abs() < 1e-9, "the unknown call is counted with its bound");
    let unknown = reader.unknown_attempts().unwrap();
    assert_eq!(unknown.len(), 1);
    assert_eq!((unknown[0].trial, unknown[0].answered_since), (trials[1].key, false));

    // The next run asks it again, and both are counted.
    let ledger = Ledger::open(folder.path(), "test").unwrap();
    let open = ledger.reader().unwrap().remaining(&trials, false).unwrap().open;
    assert_eq!(open[0], trials[1]);
    assert!(wait(ledger.finish_attempt(AttemptId(2), settled(Ok(answer("late"))))).is_err(), "an unknown call cannot be settled");
    call(&ledger, &trials[1], Ok(answer("again"))).unwrap();
    assert!(ledger.reader().unwrap().unknown_attempts().unwrap()[0].answered_since);
    assert!((ledger.spend().unwrap().total_usd() - 1.5).abs() < 1e-9);
}

#[test]
fn many_callers_share_commits_and_a_lone_one_waits_for_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let mut plan = plan();
    plan.repeats = 40;
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    let trials = plan.trials();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let calls: Vec<_> = trials
        .iter()
        .copied()
        .map(|trial| {
            let ledger = ledger.clone();
            runtime.spawn(async move {
                let new = turncoat_ledger::NewAttempt { trial: trial.key, subject: "house", reserved_usd: 0.0 };
                let attempt = ledger.begin_attempt(new).await.unwrap();
                let told = Answer { finish: Finish::Length, ..answer(&trial.key.to_string()) };
                ledger.finish_attempt(attempt, settled(Ok(told))).await.unwrap();
            })
        })
        .collect();
    for call in calls {
        runtime.block_on(call).unwrap();
    }
    let reader = ledger.reader().unwrap();
    let mut summaries: Vec<AnswerSummary> = Vec::new();
    reader.summaries(|summary| summaries.push(summary)).unwrap();
    assert_eq!(summaries.len(), trials.len());
    assert!(summaries.windows(2).all(|pair| pair[0].attempt < pair[1].attempt));
    assert!(summaries.iter().all(|summary| summary.cut && summary.tokens_out == Some(20) && summary.latency_ms == 42));
    // More than one page, each answer that of its own trial.
    let answers = all(&reader, Wanted::All);
    assert_eq!(answers.len(), 320);
    assert!(answers.iter().all(|stored| stored.answer.text == stored.trial.to_string()));
}

#[test]
fn a_reader_never_blocks_the_writer_and_sees_whole_commits() {
    let folder = tempfile::tempdir().unwrap();
    let plan = plan();
    let ledger = Ledger::create(folder.path(), &plan, "test").unwrap();
    let trials = plan.trials();
    call(&ledger, &trials[0], Ok(answer("x"))).unwrap();
    let reader = Reader::open(folder.path()).unwrap();
    let mut seen = 0;
    reader
        .answers(Wanted::All, |_| {
            seen += 1;
            // Written while the reader is in the middle.
            for trial in &trials[1..4] {
                call(&ledger, trial, Ok(answer("y"))).unwrap();
            }
            Err::<(), LedgerError>(LedgerError::Missing { path: folder.path().to_path_buf() })
        })
        .unwrap_err();
    assert_eq!(seen, 1, "it stops at the first error");
    assert_eq!(all(&reader, Wanted::All).len(), 4);
}

#[test]
fn a_ledger_on_a_disk_that_cannot_be_written_is_read_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("kept");
    let ledger = Ledger::create(&path, &plan(), "test").unwrap();
    call(&ledger, &plan().trials()[0], Ok(answer("x"))).unwrap();
    drop(ledger);
    let names: Vec<String> =
        std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert!(!names.iter().any(|name| name.ends_with("-wal")), "a closed ledger is one file: {names:?}");
    assert!(!names.contains(&"ballast".to_owned()));
    let mut closed = std::fs::metadata(&path).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut closed, 0o555);
    std::fs::set_permissions(&path, closed.clone()).unwrap();
    assert_eq!(all(&Reader::open(&path).unwrap(), Wanted::All).len(), 1);
    std::os::unix::fs::PermissionsExt::set_mode(&mut closed, 0o755);
    std::fs::set_permissions(&path, closed).unwrap();
}
