//! Ctrl-C and `SIGTERM`, for commands that have something to finish.

use tokio::signal::unix::{SignalKind, signal};

/// Calls `tell` on a thread of its own, once, when somebody asks the command to end.
pub(super) fn listen(tell: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let wait = async move {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else { return };
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        tell();
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(wait))?;
    Ok(())
}
