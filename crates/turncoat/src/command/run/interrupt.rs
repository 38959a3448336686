//! Interrupts while answers are scored: the program ends at once, and the next run goes on.

use tokio::signal::unix::{SignalKind, signal};

use crate::exit::Exit;
use crate::screen::Screen;

/// From now on an interrupt ends the program. Everything that is known is durable in the ledger, so there is nothing to wait for;
/// without this, the handlers that the asking needed would swallow every interrupt.
pub(super) fn ends_the_program(again: &str, screen: &Screen) {
    let (again, screen) = (again.to_owned(), screen.clone());
    // The scoring works on this thread and its own, so the interrupt is waited for on another.
    std::thread::spawn(move || {
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return };
        if runtime.block_on(heard()).is_ok() {
            screen.say(&format!("stopped while scoring; all answers are kept. Go on with:\n  {again}"));
            #[expect(clippy::exit, reason = "the scoring knows no way to be stopped, and needs none")]
            std::process::exit(i32::from(Exit::Incomplete as u8));
        }
    });
}

/// Waits for an interrupt or a request to end.
async fn heard() -> std::io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupt = tokio::signal::ctrl_c() => interrupt,
        _ = terminate.recv() => Ok(()),
    }
}
