//! A small HTTP/1.1 client for servers in the box. The server is hostile: every length and wait is capped.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::message::{Blob, Request, Response};

const MOST_HEAD: usize = 64 << 10;
const MOST_BODY: usize = 2 << 20;

/// Sends one request and reads the answer; an error is the server's fault and says what.
pub(super) fn ask(request: &Request) -> Result<Response, String> {
    let until = Instant::now() + Duration::from_millis(request.wait_ms);
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, request.port));
    let mut stream = TcpStream::connect_timeout(&address, left(until)?).map_err(|error| format!("connect: {error}"))?;
    let mut head = format!("{} {} HTTP/1.1\r\n", request.method, request.path);
    let given = |name: &str| request.headers.iter().any(|(header, _)| header.eq_ignore_ascii_case(name));
    if !given("host") {
        head.push_str(&format!("host: 127.0.0.1:{}\r\n", request.port));
    }
    for (name, value) in &request.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !given("content-length") && (!request.body.0.is_empty() || !matches!(request.method.as_str(), "GET" | "HEAD")) {
        head.push_str(&format!("content-length: {}\r\n", request.body.0.len()));
    }
    head.push_str("connection: close\r\n\r\n");
    let mut bytes = head.into_bytes();
    bytes.extend_from_slice(&request.body.0);
    stream.set_write_timeout(Some(left(until)?)).map_err(|error| error.to_string())?;
    // A server may answer before it has read everything; what it says still counts.
    let sent = stream.write_all(&bytes);
    let answer = Incoming { stream: &mut stream, until, buffer: Vec::new(), ended: false }.response(request.method == "HEAD");
    match (answer, sent) {
        (Ok(response), _) => Ok(response),
        (Err(_), Err(error)) => Err(format!("send: {error}")),
        (Err(error), Ok(())) => Err(error),
    }
}

fn left(until: Instant) -> Result<Duration, String> {
    let left = until.saturating_duration_since(Instant::now());
    if left.is_zero() { Err("no answer in time".to_owned()) } else { Ok(left) }
}

struct Incoming<'a> {
    stream: &'a mut TcpStream,
    until: Instant,
    buffer: Vec<u8>,
    ended: bool,
}

impl Incoming<'_> {
    fn more(&mut self) -> Result<(), String> {
        self.stream.set_read_timeout(Some(left(self.until)?)).map_err(|error| error.to_string())?;
        let mut chunk = [0_u8; 16 << 10];
        match self.stream.read(&mut chunk) {
            Ok(0) => self.ended = true,
            Ok(count) => self.buffer.extend(chunk.iter().take(count)),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut) => {
                return Err("no answer in time".to_owned());
            }
            Err(error) => return Err(format!("receive: {error}")),
        }
        Ok(())
    }

    /// Takes everything up to a mark, without the mark.
    fn until_mark(&mut self, mark: &[u8], most: usize) -> Result<Vec<u8>, String> {
        loop {
            if let Some(at) = self.buffer.windows(mark.len()).position(|window| window == mark) {
                let rest = self.buffer.split_off(at + mark.len());
                let mut part = std::mem::replace(&mut self.buffer, rest);
                part.truncate(at);
                return Ok(part);
            }
            if self.ended {
                return Err("the connection ended within an answer".to_owned());
            }
            if self.buffer.len() > most {
                return Err("an answer's head is too long".to_owned());
            }
            self.more()?;
        }
    }

    /// Takes that many bytes (capped; what lies beyond the cap is left).
    fn exactly(&mut self, count: usize) -> Result<Vec<u8>, String> {
        let count = count.min(MOST_BODY);
        while self.buffer.len() < count && !self.ended {
            self.more()?;
        }
        let rest = self.buffer.split_off(count.min(self.buffer.len()));
        Ok(std::mem::replace(&mut self.buffer, rest))
    }

    fn response(mut self, no_body: bool) -> Result<Response, String> {
        let (status, headers) = loop {
            let head = self.until_mark(b"\r\n\r\n", MOST_HEAD)?;
            let (status, headers) = parse_head(&String::from_utf8_lossy(&head))?;
            if status >= 200 {
                break (status, headers);
            }
        };
        let header = |name: &str| headers.iter().find(|(header, _)| header == name).map(|(_, value)| value.as_str());
        let body = if no_body || matches!(status, 204 | 304) {
            Vec::new()
        } else if header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked")) {
            self.chunks()?
        } else if let Some(length) = header("content-length").and_then(|value| value.trim().parse().ok()) {
            self.exactly(length)?
        } else {
            self.exactly(MOST_BODY)?
        };
        Ok(Response { status, headers, body: Blob(body) })
    }

    fn chunks(&mut self) -> Result<Vec<u8>, String> {
        let mut body = Vec::new();
        loop {
            let line = self.until_mark(b"\r\n", MOST_HEAD)?;
            let text = String::from_utf8_lossy(&line).into_owned();
            let size = text.split(';').next().unwrap_or_default().trim();
            let size = usize::from_str_radix(size, 16).map_err(|_| "a chunk's size cannot be read".to_owned())?;
            if size == 0 || body.len() + size > MOST_BODY {
                return Ok(body);
            }
            body.extend(self.exactly(size)?);
            self.until_mark(b"\r\n", MOST_HEAD)?;
        }
    }
}

fn parse_head(head: &str) -> Result<(u16, Vec<(String, String)>), String> {
    let mut lines = head.split("\r\n");
    let first = lines.next().unwrap_or_default();
    let status = first
        .strip_prefix("HTTP/1.")
        .and_then(|rest| rest.split(' ').nth(1))
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| "this is no HTTP answer".to_owned())?;
    let headers = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.trim().to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok((status, headers))
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    /// Serves one connection with fixed bytes and asks it.
    fn answered(method: &str, bytes: &'static [u8], wait_ms: u64) -> Result<Response, String> {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut head = [0_u8; 4096];
            assert!(stream.read(&mut head).unwrap() > 0);
            stream.write_all(bytes).unwrap();
            if bytes.is_empty() {
                std::thread::sleep(Duration::from_millis(300));
            }
        });
        let request = Request {
            port,
            method: method.to_owned(),
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Blob::default(),
            wait_ms,
        };
        let response = ask(&request);
        server.join().unwrap();
        response
    }

    fn body(bytes: &'static [u8]) -> String {
        answered("GET", bytes, 5000).unwrap().body.text()
    }

    #[test]
    fn bodies_are_read_by_length_by_chunks_and_to_the_end() {
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcdef"), "abc");
        assert_eq!(body(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=1\r\nde\r\n0\r\n\r\n"), "abcde");
        assert_eq!(body(b"HTTP/1.0 200 OK\r\n\r\nto the end"), "to the end");
        assert_eq!(body(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"), "x");
        assert_eq!(body(b"HTTP/1.1 204 No Content\r\n\r\n"), "");
        assert_eq!(answered("HEAD", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", 5000).unwrap().body.text(), "");
    }

    #[test]
    fn what_is_no_answer_is_an_error() {
        for bytes in [
            b"SSH-2.0-x\r\n\r\n".as_slice(),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 abc\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nHalf: ",
        ] {
            assert!(answered("GET", bytes, 5000).is_err(), "{}", String::from_utf8_lossy(bytes));
        }
        assert_eq!(answered("GET", b"", 100), Err("no answer in time".to_owned()));
    }

    #[test]
    fn headers_are_read_in_order_and_in_lower_case() {
        let response = answered(
            "GET",
            b"HTTP/1.1 302 Found\r\nLocation: /x\r\nSet-Cookie: a=1\r\nset-cookie: b=2\r\nContent-Length: 0\r\n\r\n",
            5000,
        )
        .unwrap();
        assert_eq!(response.status, 302);
        let names: Vec<&str> = response.headers.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["location", "set-cookie", "set-cookie", "content-length"]);
    }
}
