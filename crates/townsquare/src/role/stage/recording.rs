//! One event's programme files: opened, put right after a crash, appended to; on disk, and in memory while the disk is full.

use anyhow::Context as _;
use base::limit::SPILL_BYTES_MAX;
use base::{FaultKind, FragmentNumber, Rung, UnixMillis};
use programme::index::{RECORD_BYTES, Record, Source, memory_bytes_max};
use programme::journal::Journal;
use programme::recover::{self, Found};
use programme::write::{Append, Lengths, Opening};
use rustix::fs::{FallocateFlags, FlockOperation};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Holes begin behind the page with the init segment, by which a recovering stage knows the file.
const PAGE_BYTES: u64 = 4_096;

/// One rung's two files.
#[derive(Debug)]
struct Files {
    media: Arc<File>,
    index: Arc<File>,
    /// Up to where a file in memory is punched out.
    punched: u64,
}

/// The files of one event while a stage writes them. The lock on `64.mp4` goes with them.
#[derive(Debug)]
pub(super) struct Recording {
    disk_dir: PathBuf,
    memory_dir: PathBuf,
    disk: [Option<Files>; 3],
    memory: [Option<Files>; 3],
    opening: Opening,
    /// Where the files on disk end.
    disk_end: [Lengths; 3],
    /// Whether the disk could not even be opened.
    disk_full: bool,
}

/// What opening an event's files found.
pub(super) enum Opened {
    /// The programme goes on.
    On(Box<Recording>),
    /// Its end is written, although the journal does not say so.
    Ended(FragmentNumber),
}

impl Recording {
    /// Opens, locks and puts right the files of an event.
    ///
    /// # Errors
    /// When another stage writes them, or the disk gives an error other than being full.
    pub(super) fn open(disk_dir: &Path, memory_dir: &Path, journal: &Journal, boot: &str, now: UnixMillis) -> anyhow::Result<Opened> {
        Self::open_syncing(disk_dir, memory_dir, journal, boot, now, File::sync_data)
    }

    /// The same where a file is synced by `sync`, for tests of a disk that fails.
    pub(super) fn open_syncing(
        disk_dir: &Path,
        memory_dir: &Path,
        journal: &Journal,
        boot: &str,
        now: UnixMillis,
        sync: fn(&File) -> io::Result<()>,
    ) -> anyhow::Result<Opened> {
        let epochs: Vec<_> = journal.epochs().map(|(epoch, first, _)| (epoch, first)).collect();
        let mut disk = Rung::ALL.map(|_| None);
        let mut disk_full = false;
        for (place, rung) in Rung::ALL.into_iter().enumerate() {
            match Files::open(disk_dir, rung, rung == Rung::R64) {
                Ok(files) => disk[place] = files,
                Err(error) if is_disk_fault(&error) => disk_full = true,
                Err(error) => return Err(error).context(format!("{}", disk_dir.join(rung.name()).display())),
            }
        }
        if let [Some(files), ..] = &disk {
            rustix::fs::flock(&files.media, FlockOperation::NonBlockingLockExclusive)
                .context("another stage writes this event's programme")?;
        }
        let memory = Rung::ALL.map(|rung| Files::open(memory_dir, rung, false).ok().flatten());
        let found = |files: &[Option<Files>; 3]| -> anyhow::Result<[Found; 3]> {
            let mut all = [Found::default(), Found::default(), Found::default()];
            for (place, rung) in Rung::ALL.into_iter().enumerate() {
                if let Some(files) = &files[place] {
                    all[place] = files.put_right(rung, &epochs).with_context(|| format!("recovering rung {rung}"))?;
                }
            }
            Ok(all)
        };
        let (on_disk, in_memory) = (found(&disk)?, found(&memory)?);
        let Some(opening) = recover::opening(&on_disk, &in_memory, journal, boot, now) else {
            return Ok(Opened::Ended(on_disk[0].next.max(in_memory[0].next)));
        };
        // A failing disk must not keep the event from going on in memory.
        disk_full |= !is_synced(disk_dir, &disk, sync)?;
        let (disk_dir, memory_dir) = (disk_dir.to_owned(), memory_dir.to_owned());
        Ok(Opened::On(Box::new(Self { disk_dir, memory_dir, disk, memory, opening, disk_end: opening.disk, disk_full })))
    }

    /// Where a writer goes on.
    pub(super) const fn opening(&self) -> &Opening {
        &self.opening
    }

    /// Whether nothing can be written to disk from the start.
    pub(super) const fn disk_full(&self) -> bool {
        self.disk_full
    }

    /// Writes an append's media, then its record. Gives the files on disk that are to be synced.
    pub(super) fn append(&mut self, append: &Append) -> io::Result<Option<[Arc<File>; 2]>> {
        let place = append.rung.place();
        let (dir, files) = match append.source {
            Source::Disk => (&self.disk_dir, &mut self.disk[place]),
            Source::Memory => (&self.memory_dir, &mut self.memory[place]),
        };
        let files = match files {
            Some(files) => files,
            none => {
                if append.source == Source::Memory {
                    std::fs::create_dir_all(dir)?;
                }
                let opened = Files::open(dir, append.rung, true)?.ok_or(io::ErrorKind::NotFound)?;
                none.insert(opened)
            }
        };
        files.media.write_all_at(&append.media, append.media_at)?;
        files.index.write_all_at(&append.record, append.record_at)?;
        let media = append.media_at + append.media.len() as u64;
        if append.source == Source::Memory {
            files.punch(media.saturating_sub(memory_bytes_max(append.rung)));
            return Ok(None);
        }
        self.disk_end[place] = Lengths { media, index: append.record_at + RECORD_BYTES as u64 };
        Ok(Some([Arc::clone(&files.media), Arc::clone(&files.index)]))
    }

    /// Writes the event's end behind what is on disk although the programme went on in memory, for that is going to be removed.
    pub(super) fn end_on_disk(&self, end: FragmentNumber, epoch: base::Epoch) -> Vec<Arc<File>> {
        let mut written = Vec::new();
        for (place, rung) in Rung::ALL.into_iter().enumerate() {
            let Lengths { media, index } = self.disk_end[place];
            let slots = rung.slots_per_fragment();
            let record = Record::End { number: FragmentNumber(end.0.div_ceil(slots) * slots), offset: media, epoch };
            let Some(files) = self.disk[place].as_ref().filter(|_| media > 0) else { continue };
            // What a failed append left is no part of the recording.
            let cut = files.media.set_len(media).and_then(|()| files.index.set_len(index));
            if cut.and_then(|()| files.index.write_all_at(&record.to_bytes(), index)).is_ok() {
                written.extend([Arc::clone(&files.media), Arc::clone(&files.index)]);
            }
        }
        written
    }

    /// Bytes held in memory.
    pub(super) fn memory_bytes(&self) -> u64 {
        let held = |files: &Files| files.media.metadata().map_or(0, |meta| meta.len().saturating_sub(files.punched));
        self.memory.iter().flatten().map(held).sum::<u64>().min(SPILL_BYTES_MAX)
    }

    /// Where the event's files are.
    pub(super) fn disk_dir(&self) -> &Path {
        &self.disk_dir
    }

    /// Where the event's files in memory are.
    pub(super) fn memory_dir(&self) -> &Path {
        &self.memory_dir
    }
}

impl Files {
    fn open(dir: &Path, rung: Rung, create: bool) -> io::Result<Option<Self>> {
        let open = |extension: &str| {
            let path = dir.join(rung.name()).with_extension(extension);
            OpenOptions::new().read(true).write(true).create(create).truncate(false).open(path)
        };
        let files = open("mp4").and_then(|media| Ok(Self { media: media.into(), index: open("idx")?.into(), punched: PAGE_BYTES }));
        match files {
            Ok(files) => Ok(Some(files)),
            Err(error) if !create && error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Cuts the files at the last whole fragment.
    fn put_right(&self, rung: Rung, epochs: &[(base::Epoch, FragmentNumber)]) -> io::Result<Found> {
        let mut index = vec![0; usize::try_from(self.index.metadata()?.len()).map_err(io::Error::other)?];
        self.index.read_exact_at(&mut index, 0)?;
        let media_bytes = self.media.metadata()?.len();
        let mut found = recover::files(rung, &index, media_bytes, epochs, |at, bytes| self.media.read_exact_at(bytes, at))?;
        self.index.set_len(found.cut_to.index)?;
        match self.index.write_all_at(&found.records, found.cut_to.index) {
            // A full disk must not keep the event from going on in memory.
            Err(error) if is_disk_fault(&error) => {
                found = found.without_records();
                self.index.set_len(found.cut_to.index)?;
            }
            written => written?,
        }
        self.media.set_len(found.cut_to.media)?;
        Ok(found)
    }

    fn punch(&mut self, up_to: u64) {
        let up_to = up_to / PAGE_BYTES * PAGE_BYTES;
        if up_to > self.punched {
            let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            if rustix::fs::fallocate(&self.media, hole, self.punched, up_to - self.punched).is_ok() {
                self.punched = up_to;
            }
        }
    }
}

/// Syncs what was put right, and the names of new files, which must survive as their bytes do; false when the disk can't.
fn is_synced(dir: &Path, disk: &[Option<Files>; 3], sync: fn(&File) -> io::Result<()>) -> anyhow::Result<bool> {
    let mut files = disk.iter().flatten().flat_map(|files| [&files.media, &files.index]);
    match files.try_for_each(|file| sync(file)).and_then(|()| File::open(dir)?.sync_all()) {
        Ok(()) => Ok(true),
        Err(error) if is_disk_fault(&error) => {
            tracing::error!(%error, dir = %dir.display(), "the disk does not sync");
            Ok(false)
        }
        Err(error) => Err(error).context("syncing the event's files"),
    }
}

/// Removes what an event kept in memory, and the directory of all events with the last of them.
pub(super) fn forget_memory(dir: &Path) {
    if let Err(error) = std::fs::remove_dir_all(dir)
        && error.kind() != io::ErrorKind::NotFound
    {
        tracing::warn!(%error, dir = %dir.display(), "what an ended event kept in memory can't be removed");
    }
    // It stays while another event has something there.
    let _ = dir.parent().map(std::fs::remove_dir);
}

/// What somebody is told whose request failed by this.
pub(super) fn fault_of(error: &io::Error) -> FaultKind {
    if is_disk_fault(error) { FaultKind::DiskFull } else { FaultKind::Internal }
}

/// Whether the disk is full or failing, as opposed to a mistake of ours.
fn is_disk_fault(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let faults = [Errno::NOSPC, Errno::DQUOT, Errno::FBIG, Errno::IO, Errno::ROFS];
    error.raw_os_error().is_some_and(|code| faults.iter().any(|fault| fault.raw_os_error() == code))
}
