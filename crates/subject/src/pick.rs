//! Picking values out of other people's JSON: a wrong type is an absent value, never an error.

use serde_json::Value;
use turncoat_answer::Finish;

/// The field, unless it is absent or null.
pub(crate) fn field<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.get(name).filter(|found| !found.is_null())
}

/// A string field that holds something.
pub(crate) fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name)?.as_str().filter(|found| !found.is_empty())
}

/// A string, or anything else as JSON text; absent values give nothing.
pub(crate) fn text_or_json(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// A count: a number or a number in quotes, rounded; negative ones are none.
pub(crate) fn count(value: &Value, name: &str) -> Option<u64> {
    let field = value.get(name)?;
    if let Some(whole) = field.as_u64() {
        return Some(whole);
    }
    let amount = amount(value, name)?;
    // The bound keeps the conversion exact: no server counts beyond 2^53.
    (0.0..9.0e15).contains(&amount).then_some(amount.round() as u64)
}

/// A finite number, or one in quotes.
pub(crate) fn amount(value: &Value, name: &str) -> Option<f64> {
    let amount = match value.get(name)? {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    amount.is_finite().then_some(amount)
}

/// A finish reason of any dialect.
pub(crate) fn finish(reason: &str) -> Finish {
    match reason.to_ascii_lowercase().as_str() {
        "" => Finish::Missing,
        "stop" | "end_turn" | "stop_sequence" | "eos" | "eos_token" | "end" | "complete" | "completed" => Finish::Stop,
        "length" | "max_tokens" | "max_output_tokens" | "model_context_window_exceeded" => Finish::Length,
        "content_filter" | "refusal" | "safety" | "sensitive" => Finish::ContentFilter,
        "tool_calls" | "tool_call" | "tool_use" | "function_call" => Finish::ToolCalls,
        _ => Finish::Other(reason.to_owned()),
    }
}
