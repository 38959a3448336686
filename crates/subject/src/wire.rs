//! One request over HTTP, whatever the dialect: sent, read to its end or its break, and understood.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use reqwest::Url;
use serde_json::{Map, Value};
use turncoat_answer::{Answer, ErrorKind};
use turncoat_study::{Endpoint, SubjectSpec};

use crate::call::{Call, CallFailure, Exchange, RateHints, Subject};
use crate::cut::CutCheck;
use crate::limits;
use crate::open::{OpenError, Surroundings};
use crate::reading::Reading;
use crate::understand::{Arrived, Head};
use crate::web::{self, Web};

/// Most bytes of a response that are read; the longest answers known stay far below, even as a stream.
const BODY_LIMIT: usize = 32 << 20;
/// A key shorter than this is a placeholder such as `none`, too common a word to be taken out of texts.
const SHORTEST_SECRET: usize = 8;
/// Headers that the wire sets itself, or that would put a key into the study file.
const OWN_HEADERS: [&str; 8] = [
    "authorization",
    "x-api-key",
    "api-key",
    "proxy-authorization",
    "host",
    "content-length",
    "content-type",
    "transfer-encoding",
];

/// What tells one dialect from another.
pub(crate) trait Dialect: Send + Sync + 'static {
    /// The path that follows the base address, with a leading slash.
    fn path(&self) -> &'static str;
    /// The header that carries a key.
    fn key_header(&self, key: &str) -> (HeaderName, String);
    /// Headers of every request.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }
    /// Body fields that name the model or the messages: neither to be omitted nor overridden.
    fn protected(&self) -> &'static [&'static str];
    /// Body fields that `omit` may name.
    fn optional(&self) -> &'static [&'static str];
    /// The request body, everything declared included.
    fn body(&self, endpoint: &Endpoint, call: &Call) -> Map<String, Value>;
    /// Takes one of [`Dialect::optional`] out of a body.
    fn omit(&self, body: &mut Map<String, Value>, field: &str) {
        body.shift_remove(field);
    }
    /// Reads a whole document, one event's data or one line of a stream.
    fn read(&self, value: &Value, reading: &mut Reading);
}

/// A subject that is reached over HTTP.
struct Http<D> {
    dialect: D,
    web: Web,
    url: Url,
    headers: HeaderMap,
    key: Option<String>,
    endpoint: Endpoint,
    cut: CutCheck,
}

/// Opens a subject of one dialect.
pub(crate) fn open<D: Dialect>(
    dialect: D,
    spec: &SubjectSpec,
    surroundings: &Surroundings,
) -> Result<Arc<dyn Subject>, OpenError> {
    let subject = || spec.id.clone();
    let base_url = surroundings.base_url.as_ref().unwrap_or(&spec.endpoint.base_url);
    let url = address(base_url, dialect.path()).map_err(|reason| OpenError::BadAddress {
        subject: subject(),
        base_url: base_url.clone(),
        reason,
    })?;
    if url.scheme() == "https"
        && let Some(reason) = &surroundings.web.without_authorities
    {
        return Err(OpenError::NoAuthorities { subject: subject(), reason: reason.to_string() });
    }
    check_body(&dialect, spec)?;
    let mut headers = own_headers(&dialect, spec)?;
    let key = match &spec.conduct.api_key_env {
        None => None,
        Some(variable) => {
            let key = (surroundings.variables)(variable).map(|key| key.trim().to_owned()).filter(|key| !key.is_empty());
            Some(key.ok_or_else(|| OpenError::MissingKey { subject: subject(), variable: variable.clone() })?)
        }
    };
    if let Some(key) = &key {
        let (name, value) = dialect.key_header(key);
        let mut value = HeaderValue::from_str(&value).map_err(|_invalid| OpenError::BadKey {
            subject: subject(),
            variable: spec.conduct.api_key_env.clone().unwrap_or_default(),
        })?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(Arc::new(Http {
        dialect,
        web: surroundings.web.clone(),
        url,
        headers,
        key,
        endpoint: spec.endpoint.clone(),
        cut: CutCheck::default(),
    }))
}

/// The base address with the dialect's path; a query (`?api-version=..`) stays.
fn address(base_url: &str, path: &str) -> Result<Url, String> {
    let mut url = Url::parse(base_url.trim()).map_err(|error| error.to_string())?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the scheme is `{}`", url.scheme()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("it holds a user name or password; keys belong into the variable that `api_key_env` names".to_owned());
    }
    let whole = format!("{}{path}", url.path().trim_end_matches('/'));
    url.set_path(&whole);
    Ok(url)
}

fn check_body<D: Dialect>(dialect: &D, spec: &SubjectSpec) -> Result<(), OpenError> {
    let bad = |reason: String| OpenError::BadBody { subject: spec.id.clone(), reason };
    let (protected, optional) = (dialect.protected(), dialect.optional());
    if let Some(field) = spec.endpoint.omit.iter().find(|field| !optional.contains(&field.as_str())) {
        return Err(bad(format!("`omit` names `{field}`; what can be left out is {}", optional.join(", "))));
    }
    match &spec.endpoint.extra_body {
        None => Ok(()),
        Some(Value::Object(fields)) => match fields.keys().find(|field| protected.contains(&field.as_str())) {
            Some(field) => Err(bad(format!("`extra_body` sets `{field}`, which the study itself decides; take it out"))),
            None => Ok(()),
        },
        Some(_) => Err(bad("`extra_body` is no table".to_owned())),
    }
}

fn own_headers<D: Dialect>(dialect: &D, spec: &SubjectSpec) -> Result<HeaderMap, OpenError> {
    let mut headers = HeaderMap::new();
    headers.insert(http::header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(http::header::ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
    for (name, value) in dialect.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in &spec.endpoint.headers {
        let bad =
            |reason: &str| OpenError::BadHeader { subject: spec.id.clone(), header: name.clone(), reason: reason.to_owned() };
        if OWN_HEADERS.contains(&name.to_ascii_lowercase().as_str()) {
            return Err(bad(
                "cannot be set here: keys belong into the variable that `api_key_env` names, the rest is set by the dialect",
            ));
        }
        let parsed = HeaderName::from_bytes(name.as_bytes()).map_err(|_invalid| bad("is no header name"))?;
        let value = HeaderValue::from_str(value).map_err(|_invalid| bad("holds a character that no header may hold"))?;
        headers.insert(parsed, value);
    }
    Ok(headers)
}

impl<D: Dialect> Http<D> {
    async fn exchange(&self, call: &Call) -> Exchange {
        let request = self.request_body(call);
        let mut outgoing = reqwest::Request::new(Method::POST, self.url.clone());
        *outgoing.headers_mut() = self.headers.clone();
        *outgoing.body_mut() = Some(request.clone().into());
        let started = Instant::now();
        let (mut head, mut response) = (None, Vec::new());
        // What came stays in `head` and `response` even where the transfer is given up.
        let transfer = self.transfer(outgoing, &mut head, &mut response);
        let transport = tokio::time::timeout(call.timeout, transfer).await;
        let transport = transport.unwrap_or_else(|_elapsed| Err(timed_out(call.timeout)));
        let latency_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(key) = &self.key {
            conceal(&mut response, key);
        }
        let Some(head) = head else {
            let failure = transport.err().unwrap_or_else(|| CallFailure::new(ErrorKind::Broken, "no response came"));
            return Exchange { request, response, status: None, result: Err(failure), hints: RateHints::default() };
        };
        let now = SystemTime::now();
        let arrived = Arrived { head: &head, body: &response, broken: transport.err(), latency_ms, now };
        let result = arrived.understand(&self.dialect).and_then(|answer| self.uncut(answer, call));
        let result = result.map_err(|failure| self.without_key(failure));
        Exchange { request, response, status: Some(head.status), result, hints: limits::hints(&head.headers, now) }
    }

    fn request_body(&self, call: &Call) -> Vec<u8> {
        let mut body = self.dialect.body(&self.endpoint, call);
        for field in &self.endpoint.omit {
            self.dialect.omit(&mut body, field);
        }
        if let Some(Value::Object(extra)) = &self.endpoint.extra_body {
            merge(&mut body, extra);
        }
        Value::Object(body).to_string().into_bytes()
    }

    async fn transfer(&self, request: reqwest::Request, head: &mut Option<Head>, body: &mut Vec<u8>) -> Result<(), CallFailure> {
        let mut response = self.web.send(request).await.map_err(broken)?;
        *head = Some(Head { status: response.status().as_u16(), headers: std::mem::take(response.headers_mut()) });
        while let Some(piece) = response.chunk().await.map_err(broken)? {
            let room = BODY_LIMIT - body.len();
            body.extend_from_slice(piece.get(..room).unwrap_or(&piece));
            if piece.len() > room {
                let message = format!("the response is larger than the {} MiB that are read", BODY_LIMIT >> 20);
                return Err(CallFailure::new(ErrorKind::TooLarge, message));
            }
        }
        Ok(())
    }

    /// The answer, unless the server read only a part of the prompt.
    fn uncut(&self, answer: Answer, call: &Call) -> Result<Answer, CallFailure> {
        let counted = answer.usage.input.filter(|_| self.endpoint.prompt_check);
        let Some((server, own)) = counted.and_then(|server| Some((server, self.cut.own_count_if_cut(&call.prompt, server)?)))
        else {
            return Ok(answer);
        };
        let message = format!(
            "the server read {server} prompt tokens of about {own}: it cut the prompt; raise its context window, or set `prompt_check = false` if its count is wrong"
        );
        Err(CallFailure::new(ErrorKind::PromptCut, message))
    }

    fn without_key(&self, mut failure: CallFailure) -> CallFailure {
        if let Some(key) = self.key.as_ref().filter(|key| key.len() >= SHORTEST_SECRET) {
            failure.message = failure.message.replace(key.as_str(), "[key]");
        }
        failure
    }
}

impl<D: Dialect> Subject for Http<D> {
    fn ask<'a>(&'a self, call: &'a Call) -> BoxFuture<'a, Exchange> {
        self.exchange(call).boxed()
    }
}

fn timed_out(limit: Duration) -> CallFailure {
    CallFailure::new(ErrorKind::Timeout, format!("no whole answer came within {} s", limit.as_secs_f64()))
}

/// A transport error in our words; the address is left out, since a query may hold what is no one's business.
fn broken(error: reqwest::Error) -> CallFailure {
    let kind = if error.is_connect() {
        ErrorKind::Connect
    } else if error.is_timeout() {
        ErrorKind::Timeout
    } else {
        ErrorKind::Broken
    };
    CallFailure::new(kind, web::chain(&error.without_url()))
}

/// Replaces a key that a server echoes, so that it is never stored.
fn conceal(body: &mut Vec<u8>, key: &str) {
    if key.len() < SHORTEST_SECRET || memchr::memmem::find(body, key.as_bytes()).is_none() {
        return;
    }
    let mut rest = body.as_slice();
    let mut clean = Vec::with_capacity(body.len());
    while let Some(at) = memchr::memmem::find(rest, key.as_bytes()) {
        let (before, from_key) = rest.split_at(at);
        clean.extend_from_slice(before);
        clean.extend_from_slice(b"[key]");
        rest = from_key.strip_prefix(key.as_bytes()).unwrap_or_default();
    }
    clean.extend_from_slice(rest);
    *body = clean;
}

/// Adds fields; tables are merged, everything else is replaced.
fn merge(into: &mut Map<String, Value>, extra: &Map<String, Value>) {
    for (field, value) in extra {
        match (into.get_mut(field), value) {
            (Some(Value::Object(known)), Value::Object(more)) => merge(known, more),
            _ => {
                into.insert(field.clone(), value.clone());
            }
        }
    }
}
