//! Dialect `anthropic`: the Messages API.

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
pub(crate) struct Anthropic;

/// Opens provider `anthropic`.
pub(crate) fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    wire::open(Anthropic, spec, surroundings)
}

impl Dialect for Anthropic {
    fn path(&self) -> &'static str {
        "/messages"
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (HeaderName::from_static("x-api-key"), key.to_owned())
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn protected(&self) -> &'static [&'static str] {
        &["model", "messages", "system"]
    }

    fn optional(&self) -> &'static [&'static str] {
        &["temperature", "top_p", "top_k", "stop_sequences", "stream"]
    }

    fn body(&self, endpoint: &Endpoint, call: &Call) -> Map<String, Value> {
        let sampling = &endpoint.sampling;
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", json!(endpoint.model));
        set("max_tokens", sampling.max_tokens.into());
        set("system", json!(call.prompt.system));
        set("messages", json!([{ "role": "user", "content": call.prompt.user }]));
        for (name, value) in [
            ("temperature", sampling.temperature.map(Value::from)),
            // Newer models refuse both at once, so the nucleus goes out only without a temperature.
            ("top_p", sampling.top_p.filter(|_| sampling.temperature.is_none()).map(Value::from)),
            ("top_k", sampling.top_k.map(Value::from)),
            ("stop_sequences", (!sampling.stop.is_empty()).then(|| json!(sampling.stop))),
            ("stream", Some(endpoint.stream.into())),
        ] {
            if let Some(value) = value {
                set(name, value);
            }
        }
        body
    }

    fn read(&self, value: &Value, reading: &mut Reading) {
        match pick::text(value, "type") {
            Some("error") => reading.error = Some(ErrorBody::from_value(value)),
            Some("message_start") => {
                if let Some(message) = pick::field(value, "message") {
                    read_message(message, reading);
                }
            }
            Some("content_block_start") => {
                if let Some(block) = pick::field(value, "content_block") {
                    read_block(pick::count(value, "index").unwrap_or_default(), block, reading);
                }
            }
            Some("content_block_delta") => {
                if let Some(delta) = pick::field(value, "delta") {
                    read_delta(pick::count(value, "index").unwrap_or_default(), delta, reading);
                }
            }
            Some("message_delta") => {
                if let Some(counts) = pick::field(value, "usage") {
                    reading.count(usage(counts));
                }
                if let Some(delta) = pick::field(value, "delta") {
                    read_stop(delta, reading);
                }
            }
            Some("message_stop") => reading.ended = reading.begun,
            Some("ping") => {}
            // The whole message, or whatever a compatible server puts in its place.
            _ => read_message(value, reading),
        }
    }
}

fn read_message(message: &Value, reading: &mut Reading) {
    reading.identify(message);
    if let Some(counts) = pick::field(message, "usage") {
        reading.count(usage(counts));
    }
    match message.get("content") {
        Some(Value::Array(blocks)) => {
            reading.begun = true;
            blocks.iter().zip(0..).for_each(|(block, index)| read_block(index, block, reading));
        }
        Some(Value::String(text)) => {
            reading.begun = true;
            reading.text.push_str(text);
        }
        // A message that is empty but for its stop reason is an answer still.
        _ => reading.begun |= pick::text(message, "type") == Some("message") || pick::text(message, "stop_reason").is_some(),
    }
    read_stop(message, reading);
    if pick::field(message, "error").is_some() {
        reading.error = Some(ErrorBody::from_value(message));
    }
}

fn read_block(index: u64, block: &Value, reading: &mut Reading) {
    match pick::text(block, "type") {
        Some("thinking") => reading.reasoning.push_str(pick::text(block, "thinking").unwrap_or_default()),
        Some("tool_use") => {
            // A stream opens the call with an empty input and sends its text in deltas.
            let input = block.get("input").filter(|input| input.as_object().is_none_or(|fields| !fields.is_empty()));
            reading.call_tool(index, pick::text(block, "name").unwrap_or_default(), &pick::text_or_json(input));
        }
        Some("text") | None => reading.text.push_str(pick::text(block, "text").unwrap_or_default()),
        // Redacted thinking, server tools and what is yet to come: nothing to read, kept in the bytes.
        Some(_) => {}
    }
}

fn read_delta(index: u64, delta: &Value, reading: &mut Reading) {
    match pick::text(delta, "type") {
        Some("thinking_delta") => reading.reasoning.push_str(pick::text(delta, "thinking").unwrap_or_default()),
        Some("input_json_delta") => reading.call_tool(index, "", pick::text(delta, "partial_json").unwrap_or_default()),
        Some("text_delta") | None => reading.text.push_str(pick::text(delta, "text").unwrap_or_default()),
        Some(_) => {}
    }
}

fn read_stop(value: &Value, reading: &mut Reading) {
    let reason = pick::text(value, "stop_reason");
    reading.finish(reason);
    if reason == Some("refusal")
        && let Some(words) = value.pointer("/stop_details/explanation").and_then(Value::as_str)
    {
        words.clone_into(&mut reading.refusal);
    }
}

/// Counts; `input_tokens` leaves out what the cache held, so that is added. A zero is a placeholder of a stream's first event.
fn usage(counts: &Value) -> Usage {
    let some = |name: &str| pick::count(counts, name).filter(|count| *count > 0);
    let parts = [some("input_tokens"), some("cache_read_input_tokens"), some("cache_creation_input_tokens")];
    Usage {
        input: parts.iter().flatten().copied().reduce(u64::saturating_add),
        output: some("output_tokens"),
        reasoning: None,
        cached: some("cache_read_input_tokens"),
        cost_usd: None,
    }
}
