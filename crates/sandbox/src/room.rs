//! One box with its porter, as the judge's side sees it.

use std::io::{self, Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use crate::message::{Blob, End, Entry, Heard, Logs, Order, Program, Reply, Request, Response, World};

/// How long the porter may take beyond what the order itself may take.
const PATIENCE: Duration = Duration::from_secs(20);
/// The longest reply line that is read.
const MOST_REPLY: usize = 64 << 20;

/// The box or the porter failed: a fault of ours or of the machine, never the program's.
#[derive(Debug, thiserror::Error)]
pub enum RoomError {
    /// The box could not be started.
    #[error("the box did not start: {0}")]
    Start(String),
    /// The porter ended or its pipe broke.
    #[error("the box ended unexpectedly: {0}")]
    Lost(String),
    /// The porter did not reply in time.
    #[error("the box did not reply within {0} s")]
    Silent(u64),
    /// The porter could not follow an order.
    #[error("the box could not do it: {0}")]
    Failed(String),
}

/// A box: everything in it is gone when this value is dropped.
#[derive(Debug)]
pub struct Room {
    child: Child,
    orders: ChildStdin,
    replies: ChildStdout,
    buffer: Vec<u8>,
    /// How long the running program may take by the clock.
    wall: Duration,
}

impl Room {
    /// Takes over a started box and waits for the porter's first word.
    pub(crate) fn take(mut child: Child) -> Result<Room, RoomError> {
        let (Some(orders), Some(replies)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(RoomError::Start("its pipes are missing".to_owned()));
        };
        let mut room = Room { child, orders, replies, buffer: Vec::new(), wall: Duration::ZERO };
        match room.hear(PATIENCE) {
            Ok(Reply::Hello) => Ok(room),
            Ok(_) => Err(RoomError::Start("the porter's first word is wrong".to_owned())),
            Err(error) => Err(RoomError::Start(format!("{error}{}", room.complaint()))),
        }
    }

    /// What the stages and bubblewrap wrote to standard error.
    fn complaint(&mut self) -> String {
        // The box is dead or of no use: end it, so that the read below cannot block.
        drop(self.child.kill());
        drop(self.child.wait());
        let mut text = String::new();
        if let Some(mut stderr) = self.child.stderr.take() {
            let mut bytes = Vec::new();
            drop(io::Read::by_ref(&mut stderr).take(4096).read_to_end(&mut bytes));
            text = String::from_utf8_lossy(&bytes).trim().to_owned();
        }
        if text.is_empty() { text } else { format!(" ({text})") }
    }

    /// Ends what runs, empties the box and builds a world.
    ///
    /// # Errors
    /// [`RoomError`], as with every order.
    pub fn build(&mut self, world: World) -> Result<(), RoomError> {
        match self.order(&Order::Build(world), Duration::ZERO)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Starts a program in a fresh cell; one that still runs is ended first.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn start(&mut self, program: Program) -> Result<(), RoomError> {
        self.wall = Duration::from_secs(u64::from(program.limits.wall_s));
        match self.order(&Order::Start(program), Duration::ZERO)? {
            Reply::Done => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Says a line to the program and waits for one.
    ///
    /// # Errors
    /// [`RoomError`]; a program that falls silent is no error but [`Heard::Nothing`].
    pub fn say(&mut self, line: String) -> Result<Heard, RoomError> {
        match self.order(&Order::Say(line), self.wall)? {
            Reply::Heard(heard) => Ok(heard),
            other => Err(unexpected(&other)),
        }
    }

    /// Waits until a server answers anything on a port; `false` when it ended or time is up.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn ready(&mut self, port: u16, path: &str, wait_ms: u64) -> Result<bool, RoomError> {
        match self.order(&Order::Ready { port, path: path.to_owned(), wait_ms }, Duration::from_millis(wait_ms))? {
            Reply::Ready(ready) => Ok(ready),
            other => Err(unexpected(&other)),
        }
    }

    /// Asks a server in the box; the inner error says why no answer came, which is the server's fault.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn ask(&mut self, request: Request) -> Result<Result<Response, String>, RoomError> {
        let wait = Duration::from_millis(request.wait_ms);
        match self.order(&Order::Ask(request), wait)? {
            Reply::Response(response) => Ok(Ok(response)),
            Reply::NoResponse(why) => Ok(Err(why)),
            other => Err(unexpected(&other)),
        }
    }

    /// Ends the program and everything it started.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn stop(&mut self) -> Result<End, RoomError> {
        match self.order(&Order::Stop, Duration::ZERO)? {
            Reply::Ended(end) => Ok(end),
            other => Err(unexpected(&other)),
        }
    }

    /// Reads a regular file in the box up to a cap; `None` where there is none.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn read(&mut self, path: &str, most: u64) -> Result<Option<Blob>, RoomError> {
        match self.order(&Order::Read { path: path.to_owned(), most }, Duration::ZERO)? {
            Reply::Bytes(bytes) => Ok(Some(bytes)),
            Reply::Missing => Ok(None),
            other => Err(unexpected(&other)),
        }
    }

    /// Lists everything below a folder of the box, at most 20,000 entries.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn survey(&mut self, path: &str) -> Result<Vec<Entry>, RoomError> {
        match self.order(&Order::Survey { path: path.to_owned() }, Duration::ZERO)? {
            Reply::Entries(entries) => Ok(entries),
            other => Err(unexpected(&other)),
        }
    }

    /// What stubs and decoys saw since the world was built.
    ///
    /// # Errors
    /// [`RoomError`].
    pub fn logs(&mut self) -> Result<Logs, RoomError> {
        match self.order(&Order::Logs, Duration::ZERO)? {
            Reply::Logs(logs) => Ok(logs),
            other => Err(unexpected(&other)),
        }
    }

    fn order(&mut self, order: &Order, wait: Duration) -> Result<Reply, RoomError> {
        let mut line = serde_json::to_string(order).map_err(|error| RoomError::Failed(error.to_string()))?;
        line.push('\n');
        self.orders
            .write_all(line.as_bytes())
            .and_then(|()| self.orders.flush())
            .map_err(|error| RoomError::Lost(error.to_string()))?;
        match self.hear(wait + PATIENCE)? {
            Reply::Failed(why) => Err(RoomError::Failed(why)),
            reply => Ok(reply),
        }
    }

    fn hear(&mut self, wait: Duration) -> Result<Reply, RoomError> {
        let until = Instant::now() + wait;
        let mut searched = 0;
        loop {
            let fresh = self.buffer.get(searched..).unwrap_or_default();
            if let Some(at) = fresh.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(searched + at + 1);
                let line = std::mem::replace(&mut self.buffer, rest);
                return serde_json::from_slice(&line).map_err(|error| RoomError::Lost(error.to_string()));
            }
            searched = self.buffer.len();
            if searched > MOST_REPLY {
                return Err(RoomError::Lost("a reply is too long".to_owned()));
            }
            let left = until.saturating_duration_since(Instant::now());
            let timeout = Timespec::try_from(left).map_err(|error| RoomError::Failed(error.to_string()))?;
            let mut fds = [PollFd::new(&self.replies, PollFlags::IN)];
            match poll(&mut fds, Some(&timeout)) {
                Ok(0) => return Err(RoomError::Silent(wait.as_secs())),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(RoomError::Lost(error.to_string())),
            }
            let mut chunk = [0_u8; 64 << 10];
            match self.replies.read(&mut chunk) {
                Ok(0) => return Err(RoomError::Lost("its pipe closed".to_owned())),
                Ok(count) => self.buffer.extend(chunk.iter().take(count)),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(RoomError::Lost(error.to_string())),
            }
        }
    }
}

fn unexpected(reply: &Reply) -> RoomError {
    let mut text = format!("{reply:?}");
    text.truncate(text.floor_char_boundary(120));
    RoomError::Lost(format!("the porter replied out of turn: {text}"))
}

impl Drop for Room {
    fn drop(&mut self) {
        // Bubblewrap dies, its process namespace with it, and so everything in the box.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
