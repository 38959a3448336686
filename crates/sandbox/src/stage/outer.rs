//! The wall around the box: a user and network namespace of our own, then bubblewrap inside it.
//!
//! The network is set up here and not by bubblewrap since decoys need every address to be local and low ports to be free,
//! which only the owner of the network namespace can arrange.

use std::ffi::OsString;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::ExitCode;

use rustix::thread::UnshareFlags;

use super::{fault, network};

/// Enters the namespaces and becomes the given command.
pub(super) fn run(mut command: impl Iterator<Item = OsString>) -> ExitCode {
    let Some(program) = command.next() else { return fault("outer", "no command") };
    close_inherited();
    if let Err(error) = enter() {
        return fault("outer", &error);
    }
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
    let error = std::process::Command::new(&program).args(command).exec();
    fault("outer", &format!("cannot start {}: {error}", program.to_string_lossy()))
}

/// Closes every descriptor beyond the standard three: one that this program was started with would be a hole in the wall.
fn close_inherited() {
    let Ok(entries) = fs::read_dir("/proc/self/fd") else { return };
    let open: Vec<i32> = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect();
    for descriptor in open.into_iter().filter(|descriptor| *descriptor > 2) {
        #[expect(unsafe_code, reason = "descriptors that nobody here opened can only be closed by number")]
        // SAFETY: this stage holds no descriptor of its own yet, so none that is in use is closed.
        unsafe {
            libc::close(descriptor);
        }
    }
}

fn enter() -> Result<(), String> {
    let uid = rustix::process::geteuid().as_raw();
    let gid = rustix::process::getegid().as_raw();
    unshare(UnshareFlags::NEWUSER | UnshareFlags::NEWNET)
        .map_err(|error| format!("user namespaces are refused here: {error}"))?;
    let put = |path: &str, text: String| fs::write(path, text).map_err(|error| format!("{path}: {error}"));
    put("/proc/self/setgroups", "deny".to_owned())?;
    put("/proc/self/uid_map", format!("65534 {uid} 1"))?;
    put("/proc/self/gid_map", format!("65534 {gid} 1"))?;
    // Best effort: without it only decoys on ports below 1024 fail, and they say so.
    drop(fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0"));
    network::raise().map_err(|error| format!("cannot raise the loopback device: {error}"))
}

/// Leaves namespaces; every caller is a stage with one thread.
pub(super) fn unshare(flags: UnshareFlags) -> rustix::io::Result<()> {
    #[expect(unsafe_code, reason = "the call is unsafe for CLONE_FILES alone, which no caller passes")]
    // SAFETY: descriptors stay shared, as CLONE_FILES is not among the flags, and the process has one thread.
    unsafe {
        rustix::thread::unshare_unsafe(flags)
    }
}
