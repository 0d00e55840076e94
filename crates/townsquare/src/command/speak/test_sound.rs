//! The test sound of a rehearsal: chimes that a speaker on a thread of its own says to a stage until it is told to stop.

use super::{News, Report, Speaker, Stage, Ticket};
use crate::command::speak::sound::Sound;
use base::limit::SPEAK_QUEUE_NEWS_MAX;
use std::path::Path;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Under which name it stands on the stage.
const NAME: &str = "Test sound";

/// Chimes on a stage.
pub(in crate::command) struct TestSound {
    tell: SyncSender<News>,
    speaker: JoinHandle<anyhow::Result<Report>>,
}

impl TestSound {
    /// Goes on stage with a host's ticket, live as soon as it is heard there.
    pub(in crate::command) fn start(ticket: Ticket, ca: Option<&Path>) -> anyhow::Result<Self> {
        let stage = Stage::of(ticket, NAME, ca)?;
        let (tell, news) = sync_channel(SPEAK_QUEUE_NEWS_MAX);
        let told = tell.clone();
        let speak = move || Speaker::new(stage, Sound::chimes(), false, told, news)?.speak();
        Ok(Self { tell, speaker: std::thread::Builder::new().name("test sound".into()).spawn(speak)? })
    }

    /// Whether it has ended by itself: it was refused, or the stage is gone.
    pub(in crate::command) fn has_ended(&self) -> bool {
        self.speaker.is_finished()
    }

    /// Ends it; the error that it ended with, when it did by itself.
    pub(in crate::command) fn end(self) -> anyhow::Result<()> {
        // Who has ended takes no news.
        let _ = self.tell.send(News::Interrupted);
        self.speaker.join().map_err(|_| anyhow::anyhow!("the test sound broke"))?.map(drop)
    }
}
