//! Waiting that ends: every pause looks whether somebody wants the end, and whether the time for all of it is up.

use anyhow::{Context as _, bail};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::unix::{SignalKind, signal};

/// How often a wait looks around.
const STEP: Duration = Duration::from_millis(20);

static STOPPED: AtomicBool = AtomicBool::new(false);
static DEADLINE: OnceLock<Instant> = OnceLock::new();

/// From now on Ctrl-C, `SIGTERM` and the end of `at_most` end every wait, so that what was started is taken down.
pub(crate) fn begin(at_most: Duration) -> anyhow::Result<()> {
    let _ = DEADLINE.set(Instant::now() + at_most);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let wait = async {
        let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) else { return };
        tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        STOPPED.store(true, Ordering::Relaxed);
    };
    std::thread::Builder::new().name("signals".into()).spawn(move || runtime.block_on(wait))?;
    Ok(())
}

/// Fails when it is time to end.
pub(crate) fn look() -> anyhow::Result<()> {
    go_on()?;
    if DEADLINE.get().is_some_and(|deadline| Instant::now() > *deadline) {
        bail!("the time for the whole run is up");
    }
    Ok(())
}

/// Fails when somebody wants the end.
pub(crate) fn go_on() -> anyhow::Result<()> {
    if STOPPED.load(Ordering::Relaxed) {
        bail!("interrupted");
    }
    Ok(())
}

/// Time that is left for all of it.
pub(crate) fn left() -> Duration {
    DEADLINE.get().map_or(Duration::MAX, |deadline| deadline.saturating_duration_since(Instant::now()))
}

/// Waits so long.
pub(crate) fn pause(time: Duration) -> anyhow::Result<()> {
    let end = Instant::now() + time;
    while let Some(left) = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
        look()?;
        std::thread::sleep(left.min(STEP));
    }
    look()
}

/// Asks until there is an answer, but no longer than `patience`.
pub(crate) fn until<T>(what: &str, patience: Duration, mut ask: impl FnMut() -> Option<T>) -> anyhow::Result<T> {
    let end = Instant::now() + patience;
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        (Instant::now() < end).then_some(()).with_context(|| format!("in vain for {} s: {what}", patience.as_secs()))?;
        pause(STEP)?;
    }
}
