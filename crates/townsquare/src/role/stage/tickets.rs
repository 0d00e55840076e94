//! The ticket keys as they lie in the data directory, read again when the file changes.

use base::{EventId, FaultKind, UnixMillis};
use gate::Keys;
use gate::ticket::{self, Claims, Class, NONCE_BYTES};
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// Checks tickets.
pub(super) struct Tickets {
    path: PathBuf,
    read: Mutex<Option<(SystemTime, Keys)>>,
}

impl Tickets {
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, read: Mutex::new(None) }
    }

    /// What a good ticket for `event` says; a listener's is good for the stage only when their hand was taken.
    pub(super) fn admit(&self, text: &str, event: EventId) -> Result<Claims, FaultKind> {
        let keys = self.live()?;
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = UnixMillis(i64::try_from(now).unwrap_or(i64::MAX));
        Ok(ticket::admit(&keys, text, now, event, Class::Listener)?)
    }

    /// What the ICE credentials of a session that is opened with this ticket are made of.
    pub(super) fn session_secret(&self, claims: &Claims) -> Result<[u8; 32], FaultKind> {
        let mut nonce = [0; NONCE_BYTES];
        getrandom::fill(&mut nonce).map_err(|_| FaultKind::Internal)?;
        Ok(ticket::session_secret(&self.live()?, claims, nonce))
    }

    fn live(&self) -> Result<Keys, FaultKind> {
        self.keys().map_err(|error| {
            tracing::error!(error = format!("{error:#}"), "the ticket keys can't be read");
            FaultKind::Internal
        })
    }

    fn keys(&self) -> anyhow::Result<Keys> {
        let changed = std::fs::metadata(&self.path)?.modified()?;
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, keys)) = &*read
            && *at == changed
        {
            return Ok(keys.clone());
        }
        let keys = Keys::parse(&std::fs::read_to_string(&self.path)?)?;
        *read = Some((changed, keys.clone()));
        Ok(keys)
    }
}
