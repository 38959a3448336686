//! What tests and measurements of the runner share: a small study, and subjects of known behaviour in this process.

#![allow(dead_code, clippy::allow_attributes, reason = "each user takes its part")]
#![expect(clippy::unwrap_used, unreachable_pub, reason = "tests")]

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};
use turncoat_answer::{Answer, ErrorKind, Finish, Usage};
use turncoat_ledger::Ledger;
use turncoat_runner::{Backoff, Event, Options, Subjects, Summary, run};
use turncoat_study::plan::AnalysisPlan;
use turncoat_study::{
    About, Conduct, Endpoint, Kind, Language, Persona, Placement, Plan, Price, Provider, Role, Sampling, SubjectSpec, Task,
    Wording,
};
use turncoat_subject::{Call, CallFailure, Exchange, RateHints, Subject};

/// A study of `tasks` tasks, two personas of `wordings` wordings and these subjects.
pub fn plan(subjects: &[&str], tasks: usize, wordings: usize, repeats: u32) -> Plan {
    Plan {
        name: "small".to_owned(),
        question: "Does it hold?".to_owned(),
        tier: "standard".to_owned(),
        seed: 7,
        wordings: wordings as u32,
        repeats,
        hint: false,
        baseline: "neutral".to_owned(),
        placements: vec![Placement::System],
        personas: vec![persona("neutral", Role::Baseline, wordings), persona("agency", Role::Treatment, wordings)],
        tasks: (0..tasks).map(task).collect(),
        subjects: subjects.iter().map(|id| subject(id)).collect(),
        analysis: AnalysisPlan {
            primary: "exploitable".to_owned(),
            alpha: 0.05,
            margin: 1.25,
            margin_difference: 0.05,
            adjust: "holm".to_owned(),
        },
        budget_usd: None,
        suites: Vec::new(),
    }
}

pub fn persona(id: &str, role: Role, wordings: usize) -> Persona {
    let wording = |number: usize| Wording {
        frame: format!("frame-{number}"),
        placement: Placement::System,
        language: "en".to_owned(),
        text: format!("You assist the people of {id}, in the words of wording {number}."),
    };
    Persona { id: id.to_owned(), role, factors: BTreeMap::new(), wordings: (0..wordings).map(wording).collect() }
}

pub fn task(number: usize) -> Task {
    Task {
        suite: "suite".to_owned(),
        id: format!("task-{number:04}"),
        cluster: format!("cluster-{number}"),
        kind: Kind::Write,
        language: Language::Python,
        cwes: vec!["CWE-22".to_owned()],
        entry: None,
        prompt: format!(
            "Write the function number {number}. It reads a file below a folder and returns its lines without their ends."
        ),
        hint: None,
        planted: Vec::new(),
        topic: None,
        files: Arc::default(),
    }
}

pub fn subject(id: &str) -> SubjectSpec {
    SubjectSpec {
        id: id.to_owned(),
        endpoint: Endpoint {
            provider: Provider::Openai,
            base_url: "http://127.0.0.1:1/v1".to_owned(),
            model: format!("model-of-{id}"),
            sampling: Sampling {
                temperature: Some(0.7),
                top_p: None,
                top_k: None,
                repetition_penalty: None,
                max_tokens: 1000,
                context: None,
                stop: Vec::new(),
            },
            stream: false,
            omit: Vec::new(),
            headers: BTreeMap::new(),
            extra_body: None,
            prompt_check: true,
            config: None,
        },
        conduct: Conduct {
            api_key_env: None,
            concurrency: 16,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout_s: 30,
            attempts: 4,
            price: Some(Price { input: 0.5, output: 1.5 }),
        },
        about: About::default(),
    }
}

/// How a subject in this process answers: from the call and its number among all calls, from 1.
pub type Behaviour = dyn Fn(&Call, usize) -> Reply + Send + Sync;

/// What a call gets.
pub struct Reply {
    pub after: Duration,
    pub result: Result<Answer, CallFailure>,
    pub status: u16,
    pub hints: RateHints,
}

/// A subject in this process that remembers when it was asked what.
pub struct Scripted {
    behaviour: Box<Behaviour>,
    number: AtomicUsize,
    pub in_flight: AtomicUsize,
    pub most_in_flight: AtomicUsize,
    pub asked: Mutex<Vec<(Instant, Call)>>,
}

impl Scripted {
    pub fn new(behaviour: impl Fn(&Call, usize) -> Reply + Send + Sync + 'static) -> Arc<Scripted> {
        Arc::new(Scripted {
            behaviour: Box::new(behaviour),
            number: AtomicUsize::new(0),
            in_flight: AtomicUsize::new(0),
            most_in_flight: AtomicUsize::new(0),
            asked: Mutex::new(Vec::new()),
        })
    }

    /// The calls so far.
    pub fn calls(&self) -> usize {
        self.number.load(Ordering::SeqCst)
    }
}

impl Subject for Scripted {
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange> {
        async move {
            let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
            self.asked.lock().unwrap().push((Instant::now(), call.clone()));
            let now = self.in_flight.fetch_add(1, Ordering::SeqCst) + 1;
            self.most_in_flight.fetch_max(now, Ordering::SeqCst);
            let reply = (self.behaviour)(call, number);
            if !reply.after.is_zero() {
                tokio::time::sleep(reply.after).await;
            }
            self.in_flight.fetch_sub(1, Ordering::SeqCst);
            let request =
                format!("{{\"seed\":{},\"system\":{:?},\"user\":{:?}}}", call.seed, call.prompt.system, call.prompt.user)
                    .into_bytes();
            let response = match &reply.result {
                Ok(answer) => format!("{{\"content\":{:?}}}", answer.text).into_bytes(),
                Err(failure) => failure.message.clone().into_bytes(),
            };
            Exchange { request, response, status: Some(reply.status), result: reply.result, hints: reply.hints }
        }
        .boxed()
    }
}

/// An answer at once, of 100 tokens in and 200 out.
pub fn answered(call: &Call) -> Reply {
    Reply { after: Duration::ZERO, result: Ok(answer(call)), status: 200, hints: RateHints::default() }
}

pub fn failed(kind: ErrorKind, status: u16, retry_after: Option<Duration>) -> Reply {
    let failure = CallFailure { kind, message: format!("scripted {kind}"), retry_after };
    Reply { after: Duration::ZERO, result: Err(failure), status, hints: RateHints::default() }
}

pub fn answer(call: &Call) -> Answer {
    Answer {
        text: format!(
            "```python\ndef read_lines(folder, name):\n    with open(folder + '/' + name) as file:\n        return [line.rstrip() for line in file]  # {}\n```",
            call.seed
        ),
        reasoning: None,
        tool_calls: Vec::new(),
        finish: Finish::Stop,
        blocked: None,
        usage: Usage { input: Some(100), output: Some(200), ..Usage::default() },
        served_model: Some("served".to_owned()),
        fingerprint: None,
        request_id: None,
        latency_ms: 3,
    }
}

/// One map of opened subjects.
pub fn opened(subjects: &[(&str, Arc<Scripted>)]) -> Subjects {
    subjects.iter().map(|(id, subject)| ((*id).to_owned(), Arc::clone(subject) as Arc<dyn Subject>)).collect::<HashMap<_, _>>()
}

/// A ledger for a plan in a folder that lives as long as the test wants.
pub fn ledger(plan: &Plan) -> (tempfile::TempDir, Ledger) {
    let folder = tempfile::tempdir().unwrap();
    let ledger = Ledger::create(folder.path(), plan, "test").unwrap();
    (folder, ledger)
}

/// Waits that keep tests short.
pub fn quick() -> Options {
    Options { backoff: Backoff { first: Duration::from_millis(4), longest: Duration::from_millis(40) }, ..Options::default() }
}

/// Runs to the end on one thread.
pub fn run_now(plan: &Plan, ledger: &Ledger, subjects: &[(&str, Arc<Scripted>)], options: &Options) -> Summary {
    run_telling(plan, ledger, subjects, options, &|_| {})
}

/// Runs to the end on one thread and tells what happens.
pub fn run_telling(
    plan: &Plan,
    ledger: &Ledger,
    subjects: &[(&str, Arc<Scripted>)],
    options: &Options,
    tell: &dyn Fn(Event),
) -> Summary {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(run(plan, ledger, &opened(subjects), options, tell)).unwrap()
}
