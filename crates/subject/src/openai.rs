//! Dialect `openai`: chat completions, as spoken by OpenAI, vLLM, SGLang, llama.cpp, OpenRouter and most vendors; the mole speaks it too.

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
pub(crate) struct Openai;

/// Opens provider `openai`.
pub(crate) fn open(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    wire::open(Openai, spec, surroundings)
}

/// Opens provider `mole`, which must be running.
pub(crate) fn open_mole(spec: &SubjectSpec, surroundings: &Surroundings) -> Result<Arc<dyn Subject>, OpenError> {
    if surroundings.base_url.is_none() && spec.endpoint.base_url.is_empty() {
        return Err(OpenError::NoMole { subject: spec.id.clone() });
    }
    wire::open(Openai, spec, surroundings)
}

impl Dialect for Openai {
    fn path(&self) -> &'static str {
        "/chat/completions"
    }

    fn key_header(&self, key: &str) -> (HeaderName, String) {
        (http::header::AUTHORIZATION, format!("Bearer {key}"))
    }

    fn protected(&self) -> &'static [&'static str] {
        &["model", "messages"]
    }

    fn optional(&self) -> &'static [&'static str] {
        &["temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "seed", "stop", "stream", "stream_options"]
    }

    fn body(&self, endpoint: &Endpoint, call: &Call) -> Map<String, Value> {
        let sampling = &endpoint.sampling;
        let mut body = Map::new();
        let mut set = |name: &str, value: Value| body.insert(name.to_owned(), value);
        set("model", json!(endpoint.model));
        set(
            "messages",
            json!([{ "role": "system", "content": call.prompt.system }, { "role": "user", "content": call.prompt.user }]),
        );
        for (name, value) in [
            ("temperature", sampling.temperature.map(Value::from)),
            ("top_p", sampling.top_p.map(Value::from)),
            ("top_k", sampling.top_k.map(Value::from)),
            ("repetition_penalty", sampling.repetition_penalty.map(Value::from)),
            ("max_tokens", Some(sampling.max_tokens.into())),
            ("seed", Some(call.seed.into())),
            ("stop", (!sampling.stop.is_empty()).then(|| json!(sampling.stop))),
            ("stream", Some(endpoint.stream.into())),
            // Without it most servers leave the usage out of a stream.
            ("stream_options", endpoint.stream.then(|| json!({ "include_usage": true }))),
        ] {
            if let Some(value) = value {
                set(name, value);
            }
        }
        body
    }

    fn read(&self, value: &Value, reading: &mut Reading) {
        reading.identify(value);
        if let Some(counts) = pick::field(value, "usage") {
            reading.count(usage(counts));
        }
        if let Some(error) = error_in(value) {
            reading.error = Some(error);
        }
        for flag in ["input_sensitive", "output_sensitive"] {
            if value.get(flag).and_then(Value::as_bool) == Some(true) && reading.refusal.is_empty() {
                flag.clone_into(&mut reading.refusal);
                reading.begun = true;
            }
        }
        let choices = value.get("choices").and_then(Value::as_array);
        for choice in choices.into_iter().flatten().filter(|choice| pick::count(choice, "index").unwrap_or(0) == 0) {
            reading.begun = true;
            read_choice(choice, reading);
        }
    }
}

/// An error in the place of an answer, or beside one.
fn error_in(value: &Value) -> Option<ErrorBody> {
    let is_error = |found: &&Value| match found {
        Value::String(text) => !text.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => false,
    };
    if pick::field(value, "error").filter(is_error).is_some() {
        return Some(ErrorBody::from_value(value));
    }
    // vLLM and its kin: `{"object": "error", "message": .., "code": ..}`.
    if pick::text(value, "object") == Some("error") {
        return Some(ErrorBody::from_value(value));
    }
    // MiniMax: every response carries a `base_resp`, whose code is 0 where all is well.
    let base = pick::field(value, "base_resp")?;
    (pick::count(base, "status_code")? != 0).then(|| ErrorBody::from_value(base))
}

fn read_choice(choice: &Value, reading: &mut Reading) {
    let delta = pick::field(choice, "delta").filter(|delta| delta.as_object().is_some_and(|fields| !fields.is_empty()));
    // Some servers end a stream with the whole message again.
    let message = pick::field(choice, "message").filter(|_| reading.text.is_empty() && reading.reasoning.is_empty());
    if let Some(message) = delta.or(message) {
        read_message(message, reading);
    } else if let Some(text) = pick::text(choice, "text") {
        reading.text.push_str(text);
    }
    if let Some(error) = pick::field(choice, "error") {
        reading.error = Some(ErrorBody::from_value(error));
    }
    reading.finish(pick::text(choice, "finish_reason"));
}

fn read_message(message: &Value, reading: &mut Reading) {
    match message.get("content") {
        Some(Value::String(text)) => reading.text.push_str(text),
        Some(Value::Array(parts)) => parts.iter().for_each(|part| read_part(part, reading)),
        Some(part @ Value::Object(_)) => read_part(part, reading),
        _ => {}
    }
    // One of these, and where a server sends two they say the same.
    if let Some(thought) = ["reasoning_content", "reasoning", "thinking"].iter().find_map(|name| pick::text(message, name)) {
        reading.reasoning.push_str(thought);
    } else if let Some(details) = message.get("reasoning_details").and_then(Value::as_array) {
        let texts = details.iter().filter_map(|detail| pick::text(detail, "text").or_else(|| pick::text(detail, "summary")));
        texts.for_each(|thought| reading.reasoning.push_str(thought));
    }
    if let Some(refusal) = pick::text(message, "refusal") {
        reading.refusal.push_str(refusal);
    }
    let calls = message.get("tool_calls").and_then(Value::as_array);
    for call in calls.into_iter().flatten() {
        let function = call.get("function").unwrap_or(call);
        let number = pick::count(call, "index").unwrap_or_else(|| match pick::text(call, "id") {
            // A delta without number and id goes on with the last call.
            None if pick::text(function, "name").is_none() => reading.next_tool().saturating_sub(1),
            _ => reading.next_tool(),
        });
        let name = pick::text(function, "name").unwrap_or_default();
        reading.call_tool(number, name, &pick::text_or_json(function.get("arguments")));
    }
    if let Some(function) = pick::field(message, "function_call") {
        let name = pick::text(function, "name").unwrap_or_default();
        reading.call_tool(0, name, &pick::text_or_json(function.get("arguments")));
    }
}

/// A part of a message whose content is a list.
fn read_part(part: &Value, reading: &mut Reading) {
    match part {
        Value::String(text) => reading.text.push_str(text),
        _ => match pick::text(part, "type").unwrap_or("text") {
            "thinking" | "reasoning" => match part.get("thinking").or_else(|| part.get("text")) {
                Some(Value::Array(inner)) => {
                    inner
                        .iter()
                        .filter_map(|inner| pick::text(inner, "text"))
                        .for_each(|thought| reading.reasoning.push_str(thought));
                }
                thought => reading.reasoning.push_str(thought.and_then(Value::as_str).unwrap_or_default()),
            },
            "refusal" => reading.refusal.push_str(pick::text(part, "refusal").unwrap_or_default()),
            _ => reading.text.push_str(pick::text(part, "text").unwrap_or_default()),
        },
    }
}

fn usage(counts: &Value) -> Usage {
    let nested = |outer: &str, inner: &str| pick::count(counts.get(outer)?, inner);
    Usage {
        input: pick::count(counts, "prompt_tokens").or_else(|| pick::count(counts, "input_tokens")),
        output: pick::count(counts, "completion_tokens").or_else(|| pick::count(counts, "output_tokens")),
        reasoning: nested("completion_tokens_details", "reasoning_tokens"),
        cached: nested("prompt_tokens_details", "cached_tokens").or_else(|| pick::count(counts, "prompt_cache_hit_tokens")),
        cost_usd: pick::amount(counts, "cost"),
    }
}
