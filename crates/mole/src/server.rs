//! The mole over HTTP: chat completions of the OpenAI dialect, streamed when asked, and the list of models.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::mole::{Mole, Reply};

/// The model's name.
const MODEL: &str = "mole";
/// Longest request that is read, in bytes.
const REQUEST_LIMIT: usize = 8 << 20;
/// Length of a delta of a stream, in characters.
const DELTA: usize = 40;

/// A mole that is being served. Dropping it ends the service.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    stop: watch::Sender<bool>,
    accepting: JoinHandle<()>,
}

impl Running {
    /// The address for subjects, `/v1` included.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    /// Ends the service: no further connection is taken, open ones end with the response in flight.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        // A panic of the accepting task has been told already.
        let _ended = self.accepting.await.is_ok();
    }
}

impl Mole {
    /// Serves on a listener until the returned handle is stopped or dropped; needs a Tokio runtime.
    ///
    /// # Errors
    /// When the listener has no address.
    pub fn serve(self: Arc<Mole>, listener: TcpListener) -> io::Result<Running> {
        let address = listener.local_addr()?;
        let (stop, stopped) = watch::channel(false);
        let accepting = tokio::spawn(accept(self, listener, stopped));
        Ok(Running { address, stop, accepting })
    }
}

async fn accept(mole: Arc<Mole>, listener: TcpListener, mut stopped: watch::Receiver<bool>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = told_to_stop(&mut stopped) => return,
        };
        // Too many open files, a client gone before we looked: the next one may fare better.
        let Ok((stream, _)) = accepted else {
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            continue;
        };
        // Small answers must not wait for an acknowledgement; without the option they only come later.
        let _late_at_worst = stream.set_nodelay(true).is_ok();
        let (mole, mut stopped) = (Arc::clone(&mole), stopped.clone());
        tokio::spawn(async move {
            let service = service_fn(move |request| respond(Arc::clone(&mole), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            let connection = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
            tokio::pin!(connection);
            tokio::select! {
                // How a client leaves is its own affair.
                _ended = connection.as_mut() => {}
                () = told_to_stop(&mut stopped) => {
                    connection.as_mut().graceful_shutdown();
                    let _ended = connection.await.is_ok();
                }
            }
        });
    }
}

/// Ends when the handle says so or is gone.
async fn told_to_stop(stopped: &mut watch::Receiver<bool>) {
    let _told_or_gone = stopped.wait_for(|stop| *stop).await.is_ok();
}

async fn respond(mole: Arc<Mole>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (method, path) = (request.method().clone(), request.uri().path().trim_end_matches('/').to_owned());
    Ok(match (&method, path.as_str()) {
        (&Method::POST, "/v1/chat/completions" | "/chat/completions") => {
            match Limited::new(request.into_body(), REQUEST_LIMIT).collect().await {
                Ok(body) => complete(&mole, &body.to_bytes()),
                Err(error) => refuse(StatusCode::PAYLOAD_TOO_LARGE, &format!("the request cannot be read: {error}")),
            }
        }
        (&Method::GET, "/v1/models" | "/models") => {
            let list =
                json!({ "object": "list", "data": [{ "id": MODEL, "object": "model", "created": 0, "owned_by": "turncoat" }] });
            answer(StatusCode::OK, "application/json", list.to_string())
        }
        (_, "/v1/chat/completions" | "/chat/completions" | "/v1/models" | "/models") => {
            refuse(StatusCode::METHOD_NOT_ALLOWED, &format!("{method} is not served on {path}"))
        }
        _ => refuse(
            StatusCode::NOT_FOUND,
            &format!("{path} is not served; this is a mole: POST /v1/chat/completions, GET /v1/models"),
        ),
    })
}

fn complete(mole: &Mole, body: &[u8]) -> Response<Full<Bytes>> {
    match mole.reply(body) {
        Ok(reply) if reply.stream => answer(StatusCode::OK, "text/event-stream", stream(mole, &reply)),
        Ok(reply) => {
            let document = json!({
                "id": reply.id, "object": "chat.completion", "created": 0, "model": MODEL, "system_fingerprint": mole.fingerprint(),
                "choices": [{ "index": 0, "message": { "role": "assistant", "content": reply.text }, "finish_reason": "stop" }],
                "usage": usage(&reply),
            });
            answer(StatusCode::OK, "application/json", document.to_string())
        }
        Err(rejected) => refuse(StatusCode::BAD_REQUEST, &rejected.to_string()),
    }
}

fn usage(reply: &Reply) -> serde_json::Value {
    json!({
        "prompt_tokens": reply.input_tokens, "completion_tokens": reply.output_tokens,
        "total_tokens": reply.input_tokens + reply.output_tokens,
    })
}

/// The whole answer as server-sent events.
fn stream(mole: &Mole, reply: &Reply) -> String {
    let mut out = String::with_capacity(reply.text.len() * 8);
    let mut event = |choices: serde_json::Value, usage: serde_json::Value| {
        let chunk = json!({
            "id": reply.id, "object": "chat.completion.chunk", "created": 0, "model": MODEL, "system_fingerprint": mole.fingerprint(),
            "choices": choices, "usage": usage,
        });
        out.push_str("data: ");
        out.push_str(&chunk.to_string());
        out.push_str("\n\n");
    };
    event(json!([{ "index": 0, "delta": { "role": "assistant", "content": "" }, "finish_reason": null }]), json!(null));
    let mut rest = reply.text.as_str();
    while !rest.is_empty() {
        let end = rest.char_indices().nth(DELTA).map_or(rest.len(), |(at, _)| at);
        let (delta, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        event(json!([{ "index": 0, "delta": { "content": delta }, "finish_reason": null }]), json!(null));
        rest = after;
    }
    event(json!([{ "index": 0, "delta": {}, "finish_reason": "stop" }]), json!(null));
    event(json!([]), usage(reply));
    out.push_str("data: [DONE]\n\n");
    out
}

fn refuse(status: StatusCode, message: &str) -> Response<Full<Bytes>> {
    let body = json!({ "error": { "message": message, "type": "invalid_request_error", "param": null, "code": null } });
    answer(status, "application/json", body.to_string())
}

fn answer(status: StatusCode, kind: &'static str, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}
