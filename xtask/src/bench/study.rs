//! Studies to measure with: topic tasks, whose answers are read but not run, so that asking is what takes the time.

use std::path::{Path, PathBuf};

/// Answers a repeat: the tasks of the built-in suite, two personas, eight wordings.
const ANSWERS_A_REPEAT: u64 = 20 * 2 * 8;

/// Writes a study of about `answers` answers (the next whole repeat) and gives its path and their number.
pub(super) fn write(folder: &Path, name: &str, answers: u64, base_url: &str, concurrency: u32) -> Result<(PathBuf, u64), String> {
    let repeats = answers.div_ceil(ANSWERS_A_REPEAT);
    let text = format!(
        r#"[study]
name      = "{name}"
question  = "How fast does a study go?"
baseline  = "neutral"
personas  = ["us-federal-agency"]
suites    = ["sensitive-topics"]
placement = ["system"]
tier      = "standard"
wordings  = 8
repeats   = {repeats}
seed      = 1

[analysis]
primary = "refusal"

[[subject]]
id          = "fixed"
provider    = "openai"
base_url    = "{base_url}"
model       = "fixed"
max_tokens  = 1024
concurrency = {concurrency}
"#
    );
    let path = folder.join(format!("{name}.toml"));
    std::fs::write(&path, text).map_err(|error| format!("{} cannot be written: {error}", path.display()))?;
    Ok((path, repeats * ANSWERS_A_REPEAT))
}
