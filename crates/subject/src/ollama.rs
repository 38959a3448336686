//! Dialect `ollama`: the native `/api/chat`, the one way to tell Ollama how long a context it is to keep.

use std::sync::Arc;

use http::HeaderName;
use serde_json::{Map, Value, json};
use turncoat_answer::Usage;
use turncoat_study::{Endpoint, SubjectSpec};

use crate::call::{Call, Subject};
use crate::failure::ErrorBody;
use crate::open::{OpenError, Surroundings};
use crate::pick;
use crate::reading::Reading;
use crate::wire::{self, Dialect};

/// The dialect.
pub(crate) struct Ollama;

/// Opens provider `ollama`.
pub(crate) fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    wire::open(Ollama, spec, surroundings)
}

/// Our names of sampling fields and Ollama's.
const NAMES: [(&str, &str); 3] =
    [("context", "num_ctx"), ("max_tokens", "num_predict"), ("repetition_penalty", "repeat_penalty")];

impl Dialect for Ollama {
    fn path(&self) -> &'static str {
        "/api/chat"
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (http::header::AUTHORIZATION, format!("Bearer {key}"))
    }

    fn protected(&self) -> &'static [&'static str] {
        &["model", "messages"]
    }

    fn optional(&self) -> &'static [&'static str] {
        &[
            "temperature",
            "top_p",
            "top_k",
            "repetition_penalty",
            "repeat_penalty",
            "max_tokens",
            "num_predict",
            "context",
            "num_ctx",
            "seed",
            "stop",
        ]
    }

    fn body(&self, endpoint: &Endpoint, call: &Call) -> Map<String, Value> {
        let sampling = &endpoint.sampling;
        let mut options = Map::new();
        for (name, value) in [
            ("num_ctx", sampling.context.map(Value::from)),
            ("num_predict", Some(sampling.max_tokens.into())),
            ("temperature", sampling.temperature.map(Value::from)),
            ("top_p", sampling.top_p.map(Value::from)),
            ("top_k", sampling.top_k.map(Value::from)),
            ("repeat_penalty", sampling.repetition_penalty.map(Value::from)),
            ("seed", Some(call.seed.into())),
            ("stop", (!sampling.stop.is_empty()).then(|| json!(sampling.stop))),
        ] {
            if let Some(value) = value {
                options.insert(name.to_owned(), value);
            }
        }
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", json!(endpoint.model));
        set(
            "messages",
            json!([{ "role": "system", "content": call.prompt.system }, { "role": "user", "content": call.prompt.user }]),
        );
        // Ollama streams unless told otherwise.
        set("stream", endpoint.stream.into());
        set("options", Value::Object(options));
        body
    }

    fn omit(&self, body: &mut Map<String, Value>, field: &str) {
        let name = NAMES.iter().find(|(ours, _)| *ours == field).map_or(field, |(_, theirs)| theirs);
        if let Some(Value::Object(options)) = body.get_mut("options") {
            options.shift_remove(name);
        }
    }

    fn read(&self, value: &Value, reading: &mut Reading) {
        reading.identify(value);
        if pick::field(value, "error").is_some() {
            reading.error = Some(ErrorBody::from_value(value));
        }
        if let Some(message) = pick::field(value, "message") {
            reading.begun = true;
            reading.text.push_str(pick::text(message, "content").unwrap_or_default());
            reading.reasoning.push_str(pick::text(message, "thinking").unwrap_or_default());
            let calls = message.get("tool_calls").and_then(Value::as_array);
            for call in calls.into_iter().flatten() {
                let function = call.get("function").unwrap_or(call);
                let name = pick::text(function, "name").unwrap_or_default();
                reading.call_tool(reading.next_tool(), name, &pick::text_or_json(function.get("arguments")));
            }
        }
        reading.count(Usage {
            input: pick::count(value, "prompt_eval_count"),
            output: pick::count(value, "eval_count"),
            ..Usage::default()
        });
        match value.get("done").and_then(Value::as_bool) {
            Some(true) => {
                reading.finish(pick::text(value, "done_reason"));
                reading.ended = reading.begun;
            }
            Some(false) => reading.is_partial = true,
            None => {}
        }
    }
}
