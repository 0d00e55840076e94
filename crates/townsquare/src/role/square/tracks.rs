//! Each speaker's own track of an event that is over, with the name under which they spoke.

use super::record;
use anyhow::Context as _;
use api::Track;
use base::ParticipantId;
use base::journal::What;
use programme::track;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

/// Where a speaker's track is, in an event's directory.
pub(super) fn path(dir: &Path, participant: ParticipantId) -> PathBuf {
    dir.join("tracks").join(format!("{participant}.mp4"))
}

/// Every track in an event's directory that has sound, in the order in which people came.
pub(super) fn list(dir: &Path) -> anyhow::Result<Vec<Track>> {
    let files = match std::fs::read_dir(dir.join("tracks")) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        files => files?,
    };
    let names = names(dir)?;
    let mut tracks = Vec::new();
    for file in files {
        let path = file?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok()).map(ParticipantId);
        if let Some(participant) = number
            && let Some(track) =
                read(&path, participant, names.get(&participant)).with_context(|| format!("can't read {}", path.display()))?
        {
            tracks.push(track);
        }
    }
    tracks.sort_by_key(|track| track.participant);
    Ok(tracks)
}

fn read(path: &Path, participant: ParticipantId, name: Option<&String>) -> anyhow::Result<Option<Track>> {
    let file = File::open(path)?;
    let bytes = file.metadata()?.len();
    let sounds = track::sounds(bytes, |at, into| file.read_exact_at(into, at))?;
    Ok(sounds.map(|range| Track {
        participant,
        name: name.cloned().unwrap_or_default(),
        bytes,
        first_ms: range.start.start().millis(),
        end_ms: range.end.start().millis(),
    }))
}

/// What everybody was called last.
fn names(dir: &Path) -> anyhow::Result<BTreeMap<ParticipantId, String>> {
    let mut names = BTreeMap::new();
    for entry in record::journal(dir)?.entries {
        if let What::Joined { participant, name, .. } | What::Renamed { participant, name } = entry.what {
            names.insert(participant, name);
        }
    }
    Ok(names)
}

#[cfg(test)]
mod tests;
