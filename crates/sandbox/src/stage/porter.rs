//! The porter: our own program inside the box, which builds worlds, starts programs in the cell, and speaks for the judge.
//!
//! It never judges; it does what each order says and reports. Programs cannot reach it: they live in a process namespace
//! below its own, and it cannot be traced.

use std::fs;
use std::io::{self, BufRead as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::decoy::{Listening, RequestLog};
use super::desk::Desk;
use super::running::Running;
use super::{client, decoy, desk, fault, procs, world};
use crate::message::{Blob, End, Heard, Logs, Order, Reply, Request, World};

const PASSWD: &str = "root:x:0:0:root:/root:/usr/sbin/nologin\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n";
const GROUP: &str = "root:x:0:\nnogroup:x:65534:\n";
/// How long a server that is being started may be idle before it listens.
const IDLE_START: Duration = Duration::from_secs(4);
/// How often a server that is being started may answer what is no HTTP.
const MOST_NONSENSE: u32 = 20;
const HOSTS: &str = "127.0.0.1 localhost box\n::1 localhost\n";

/// Serves orders from standard input until it ends.
pub(super) fn run() -> ExitCode {
    if let Err(error) = rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable) {
        return fault("porter", &error.to_string());
    }
    let mut porter = match Porter::new() {
        Ok(porter) => porter,
        Err(error) => return fault("porter", &format!("cannot prepare the box: {error}")),
    };
    let mut out = io::stdout();
    let mut send = |reply: &Reply| -> io::Result<()> {
        let mut line = serde_json::to_string(reply)?;
        line.push('\n');
        out.write_all(line.as_bytes())?;
        out.flush()
    };
    if let Err(error) = send(&Reply::Hello) {
        return fault("porter", &error.to_string());
    }
    for line in io::stdin().lock().lines() {
        let reply = match line
            .map_err(|error| error.to_string())
            .and_then(|line| serde_json::from_str(&line).map_err(|error| error.to_string()))
        {
            Ok(order) => porter.follow(order).unwrap_or_else(Reply::Failed),
            Err(error) => Reply::Failed(error),
        };
        if let Err(error) = send(&reply) {
            return fault("porter", &error.to_string());
        }
    }
    ExitCode::SUCCESS
}

struct Porter {
    desk: Arc<Mutex<Desk>>,
    requests: RequestLog,
    decoys: Vec<Listening>,
    running: Option<Running>,
}

impl Porter {
    fn new() -> io::Result<Porter> {
        for (path, text) in
            [("/etc/passwd", PASSWD), ("/etc/group", GROUP), ("/etc/hosts", HOSTS), ("/etc/nsswitch.conf", "hosts: files\n")]
        {
            fs::write(path, text)?;
        }
        fs::create_dir_all(super::KIT_DIR)?;
        Ok(Porter { desk: desk::open()?, requests: RequestLog::default(), decoys: Vec::new(), running: None })
    }

    fn follow(&mut self, order: Order) -> Result<Reply, String> {
        match order {
            Order::Build(world) => self.build(world).map(|()| Reply::Done),
            Order::Start(program) => {
                self.stop()?;
                self.running = Some(Running::start(program)?);
                Ok(Reply::Done)
            }
            Order::Say(line) => self.say(&line),
            Order::Ready { port, path, wait_ms } => Ok(Reply::Ready(self.ready(port, &path, wait_ms))),
            Order::Ask(request) => Ok(match client::ask(&request) {
                Ok(response) => Reply::Response(response),
                Err(error) => Reply::NoResponse(error),
            }),
            Order::Stop => Ok(Reply::Ended(self.stop()?.unwrap_or_default())),
            Order::Read { path, most } => match world::read(&path, most) {
                Ok(Some(bytes)) => Ok(Reply::Bytes(Blob(bytes))),
                Ok(None) => Ok(Reply::Missing),
                Err(error) => Err(error.to_string()),
            },
            Order::Survey { path } => Ok(Reply::Entries(world::survey(&path))),
            Order::Logs => {
                let calls = self.desk.lock().unwrap_or_else(PoisonError::into_inner).calls.clone();
                let requests = self.requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Ok(Reply::Logs(Logs { calls, requests }))
            }
        }
    }

    fn build(&mut self, world: World) -> Result<(), String> {
        let told = |error: io::Error| error.to_string();
        self.stop()?;
        self.decoys.clear();
        self.requests.lock().unwrap_or_else(PoisonError::into_inner).clear();
        world::wipe().map_err(told)?;
        world::place(&world.placed).map_err(told)?;
        let mut hosts = HOSTS.to_owned();
        for decoy in world.decoys.iter().filter(|decoy| decoy.host != decoy.address) {
            hosts.push_str(&format!("{} {}\n", decoy.address, decoy.host));
        }
        fs::write("/etc/hosts", hosts).map_err(told)?;
        desk::install(&world.stubs).map_err(told)?;
        {
            let mut desk = self.desk.lock().unwrap_or_else(PoisonError::into_inner);
            desk.stubs = world.stubs;
            desk.calls.clear();
        }
        self.decoys = decoy::open(world.decoys, &self.requests)?;
        Ok(())
    }

    fn say(&mut self, line: &str) -> Result<Reply, String> {
        let Some(running) = self.running.as_mut() else { return Ok(Reply::Heard(Heard::Nothing(End::default()))) };
        if let Some(heard) = running.say(line) {
            return Ok(Reply::Heard(heard));
        }
        running.await_end();
        Ok(Reply::Heard(Heard::Nothing(self.stop()?.unwrap_or_default())))
    }

    /// Asks a server until it answers anything, ends, or time is up. A process that uses no CPU for a while and does not
    /// listen will never do so.
    fn ready(&mut self, port: u16, path: &str, wait_ms: u64) -> bool {
        let until = Instant::now() + Duration::from_millis(wait_ms);
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let mut busy = (0, Instant::now());
        let mut nonsense = 0;
        while Instant::now() < until && busy.1.elapsed() < IDLE_START && nonsense < MOST_NONSENSE {
            let cpu_ms = procs::load().cpu_ms;
            if cpu_ms != busy.0 {
                busy = (cpu_ms, Instant::now());
            }
            if self.running.as_mut().is_none_or(Running::has_ended) {
                return false;
            }
            if TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_ok() {
                let request = Request {
                    port,
                    method: "GET".to_owned(),
                    path: path.to_owned(),
                    headers: Vec::new(),
                    body: Blob::default(),
                    wait_ms: 2000,
                };
                if client::ask(&request).is_ok() {
                    return true;
                }
                nonsense += 1;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        false
    }

    fn stop(&mut self) -> Result<Option<End>, String> {
        self.running.take().map(Running::stop).transpose()
    }
}
