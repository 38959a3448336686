//! `init`: a commented study to start from.

use std::fs;
use std::path::Path;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::screen::Screen;
use crate::shelf::Data;

/// The built-in study that is written.
const TEMPLATE: &str = "studies/first-look/study.toml";

/// Writes `study.toml` into `dir`; a study that is there already stays.
pub(super) fn run(dir: &Path, screen: &Screen) -> Result<Exit, Failure> {
    let text = Data::text(TEMPLATE).ok_or_else(|| Failure::bug(format!("the built-in {TEMPLATE} is missing")))?;
    fs::create_dir_all(dir).map_err(|error| Failure::file("written", dir, &error))?;
    let path = dir.join("study.toml");
    if path.exists() {
        return Err(
            Failure::bad_input(format!("{} is there already", path.display())).hint("give another folder, or move it away")
        );
    }
    files::write(&path, text.as_bytes())?;
    screen.say(&format!("wrote {}", path.display()));
    screen.say("next:");
    screen.say(&format!("  turncoat plan {}     what it will take; nothing is called", path.display()));
    screen.say("  turncoat doctor              what this machine can do");
    screen.say(&format!("  turncoat run {}      run it, or go on where it stopped", path.display()));
    Ok(Exit::Done)
}
