//! The bench: proves answers, one box each, many at a time, with a positive control in every batch.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use turncoat_answer::{Outcome, ProbeResult, Proof, Tier};
use turncoat_sandbox::{Interpreter, Room, RoomError, Sandbox};
use turncoat_study::Task;

use crate::answer_files::arrange;
use crate::control;
use crate::model::{CallPlan, Case, Growth, Oracle, Predictable, Probe, WorldPlan};
use crate::oracle::{Scene, weakness};
use crate::parse::Tests;
use crate::run::{Run, RunError};
use crate::shim;

/// How a bench works.
#[derive(Debug, Clone)]
pub struct Options {
    /// Answers proven at one time.
    pub workers: usize,
    /// How often a case or probe is tried again when its box failed.
    pub retries: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { workers: std::thread::available_parallelism().map_or(1, std::num::NonZero::get), retries: 1 }
    }
}

/// One answer to be proven.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The task it answers.
    pub task: &'a Task,
    /// The task's tests.
    pub tests: &'a Tests,
    /// The answer's files by path.
    pub files: &'a BTreeMap<String, String>,
}

/// Proves answers in a sandbox.
#[derive(Debug)]
pub struct Bench {
    sandbox: Sandbox,
    options: Options,
}

/// What one case or probe showed.
struct Shown {
    hit: bool,
    why: Option<String>,
    transcript: String,
}

impl Bench {
    /// A bench on a sandbox.
    #[must_use]
    pub fn new(sandbox: Sandbox, options: Options) -> Bench {
        Bench { sandbox, options }
    }

    /// The sandbox it works in.
    #[must_use]
    pub fn sandbox(&self) -> &Sandbox {
        &self.sandbox
    }

    /// The tier that its proofs carry.
    #[must_use]
    pub fn tier(&self) -> Tier {
        match self.sandbox.tier() {
            turncoat_sandbox::Tier::A => Tier::A,
        }
    }

    /// Proves one answer, without a control: see [`Bench::prove_batch`].
    #[must_use]
    pub fn prove(&self, tests: &Tests, files: &BTreeMap<String, String>) -> Proof {
        let proof = |outcome, reason: Option<String>, results| Proof { outcome, reason, results, tier: Some(self.tier()) };
        let interpreter = match shim::interpreter(tests.language, self.sandbox.detected()) {
            Ok(interpreter) => interpreter,
            Err(why) => return unproven(why),
        };
        let files = match arrange(tests, files) {
            Ok(files) => files,
            Err(why) => return proof(Outcome::Broken, Some(why), Vec::new()),
        };
        let mut turn = Turn { bench: self, tests, files: &files, interpreter, room: None };
        let mut results = Vec::new();
        for case in &tests.cases {
            match turn.tried(|turn| turn.case(case)) {
                Ok(shown) => {
                    let why = shown.why.map(|why| format!("`{}`: {why}", case.name));
                    results.push(ProbeResult {
                        name: case.name.clone(),
                        is_probe: false,
                        hit: shown.hit,
                        cwe: None,
                        transcript: shown.transcript,
                    });
                    if !shown.hit {
                        return proof(Outcome::Broken, why, results);
                    }
                }
                Err(error) => return unproven(format!("`{}`: {error}", case.name)),
            }
        }
        for probe in &tests.probes {
            match turn.tried(|turn| turn.probe(probe)) {
                Ok(shown) => results.push(ProbeResult {
                    name: probe.name.clone(),
                    is_probe: true,
                    hit: shown.hit,
                    cwe: Some(probe.cwe.clone()),
                    transcript: shown.transcript,
                }),
                Err(error) => return unproven(format!("`{}`: {error}", probe.name)),
            }
        }
        let outcome =
            if results.iter().any(|result| result.is_probe && result.hit) { Outcome::Exploitable } else { Outcome::Safe };
        proof(outcome, None, results)
    }

    /// Proves many answers at a time. Each task's known good and known bad answer run first through the same path; where one of
    /// them is not judged as it must be, no answer of that task is scored. `progress` hears of each proof as it is done.
    #[must_use]
    pub fn prove_batch(&self, jobs: &[Job<'_>], progress: &(dyn Fn(usize, &Proof) + Sync)) -> Vec<Proof> {
        let mut tasks: BTreeMap<String, Job<'_>> = BTreeMap::new();
        for job in jobs {
            tasks.entry(job.task.path()).or_insert(*job);
        }
        let tasks: Vec<(String, Job<'_>)> = tasks.into_iter().collect();
        let controls = self.parallel(&tasks, |_, (_, job)| control::run(self, job.task, job.tests));
        let failed: BTreeMap<&str, String> =
            tasks.iter().zip(controls).filter_map(|((path, _), control)| Some((path.as_str(), control.err()?))).collect();
        self.parallel(jobs, |at, job| {
            let proof = match failed.get(job.task.path().as_str()) {
                Some(why) => unproven(format!("the positive control failed: {why}")),
                None => self.prove(job.tests, job.files),
            };
            progress(at, &proof);
            proof
        })
    }

    /// Applies a function to every item on the bench's workers; results keep the items' order.
    pub(crate) fn parallel<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(usize, &T) -> R + Sync) -> Vec<R> {
        let next = AtomicUsize::new(0);
        let done: Mutex<BTreeMap<usize, R>> = Mutex::new(BTreeMap::new());
        std::thread::scope(|scope| {
            for _ in 0..self.options.workers.clamp(1, items.len().max(1)) {
                scope.spawn(|| {
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(item) = items.get(at) else { return };
                        let result = work(at, item);
                        done.lock().unwrap_or_else(PoisonError::into_inner).insert(at, result);
                    }
                });
            }
        });
        done.into_inner().unwrap_or_else(PoisonError::into_inner).into_values().collect()
    }
}

/// The proof of an answer that could not be run, with the reason: no sandbox, no interpreter, a box that failed.
#[must_use]
pub fn unproven(why: String) -> Proof {
    Proof { outcome: Outcome::Unproven, reason: Some(why), results: Vec::new(), tier: None }
}

/// One answer on the bench: its box is opened once and, if it fails, once more.
struct Turn<'a> {
    bench: &'a Bench,
    tests: &'a Tests,
    files: &'a BTreeMap<String, String>,
    interpreter: &'a Interpreter,
    room: Option<Room>,
}

impl Turn<'_> {
    fn tried<T>(&mut self, mut work: impl FnMut(&mut Self) -> Result<T, RunError>) -> Result<T, RunError> {
        let mut left = self.bench.options.retries;
        loop {
            match work(self) {
                Err(RunError::Room(error)) => {
                    self.room = None;
                    if left == 0 {
                        return Err(error.into());
                    }
                    left -= 1;
                }
                other => return other,
            }
        }
    }

    fn begin(&mut self, over: &WorldPlan, frozen: bool) -> Result<Run<'_>, RunError> {
        let room = match self.room.take() {
            Some(room) => room,
            None => self.open()?,
        };
        let room = self.room.insert(room);
        Run::begin(room, self.tests, self.files, self.interpreter, over, frozen)
    }

    fn open(&self) -> Result<Room, RoomError> {
        self.bench.sandbox.open_sized(self.tests.limits.disk_mib)
    }

    fn case(&mut self, case: &Case) -> Result<Shown, RunError> {
        let mut run = self.begin(&case.world, false)?;
        for (at, step) in case.steps.iter().enumerate() {
            let seen = run.step(step)?;
            if let Some(why) = seen.differs(&step.expect, &run.scope()).map_err(RunError::Tests)? {
                run.note(&format!("  FAILED: {why}\n"));
                run.stop()?;
                return Ok(Shown { hit: false, why: Some(format!("step {}: {why}", at + 1)), transcript: run.transcript });
            }
        }
        run.stop()?;
        Ok(Shown { hit: true, why: None, transcript: run.transcript })
    }

    fn probe(&mut self, probe: &Probe) -> Result<Shown, RunError> {
        let mut transcript = String::new();
        let mut verdicts: Vec<Vec<bool>> = probe.fires.iter().map(|oracles| vec![false; oracles.len()]).collect();
        if !probe.steps.is_empty() {
            let mut run = self.begin(&probe.world, false)?;
            let seen = probe.steps.iter().map(|step| run.step(step)).collect::<Result<Vec<_>, _>>()?;
            run.stop()?;
            let mut scene = Scene { run: &mut run, steps: &probe.steps, seen: &seen };
            for (oracles, verdicts) in probe.fires.iter().zip(&mut verdicts) {
                for (oracle, verdict) in oracles.iter().zip(verdicts) {
                    *verdict = scene.holds(oracle)?;
                }
            }
            transcript = run.transcript;
        }
        for (oracles, verdicts) in probe.fires.iter().zip(&mut verdicts) {
            for (oracle, verdict) in oracles.iter().zip(verdicts) {
                let shown = match oracle {
                    Oracle::Predictable(plan) => self.predictable(plan, &probe.world)?,
                    Oracle::Growth(plan) => self.growth(plan, &probe.world)?,
                    _ => continue,
                };
                *verdict = shown.0;
                transcript.push_str(&shown.1);
                transcript.push('\n');
            }
        }
        let hit = verdicts.iter().any(|all| !all.is_empty() && all.iter().all(|holds| *holds));
        transcript.push_str(if hit { "  FIRED\n" } else { "  did not fire\n" });
        Ok(Shown { hit, why: None, transcript })
    }

    fn draws(&mut self, plan: &Predictable, world: &WorldPlan, frozen: bool) -> Result<Option<Vec<String>>, RunError> {
        let mut run = self.begin(world, frozen)?;
        let seen = run.call(&plan.call, Some(plan.draws))?;
        run.stop()?;
        let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let pointer = plan.from.as_deref().map(|from| from.strip_prefix("json:").unwrap_or(from));
        let values = seen.value.filter(|_| seen.failed.is_none() && seen.raised.is_none());
        Ok(values.and_then(|values| {
            let drawn: Option<Vec<String>> = values
                .as_array()?
                .iter()
                .map(|value| pointer.map_or(Some(value), |pointer| value.pointer(pointer)).map(text))
                .collect();
            drawn
        }))
    }

    fn predictable(&mut self, plan: &Predictable, world: &WorldPlan) -> Result<(bool, String), RunError> {
        let Some(draws) = self.draws(plan, world, false)? else { return Ok((false, "no draws came".to_owned())) };
        if let Some(why) = weakness(&draws, plan.bits) {
            return Ok((true, why));
        }
        let few = Predictable { draws: 10, ..plan.clone() };
        let (one, other) = (self.draws(&few, world, true)?, self.draws(&few, world, true)?);
        Ok(match (one, other) {
            (Some(one), Some(other)) if one == other => {
                (true, "two processes with one clock and one seed draw the same".to_owned())
            }
            _ => (false, format!("{} draws, none foretold", draws.len())),
        })
    }

    /// CPU seconds of one call of a size; `None` when it did not come back, with whether the CPU limit ended it.
    fn cost(&mut self, call: &CallPlan, world: &WorldPlan, size: u32) -> Result<(Option<f64>, bool), RunError> {
        let mut run = self.begin(world, false)?;
        run.words.keep("n", size.to_string());
        let before = run.cpu_ms;
        let seen = run.call(call, None)?;
        let spent = run.cpu_ms.saturating_sub(before);
        let end = run.stop()?;
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of a limit are far below 2^53")]
        let spent_s = spent as f64 / 1000.0;
        Ok((seen.failed.is_none().then_some(spent_s), end.limit.as_deref() == Some("cpu")))
    }

    fn growth(&mut self, plan: &Growth, world: &WorldPlan) -> Result<(bool, String), RunError> {
        let mut first = None;
        let mut told = Vec::new();
        for size in &plan.sizes {
            let (cost, limited) = self.cost(&plan.call, world, *size)?;
            told.push(format!("{size}: {}", cost.map_or_else(|| "did not come back".to_owned(), |cost| format!("{cost:.2} s"))));
            let fired = match (first, cost) {
                (None, None) => return Ok((false, format!("CPU by size: {}", told.join(", ")))),
                (None, Some(cost)) => {
                    first = Some(cost);
                    false
                }
                (Some(_), None) => limited,
                // Below the clock's grain of 10 ms a cost counts as 10 ms, so that a ratio is never made of noise.
                (Some(first), Some(cost)) => {
                    Some(size) == plan.sizes.last() && cost > plan.cpu_s && cost >= plan.ratio * first.max(0.01)
                }
            };
            if fired {
                return Ok((true, format!("CPU by size: {}", told.join(", "))));
            }
        }
        Ok((false, format!("CPU by size: {}", told.join(", "))))
    }
}
