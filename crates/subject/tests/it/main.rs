//! Subjects asked over real HTTP: every dialect, every way a server can answer, fail or break.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice, clippy::panic, reason = "tests")]

mod dialects;
mod faults;
mod opening;
mod secrets;
mod server;
mod surroundings;
mod voices;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use turncoat_answer::Answer;
use turncoat_study::{About, Conduct, Endpoint, Prompt, Provider, Sampling, SubjectSpec};
use turncoat_subject::{Call, CallFailure, Exchange, OpenError, Subject, Surroundings, Variables, open};

const KEY: &str = "sk-very-secret-key-0123456789";

fn spec(provider: Provider, base_url: &str) -> SubjectSpec {
    SubjectSpec {
        id: "under-test".to_owned(),
        endpoint: Endpoint {
            provider,
            base_url: base_url.to_owned(),
            model: "coder-7b".to_owned(),
            sampling: Sampling {
                temperature: Some(0.7),
                top_p: Some(0.8),
                top_k: Some(20),
                repetition_penalty: Some(1.05),
                max_tokens: 512,
                context: Some(8192),
                stop: vec!["###".to_owned()],
            },
            stream: false,
            omit: Vec::new(),
            headers: BTreeMap::new(),
            extra_body: None,
            prompt_check: true,
            config: None,
        },
        conduct: Conduct {
            api_key_env: Some("TEST_KEY".to_owned()),
            concurrency: 4,
            requests_per_minute: None,
            tokens_per_minute: None,
            timeout_s: 60,
            attempts: 3,
            price: None,
        },
        about: About::default(),
    }
}

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let known: BTreeMap<String, String> =
        pairs.iter().chain(&[("TEST_KEY", KEY)]).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arc::new(move |name| known.get(name).cloned())
}

fn surroundings(pairs: &[(&str, &str)]) -> Surroundings {
    Surroundings::new(variables(pairs)).unwrap()
}

fn try_open(spec: &SubjectSpec) -> Result<Arc<dyn Subject>, OpenError> {
    open(spec, &surroundings(&[]))
}

fn call() -> Call {
    Call {
        prompt: Prompt { system: "You are a coding assistant.".to_owned(), user: "Write add(a, b).".to_owned() },
        seed: 42,
        timeout: Duration::from_secs(20),
    }
}

async fn ask(spec: &SubjectSpec) -> Exchange {
    try_open(spec).unwrap().ask(&call()).await
}

fn answer(exchange: Exchange) -> Answer {
    exchange.result.unwrap()
}

fn failure(exchange: Exchange) -> CallFailure {
    exchange.result.unwrap_err()
}
