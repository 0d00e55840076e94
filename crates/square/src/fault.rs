//! Why an action was not done: a public kind, and a private cause for the log.

use base::FaultKind;

/// Why an action was not done.
#[derive(Debug, thiserror::Error)]
#[error("{}", kind.text())]
pub struct Fault {
    /// What the one who asked is told.
    pub kind: FaultKind,
    /// What the operator reads.
    #[source]
    pub cause: Option<store::Error>,
}

impl From<FaultKind> for Fault {
    fn from(kind: FaultKind) -> Self {
        Self { kind, cause: None }
    }
}

impl From<store::Error> for Fault {
    fn from(cause: store::Error) -> Self {
        let kind = if matches!(cause, store::Error::Full(_)) { FaultKind::DiskFull } else { FaultKind::Internal };
        Self { kind, cause: Some(cause) }
    }
}
