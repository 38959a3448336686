//! What is refused before anything is sent, and that each provider opens.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::json;
use turncoat_answer::{ErrorKind, Finish};
use turncoat_study::{Prompt, Provider, Sampling};
use turncoat_subject::{Engine, Exchange, Generated, OpenError, RateHints, Tape, open};

use super::server::{Server, json as document};
use super::voices::voices;
use super::{answer, call, failure, spec, surroundings, try_open};

struct Parrot;

impl Engine for Parrot {
    fn generate(&self, prompt: &Prompt, sampling: &Sampling, seed: u32, cancelled: &AtomicBool) -> Result<Generated, String> {
        match prompt.user.as_str() {
            "fail" => return Err("no memory".to_owned()),
            "hang" => {
                while !cancelled.load(Ordering::Relaxed) {
                    std::thread::sleep(Duration::from_millis(5));
                }
            }
            "panic" => panic!("engine bug"),
            _ => {}
        }
        Ok(Generated {
            text: format!("<think>{seed}</think>{} {}", prompt.user, sampling.max_tokens),
            finish: Finish::Length,
            input_tokens: 3,
            output_tokens: 4,
            model: "parrot".to_owned(),
            fingerprint: Some("avx2".to_owned()),
        })
    }
}

#[tokio::test]
async fn every_provider_opens() {
    let mut surroundings = surroundings(&[]);
    surroundings.engine = Some(Arc::new(Parrot));
    surroundings.recordings = Some(Arc::new(Tape::default()));
    for provider in Provider::ALL {
        let opened = open(&spec(provider, "http://127.0.0.1:9/v1"), &surroundings);
        assert!(opened.is_ok(), "{provider}: {:?}", opened.err());
    }
}

#[tokio::test]
async fn a_key_that_is_not_set_is_named() {
    let mut spec = spec(Provider::Openai, "http://127.0.0.1:9/v1");
    spec.conduct.api_key_env = Some("NO_SUCH_KEY".to_owned());
    let error = try_open(&spec).err().unwrap();
    assert!(error.to_string().contains("`NO_SUCH_KEY`"), "{error}");
    spec.conduct.api_key_env = None;
    assert!(try_open(&spec).is_ok(), "the key is optional");
}

#[tokio::test]
async fn addresses_are_checked() {
    for (base_url, reason) in [
        ("", "relative"),
        ("api.example.com/v1", "relative"),
        ("ftp://example.com", "scheme"),
        ("http://user:secret@example.com/v1", "password"),
    ] {
        let error = try_open(&spec(Provider::Openai, base_url)).err().unwrap();
        assert!(matches!(error, OpenError::BadAddress { .. }) && error.to_string().contains(reason), "{error}");
    }
    let server = Server::answering(document(200, voices()[0].success)).await;
    let subject = try_open(&spec(Provider::Openai, &format!("http://{}/deployments/d/?api-version=1", server.address))).unwrap();
    answer(subject.ask(&call()).await);
    assert_eq!(server.only_request().line, "POST /deployments/d/chat/completions?api-version=1 HTTP/1.1");
}

#[tokio::test]
async fn bodies_and_headers_may_not_change_the_question() {
    let refused = |provider: Provider, change: fn(&mut turncoat_study::Endpoint)| {
        let mut spec = spec(provider, "http://127.0.0.1:9/v1");
        change(&mut spec.endpoint);
        try_open(&spec).err().unwrap().to_string()
    };
    for provider in [Provider::Openai, Provider::Anthropic, Provider::Ollama, Provider::Mole] {
        for change in [
            (|endpoint| endpoint.extra_body = Some(json!({"model": "other"}))) as fn(&mut turncoat_study::Endpoint),
            |endpoint| endpoint.extra_body = Some(json!({"messages": []})),
            |endpoint| endpoint.extra_body = Some(json!("text")),
        ] {
            assert!(refused(provider, change).contains("extra_body"), "{provider}");
        }
        assert!(refused(provider, |endpoint| endpoint.omit = vec!["messages".to_owned()]).contains("temperature"));
        assert!(
            refused(provider, |endpoint| {
                endpoint.headers.insert("Authorization".to_owned(), "Bearer x".to_owned());
            })
            .contains("api_key_env")
        );
        assert!(
            refused(provider, |endpoint| {
                endpoint.headers.insert("bad name".to_owned(), "x".to_owned());
            })
            .contains("header name")
        );
    }
    assert!(refused(Provider::Anthropic, |endpoint| endpoint.extra_body = Some(json!({"system": "x"}))).contains("`system`"));
}

#[tokio::test]
async fn local_needs_an_engine_and_uses_it() {
    let spec = spec(Provider::Local, "");
    assert!(matches!(try_open(&spec), Err(OpenError::NoEngine { .. })));
    let mut surroundings = surroundings(&[]);
    surroundings.engine = Some(Arc::new(Parrot));
    let subject = open(&spec, &surroundings).unwrap();
    let exchange = subject.ask(&call()).await;
    assert_eq!(exchange.response, b"<think>42</think>Write add(a, b). 512");
    let request: serde_json::Value = serde_json::from_slice(&exchange.request).unwrap();
    assert_eq!((&request["seed"], &request["sampling"]["top_k"]), (&json!(42), &json!(20)));
    let told = answer(exchange);
    assert_eq!((told.text.as_str(), told.reasoning.as_deref()), ("Write add(a, b). 512", Some("42")));
    assert_eq!((told.finish, told.usage.input, told.usage.output), (Finish::Length, Some(3), Some(4)));
    assert_eq!((told.served_model.as_deref(), told.fingerprint.as_deref()), (Some("parrot"), Some("avx2")));
    for (user, kind) in [("fail", ErrorKind::Engine), ("panic", ErrorKind::Engine), ("hang", ErrorKind::Timeout)] {
        let mut call = call();
        call.prompt.user = user.to_owned();
        if user == "hang" {
            call.timeout = Duration::from_millis(300);
        }
        assert_eq!(failure(subject.ask(&call).await).kind, kind, "{user}");
    }
}

#[tokio::test]
async fn replay_gives_back_what_was_recorded() {
    let server = Server::answering(document(200, voices()[0].success)).await;
    let recorded: Exchange = super::ask(&spec(Provider::Openai, &server.base_url())).await;
    let mut tape = Tape::default();
    tape.record("coder-7b", &call().prompt, 42, recorded.clone());
    let spec = spec(Provider::Replay, "");
    assert!(matches!(try_open(&spec), Err(OpenError::NoRecordings { .. })));
    let mut surroundings = surroundings(&[]);
    surroundings.recordings = Some(Arc::new(tape));
    let subject = open(&spec, &surroundings).unwrap();
    assert_eq!(subject.ask(&call()).await, recorded);
    let mut other = call();
    other.seed = 43;
    let missing = subject.ask(&other).await;
    assert_eq!(missing.hints, RateHints::default());
    assert_eq!(failure(missing).kind, ErrorKind::BadRequest);
}

#[tokio::test]
async fn a_mole_is_asked_where_it_listens() {
    assert!(matches!(try_open(&spec(Provider::Mole, "")), Err(OpenError::NoMole { .. })));
    let server = Server::answering(document(200, voices()[0].success)).await;
    let mut surroundings = surroundings(&[]);
    surroundings.base_url = Some(server.base_url());
    let mut spec = spec(Provider::Mole, "");
    spec.conduct.api_key_env = None;
    assert_eq!(answer(open(&spec, &surroundings).unwrap().ask(&call()).await).text, "print(1)");
    assert!(!server.only_request().head.contains("authorization"));
}

#[tokio::test]
async fn every_preset_that_ships_can_be_asked() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data/subjects");
    let mut surroundings = surroundings(&[]);
    surroundings.variables = Arc::new(|_: &str| Some("sk-of-a-test-0123456789".to_owned()));
    surroundings.engine = Some(Arc::new(Parrot));
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let preset = turncoat_study::preset::parse(&name, &name, &text).unwrap();
        assert!(text.lines().any(|line| line == format!("id = \"{name}\"")), "{name}: the id is the file's stem");
        for known in [&preset.about.developer, &preset.about.jurisdiction, &preset.about.licence, &preset.model] {
            assert!(known.is_some(), "{name}");
        }
        assert!(preset.about.context.is_some() && !preset.about.notes.is_empty(), "{name}");
        let provider = preset.provider.unwrap();
        let priced =
            preset.price.is_some() || provider.is_free() || preset.about.notes.iter().any(|note| note.starts_with("No price: "));
        assert!(priced, "{name}: a price that is left out is said to be");
        let mut spec = spec(provider, preset.base_url.as_deref().unwrap_or_default());
        spec.endpoint.model = preset.model.unwrap();
        spec.conduct.api_key_env = preset.api_key_env;
        assert!(open(&spec, &surroundings).is_ok(), "{name}");
        seen += 1;
    }
    assert!(seen >= 7, "{seen} presets");
}
