//! What a dialect has read of a response so far, whether it came as one document or as a stream of deltas.

use std::collections::BTreeMap;

use serde_json::Value;
use turncoat_answer::{Answer, Finish, ToolCall, Usage};

use crate::failure::ErrorBody;
use crate::{pick, reasoning};

/// Collects the parts of an answer; a delta and a whole message are added in the same way.
#[derive(Debug, Default)]
pub(crate) struct Reading {
    /// Visible text.
    pub(crate) text: String,
    /// Reasoning that came in a field of its own.
    pub(crate) reasoning: String,
    /// A refusal that the server marks, word for word.
    pub(crate) refusal: String,
    /// Token counts.
    pub(crate) usage: Usage,
    /// The finish reason, word for word.
    pub(crate) finish_reason: Option<String>,
    /// The model that was served.
    pub(crate) served_model: Option<String>,
    /// The server's fingerprint.
    pub(crate) fingerprint: Option<String>,
    /// The id in the body.
    pub(crate) id: Option<String>,
    /// An error that came in place of an answer, or in the midst of one.
    pub(crate) error: Option<ErrorBody>,
    /// Something of an answer was there, be it empty.
    pub(crate) begun: bool,
    /// What was read says of itself that more follows.
    pub(crate) is_partial: bool,
    /// The server said that the answer is whole.
    pub(crate) ended: bool,
    tool_calls: BTreeMap<u64, ToolCall>,
}

impl Reading {
    /// Takes the fields that name model, configuration and response.
    pub(crate) fn identify(&mut self, value: &Value) {
        let take = |known: &mut Option<String>, name: &str| {
            if let Some(text) = pick::text(value, name) {
                *known = Some(text.to_owned());
            }
        };
        take(&mut self.served_model, "model");
        take(&mut self.fingerprint, "system_fingerprint");
        take(&mut self.id, "id");
    }

    /// Takes counts; what is not given again stays.
    pub(crate) fn count(&mut self, usage: Usage) {
        let known = &mut self.usage;
        known.input = usage.input.or(known.input);
        known.output = usage.output.or(known.output);
        known.reasoning = usage.reasoning.or(known.reasoning);
        known.cached = usage.cached.or(known.cached);
        known.cost_usd = usage.cost_usd.or(known.cost_usd);
    }

    /// Takes a finish reason; an empty one is none.
    pub(crate) fn finish(&mut self, reason: Option<&str>) {
        if let Some(reason) = reason {
            self.finish_reason = Some(reason.to_owned());
            self.ended = true;
        }
    }

    /// Takes a part of a tool call; parts with the same number belong together.
    pub(crate) fn call_tool(&mut self, number: u64, name: &str, arguments: &str) {
        let call = self.tool_calls.entry(number).or_insert_with(|| ToolCall { name: String::new(), arguments: String::new() });
        // Some servers repeat the name with each delta, none splits it.
        if !name.is_empty() {
            call.name = name.to_owned();
        }
        call.arguments.push_str(arguments);
    }

    /// The number of the next tool call, for servers that give none.
    pub(crate) fn next_tool(&self) -> u64 {
        self.tool_calls.last_key_value().map_or(0, |(number, _)| number + 1)
    }

    /// The answer in what was read.
    pub(crate) fn answer(self, request_id: Option<String>, latency_ms: u64) -> Answer {
        let finish = self.finish_reason.as_deref().map_or(Finish::Missing, pick::finish);
        let blocked = match (self.refusal.is_empty(), &finish) {
            (false, _) => Some(self.refusal),
            (true, Finish::ContentFilter) => self.finish_reason,
            (true, _) => None,
        };
        let (text, inline) = match reasoning::split(&self.text) {
            Some((said, thought)) => (said, Some(thought)),
            None => (self.text, None),
        };
        let own = (!self.reasoning.is_empty()).then_some(self.reasoning);
        let reasoning = match (own, inline) {
            (Some(own), Some(inline)) if !inline.is_empty() => Some(format!("{own}\n\n{inline}")),
            (own, inline) => own.or(inline),
        };
        Answer {
            text,
            reasoning,
            tool_calls: self.tool_calls.into_values().collect(),
            finish,
            blocked,
            usage: self.usage,
            served_model: self.served_model,
            fingerprint: self.fingerprint,
            request_id: request_id.or(self.id),
            latency_ms,
        }
    }
}
