//! The attempts themselves: they run inside the cell and print `held: ...` or `BROKEN: ...`.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write as _};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::process::ExitCode;
use std::time::Duration;

use crate::message::End;
use crate::stage::{STAGE_PATH, WORD};

/// One attempt and how its end shows that the promise held.
pub(crate) struct Attempt {
    pub(crate) name: &'static str,
    pub(crate) promise: &'static str,
    pub(crate) holds: fn(&End) -> bool,
    run: fn() -> Result<(), String>,
}

/// Held when the attempt itself says that everything was refused.
fn refused(end: &End) -> bool {
    end.code == 0 && end.output.trim() == "held"
}

/// Held when a limit ended the attempt or refused it what it wanted.
fn limited(end: &End) -> bool {
    end.limit.is_some() || !end.output.contains("BROKEN")
}

/// Every attempt in the order of the table.
pub(crate) const ALL: [Attempt; 17] = [
    Attempt { name: "files", promise: "files of this machine are hidden", holds: refused, run: files },
    Attempt { name: "usr", promise: "/usr, /etc and the root are read-only", holds: refused, run: read_only },
    Attempt { name: "environment", promise: "the environment is empty", holds: refused, run: environment },
    Attempt { name: "descriptors", promise: "no open file of this program is inherited", holds: refused, run: descriptors },
    Attempt { name: "tcp", promise: "no TCP connection leads out", holds: refused, run: tcp },
    Attempt { name: "udp", promise: "no UDP packet leads out", holds: refused, run: udp },
    Attempt {
        name: "sockets",
        promise: "no raw, packet or netlink socket, no abstract socket of this machine",
        holds: refused,
        run: sockets,
    },
    Attempt {
        name: "processes",
        promise: "processes of this machine are hidden, the porter cannot be signalled or read",
        holds: refused,
        run: processes,
    },
    Attempt { name: "namespaces", promise: "no namespace can be made", holds: refused, run: namespaces },
    Attempt {
        name: "kernel",
        promise: "io_uring, keyrings, bpf, perf, userfaultfd, ptrace, mount are refused",
        holds: refused,
        run: kernel,
    },
    Attempt { name: "identity", promise: "no privilege is held or gained", holds: refused, run: identity },
    Attempt { name: "loopback", promise: "the box's own loopback works", holds: refused, run: loopback },
    Attempt { name: "memory", promise: "a memory hog is stopped", holds: limited, run: memory },
    Attempt { name: "fork-bomb", promise: "a fork bomb is stopped", holds: refused, run: fork_bomb },
    Attempt { name: "disk", promise: "writing without end is stopped", holds: refused, run: disk },
    Attempt { name: "output", promise: "a flood of output is cut", holds: limited, run: output },
    Attempt {
        name: "cpu",
        promise: "an endless loop is stopped",
        holds: |end| end.limit.as_deref() == Some("cpu") || end.code == 137,
        run: cpu,
    },
];

/// Runs one attempt by name.
pub(crate) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let name = args.next().unwrap_or_default();
    match name.to_str() {
        Some("daemon") => return daemon(),
        Some("daemon-child") => return daemon_child(),
        Some("sleep") => {
            std::thread::sleep(Duration::from_secs(30));
            return ExitCode::SUCCESS;
        }
        _ => {}
    }
    let Some(attempt) = ALL.iter().find(|attempt| name == attempt.name) else { return ExitCode::from(2) };
    let said = match (attempt.run)() {
        Ok(()) => writeln!(io::stderr(), "held"),
        Err(what) => writeln!(io::stderr(), "BROKEN: {what}"),
    };
    if said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// `Err` when something that must be refused was not.
fn must_fail<T, E>(what: &str, result: Result<T, E>) -> Result<(), String> {
    if result.is_ok() { Err(what.to_owned()) } else { Ok(()) }
}

fn files() -> Result<(), String> {
    for path in ["/root", "/home", "/var", "/etc/shadow", "/etc/hostname", "/sys", "/boot", "/mnt", "/opt", "/srv", "/proc/kcore"]
    {
        let open = fs::read_dir(path).map(drop).or_else(|_| fs::read(path).map(drop));
        must_fail(&format!("{path} can be read"), open)?;
    }
    Ok(())
}

fn read_only() -> Result<(), String> {
    for path in ["/usr/x", "/etc/x", "/x", "/run/turncoat/kit/x", "/run/turncoat/bin/x", "/run/x", "/proc/sys/kernel/hostname"] {
        must_fail(&format!("{path} can be written"), fs::write(path, "x"))?;
    }
    must_fail("/etc/hosts can be removed", fs::remove_file("/etc/hosts"))
}

fn environment() -> Result<(), String> {
    let known = ["HOME", "LANG", "TZ", "TMPDIR", "PATH", "PWD", "OLDPWD"];
    match std::env::vars_os().find(|(name, _)| !known.iter().any(|known| name == known)) {
        Some((name, _)) => Err(format!("{} is set", name.to_string_lossy())),
        None => Ok(()),
    }
}

fn descriptors() -> Result<(), String> {
    for entry in fs::read_dir("/proc/self/fd").map_err(|error| error.to_string())?.flatten() {
        let target = fs::read_link(entry.path()).unwrap_or_default();
        let target = target.to_string_lossy();
        // Three pipes to the porter, and the folder that is being read.
        if !target.is_empty() && !target.starts_with("pipe:") && !target.starts_with("/proc/") {
            return Err(format!("{target} is open"));
        }
    }
    Ok(())
}

fn tcp() -> Result<(), String> {
    for address in ["1.1.1.1:443", "8.8.8.8:53", "10.0.2.2:22", "127.0.0.1:22"] {
        let address: SocketAddr = address.parse().map_err(|_| "address".to_owned())?;
        must_fail(&format!("{address} answers"), TcpStream::connect_timeout(&address, Duration::from_millis(300)))?;
    }
    Ok(())
}

fn udp() -> Result<(), String> {
    let socket = UdpSocket::bind("0.0.0.0:0").map_err(|error| error.to_string())?;
    socket.set_read_timeout(Some(Duration::from_millis(100))).map_err(|error| error.to_string())?;
    // A question to a public name server; every address is local here, so the kernel itself says that nobody listens.
    let query = b"\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x07example\x03com\x00\x00\x01\x00\x01";
    drop(socket.send_to(query, "8.8.8.8:53"));
    must_fail("a name server answered", socket.recv(&mut [0; 512]))
}

fn sockets() -> Result<(), String> {
    use rustix::net::{AddressFamily, SocketType, socket};
    must_fail("netlink", socket(AddressFamily::NETLINK, SocketType::RAW, None))?;
    must_fail("packet", socket(AddressFamily::PACKET, SocketType::RAW, None))?;
    must_fail("vsock", socket(AddressFamily::VSOCK, SocketType::STREAM, None))?;
    must_fail("alg", socket(AddressFamily::from_raw(38), SocketType::SEQPACKET, None))?;
    must_fail("raw", socket(AddressFamily::INET, SocketType::RAW, None))?;
    let text = fs::read_to_string("/proc/net/unix").unwrap_or_default();
    match text.lines().find(|line| line.contains(" @")) {
        Some(line) => Err(format!("an abstract socket is seen: {line}")),
        None => Ok(()),
    }
}

fn processes() -> Result<(), String> {
    use rustix::process::{Pid, Signal, kill_process};
    let pids: Vec<i32> = fs::read_dir("/proc")
        .map_err(|error| error.to_string())?
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    if pids.len() > 8 {
        return Err(format!("{} processes are seen", pids.len()));
    }
    let own: i32 = fs::read_link("/proc/self").ok().and_then(|path| path.to_str()?.parse().ok()).unwrap_or(0);
    for pid in pids.iter().copied().filter(|pid| *pid != own) {
        must_fail(
            &format!("memory of process {pid} can be opened"),
            fs::OpenOptions::new().read(true).open(format!("/proc/{pid}/mem")),
        )?;
        must_fail(&format!("environment of process {pid} can be read"), fs::read(format!("/proc/{pid}/environ")))?;
    }
    for pid in (2..64).filter_map(Pid::from_raw) {
        must_fail(&format!("process {pid:?} can be signalled"), kill_process(pid, Signal::KILL))?;
    }
    Ok(())
}

fn namespaces() -> Result<(), String> {
    use rustix::thread::UnshareFlags;
    for flags in [UnshareFlags::NEWUSER, UnshareFlags::NEWNS, UnshareFlags::NEWPID, UnshareFlags::NEWNET, UnshareFlags::NEWIPC] {
        #[expect(unsafe_code, reason = "the call is unsafe for CLONE_FILES alone")]
        // SAFETY: CLONE_FILES is not among the flags.
        let result = unsafe { rustix::thread::unshare_unsafe(flags) };
        must_fail(&format!("{flags:?}"), result)?;
    }
    Ok(())
}

fn kernel() -> Result<(), String> {
    let calls = [
        ("io_uring", libc::SYS_io_uring_setup),
        ("add_key", libc::SYS_add_key),
        ("keyctl", libc::SYS_keyctl),
        ("bpf", libc::SYS_bpf),
        ("perf", libc::SYS_perf_event_open),
        ("userfaultfd", libc::SYS_userfaultfd),
        ("ptrace", libc::SYS_ptrace),
        ("mount", libc::SYS_mount),
        ("setns", libc::SYS_setns),
        ("shmget", libc::SYS_shmget),
        ("clone3", libc::SYS_clone3),
    ];
    for (name, number) in calls {
        #[expect(unsafe_code, reason = "raw calls are what the filter is to refuse")]
        // SAFETY: all arguments are null or zero, so that a call that is let through reads and writes no memory.
        let (result, errno) = unsafe { (libc::syscall(number, 0, 0, 0, 0, 0, 0), *libc::__errno_location()) };
        // The filter's own answer, not the kernel's about bad arguments.
        if result >= 0 || ![libc::EPERM, libc::ENOSYS].contains(&errno) {
            return Err(format!("{name} answers {result} with error {errno}"));
        }
    }
    Ok(())
}

fn identity() -> Result<(), String> {
    let sets = rustix::thread::capabilities(None).map_err(|error| error.to_string())?;
    if !sets.permitted.is_empty() || !sets.effective.is_empty() || !sets.inheritable.is_empty() {
        return Err(format!("capabilities {sets:?}"));
    }
    if rustix::process::geteuid().is_root() {
        return Err("the program is root".to_owned());
    }
    let status = fs::read_to_string("/proc/self/status").map_err(|error| error.to_string())?;
    for wanted in ["NoNewPrivs:\t1", "Seccomp:\t2"] {
        if !status.contains(wanted) {
            return Err(format!("{wanted} is missing"));
        }
    }
    Ok(())
}

fn loopback() -> Result<(), String> {
    for address in ["127.0.0.1:0", "[::1]:0", "93.184.216.34:80"] {
        let listener = match std::net::TcpListener::bind(address) {
            Ok(listener) => listener,
            // A machine without IPv6 is fine.
            Err(_) if address.starts_with('[') => continue,
            Err(error) => return Err(format!("{address}: {error}")),
        };
        let at = listener.local_addr().map_err(|error| error.to_string())?;
        TcpStream::connect_timeout(&at, Duration::from_secs(2)).map_err(|error| format!("{at}: {error}"))?;
    }
    Ok(())
}

fn memory() -> Result<(), String> {
    let mut held: Vec<Vec<u8>> = Vec::new();
    let block = vec![1_u8; 1 << 20];
    for _ in 0..64 {
        let mut part: Vec<u8> = Vec::new();
        // A refusal ends the attempt: the limit held.
        if part.try_reserve_exact(64 << 20).is_err() {
            return held.len().lt(&16).then_some(()).ok_or_else(|| format!("{} MiB were given", held.len() * 64));
        }
        for _ in 0..64 {
            part.extend_from_slice(&block);
        }
        held.push(part);
    }
    Err("4 GiB were given".to_owned())
}

fn fork_bomb() -> Result<(), String> {
    let mut children = Vec::new();
    for _ in 0..400 {
        #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
        match std::process::Command::new(STAGE_PATH).args([WORD, "try", "sleep"]).spawn() {
            Ok(child) => children.push(child),
            Err(_) => break,
        }
    }
    if children.len() > 100 { Err(format!("{} processes at one time", children.len())) } else { Ok(()) }
}

fn disk() -> Result<(), String> {
    let part = vec![1_u8; 16 << 20];
    let mut sum = 0_usize;
    for at in 0..64 {
        if fs::write(format!("/tmp/part{at}"), &part).is_err() {
            break;
        }
        sum += part.len();
    }
    if sum > 512 << 20 { Err(format!("{} MiB were written", sum >> 20)) } else { Ok(()) }
}

fn output() -> Result<(), String> {
    let part = vec![b'x'; 64 << 10];
    for _ in 0..4096 {
        if io::stderr().write_all(&part).is_err() {
            return Ok(());
        }
    }
    Err("256 MiB were printed".to_owned())
}

fn cpu() -> Result<(), String> {
    let mut number = 0_u64;
    loop {
        number = std::hint::black_box(number.wrapping_add(1));
    }
}

/// Starts a child that leaves the session, and ends.
fn daemon() -> ExitCode {
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
    let child = std::process::Command::new(STAGE_PATH).args([WORD, "try", "daemon-child"]).spawn();
    std::thread::sleep(Duration::from_millis(100));
    let said = writeln!(io::stdout(), "started");
    if child.is_ok() && said.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn daemon_child() -> ExitCode {
    rustix::process::setsid().ok();
    for count in 0..500 {
        if fs::write("/tmp/daemon", format!("{count}")).is_err() {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    ExitCode::SUCCESS
}
