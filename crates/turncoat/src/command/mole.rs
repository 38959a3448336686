//! `mole`: serves a subject of known behaviour until it is stopped.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use turncoat_mole::Mole;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::files;
use crate::screen::Screen;
use crate::subjects;

/// Serves until an interrupt.
pub(super) fn run(config: &Path, listen: SocketAddr, screen: &Screen) -> Result<Exit, Failure> {
    let text = files::read(config)?;
    let parsed = turncoat_mole::parse(&config.display().to_string(), &text)?;
    let base = config.parent().unwrap_or(Path::new("."));
    let tasks = subjects::mole_tasks(&parsed.suites, base)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Failure::lacking(format!("no runtime: {error}")))?;
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind(listen).await.map_err(|error| {
            Failure::bad_input(format!("cannot listen on {listen}: {error}")).hint("choose another address with --listen")
        })?;
        let mole = Arc::new(Mole::new(parsed, tasks).map_err(|error| Failure::bad_input(error.to_string()))?);
        let mole = mole.serve(listener).map_err(|error| Failure::lacking(format!("cannot serve: {error}")))?;
        // The address is the command's result: with port 0 nothing else tells it.
        writeln!(std::io::stdout().lock(), "{}", mole.base_url())?;
        screen.say("SIMULATED subject; stop it with Ctrl-C");
        tokio::signal::ctrl_c().await.map_err(|error| Failure::lacking(format!("cannot wait for an interrupt: {error}")))?;
        drop(mole);
        Ok(Exit::Done)
    })
}
