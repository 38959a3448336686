//! A scripted server: says byte for byte what a test wants, over real TCP, and keeps what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// One step of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Send(Vec<u8>),
    /// So many bytes of the letter `x`.
    Flood(usize),
    Pause(Duration),
    /// Ends the connection in order.
    Close,
    /// Breaks the connection with RST.
    Reset,
}

/// One request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) line: String,
    /// Head lines in lower case, names and values.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Request {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

#[derive(Clone)]
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<Request>>>,
    connections: Arc<Mutex<usize>>,
}

impl Server {
    /// The n-th request gets the n-th script, all further ones the last.
    pub(crate) async fn start(scripts: Vec<Vec<Step>>) -> Server {
        Server::start_with(scripts, None).await
    }

    pub(crate) async fn start_with(scripts: Vec<Vec<Step>>, tls: Option<tokio_rustls::TlsAcceptor>) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server { address: listener.local_addr().unwrap(), requests: Arc::default(), connections: Arc::default() };
        let (own, scripts) = (server.clone(), Arc::new(scripts));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                *own.connections.lock().unwrap() += 1;
                let (own, scripts, tls) = (own.clone(), Arc::clone(&scripts), tls.clone());
                tokio::spawn(async move {
                    match tls {
                        None => own.talk(stream, &scripts).await,
                        // A client that does not trust us hangs up here.
                        Some(tls) => {
                            if let Ok(stream) = tls.accept(stream).await {
                                own.talk(stream, &scripts).await;
                            }
                        }
                    }
                });
            }
        });
        server
    }

    pub(crate) async fn answering(steps: Vec<Step>) -> Server {
        Server::start(vec![steps]).await
    }

    pub(crate) fn base_url(&self) -> String {
        format!("http://{}/v1", self.address)
    }

    pub(crate) fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }

    pub(crate) fn only_request(&self) -> Request {
        let requests = self.requests();
        assert_eq!(requests.len(), 1, "one call is one request");
        requests.into_iter().next().unwrap()
    }

    pub(crate) fn connections(&self) -> usize {
        *self.connections.lock().unwrap()
    }

    async fn talk<S: Stream>(&self, mut stream: S, scripts: &[Vec<Step>]) {
        while let Some(request) = read_request(&mut stream).await {
            let number = {
                let mut requests = self.requests.lock().unwrap();
                requests.push(request);
                requests.len() - 1
            };
            for step in scripts.get(number).or(scripts.last()).unwrap() {
                match step {
                    Step::Send(bytes) => {
                        if stream.write_all(bytes).await.is_err() {
                            return;
                        }
                        if stream.flush().await.is_err() {
                            return;
                        }
                    }
                    Step::Flood(size) => {
                        let block = vec![b'x'; 1 << 20];
                        let mut left = *size;
                        while left > 0 {
                            let now = left.min(block.len());
                            // The client may have hung up, having read enough.
                            if stream.write_all(&block[..now]).await.is_err() {
                                return;
                            }
                            left -= now;
                        }
                    }
                    Step::Pause(time) => tokio::time::sleep(*time).await,
                    Step::Close => return,
                    Step::Reset => {
                        stream.break_off();
                        return;
                    }
                }
            }
        }
    }
}

pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {
    /// Makes the end of the connection an RST.
    fn break_off(&self);
}

impl Stream for TcpStream {
    fn break_off(&self) {
        self.set_zero_linger().unwrap();
    }
}

impl Stream for tokio_rustls::server::TlsStream<TcpStream> {
    fn break_off(&self) {
        self.get_ref().0.set_zero_linger().unwrap();
    }
}

async fn read_request<S: Stream>(stream: &mut S) -> Option<Request> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(at) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break at;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, head) = head.split_once("\r\n").unwrap();
    let (line, head) = (line.to_owned(), head.to_owned());
    let length = head
        .lines()
        .find_map(|line| {
            line.to_ascii_lowercase().strip_prefix("content-length:").map(|value| value.trim().parse::<usize>().unwrap())
        })
        .unwrap_or(0);
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    Some(Request { line, head, body })
}

/// A whole response with a length.
pub(crate) fn response(status: u16, headers: &str, body: &[u8]) -> Vec<Step> {
    let mut bytes = format!("HTTP/1.1 {status} Scripted\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    vec![Step::Send(bytes)]
}

/// A whole JSON response.
pub(crate) fn json(status: u16, body: &str) -> Vec<Step> {
    response(status, "content-type: application/json\r\n", body.as_bytes())
}

/// A chunked response, cut into pieces of `size` bytes; without its end when `whole` is false.
pub(crate) fn chunked(body: &str, size: usize, whole: bool) -> Vec<Step> {
    let mut steps =
        vec![Step::Send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n".to_vec())];
    for piece in body.as_bytes().chunks(size) {
        let mut bytes = format!("{:x}\r\n", piece.len()).into_bytes();
        bytes.extend_from_slice(piece);
        bytes.extend_from_slice(b"\r\n");
        steps.push(Step::Send(bytes));
    }
    if whole {
        steps.push(Step::Send(b"0\r\n\r\n".to_vec()));
    }
    steps
}
