//! Kill -9 at random moments, again and again: no answered call is asked again or lost, and no call is unknown to the ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::{BoxFuture, FutureExt as _};
use rand::Rng as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use turncoat_answer::ErrorKind;
use turncoat_ledger::{Ledger, LedgerError, Reader, Wanted};
use turncoat_runner::{Options, Subjects, run};
use turncoat_study::Plan;
use turncoat_subject::{Call, CallFailure, Exchange, RateHints, Subject};

use crate::support::{answer, plan};

/// Tell the child where its ledger is, where the endpoint listens, and how many calls it may have in flight.
const FOLDER: &str = "TURNCOAT_TEST_CRASH_FOLDER";
const PORT: &str = "TURNCOAT_TEST_CRASH_PORT";
const CONCURRENCY: &str = "TURNCOAT_TEST_CRASH_CONCURRENCY";

/// How often the run is killed.
const KILLS: usize = 25;

fn study() -> Plan {
    plan(&["house"], 24, 8, 8)
}

/// Asks the endpoint of the test over a socket: the seed goes out, one byte comes back.
struct Distant {
    port: u16,
}

impl Distant {
    async fn exchange(&self, seed: u32) -> std::io::Result<()> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        stream.write_u32(seed).await?;
        stream.read_u8().await.map(|_| ())
    }
}

impl Subject for Distant {
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange> {
        async move {
            let result = match self.exchange(call.seed).await {
                Ok(()) => Ok(answer(call)),
                Err(error) => Err(CallFailure::new(ErrorKind::Broken, error.to_string())),
            };
            let request = call.seed.to_be_bytes().to_vec();
            Exchange { request, response: b"answer".to_vec(), status: Some(200), result, hints: RateHints::default() }
        }
        .boxed()
    }
}

/// Does nothing in an ordinary test run. In the child it runs or resumes the study until it is done or killed.
#[test]
fn child_runs_the_study() {
    let (Ok(folder), Ok(port), Ok(concurrency)) = (std::env::var(FOLDER), std::env::var(PORT), std::env::var(CONCURRENCY)) else {
        return;
    };
    let mut plan = study();
    plan.subjects[0].conduct.concurrency = concurrency.parse().unwrap();
    let folder = Path::new(&folder);
    let ledger = if Ledger::exists(folder) {
        let ledger = Ledger::open(folder, "turncoat run").unwrap();
        ledger.reconcile(&plan, None).unwrap();
        ledger
    } else {
        Ledger::create(folder, &plan, "turncoat run").unwrap()
    };
    let subject: Arc<dyn Subject> = Arc::new(Distant { port: port.parse().unwrap() });
    let subjects = Subjects::from([("house".to_owned(), subject)]);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let summary = runtime.block_on(run(&plan, &ledger, &subjects, &Options::default(), &|_| {})).unwrap();
    assert!(summary.is_complete(), "{summary:?}");
}

fn start(folder: &Path, port: u16, concurrency: u32) -> Child {
    #[expect(clippy::disallowed_methods, reason = "the test starts itself as a second process")]
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_runs_the_study", "--nocapture"])
        .env(FOLDER, folder)
        .env(PORT, port.to_string())
        .env(CONCURRENCY, concurrency.to_string())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Counts the calls by seed and answers each after a few milliseconds.
async fn serve(listener: TcpListener, seen: Arc<Mutex<BTreeMap<u32, u32>>>) {
    while let Ok((mut stream, _)) = listener.accept().await {
        let seen = Arc::clone(&seen);
        tokio::spawn(async move {
            let Ok(seed) = stream.read_u32().await else { return };
            *seen.lock().unwrap().entry(seed).or_default() += 1;
            tokio::time::sleep(Duration::from_millis(u64::from(4 + seed % 16))).await;
            // A killed client is no longer there to be answered.
            let _killed = stream.write_u8(1).await;
        });
    }
}

/// The seeds of all durable answers, each checked to be the one that came.
fn durable(folder: &Path) -> BTreeSet<u32> {
    let mut seeds = BTreeSet::new();
    Reader::open(folder)
        .unwrap()
        .answers(Wanted::All, |stored| {
            let seed = stored.trial.seed();
            assert_eq!((stored.request.as_slice(), stored.response.as_slice()), (&seed.to_be_bytes()[..], &b"answer"[..]));
            assert!(stored.answer.text.ends_with(&format!("# {seed}\n```")));
            assert!(seeds.insert(seed), "two answers of one trial");
            Ok::<(), LedgerError>(())
        })
        .unwrap();
    seeds
}

#[test]
fn nothing_answered_is_repeated_or_lost_whenever_the_run_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ledger");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen: Arc<Mutex<BTreeMap<u32, u32>>> = Arc::default();
    runtime.spawn(serve(listener, Arc::clone(&seen)));

    let mut random = rand::rng();
    let mut before: BTreeSet<u32> = BTreeSet::new();
    let mut in_flight_at_a_kill = 0;
    for kill in 0..KILLS {
        let counts_before = seen.lock().unwrap().clone();
        let mut child = start(&path, port, 8);
        std::thread::sleep(Duration::from_millis(random.random_range(5..250)));
        child.kill().unwrap();
        child.wait().unwrap();
        // What the killed process had sent reaches the endpoint's counter.
        std::thread::sleep(Duration::from_millis(20));
        let Ok(reader) = Reader::open(&path) else {
            // Killed before the ledger was there: then nothing may have been asked.
            assert!(seen.lock().unwrap().is_empty(), "kill {kill}");
            continue;
        };
        let counts = seen.lock().unwrap().clone();
        let now = durable(&path);
        assert!(now.is_superset(&before), "kill {kill}: an answer was lost");
        for seed in &before {
            assert_eq!(counts.get(seed), counts_before.get(seed), "kill {kill}: an answered call was repeated");
        }
        // Every call that went out is on record, and those without an end are unknown and reserved with their bound.
        let spend = reader.spend().unwrap();
        let attempts = reader.totals().unwrap().first().map_or(0, |total| total.attempts);
        let asked: u64 = counts.values().map(|count| u64::from(*count)).sum();
        assert!(asked <= attempts, "kill {kill}: {asked} calls, {attempts} on record");
        assert_eq!(spend.in_flight, 0);
        assert_eq!(spend.unknown, attempts - now.len() as u64, "kill {kill}");
        let unknown = reader.unknown_attempts().unwrap();
        assert_eq!(unknown.len() as u64, spend.unknown);
        let reserved: f64 = unknown.iter().map(|attempt| attempt.reserved_usd).sum();
        assert!((reserved - spend.unknown_usd).abs() < 1e-9 && unknown.iter().all(|attempt| attempt.reserved_usd > 0.001));
        in_flight_at_a_kill = in_flight_at_a_kill.max(spend.unknown);
        before = now;
    }
    let planned = study().trials().len();
    assert!(!before.is_empty() && before.len() < planned, "the kills fell into the run: {} of {planned}", before.len());
    assert!(in_flight_at_a_kill > 0, "some kill fell on calls in flight");

    let status = start(&path, port, 64).wait().unwrap();
    assert!(status.success());
    let all = durable(&path);
    assert_eq!(all.len(), planned);
    assert!(all.is_superset(&before));
    let unknown = Reader::open(&path).unwrap().unknown_attempts().unwrap();
    assert!(unknown.iter().all(|attempt| attempt.answered_since), "each was asked again");
    // A trial was asked once, and once more for each of its unknown calls.
    for (seed, count) in seen.lock().unwrap().iter() {
        let given_up = unknown.iter().filter(|attempt| attempt.trial.seed() == *seed).count() as u32;
        assert!(*count <= 1 + given_up, "trial {seed} was asked {count} times with {given_up} unknown calls");
    }
}
