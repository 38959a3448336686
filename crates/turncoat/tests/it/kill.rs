//! Kill -9 at random moments, fifty times: no answered call is repeated or lost, and calls in flight are known and paid for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use rustix::process::Signal;
use turncoat_ledger::{LedgerError, Reader, Wanted};

use crate::support::program::start;
use crate::support::{Endpoint, Place, Reply, Study, study};

/// How often the run is killed.
const KILLS: u32 = 50;

/// A stream of numbers that looks random, from the process id and the time: another run of the test kills at other moments.
struct Dice(u64);

impl Dice {
    fn new() -> Self {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        Dice(now.as_nanos() as u64 ^ u64::from(std::process::id()) << 32 | 1)
    }

    fn between(&mut self, low: u64, high: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        low + (self.0 >> 20) % (high - low)
    }
}

/// The seeds of all durable answers, each checked to be the one that was given to it.
fn durable(place: &Place) -> BTreeSet<u64> {
    let mut seeds = BTreeSet::new();
    let reader = Reader::open(&place.path("small.ledger")).unwrap();
    reader
        .answers(Wanted::All, |stored| {
            let seed = u64::from(stored.trial.seed());
            assert_eq!(stored.answer.text, format!("the answer to {seed}"));
            assert!(seeds.insert(seed), "two answers of one trial");
            Ok::<(), LedgerError>(())
        })
        .unwrap();
    seeds
}

#[test]
fn nothing_answered_is_repeated_or_lost_whenever_the_program_is_killed() {
    let place = Place::new();
    let endpoint = Endpoint::start(Duration::from_millis(20), |seen| Reply::Text(format!("the answer to {}", seen.seed())));
    let subject = |concurrency: u32| {
        study::subject("house", &endpoint, &format!("concurrency = {concurrency}\nprice = {{ input = 1.0, output = 4.0 }}"))
    };
    let mut asked = Study::topics(&[subject(2)]);
    asked.tasks.clear();
    asked.wordings = 8;
    // Twice what fifty kills leave time for on a quick machine: the run must not end before its kill.
    asked.repeats = 8;
    asked.budget_usd = Some(1_000.0);
    asked.save(&place);
    let planned = 20 * 2 * 8 * 8;

    let mut dice = Dice::new();
    let mut before: BTreeSet<u64> = BTreeSet::new();
    let mut in_flight_at_kills = 0;
    for kill in 0..KILLS {
        let counts_before = endpoint.by_seed();
        let mut running = start(&mut place.turncoat(&["run", "study.toml"]));
        std::thread::sleep(Duration::from_millis(dice.between(20, 420)));
        assert!(!running.has_ended(), "kill {kill}: the run ended before its kill: {:?}", running.wait());
        running.signal(Signal::KILL);
        assert_eq!(running.wait().code, None);
        // What the killed program had sent reaches the endpoint's counter.
        std::thread::sleep(Duration::from_millis(30));
        let counts = endpoint.by_seed();
        let Ok(reader) = Reader::open(&place.path("small.ledger")) else {
            assert!(counts.is_empty(), "kill {kill}: something was asked before the ledger was there");
            continue;
        };
        let now = durable(&place);
        assert!(now.is_superset(&before), "kill {kill}: an answer was lost");
        let answered = endpoint.answered();
        assert!(now.iter().all(|seed| answered.contains_key(seed)), "kill {kill}: an answer that was never given");
        for seed in &before {
            assert_eq!(counts.get(seed), counts_before.get(seed), "kill {kill}: an answered call was repeated");
        }
        // Every call that went out is on record; those without an end are unknown and stand in the budget with their bound.
        let spend = reader.spend().unwrap();
        let unknown = reader.unknown_attempts().unwrap();
        let attempts = reader.totals().unwrap().first().map_or(0, |total| total.attempts);
        let calls: usize = counts.values().sum();
        assert!(calls as u64 <= attempts, "kill {kill}: {calls} calls, {attempts} on record");
        assert_eq!(
            (unknown.len() as u64, spend.unknown),
            (attempts - now.len() as u64, attempts - now.len() as u64),
            "kill {kill}"
        );
        assert!(unknown.iter().all(|attempt| attempt.reserved_usd > 0.004));
        let reserved: f64 = unknown.iter().map(|attempt| attempt.reserved_usd).sum();
        let paid = now.len() as f64 * 0.0003;
        assert!((spend.total_usd() - reserved - paid).abs() < 1e-6, "kill {kill}: {spend:?}");
        in_flight_at_kills = spend.unknown;
        before = now;
    }
    assert!(!before.is_empty() && before.len() < planned, "the kills fell into the run: {} of {planned}", before.len());
    assert!(in_flight_at_kills > 0, "some kill fell on calls in flight");

    asked.subjects = vec![subject(64)];
    asked.save(&place);
    let ended = place.ok(&["run", "study.toml", "--format", "json"]);
    ended.says(&["calls were in flight when an earlier run ended"]);
    let all = durable(&place);
    assert_eq!(all.len(), planned);
    assert!(all.is_superset(&before));
    let reader = Reader::open(&place.path("small.ledger")).unwrap();
    let unknown = reader.unknown_attempts().unwrap();
    assert!(unknown.iter().all(|attempt| attempt.answered_since), "each was asked again");
    let mut given_up: BTreeMap<u64, usize> = BTreeMap::new();
    for attempt in &unknown {
        *given_up.entry(u64::from(attempt.trial.seed())).or_default() += 1;
    }
    for (seed, count) in endpoint.by_seed() {
        let again = given_up.get(&seed).copied().unwrap_or(0);
        assert!(count <= 1 + again, "trial {seed} was asked {count} times with {again} unknown calls");
    }
    let report = ended.json();
    assert_eq!((&report["study"]["answers"], &report["study"]["errors"]), (&planned.into(), &0.into()));
    assert_eq!(report["quality"]["unknown_attempts"], unknown.len(), "the report shows them");
    let shown = report["subjects"][0]["usd"].as_f64().unwrap();
    assert!(
        (shown - reader.spend().unwrap().total_usd()).abs() < 1e-6,
        "the report's spend has the unknown calls in it: {shown}"
    );
}
