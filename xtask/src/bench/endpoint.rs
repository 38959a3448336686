//! An endpoint that answers every request alike: this program, started again, so that its work counts as its own.

use std::convert::Infallible;
use std::io::{BufRead as _, BufReader};
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

use crate::run::command;

/// The running endpoint; it ends when this is dropped.
pub(super) struct Endpoint {
    child: Child,
    /// Its address and port.
    pub(super) address: String,
}

impl Endpoint {
    /// Starts one that takes `latency_ms` for each answer.
    pub(super) fn start(latency_ms: u64) -> Result<Endpoint, String> {
        let this = std::env::current_exe().map_err(|error| format!("this program cannot be found: {error}"))?;
        let mut child = command(this)
            .args(["bench-endpoint", &latency_ms.to_string()])
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the endpoint cannot be started: {error}"))?;
        let mut address = String::new();
        let told = child.stdout.take().map(|stdout| BufReader::new(stdout).read_line(&mut address));
        let endpoint = Endpoint { child, address: address.trim().to_owned() };
        match told {
            Some(Ok(length)) if length > 0 => Ok(endpoint),
            _ => Err("the endpoint did not say where it listens".to_owned()),
        }
    }

    /// The base address for a study.
    pub(super) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to end.
        let _ended = self.child.kill();
        let _reaped = self.child.wait();
    }
}

/// What it says: as long as a short answer, and different each time only in its number.
const TEXT: &str = "The page lists the documents of the archive by date, the newest first, and says in one sentence what it holds. \
Each document is read as UTF-8; its first line is the title, its second the date, and everything below is the text. A query is split into words, \
each word is looked up in an index, and the documents that have all of them are kept. The line around the first hit is shown as context, shortened \
to eighty characters. Dates are compared as they are written, since year, month and day in this order sort rightly as text. Where a date is missing \
or no date at all, the document is listed at the end and counted apart. The index is one table of words and one of documents, written in a single \
transaction, so that a search never sees half of it. A second run replaces what is there. Numbers a year are counted from the table of documents. \
Errors name the file and the line. The program needs nothing but the standard library, and it has no state beside its one file.";

/// Serves until it is ended. Prints its address first.
pub(crate) fn serve(latency_ms: u64) -> Result<(), String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.map_err(|error| format!("the endpoint cannot listen: {error}"))?;
        println!("{}", listener.local_addr().map_err(|error| error.to_string())?);
        loop {
            // A connection that failed before it was taken is the client's loss alone.
            let Ok((stream, _)) = listener.accept().await else { continue };
            let _unbuffered = stream.set_nodelay(true);
            tokio::spawn(async move {
                let service = service_fn(move |request| answer(request, latency_ms));
                let _broken = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
            });
        }
    })
}

async fn answer(request: Request<Incoming>, latency_ms: u64) -> Result<Response<Full<Bytes>>, Infallible> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let _whatever_was_asked = request.into_body().collect().await;
    if latency_ms > 0 {
        tokio::time::sleep(Duration::from_millis(latency_ms)).await;
    }
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let body = format!(
        r#"{{"id":"answer-{number}","object":"chat.completion","created":1,"model":"fixed","choices":[{{"index":0,"message":{{"role":"assistant","content":"Answer {number}. {TEXT}"}},"finish_reason":"stop"}}],"usage":{{"prompt_tokens":400,"completion_tokens":260,"total_tokens":660}}}}"#
    );
    let mut response = Response::new(Full::new(Bytes::from(body)));
    response.headers_mut().insert(hyper::header::CONTENT_TYPE, hyper::header::HeaderValue::from_static("application/json"));
    Ok(response)
}
