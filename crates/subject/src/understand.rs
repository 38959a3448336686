//! What a response amounts to: the answer in it, or why there is none, whole or broken off.

use std::time::SystemTime;

use http::HeaderMap;
use serde_json::Value;
use turncoat_answer::{Answer, ErrorKind, Finish};

use crate::call::CallFailure;
use crate::failure::{ErrorBody, Meaning};
use crate::lenient::{self, NoJson};
use crate::reading::Reading;
use crate::wire::Dialect;
use crate::{limits, pick, sse};

/// Where servers put the id of a request.
const ID_HEADERS: [&str; 4] = ["x-request-id", "request-id", "x-amzn-requestid", "cf-ray"];

/// The head of a response.
pub(crate) struct Head {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
}

/// A response as far as it came.
pub(crate) struct Arrived<'a> {
    /// Its head.
    pub(crate) head: &'a Head,
    /// Its body, perhaps cut.
    pub(crate) body: &'a [u8],
    /// Why the transfer ended early, if it did.
    pub(crate) broken: Option<CallFailure>,
    /// From sending to the last byte, in milliseconds.
    pub(crate) latency_ms: u64,
    /// The present time, for waits that are given as dates.
    pub(crate) now: SystemTime,
}

impl Arrived<'_> {
    /// Reads the response.
    pub(crate) fn understand<D: Dialect>(self, dialect: &D) -> Result<Answer, CallFailure> {
        if (200..300).contains(&self.head.status) { self.success(dialect) } else { self.error() }
    }

    /// Understands a 2xx response, whole or broken.
    fn success<D: Dialect>(self, dialect: &D) -> Result<Answer, CallFailure> {
        let Arrived { head, body, broken, latency_ms, now } = self;
        let broken = match broken {
            Some(failure) if failure.kind == ErrorKind::TooLarge => return Err(failure),
            other => other,
        };
        let mut reading = Reading::default();
        let form = read_body(dialect, body, &mut reading);
        if !ended_well(&reading)
            && let Some(error) = reading.error.take()
        {
            match error.meaning(head.status) {
                Meaning::Failed(kind) => {
                    let retry_after = limits::retry_after(&head.headers, &error.message, now);
                    let message = format!("the server answered {} with an error: {}", head.status, error.message);
                    return Err(CallFailure { kind, message, retry_after });
                }
                Meaning::Blocked(words) => {
                    reading.refusal = words;
                    reading.finish(Some("content_filter"));
                    reading.begun = true;
                }
            }
        }
        let whole = match form {
            Form::Document => !reading.is_partial || reading.ended,
            Form::Stream => reading.ended,
            Form::CutShort => false,
            Form::Garbage => return Err(broken.unwrap_or_else(|| malformed(&head.headers, body))),
        };
        if !whole {
            let early = || {
                CallFailure::new(
                    ErrorKind::Broken,
                    format!("the response ended before the answer was whole ({} bytes came)", body.len()),
                )
            };
            return Err(broken.unwrap_or_else(early));
        }
        if !reading.begun {
            return Err(broken.unwrap_or_else(|| malformed(&head.headers, body)));
        }
        Ok(reading.answer(request_id(&head.headers), latency_ms))
    }

    /// Understands a response that is no 2xx; whether it came whole makes no difference.
    fn error(self) -> Result<Answer, CallFailure> {
        let Arrived { head, body, latency_ms, now, .. } = self;
        let error = ErrorBody::read(body);
        match error.meaning(head.status) {
            Meaning::Blocked(words) => {
                let mut reading = Reading::default();
                reading.refusal = words;
                reading.finish(Some("content_filter"));
                Ok(reading.answer(request_id(&head.headers), latency_ms))
            }
            Meaning::Failed(kind) => {
                let place = head.headers.get(http::header::LOCATION).and_then(|place| place.to_str().ok());
                let message = match place.filter(|_| (300..400).contains(&head.status)) {
                    Some(place) => format!(
                        "the server answered {} and points to {place}; redirects are not followed: set `base_url` there",
                        head.status
                    ),
                    None => format!("the server answered {}: {}", head.status, error.message),
                };
                let retry_after = limits::retry_after(&head.headers, &error.message, now);
                Err(CallFailure { kind, message, retry_after })
            }
        }
    }
}

/// The shape of a body.
enum Form {
    /// One JSON document.
    Document,
    /// Events or lines.
    Stream,
    /// A document without its end.
    CutShort,
    /// Neither.
    Garbage,
}

/// Reads a body by what it is, not by what was asked for or what its content type says.
fn read_body<D: Dialect>(dialect: &D, body: &[u8], reading: &mut Reading) -> Form {
    if sse::is_stream(body) {
        for event in sse::split(body) {
            let data = event.data.trim();
            if data == "[DONE]" {
                reading.ended = reading.begun;
            } else if let Ok(value) = lenient::parse(data.as_bytes()) {
                dialect.read(&value, reading);
                if event.name.as_deref() == Some("error") && reading.error.is_none() {
                    reading.error = Some(ErrorBody::from_value(&value));
                }
            }
        }
        return Form::Stream;
    }
    let no_json = match lenient::parse(body) {
        Ok(value) => {
            dialect.read(&value, reading);
            return Form::Document;
        }
        Err(no_json) => no_json,
    };
    let mut lines = body.split(|byte| *byte == b'\n').filter(|line| !line.trim_ascii().is_empty()).map(lenient::parse).peekable();
    if matches!(lines.peek(), Some(Ok(Value::Object(_)))) {
        lines.flatten().for_each(|value| dialect.read(&value, reading));
        return Form::Stream;
    }
    match no_json {
        NoJson::CutShort => Form::CutShort,
        NoJson::Garbage => Form::Garbage,
    }
}

/// Whether the answer came to a proper end, so that an error beside it says nothing about it.
fn ended_well(reading: &Reading) -> bool {
    let reason = reading.finish_reason.as_deref().map(pick::finish);
    matches!(reason, Some(Finish::Stop | Finish::Length | Finish::ToolCalls | Finish::ContentFilter))
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    ID_HEADERS.iter().find_map(|name| Some(headers.get(*name)?.to_str().ok()?.to_owned()))
}

fn malformed(headers: &HeaderMap, body: &[u8]) -> CallFailure {
    let kind = headers.get(http::header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or("of no stated type");
    let start: String = String::from_utf8_lossy(body).chars().take(120).collect();
    CallFailure::new(
        ErrorKind::Malformed,
        format!("the response ({kind}, {} bytes) holds no answer; it begins with {start:?}", body.len()),
    )
}

#[cfg(test)]
mod tests;
