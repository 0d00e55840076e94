//! Following a rung: a thread that takes what an upstream sends and writes it down, for as long as somebody listens.
//!
//! The thread of the recording leads: it finds the event, and decides which upstream is asked. The other rungs go where it goes.

use super::Desk;
use super::event::Event;
use super::upstream::{Answer, Silence, Trouble};
use base::fact::Fact;
use base::limit::COPY_DOCUMENT_BYTES_MAX;
use base::{FragmentNumber, Rung};
use programme::Announcement;
use programme::copy::{Frame, Reader, Sound};
use programme::journal::Journal;
use std::io::Read as _;
use std::path::Path;
use std::time::{Duration, Instant};

/// Bytes read at once.
const READ_BYTES: usize = 64 * 1024;

/// How long a copy may have stood still to go on without a hole in its media.
const PAUSE: Duration = Duration::from_secs(60);

/// How often an ended event is asked about: only its cuts can change.
const ENDED_LOOK: Duration = Duration::from_secs(10);

/// How often a waiting thread looks whether it is to stop.
const LOOK: Duration = Duration::from_millis(100);

/// How a connection ended without trouble.
enum Done {
    /// Nothing follows.
    Over,
    /// The copy is not wanted any more, or another upstream is asked.
    Left,
    /// Nothing has come yet; the event has not begun.
    Nothing,
    /// It has begun: what may be silent for long before may not be now.
    Begun,
}

/// One rung on its way.
struct Follower<'a> {
    desk: &'a Desk,
    event: &'a Event,
    rung: Rung,
    /// When a fragment last came.
    grown: Option<Instant>,
    /// Tries since then.
    tries: usize,
    /// Upstreams in a row that know no such event.
    unknown: usize,
}

/// Follows a rung until it is not wanted any more.
pub(super) fn run(desk: &Desk, event: &Event, rung: Rung) {
    let mut follower = Follower { desk, event, rung, grown: None, tries: 0, unknown: 0 };
    let mut silence = Silence::Live;
    while event.wants(rung) {
        let which = event.upstream();
        match follower.connect(which, silence) {
            Ok(Done::Over) => {
                follower.tries = 0;
                follower.pause(ENDED_LOOK);
            }
            Ok(Done::Left) => {}
            Ok(Done::Nothing) => {
                silence = Silence::Patient;
                follower.ask_around();
            }
            Ok(Done::Begun) => silence = Silence::Live,
            Err(trouble) => follower.fail(which, &trouble),
        }
    }
}

impl Follower<'_> {
    fn connect(&mut self, which: usize, silence: Silence) -> Result<Done, Trouble> {
        if self.rung == Rung::R64 && !self.event.directory.join("event.json").exists() {
            self.announce(which)?;
        }
        let last = self.event.with(self.rung, |files| Ok(files.track().last()))?;
        if self.has_ended()? {
            self.let_in();
        }
        let slots = self.rung.slots_per_fragment();
        let from = last.map_or(0, |last| last.number.0 + slots);
        let goes_on = last.is_some() && self.grown.is_some_and(|at| at.elapsed() < PAUSE);
        let bytes = if goes_on { "all" } else { "live" };
        let silence = if self.rung == Rung::R64 { silence } else { Silence::Patient };
        let answer = self.desk.upstreams.ask(which, self.event.id, &format!("{}?from={from}&bytes={bytes}", self.rung), silence)?;
        self.unknown = 0;
        self.desk.metrics.opened();
        self.take(which, answer, Reader::new(self.rung, last), silence)
    }

    /// Takes what comes until the connection ends or is left.
    fn take(&mut self, which: usize, mut answer: Answer, mut reader: Reader, silence: Silence) -> Result<Done, Trouble> {
        let mut bytes = vec![0; READ_BYTES];
        let (mut heard, mut came) = (false, Instant::now());
        loop {
            if self.catches_up(answer.edge)? {
                self.let_in();
            }
            let count = match answer.body.read(&mut bytes) {
                Ok(0) if reader.is_between_frames() && self.has_ended()? => {
                    self.let_in();
                    return Ok(Done::Over);
                }
                Ok(0) => return Err(Trouble::Broken("it ended in the midst of an event".into())),
                Ok(count) => count,
                Err(error) => {
                    let trouble = Trouble::of_read(&error);
                    let waits = matches!(trouble, Trouble::Silent) && answer.edge.is_none() && !heard;
                    return if waits { Ok(Done::Nothing) } else { Err(trouble) };
                }
            };
            self.desk.metrics.received(count);
            reader.feed(&bytes[..count]);
            while let Some(frame) = reader.frame()? {
                if matches!(frame, Frame::Fragment(..) | Frame::Named(..)) {
                    came = Instant::now();
                }
                heard |= matches!(frame, Frame::Fragment(..));
                self.write(&frame)?;
            }
            // Bytes that never become a fragment are no better than silence.
            if came.elapsed() >= silence.time() {
                return Err(Trouble::Silent);
            }
            if heard {
                (self.grown, self.tries) = (Some(Instant::now()), 0);
            }
            if !self.event.wants(self.rung) || self.event.upstream() != which {
                return Ok(Done::Left);
            }
            if heard && silence == Silence::Patient && self.rung == Rung::R64 {
                return Ok(Done::Begun);
            }
        }
    }

    /// Writes a frame down.
    fn write(&self, frame: &Frame) -> Result<(), Trouble> {
        let append = |place, sound| {
            let fresh = self.desk.write(self.event, self.rung, |files| files.append(place, sound))?;
            self.desk.admit(fresh.into_iter().map(|block| (self.event.id, self.rung, block)));
            Ok(())
        };
        match frame {
            Frame::Fragment(place, bytes) => {
                self.desk.metrics.fragment();
                append(*place, Sound::Here(bytes))
            }
            Frame::Named(place, length) => append(*place, Sound::Elsewhere(*length)),
            Frame::End(place) => {
                self.desk.write(self.event, self.rung, |files| if files.track().has_ended() { Ok(()) } else { files.end(*place) })
            }
            Frame::Cuts(bytes) => self.document("cuts", bytes),
            Frame::Journal(bytes) => self.document("journal", bytes),
        }
    }

    /// Whether nothing follows on this rung. A rung may have nothing at all, and an event may end before it was heard.
    fn has_ended(&self) -> Result<bool, Trouble> {
        let ends = |rung| self.event.with(rung, |files| Ok((files.track().has_ended(), files.track().last().is_some())));
        let (recording_ended, is_recorded) = ends(Rung::R64)?;
        if recording_ended || is_recorded {
            return Ok(recording_ended || ends(self.rung)?.0);
        }
        let journal = std::fs::read(self.event.directory.join("journal")).unwrap_or_default();
        Ok(Journal::read(&journal).end().is_some())
    }

    /// Puts a document in its place. One that is shorter than what is here comes from an upstream that is behind.
    fn document(&self, name: &str, bytes: &[u8]) -> Result<(), Trouble> {
        let path = self.event.directory.join(name);
        let here = path.metadata().map_or(0, |file| file.len());
        if here >= bytes.len() as u64 { Ok(()) } else { put(&path, bytes).map_err(Trouble::Disk) }
    }

    /// Finds out what the event is, and makes its directory.
    fn announce(&mut self, which: usize) -> Result<(), Trouble> {
        let answer = self.desk.upstreams.ask(which, self.event.id, "announcement", Silence::Live)?;
        let mut text = Vec::new();
        let most = u64::try_from(COPY_DOCUMENT_BYTES_MAX).unwrap_or(u64::MAX);
        answer.body.take(most).read_to_end(&mut text).map_err(|error| Trouble::of_read(&error))?;
        let announcement = Announcement::read(&text).ok().filter(|announcement| announcement.id == self.event.id);
        let announcement = announcement.ok_or(Trouble::Other)?;
        std::fs::create_dir_all(&self.event.directory).map_err(Trouble::Disk)?;
        put(&self.event.directory.join("event.json"), announcement.text().as_bytes()).map_err(Trouble::Disk)
    }

    fn catches_up(&self, edge: Option<FragmentNumber>) -> Result<bool, Trouble> {
        if self.rung != Rung::R64 || self.event.is_current() {
            return Ok(false);
        }
        let last = self.event.with(self.rung, |files| Ok(files.track().last()))?;
        Ok(edge.is_none_or(|edge| last.is_some_and(|last| last.number >= edge)))
    }

    /// Listeners may come.
    fn let_in(&self) {
        if self.rung == Rung::R64 && self.event.set_current() {
            self.desk.link.tell(Fact::Copied { event: self.event.id, known: true });
        }
    }

    fn fail(&mut self, which: usize, trouble: &Trouble) {
        self.desk.metrics.trouble(trouble.name());
        self.tries += 1;
        let upstreams = self.desk.upstreams.count();
        if !matches!(trouble, Trouble::Silent) || upstreams > 1 {
            let upstream = self.desk.upstreams.name(which);
            tracing::info!(event = %self.event.id, rung = %self.rung, upstream, %trouble, "an upstream is left");
        }
        if self.rung == Rung::R64 {
            self.unknown = if matches!(trouble, Trouble::Unknown | Trouble::Ticket) { self.unknown + 1 } else { 0 };
            if self.unknown >= upstreams {
                self.desk.link.tell(Fact::Copied { event: self.event.id, known: false });
                self.event.stop();
            } else if self.tries >= upstreams && self.has_something() {
                // Nobody can say more: what is here is served.
                self.let_in();
            }
            if !matches!(trouble, Trouble::Disk(_)) {
                self.event.change_over();
                self.desk.metrics.changed_over();
            }
        }
        // Once around all of them at once, then with more and more patience.
        let rounds = self.tries / upstreams;
        if rounds > 0 || self.rung != Rung::R64 {
            self.pause(crate::command::listen::source::back_off(u32::try_from(rounds).unwrap_or(u32::MAX)));
        }
    }

    /// Whether anything can be served: an event that was only announced looks like one that has not begun.
    fn has_something(&self) -> bool {
        self.event.directory.join("64.idx").exists()
            && self.event.with(Rung::R64, |files| Ok(files.track().last().is_some())).unwrap_or(false)
    }

    /// Nothing is to be heard where the event was looked for: it may have begun elsewhere.
    fn ask_around(&self) {
        if self.rung == Rung::R64 && self.desk.upstreams.count() > 1 {
            self.event.change_over();
        }
    }

    fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        while self.event.wants(self.rung) && Instant::now() < until {
            std::thread::sleep(LOOK.min(time));
        }
    }
}

/// Puts a small file in its place, whole. It need not outlast a power loss: copies are thrown away behind one.
fn put(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let temporary = path.with_extension("tmp");
    std::fs::write(&temporary, bytes)?;
    std::fs::rename(&temporary, path)
}
