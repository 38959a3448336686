//! Stand-in HTTP servers: they serve fixed replies and log what was asked.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::message::{Decoy, DecoyRequest};

/// The most requests that are logged.
const MOST_LOGGED: usize = 2000;
const PATIENCE: Duration = Duration::from_secs(5);

/// Where decoys write down what they saw.
pub(super) type RequestLog = Arc<Mutex<Vec<DecoyRequest>>>;

/// All decoys of one address and port: one listener, told apart by the `host` header.
pub(super) struct Listening {
    at: SocketAddr,
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// Starts the decoys.
pub(super) fn open(decoys: Vec<Decoy>, log: &RequestLog) -> Result<Vec<Listening>, String> {
    let mut groups: Vec<(SocketAddr, Vec<Decoy>)> = Vec::new();
    for decoy in decoys {
        let address: IpAddr = decoy.address.parse().map_err(|_| format!("`{}` is no address", decoy.address))?;
        let at = SocketAddr::new(address, decoy.port);
        match groups.iter_mut().find(|(other, _)| *other == at) {
            Some((_, group)) => group.push(decoy),
            None => groups.push((at, vec![decoy])),
        }
    }
    groups.into_iter().map(|(at, group)| listen(at, group, Arc::clone(log))).collect()
}

fn listen(at: SocketAddr, decoys: Vec<Decoy>, log: RequestLog) -> Result<Listening, String> {
    let listener = TcpListener::bind(at).map_err(|error| format!("no decoy on {at}: {error}"))?;
    let over = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&over);
    let decoys = Arc::new(decoys);
    let thread = std::thread::spawn(move || {
        for stream in listener.incoming() {
            if seen.load(Ordering::Acquire) {
                return;
            }
            let Ok(stream) = stream else { continue };
            let (decoys, log) = (Arc::clone(&decoys), Arc::clone(&log));
            // One thread a connection: a client that says nothing must not hold up the others.
            std::thread::spawn(move || serve(stream, &decoys, &log));
        }
    });
    Ok(Listening { at, over, thread: Some(thread) })
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Release);
        // A connection wakes the listener, which then sees that it is over.
        if TcpStream::connect_timeout(&self.at, PATIENCE).is_ok()
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}

fn serve(mut stream: TcpStream, decoys: &[Decoy], log: &RequestLog) {
    let timed = stream.set_read_timeout(Some(PATIENCE)).and_then(|()| stream.set_write_timeout(Some(PATIENCE)));
    let Some(head) = timed.ok().and_then(|()| read_head(&mut stream)) else { return };
    let mut lines = head.split("\r\n");
    let mut first = lines.next().unwrap_or_default().split(' ');
    let (method, target) = (first.next().unwrap_or_default(), first.next().unwrap_or_default());
    let host = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("host"))
        .map(|(_, value)| value.trim().to_ascii_lowercase())
        .unwrap_or_default();
    let named =
        |decoy: &&Decoy| host == decoy.host || host.strip_prefix(decoy.host.as_str()).is_some_and(|rest| rest.starts_with(':'));
    let Some(decoy) = decoys.iter().find(named).or_else(|| decoys.first()) else { return };
    // An absolute target is what a client says to a proxy.
    let path = target.strip_prefix("http://").and_then(|rest| rest.find('/').and_then(|at| rest.get(at..))).unwrap_or(target);
    {
        let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
        if log.len() < MOST_LOGGED {
            let (host, port) = (decoy.host.clone(), decoy.port);
            log.push(DecoyRequest { host, port, method: method.to_owned(), path: path.to_owned() });
        }
    }
    let plain = path.split(['?', '#']).next().unwrap_or(path);
    let (status, headers, body) = match decoy.paths.get(plain) {
        Some(reply) => (reply.status, Some(&reply.headers), reply.body.0.as_slice()),
        None => (404, None, b"not found".as_slice()),
    };
    let mut answer = format!("HTTP/1.1 {status} Answer\r\n");
    for (name, value) in headers.into_iter().flatten() {
        answer.push_str(&format!("{name}: {value}\r\n"));
    }
    answer.push_str(&format!("content-length: {}\r\nconnection: close\r\n\r\n", body.len()));
    let sent = stream.write_all(answer.as_bytes());
    if sent.is_ok() && method != "HEAD" {
        drop(stream.write_all(body));
    }
}

fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    let mut chunk = [0_u8; 4096];
    while head.len() < 64 << 10 {
        let count = stream.read(&mut chunk).ok().filter(|count| *count > 0)?;
        head.extend(chunk.iter().take(count));
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            head.truncate(at);
            return Some(String::from_utf8_lossy(&head).into_owned());
        }
    }
    None
}
