//! The cell around one program: own process namespace, no capabilities, Landlock, seccomp filter, limits.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::ExitCode;

use landlock::{
    ABI, Access as _, AccessFs, CompatLevel, Compatible as _, PathBeneath, PathFd, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, Scope,
};
use rustix::process::{Resource, Rlimit};
use rustix::thread::{CapabilitySet, CapabilitySets, UnshareFlags};
use serde::{Deserialize, Serialize};

use super::{fault, filter, outer};
use crate::message::Limits;

/// Folders a program in the cell may write to.
const WRITABLE: [&str; 4] = ["/world", "/work", "/tmp", "/dev"];

/// What the porter hands to the cell.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct CellOrder {
    pub(super) argv: Vec<String>,
    pub(super) env: BTreeMap<String, String>,
    pub(super) cwd: String,
    pub(super) limits: Limits,
}

/// Builds the cell, runs the program in it and ends as it ends (128 + signal for a signal).
pub(super) fn run(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let text = args.next().unwrap_or_default();
    let order: CellOrder = match serde_json::from_str(&text.to_string_lossy()) {
        Ok(order) => order,
        Err(error) => broken(&error.to_string()),
    };
    let Some((program, arguments)) = order.argv.split_first() else { broken("no program") };
    if let Err(error) = close(&order.limits) {
        broken(&error);
    }
    #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
    let mut command = std::process::Command::new(program);
    command.args(arguments).env_clear().envs(&order.env).current_dir(&order.cwd).process_group(0);
    // The child is the first process of its namespace: when it ends, the kernel ends all it started.
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => broken(&format!("cannot start {program}: {error}")),
    };
    match child.wait() {
        Ok(status) => {
            let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or(0));
            ExitCode::from(u8::try_from(code & 0xff).unwrap_or(255))
        }
        Err(error) => broken(&error.to_string()),
    }
}

/// Ends the cell by a signal: no program can make the cell end so, therefore the porter knows the fault is not the program's.
fn broken(what: &str) -> ! {
    let _: ExitCode = fault("cell", what);
    std::process::abort()
}

/// Closes the cell around this process; what it starts afterwards is inside.
fn close(limits: &Limits) -> Result<(), String> {
    let told = |what: &'static str| move |error: rustix::io::Errno| format!("{what}: {error}");
    rustix::process::setsid().map_err(told("setsid"))?;
    outer::unshare(UnshareFlags::NEWPID).map_err(told("process namespace"))?;
    limit(limits)?;
    rustix::thread::clear_ambient_capability_set().map_err(told("ambient capabilities"))?;
    let none = CapabilitySet::empty();
    rustix::thread::set_capabilities(None, CapabilitySets { effective: none, permitted: none, inheritable: none })
        .map_err(told("capabilities"))?;
    rustix::thread::set_no_new_privs(true).map_err(told("no_new_privs"))?;
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(told("dumpable"))?;
    landlock_cell().map_err(|error| format!("landlock: {error}"))?;
    filter::apply().map_err(|error| format!("seccomp: {error}"))
}

fn limit(limits: &Limits) -> Result<(), String> {
    let mib = |count: u32| u64::from(count) << 20;
    let table = [
        (Resource::Core, 0),
        (Resource::Data, mib(limits.memory_mib)),
        // The porter's watch ends the program at the limit itself; this one holds where the watch is late.
        (Resource::Cpu, u64::from(limits.cpu_s) + 1),
        (Resource::Fsize, mib(limits.file_mib)),
        (Resource::Nofile, 256),
        (Resource::Memlock, 1 << 20),
        (Resource::Msgqueue, 0),
        (Resource::Nproc, u64::from(limits.processes)),
    ];
    for (resource, value) in table {
        let both = Rlimit { current: Some(value), maximum: Some(value) };
        rustix::process::setrlimit(resource, both).map_err(|error| format!("limit {resource:?}: {error}"))?;
    }
    Ok(())
}

/// Read everywhere, write only to the world, the answer's folder and temporary files; no signals or abstract sockets to
/// the outside. An old kernel holds what it can: the namespaces are the first wall, this is the second.
fn landlock_cell() -> Result<RulesetStatus, String> {
    let abi = ABI::V6;
    let told = |error: landlock::RulesetError| error.to_string();
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))
        .map_err(told)?
        .scope(Scope::from_all(abi))
        .map_err(told)?
        .create()
        .map_err(told)?;
    let rules = std::iter::once(("/", AccessFs::from_read(abi))).chain(WRITABLE.map(|path| (path, AccessFs::from_all(abi))));
    for (path, access) in rules {
        let folder = PathFd::new(path).map_err(|error| error.to_string())?;
        ruleset = ruleset.add_rule(PathBeneath::new(folder, access)).map_err(told)?;
    }
    Ok(ruleset.restrict_self().map_err(told)?.ruleset)
}
