//! The control stream: one JSON object a line, without end.

use super::News;
use super::signalling::Stage;
use crate::command::http::Refused;
use std::io::{BufRead as _, BufReader, Read as _};
use std::sync::mpsc::SyncSender;
use std::time::Duration;

/// Silence after which the stage is taken for gone; it says something every second.
const SILENCE_MAX: Duration = Duration::from_secs(2);

/// How soon a broken stream is opened again.
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// A line longer than this is none of the stage's.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Not yet heard outside.
    Backstage,
    /// Listeners come and hear the hold sound.
    Doors,
    /// On air.
    Live,
    /// Over.
    Ended,
}

/// What of the stage's state a speaker needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
pub(crate) struct State {
    pub(crate) phase: Phase,
    you: Option<You>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
struct You {
    id: Option<u16>,
}

impl State {
    /// Whether we are on stage: what is said before that is heard by nobody.
    pub(super) fn on_stage(self) -> bool {
        self.you.is_some_and(|you| you.id.is_some())
    }
}

/// What the control stream tells.
#[derive(Debug)]
pub(crate) enum Heard {
    /// The event's state.
    State(State),
    /// The stream was open, and is broken or silent.
    Broken,
    /// The event is over.
    Ended,
    /// The stage does not let us in; says why.
    Refused(String),
}

#[derive(Debug, serde::Deserialize)]
struct Line {
    state: Option<State>,
}

/// Keeps the stream open on a thread of its own, until nobody listens or the stage says no.
pub(super) fn follow(stage: Stage, tell: SyncSender<News>) -> std::io::Result<()> {
    std::thread::Builder::new().name("console".into()).spawn(move || while once(&stage, &tell) {}).map(|_| ())
}

/// Opens the stream and reads it to its end; false when it shall not be opened again.
fn once(stage: &Stage, tell: &SyncSender<News>) -> bool {
    let heard = match stage.console(SILENCE_MAX) {
        Ok(stream) => {
            let mut lines = BufReader::new(stream);
            let mut line = Vec::new();
            loop {
                line.clear();
                match (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line) {
                    Ok(bytes) if bytes > 0 && line.ends_with(b"\n") => {}
                    Ok(_) | Err(_) => break Heard::Broken,
                }
                let state = serde_json::from_slice::<Line>(&line).ok().and_then(|line| line.state);
                if let Some(state) = state
                    && tell.send(News::Console(Heard::State(state))).is_err()
                {
                    return false;
                }
            }
        }
        Err(refused) => match refusal(&refused) {
            Some(heard) => heard,
            None => {
                std::thread::sleep(AGAIN_AFTER);
                return true;
            }
        },
    };
    let again = matches!(heard, Heard::Broken);
    let told = tell.send(News::Console(heard)).is_ok();
    std::thread::sleep(AGAIN_AFTER);
    told && again
}

fn refusal(refused: &Refused) -> Option<Heard> {
    if refused.is(base::FaultKind::EventEnded) {
        return Some(Heard::Ended);
    }
    refused.is_final().then(|| Heard::Refused(refused.to_string()))
}
