//! What an event's journal tells the square: when it went live and when it ended, and who is excluded.

use base::journal::What;
use base::{FragmentNumber, UnixMillis};
use programme::journal::Journal;
use std::io::ErrorKind;
use std::path::Path;

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Record {
    /// When its doors opened.
    pub(crate) doors_at: Option<UnixMillis>,
    /// When it began.
    pub(crate) live_at: Option<UnixMillis>,
    /// When it ended, and the number after its last fragment.
    pub(crate) ended: Option<(UnixMillis, FragmentNumber)>,
    /// Tickets that hosts have barred.
    pub(crate) barred: Vec<u64>,
}

/// Reads an event's journal; one that is not there yet says nothing.
pub(crate) fn read(event_dir: &Path) -> std::io::Result<Record> {
    let journal = journal(event_dir)?;
    let mut record = Record { barred: journal.barred().collect(), ..Record::default() };
    // With doors the first epoch is not the event itself.
    let doors = journal.entries.iter().any(|entry| entry.what == What::DoorsOpened);
    for entry in journal.entries {
        let opened = matches!(entry.what, What::EpochOpened { .. });
        if opened && doors {
            record.doors_at.get_or_insert(entry.at);
        }
        if (opened && !doors) || matches!(entry.what, What::Begun { .. }) {
            record.live_at.get_or_insert(entry.at);
        }
        if let What::Ended { end, .. } = entry.what {
            record.ended.get_or_insert((entry.at, end));
        }
    }
    Ok(record)
}

/// An event's journal; empty while there is none.
pub(crate) fn journal(event_dir: &Path) -> std::io::Result<Journal> {
    match std::fs::read(event_dir.join("journal")) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Journal::default()),
        read => Ok(Journal::read(&read?)),
    }
}
