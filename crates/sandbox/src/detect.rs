//! What this machine has: bubblewrap, interpreters; and what to install where it has not.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::tool::tool;

/// The oldest Python minor version (of 3) that answers are run with.
const OLDEST_PYTHON_MINOR: u32 = 8;

/// An interpreter that can be had inside the box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// The real program, no shim.
    pub program: PathBuf,
    /// What it says of itself, such as `3.11.2`.
    pub version: String,
    /// A folder outside `/usr` that it needs, bound read-only at the same path.
    pub prefix: Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Detected {
    /// The bubblewrap program.
    pub bubblewrap: Option<PathBuf>,
    /// Python 3.
    pub python: Option<Interpreter>,
    /// Node.
    pub node: Option<Interpreter>,
}

impl Detected {
    /// Looks for everything. `TURNCOAT_PYTHON` and `TURNCOAT_NODE` name an interpreter to be preferred.
    #[must_use]
    pub fn look() -> Detected {
        Detected {
            bubblewrap: on_path("bwrap").into_iter().next(),
            python: candidates("TURNCOAT_PYTHON", "python3").iter().find_map(|path| python(path)),
            node: candidates("TURNCOAT_NODE", "node").iter().find_map(|path| node(path)),
        }
    }

    /// What to install, a line each; empty when nothing is missing for answers in Python.
    #[must_use]
    pub fn advice(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.bubblewrap.is_none() {
            lines.push(
                "bubblewrap is not installed: apt-get install -y bubblewrap (dnf install bubblewrap, apk add bubblewrap)"
                    .to_owned(),
            );
        }
        if self.python.is_none() {
            lines.push(format!(
                "no Python 3.{OLDEST_PYTHON_MINOR} or newer that other users may read: apt-get install -y python3, or name one in TURNCOAT_PYTHON"
            ));
        }
        lines.extend(namespace_advice());
        lines
    }
}

/// Which setting of this machine's kernel refuses user namespaces, and the line that allows them; `None` where none is known to.
#[must_use]
pub fn namespace_advice() -> Option<String> {
    advice_of(|name| std::fs::read_to_string(format!("/proc/sys/{}", name.replace('.', "/"))).ok())
}

fn advice_of(setting: impl Fn(&str) -> Option<String>) -> Option<String> {
    let refusing = [
        ("kernel.apparmor_restrict_unprivileged_userns", "1", "0"),
        ("kernel.unprivileged_userns_clone", "0", "1"),
        ("user.max_user_namespaces", "0", "10000"),
    ];
    let (name, value, allows) =
        refusing.into_iter().find(|(name, value, _)| setting(name).is_some_and(|text| text.trim() == *value))?;
    Some(format!("{name} is {value}, which refuses user namespaces: sysctl -w {name}={allows}"))
}

fn on_path(name: &str) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).map(|folder| folder.join(name)).filter(|path| path.is_file()).collect()
}

/// The system's own interpreter first: verdicts should not depend on what a user has put on the path.
fn candidates(variable: &str, name: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::env::var_os(variable).map(PathBuf::from).into_iter().collect();
    found.extend(["/usr/bin", "/usr/local/bin"].map(|folder| Path::new(folder).join(name)));
    found.extend(on_path(name));
    found.retain(|path| path.is_file());
    found
}

fn ask(program: &Path, args: &[&str]) -> Option<Vec<String>> {
    let output = tool(program.to_str()?, args, None, &BTreeMap::new(), Duration::from_secs(20)).ok()?;
    output.is_success().then(|| output.stdout.lines().map(str::to_owned).collect())
}

fn python(path: &Path) -> Option<Interpreter> {
    let script = "import sys, os\nprint(os.path.realpath(sys.executable))\nprint(os.path.realpath(sys.base_prefix))\nprint('.'.join(map(str, sys.version_info[:3])))";
    let lines = ask(path, &["-I", "-c", script])?;
    let (program, prefix, version) = (PathBuf::from(lines.first()?), PathBuf::from(lines.get(1)?), lines.get(2)?.clone());
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    if (numbers.next(), numbers.next()) < (Some(3), Some(OLDEST_PYTHON_MINOR)) {
        return None;
    }
    placed(program, prefix, version)
}

fn node(path: &Path) -> Option<Interpreter> {
    let lines = ask(path, &["-p", "process.execPath + '\\n' + process.versions.node"])?;
    let program = std::fs::canonicalize(lines.first()?).ok()?;
    let prefix = program.parent()?.parent()?.to_path_buf();
    placed(program, prefix, lines.get(1)?.clone())
}

/// An interpreter is of use when the box's user may read it.
fn placed(program: PathBuf, prefix: PathBuf, version: String) -> Option<Interpreter> {
    if !is_readable_by_box(&program) {
        return None;
    }
    let prefix = (!program.starts_with("/usr")).then_some(prefix);
    Some(Interpreter { program, version, prefix })
}

/// Whether the user that the box runs as may read a path: this user, or for root any user.
pub(crate) fn is_readable_by_box(path: &Path) -> bool {
    if !rustix::process::geteuid().is_root() {
        return path.is_file() && !path.starts_with("/proc");
    }
    let open = |path: &Path, bits: u32| std::fs::metadata(path).is_ok_and(|meta| meta.permissions().mode() & bits == bits);
    open(path, 0o005) && path.ancestors().skip(1).all(|folder| open(folder, 0o001))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusing_setting_is_named_with_the_line_that_allows() {
        let with =
            |found: &'static str, value: &'static str| advice_of(move |name| (name == found).then(|| format!("{value}\n")));
        let advice = with("kernel.apparmor_restrict_unprivileged_userns", "1").unwrap();
        assert!(advice.ends_with("sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"), "{advice}");
        assert_eq!(with("kernel.apparmor_restrict_unprivileged_userns", "0"), None);
        assert!(with("user.max_user_namespaces", "0").is_some());
        assert_eq!(with("user.max_user_namespaces", "96365"), None);
    }

    #[test]
    fn what_is_missing_is_named_with_how_to_install_it() {
        let advice = Detected::default().advice().join("\n");
        assert!(advice.contains("apt-get install -y bubblewrap") && advice.contains("apt-get install -y python3"), "{advice}");
    }

    #[test]
    fn a_closed_folder_hides_what_is_in_it_from_the_box() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("f");
        std::fs::write(&file, "x").unwrap();
        // Root's temporary folders are closed to others; another user's own are open to itself.
        assert_eq!(is_readable_by_box(&file), !rustix::process::geteuid().is_root());
        assert!(is_readable_by_box(Path::new("/usr/bin/env")));
    }
}
