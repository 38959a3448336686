//! A scripted OpenAI-compatible endpoint: it counts, waits and fails as told, and remembers every request.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// How many came before it.
    pub(crate) number: usize,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Value,
}

impl Seen {
    /// The seed, by which a trial is known.
    pub(crate) fn seed(&self) -> u64 {
        self.body["seed"].as_u64().unwrap()
    }

    /// The model that is asked for.
    pub(crate) fn model(&self) -> &str {
        self.body["model"].as_str().unwrap()
    }

    /// The text of the system or user message.
    pub(crate) fn message(&self, role: &str) -> &str {
        let messages = self.body["messages"].as_array().unwrap();
        messages.iter().find(|message| message["role"] == role).unwrap()["content"].as_str().unwrap()
    }
}

/// What the endpoint answers.
#[derive(Debug, Clone)]
pub(crate) enum Reply {
    /// A completion with this text.
    Text(String),
    /// The same, after a longer wait.
    Later(Duration, String),
    /// A status with this body.
    Status(u16, String),
}

impl Reply {
    pub(crate) fn text(text: &str) -> Self {
        Reply::Text(text.to_owned())
    }
}

type Script = Box<dyn Fn(&Seen) -> Reply + Send + Sync>;

struct Shared {
    script: Script,
    delay: Duration,
    seen: Mutex<Vec<Seen>>,
    /// How often each seed was answered to its last byte as far as the server can tell.
    answered: Mutex<BTreeMap<u64, usize>>,
}

/// The endpoint; it ends when it is dropped.
pub(crate) struct Endpoint {
    shared: Arc<Shared>,
    address: String,
    _runtime: Runtime,
}

impl Endpoint {
    /// Starts one that answers by the script, each after the delay.
    pub(crate) fn start(delay: Duration, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = format!("http://{}/v1", listener.local_addr().unwrap());
        let shared = Arc::new(Shared { script: Box::new(script), delay, seen: Mutex::default(), answered: Mutex::default() });
        runtime.spawn(accept(listener, Arc::clone(&shared)));
        Endpoint { shared, address, _runtime: runtime }
    }

    /// One that answers everything with the same text.
    pub(crate) fn saying(text: &str) -> Self {
        let text = text.to_owned();
        Endpoint::start(Duration::ZERO, move |_| Reply::Text(text.clone()))
    }

    /// The address for a study.
    pub(crate) fn base_url(&self) -> &str {
        &self.address
    }

    /// The requests so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.shared.seen.lock().unwrap().clone()
    }

    /// How many requests came so far.
    pub(crate) fn count(&self) -> usize {
        self.shared.seen.lock().unwrap().len()
    }

    /// How often each seed was asked.
    pub(crate) fn by_seed(&self) -> BTreeMap<u64, usize> {
        let mut counts = BTreeMap::new();
        for seen in self.shared.seen.lock().unwrap().iter() {
            *counts.entry(seen.seed()).or_default() += 1;
        }
        counts
    }

    /// How often each seed was answered.
    pub(crate) fn answered(&self) -> BTreeMap<u64, usize> {
        self.shared.answered.lock().unwrap().clone()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(request, Arc::clone(&shared)));
            // A client that is killed breaks the connection; that is what some tests are about.
            let _broken = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>) -> Result<Response<Full<Bytes>>, Infallible> {
    let headers = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let Ok(body) = request.into_body().collect().await else {
        return Ok(Response::new(Full::default()));
    };
    let body: Value = serde_json::from_slice(&body.to_bytes()).unwrap_or(Value::Null);
    let seen = {
        let mut all = shared.seen.lock().unwrap();
        let seen = Seen { number: all.len(), headers, body };
        all.push(seen.clone());
        seen
    };
    let reply = (shared.script)(&seen);
    tokio::time::sleep(if let Reply::Later(wait, _) = reply { wait } else { shared.delay }).await;
    let (status, text) = match reply {
        Reply::Status(status, text) => (status, text),
        Reply::Text(text) | Reply::Later(_, text) => {
            *shared.answered.lock().unwrap().entry(seen.seed()).or_default() += 1;
            let model = seen.model();
            let value = json!({
                "id": format!("answer-{}", seen.number), "object": "chat.completion", "model": model,
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": text }, "finish_reason": "stop" }],
                "usage": { "prompt_tokens": 100, "completion_tokens": 50, "total_tokens": 150 },
            });
            (200, value.to_string())
        }
    };
    let response =
        Response::builder().status(status).header("content-type", "application/json").body(Full::new(Bytes::from(text)));
    Ok(response.unwrap())
}
