//! Finding, opening and testing the sandbox.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::detect::{Detected, is_readable_by_box, namespace_advice};
use crate::probe::SelfTest;
use crate::room::{Room, RoomError};
use crate::stage::{STAGE_PATH, WORD};

/// The uid and gid inside the box, and outside of it where this process is root: the kernel's process limit does not hold for root.
const NOBODY: u32 = 65534;

/// How strong a sandbox is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Tier {
    /// Namespaces, Landlock, seccomp, limits.
    A,
}

/// There is no sandbox.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Bubblewrap is not installed.
    #[error("bubblewrap is not installed\n  hint: apt-get install -y bubblewrap (dnf install bubblewrap, apk add bubblewrap)")]
    NoBubblewrap,
    /// The stage program could not be put where the box can read it.
    #[error("the stage program `{path}` cannot be prepared: {source}")]
    Stage {
        /// The program.
        path: PathBuf,
        /// The reason.
        source: std::io::Error,
    },
    /// A box does not start here.
    #[error("no box can be started on this machine: {source}\n  hint: {hint}")]
    Refused {
        /// What the box said.
        source: RoomError,
        /// What to do.
        hint: String,
    },
}

/// A way to open boxes on this machine.
#[derive(Debug)]
pub struct Sandbox {
    bubblewrap: PathBuf,
    stage: PathBuf,
    detected: Detected,
    disk_mib: u32,
    /// Holds a readable copy of the stage program where the original is closed to the box's user.
    _copy: Option<tempfile::TempDir>,
}

impl Sandbox {
    /// Finds the sandbox and opens one box to see that it works. `stage` is the program that is re-executed inside; it calls
    /// [`crate::stage::maybe_run`] first thing in `main`. Without one it is the current program.
    ///
    /// # Errors
    /// [`SandboxError`] says what is missing and what to install.
    pub fn find(stage: Option<&Path>) -> Result<Sandbox, SandboxError> {
        let detected = Detected::look();
        let bubblewrap = detected.bubblewrap.clone().ok_or(SandboxError::NoBubblewrap)?;
        let current = PathBuf::from("/proc/self/exe");
        let told = |source| SandboxError::Stage { path: stage.unwrap_or(&current).to_path_buf(), source };
        // The running program may have been replaced on disk; its link still leads to it, so a copy can be made.
        let program = fs::canonicalize(stage.unwrap_or(&current)).unwrap_or_else(|_| stage.unwrap_or(&current).to_path_buf());
        let (stage, copy) = if is_readable_by_box(&program) {
            (program, None)
        } else {
            let folder = tempfile::Builder::new().prefix("turncoat-stage-").tempdir().map_err(told)?;
            let place = folder.path().join("stage");
            fs::copy(&program, &place).map_err(told)?;
            for path in [folder.path(), place.as_path()] {
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).map_err(told)?;
            }
            (place, Some(folder))
        };
        let sandbox = Sandbox { bubblewrap, stage, detected, disk_mib: 256, _copy: copy };
        sandbox.open().map_err(|source| {
            let usual =
                || "user namespaces may be refused, as in most containers; run on the machine itself or allow them".to_owned();
            SandboxError::Refused { source, hint: namespace_advice().unwrap_or_else(usual) }
        })?;
        Ok(sandbox)
    }

    /// How strong it is.
    #[must_use]
    pub fn tier(&self) -> Tier {
        Tier::A
    }

    /// What was found on this machine.
    #[must_use]
    pub fn detected(&self) -> &Detected {
        &self.detected
    }

    /// Opens a fresh box. It ends with the thread that opened it, so that nothing outlives this program even when it is killed.
    ///
    /// # Errors
    /// [`RoomError::Start`] with what bubblewrap or a stage said.
    pub fn open(&self) -> Result<Room, RoomError> {
        self.open_sized(self.disk_mib)
    }

    /// Opens a fresh box whose writable folders hold so many MiB each.
    ///
    /// # Errors
    /// [`RoomError::Start`] with what bubblewrap or a stage said.
    pub fn open_sized(&self, disk_mib: u32) -> Result<Room, RoomError> {
        #[expect(clippy::disallowed_methods, reason = "this crate is where programs are started")]
        let mut command = std::process::Command::new(&self.stage);
        command.args([WORD, "outer"]).arg(&self.bubblewrap).args(self.walls(disk_mib)).env_clear();
        command.current_dir("/").stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own: an interrupt from the terminal is for this program to handle, not for its boxes.
        command.process_group(0);
        if rustix::process::geteuid().is_root() {
            command.uid(NOBODY).gid(NOBODY);
        }
        let child = command.spawn().map_err(|error| RoomError::Start(error.to_string()))?;
        Room::take(child)
    }

    /// Probes whether the box really holds, a row for each thing it promises.
    #[must_use]
    pub fn self_test(&self) -> SelfTest {
        SelfTest::run(self)
    }

    /// Bubblewrap's arguments.
    fn walls(&self, disk_mib: u32) -> Vec<String> {
        let mut args = Walls::default();
        args.add(&["--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try"]);
        args.add(&["--disable-userns", "--uid", "65534", "--gid", "65534", "--hostname", "box"]);
        args.add(&["--die-with-parent", "--new-session", "--clearenv"]);
        // The porter alone keeps this, to give each cell a process namespace; the cell drops it before the program starts.
        args.add(&["--cap-drop", "ALL", "--cap-add", "CAP_SYS_ADMIN"]);
        args.add(&["--ro-bind", "/usr", "/usr"]);
        for name in ["bin", "sbin", "lib", "lib32", "lib64", "libx32"] {
            let path = format!("/{name}");
            match fs::read_link(&path) {
                Ok(target) => args.add(&["--symlink", &target.to_string_lossy(), &path]),
                Err(_) => args.add(&["--ro-bind-try", &path, &path]),
            }
        }
        args.add(&["--proc", "/proc", "--dev", "/dev", "--size", "16777216", "--tmpfs", "/dev/shm"]);
        args.add(&["--size", "1048576", "--tmpfs", "/etc"]);
        for path in ["/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"] {
            args.add(&["--ro-bind-try", path, path]);
        }
        let size = (u64::from(disk_mib) << 20).to_string();
        for folder in ["/world", "/work", "/tmp"] {
            args.add(&["--size", &size, "--tmpfs", folder]);
        }
        args.add(&["--size", "16777216", "--tmpfs", "/run/turncoat", "--ro-bind", &self.stage.to_string_lossy(), STAGE_PATH]);
        for interpreter in [&self.detected.python, &self.detected.node].into_iter().flatten() {
            if let Some(prefix) = &interpreter.prefix {
                let prefix = prefix.to_string_lossy();
                args.add(&["--ro-bind", &prefix, &prefix]);
            }
        }
        args.add(&["--remount-ro", "/", "--chdir", "/work", "--", STAGE_PATH, WORD, "porter"]);
        args.0
    }
}

#[derive(Default)]
struct Walls(Vec<String>);

impl Walls {
    fn add(&mut self, args: &[&str]) {
        self.0.extend(args.iter().map(|arg| (*arg).to_owned()));
    }
}
