//! Provider `local`: the seam to a model in this process. The engine itself lives elsewhere, since it is heavy and optional.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use serde_json::json;
use turncoat_answer::{Answer, ErrorKind, Finish, Usage};
use turncoat_study::{Prompt, Sampling, SubjectSpec};

use crate::call::{Call, CallFailure, Exchange, RateHints, Subject};
use crate::open::{OpenError, Surroundings};
use crate::reasoning;

/// A model in this process.
pub trait Engine: Send + Sync {
    /// Generates one answer; called on a blocking thread, several at once. Returns early, with any result, once `cancelled` is set.
    ///
    /// # Errors
    /// What went wrong, for people.
    fn generate(&self, prompt: &Prompt, sampling: &Sampling, seed: u32, cancelled: &AtomicBool) -> Result<Generated, String>;
}

/// What an [`Engine`] made.
#[derive(Debug, Clone, PartialEq)]
pub struct Generated {
    /// The text as the model wrote it, special tokens left out.
    pub text: String,
    /// [`Finish::Stop`] or [`Finish::Length`], mostly.
    pub finish: Finish,
    /// Tokens of the rendered prompt.
    pub input_tokens: u64,
    /// Tokens generated.
    pub output_tokens: u64,
    /// The model that ran.
    pub model: String,
    /// What else decides the text: hash of the weights, engine version, CPU features.
    pub fingerprint: Option<String>,
}

/// An [`Engine`] as a [`Subject`].
struct Local {
    engine: Arc<dyn Engine>,
    model: String,
    sampling: Sampling,
}

/// Opens provider `local`.
pub(crate) fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    let engine = surroundings.engine.clone().ok_or_else(|| OpenError::NoEngine { subject: spec.id.clone() })?;
    Ok(Arc::new(Local { engine, model: spec.endpoint.model.clone(), sampling: spec.endpoint.sampling.clone() }))
}

/// Tells the blocking thread to stop when nobody waits for it any more.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

impl Local {
    async fn generate(&self, call: &Call) -> Exchange {
        let request = json!({
            "model": self.model,
            "messages": [{ "role": "system", "content": call.prompt.system }, { "role": "user", "content": call.prompt.user }],
            "sampling": self.sampling,
            "seed": call.seed,
        })
        .to_string()
        .into_bytes();
        let started = Instant::now();
        let guard = CancelOnDrop(Arc::new(AtomicBool::new(false)));
        let (engine, prompt, sampling) = (Arc::clone(&self.engine), call.prompt.clone(), self.sampling.clone());
        let (seed, cancelled) = (call.seed, Arc::clone(&guard.0));
        let work = tokio::task::spawn_blocking(move || engine.generate(&prompt, &sampling, seed, &cancelled));
        let generated = match tokio::time::timeout(call.timeout, work).await {
            Err(_elapsed) => Err(CallFailure::new(
                ErrorKind::Timeout,
                format!("the local model was not done after {} s", call.timeout.as_secs_f64()),
            )),
            Ok(Err(died)) => Err(CallFailure::new(ErrorKind::Engine, format!("the local model's thread died: {died}"))),
            Ok(Ok(Err(message))) => Err(CallFailure::new(ErrorKind::Engine, message)),
            Ok(Ok(Ok(generated))) => Ok(generated),
        };
        let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let response = generated.as_ref().map(|made| made.text.clone().into_bytes()).unwrap_or_default();
        let result = generated.map(|made| answer(made, latency_ms));
        Exchange { request, response, status: None, result, hints: RateHints::default() }
    }
}

/// The answer in what an engine made.
fn answer(made: Generated, latency_ms: u64) -> Answer {
    let (text, reasoning) = match reasoning::split(&made.text) {
        Some((said, thought)) => (said, Some(thought)),
        None => (made.text, None),
    };
    Answer {
        text,
        reasoning,
        tool_calls: Vec::new(),
        finish: made.finish,
        blocked: None,
        usage: Usage { input: Some(made.input_tokens), output: Some(made.output_tokens), ..Usage::default() },
        served_model: Some(made.model),
        fingerprint: made.fingerprint,
        request_id: None,
        latency_ms,
    }
}

impl Subject for Local {
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange> {
        self.generate(call).boxed()
    }
}
