//! A plain client that asks and throws away: what the endpoint and this machine can do at best.

use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::program;

/// What a load of plain calls came to.
pub(super) struct Load {
    /// Answers a second.
    pub(super) per_s: f64,
    /// Answers a second of this process's own CPU time.
    pub(super) per_cpu_s: f64,
}

/// Asks over `connections` at once for `lasting`.
pub(super) fn load(address: &str, connections: usize, lasting: Duration) -> Result<Load, String> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| format!("no runtime: {error}"))?;
    let cpu_before = program::cpu_s(std::process::id());
    let started = Instant::now();
    let answers = runtime.block_on(async {
        let lines: Vec<_> = (0..connections).map(|_| tokio::spawn(ask(address.to_owned(), started + lasting))).collect();
        let mut answers: u64 = 0;
        for line in lines {
            answers += line.await.map_err(|error| error.to_string())??;
        }
        Ok::<u64, String>(answers)
    })?;
    let cpu = program::cpu_s(std::process::id()).zip(cpu_before).map_or(f64::NAN, |(after, before)| after - before);
    #[expect(clippy::cast_precision_loss, reason = "counts of answers are far below 2^53")]
    let answers = answers as f64;
    Ok(Load { per_s: answers / started.elapsed().as_secs_f64(), per_cpu_s: answers / cpu })
}

/// One connection's answers until the end.
async fn ask(address: String, until: Instant) -> Result<u64, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the endpoint cannot be asked: {error}");
    let stream = TcpStream::connect(&address).await.map_err(|error| wrong(&error))?;
    stream.set_nodelay(true).map_err(|error| wrong(&error))?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))?;
    tokio::spawn(connection);
    // As long as a request of the study.
    let body = Bytes::from(vec![b' '; 1500]);
    let mut answers = 0;
    while Instant::now() < until {
        let request = Request::post("/v1/chat/completions")
            .header("host", &address)
            .header("content-type", "application/json")
            .body(Full::new(body.clone()))
            .map_err(|error| wrong(&error))?;
        sender.ready().await.map_err(|error| wrong(&error))?;
        let response = sender.send_request(request).await.map_err(|error| wrong(&error))?;
        response.into_body().collect().await.map_err(|error| wrong(&error))?;
        answers += 1;
    }
    Ok(answers)
}
