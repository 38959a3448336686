//! Provider `replay`: answers that an earlier study recorded, given back word for word.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use turncoat_answer::ErrorKind;
use turncoat_study::{Prompt, SubjectSpec};

use crate::call::{Call, CallFailure, Exchange, RateHints, Subject};
use crate::open::{OpenError, Surroundings};

/// Where recorded exchanges are found.
pub trait Recordings: Send + Sync {
    /// The exchange recorded for this model, prompt and seed, if there is one.
    fn find(&self, model: &str, call: &Call) -> Option<Exchange>;
}

/// Recordings in memory, by model, messages and seed.
#[derive(Debug, Default)]
pub struct Tape {
    by_call: HashMap<(String, String, String, u32), Exchange>,
}

impl Tape {
    /// Keeps one exchange; a later one for the same call takes its place.
    pub fn record(&mut self, model: &str, prompt: &Prompt, seed: u32, exchange: Exchange) {
        self.by_call.insert(address(model, prompt, seed), exchange);
    }
}

fn address(model: &str, prompt: &Prompt, seed: u32) -> (String, String, String, u32) {
    (model.to_owned(), prompt.system.clone(), prompt.user.clone(), seed)
}

impl Recordings for Tape {
    fn find(&self, model: &str, call: &Call) -> Option<Exchange> {
        self.by_call.get(&address(model, &call.prompt, call.seed)).cloned()
    }
}

/// Recordings as a [`Subject`].
struct Replay {
    recordings: Arc<dyn Recordings>,
    model: String,
}

/// Opens provider `replay`.
pub(crate) fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    let recordings = surroundings.recordings.clone().ok_or_else(|| OpenError::NoRecordings { subject: spec.id.clone() })?;
    Ok(Arc::new(Replay { recordings, model: spec.endpoint.model.clone() }))
}

impl Subject for Replay {
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange> {
        let found = self.recordings.find(&self.model, call).unwrap_or_else(|| Exchange {
            request: Vec::new(),
            response: Vec::new(),
            status: None,
            result: Err(CallFailure::new(
                ErrorKind::BadRequest,
                format!("no answer of `{}` is recorded for this prompt and seed {}", self.model, call.seed),
            )),
            hints: RateHints::default(),
        });
        std::future::ready(found).boxed()
    }
}
