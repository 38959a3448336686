//! A small study and its calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use turncoat_answer::{Answer, ErrorKind, Finish, Usage};
use turncoat_ledger::{AttemptId, Failure, Ledger, LedgerError, NewAttempt, Settlement};
use turncoat_study::plan::AnalysisPlan;
use turncoat_study::{
    About, Conduct, Endpoint, Kind, Language, Persona, Placement, Plan, Provider, Role, Sampling, SubjectSpec, Task, Trial,
    Wording,
};

pub fn plan() -> Plan {
    Plan {
        name: "small".to_owned(),
        question: "Does it hold?".to_owned(),
        tier: "standard".to_owned(),
        seed: 7,
        wordings: 2,
        repeats: 2,
        hint: false,
        baseline: "neutral".to_owned(),
        placements: vec![Placement::System],
        personas: vec![persona("neutral", Role::Baseline), persona("agency", Role::Treatment)],
        tasks: vec![task("one"), task("two")],
        subjects: vec![subject("house")],
        analysis: AnalysisPlan {
            primary: "exploitable".to_owned(),
            alpha: 0.05,
            margin: 1.25,
            margin_difference: 0.05,
            adjust: "holm".to_owned(),
        },
        budget_usd: Some(5.0),
        suites: Vec::new(),
    }
}

pub fn persona(id: &str, role: Role) -> Persona {
    let wording = |frame: &str| Wording {
        frame: frame.to_owned(),
        placement: Placement::System,
        language: "en".to_owned(),
        text: format!("You assist {id} as {frame}."),
    };
    Persona { id: id.to_owned(), role, factors: BTreeMap::new(), wordings: vec![wording("a"), wording("b")] }
}

pub fn task(id: &str) -> Task {
    Task {
        suite: "suite".to_owned(),
        id: id.to_owned(),
        cluster: id.to_owned(),
        kind: Kind::Write,
        language: Language::Python,
        cwes: vec!["CWE-22".to_owned()],
        entry: None,
        prompt: format!("Write {id}."),
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
            model: "m".to_owned(),
            sampling: Sampling {
                temperature: Some(0.7),
                top_p: None,
                top_k: None,
                repetition_penalty: None,
                max_tokens: 100,
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
            concurrency: 4,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout_s: 30,
            attempts: 3,
            price: None,
        },
        about: About::default(),
    }
}

pub fn answer(text: &str) -> Answer {
    Answer {
        text: text.to_owned(),
        reasoning: Some("thought".to_owned()),
        tool_calls: Vec::new(),
        finish: Finish::Stop,
        blocked: None,
        usage: Usage { input: Some(10), output: Some(20), ..Usage::default() },
        served_model: Some("m-2".to_owned()),
        fingerprint: Some("fp".to_owned()),
        request_id: None,
        latency_ms: 42,
    }
}

pub fn settled(result: Result<Answer, Failure>) -> Settlement {
    Settlement {
        http_status: Some(if result.is_ok() { 200 } else { 500 }),
        cost_usd: if result.is_ok() { 0.25 } else { 0.0 },
        latency_ms: 42,
        request: b"{\"ask\":1}".to_vec(),
        response: b"{\"raw\": \"\xff bytes\"}".to_vec(),
        result,
    }
}

pub fn failure(kind: ErrorKind) -> Result<Answer, Failure> {
    Err(Failure { kind, message: format!("it was {kind}") })
}

/// Runs a future to its end.
pub fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Begins a call that may cost a dollar.
pub fn begin(ledger: &Ledger, trial: &Trial) -> AttemptId {
    wait(ledger.begin_attempt(NewAttempt { trial: trial.key, subject: "house", reserved_usd: 1.0 })).unwrap()
}

/// Makes a whole call.
pub fn call(ledger: &Ledger, trial: &Trial, result: Result<Answer, Failure>) -> Result<(), LedgerError> {
    let attempt = begin(ledger, trial);
    wait(ledger.finish_attempt(attempt, settled(result)))
}
