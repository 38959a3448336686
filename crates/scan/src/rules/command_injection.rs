//! Values joined into a line that a shell reads.

use turncoat_answer::Severity;

use super::{Hits, Meta, confidence_of};
use crate::event::{Call, Event, Scene};
use crate::flow::value::{Entry, Taint, Uses, Value};
use crate::program::Expr;

pub(super) const META: Meta = Meta { cwe: "CWE-78", severity: Severity::Critical };

const SHELLS: [&str; 9] = [
    "os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput", "asyncio.create_subprocess_shell", "commands.getoutput", "commands.getstatusoutput", "popen2.popen2",
    "os.popen2",
];
/// Functions that start programs.
pub(super) const STARTS: [&str; 6] = ["subprocess.run", "subprocess.call", "subprocess.check_call", "subprocess.check_output", "subprocess.Popen", "asyncio.create_subprocess_exec"];

pub(super) fn check(event: &Event<'_>, hits: &mut Hits) {
    let Event::Call { scene, call } = event else { return };
    let Some(line) = shell_line(scene, call) else { return };
    let Some(taint) = line.unfit(Uses::SHELL).filter(|taint| taint.source.entry != Entry::Stored) else { return };
    let confidence = confidence_of(taint);
    hits.at_call(scene, call, confidence, message(taint)).from(taint);
}

fn message(taint: &Taint) -> String {
    format!("a shell reads the value of `{}`; start the program with a list of arguments", taint.source.name)
}

/// The value that a shell will read, if the call starts one.
fn shell_line(scene: &Scene<'_>, call: &Call<'_>) -> Option<Value> {
    let first = call.argument(0, "args").or_else(|| call.named("cmd"))?;
    if SHELLS.contains(&call.path) {
        return Some(first.value.clone());
    }
    if !STARTS.contains(&call.path) {
        return None;
    }
    let with_shell = call.named("shell").is_some_and(|shell| matches!(scene.module.expr(shell.expr), Expr::Bool(true)));
    if with_shell {
        return Some(first.value.clone());
    }
    // `["bash", "-c", line]` is a shell as well.
    let items = first.value.items.as_ref()?;
    let program = items.first()?.constant_text()?.rsplit('/').next()?.to_owned();
    let is_shell = matches!(program.as_str(), "sh" | "bash" | "zsh" | "dash" | "cmd" | "powershell");
    let at = items.iter().position(|item| item.constant_text().is_some_and(|text| matches!(text, "-c" | "/c" | "-lc" | "-Command")))?;
    items.get(at + 1).filter(|_| is_shell).cloned()
}
