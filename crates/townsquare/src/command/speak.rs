//! `townsquare speak`: a speaker without a browser. It does what the stage's page does, over real WebRTC: it keeps its control
//! stream open, and when that breaks it posts its offer again at once under the same key.
//!
//! Three threads: this one signals (HTTP), one reads the control stream, one keeps time and sends the sound.

mod console;
mod line;
mod signalling;
mod sound;
mod test_sound;

use crate::command::interrupt;
use anyhow::{Context as _, bail};
use base::limit::SPEAK_QUEUE_NEWS_MAX;
use console::Heard;
use line::{Line, Order, Progress};
pub(crate) use signalling::Ticket;
use signalling::{Session, Stage};
use sound::Sound;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};
pub(super) use test_sound::TestSound;

/// How long a stage that does not answer is tried, after it was there once.
const GONE_MAX: Duration = Duration::from_secs(60);

/// How often it is tried.
const AGAIN_AFTER: Duration = Duration::from_millis(200);

/// How long the control stream may take to say what the event's phase is.
const STATE_MAX: Duration = Duration::from_secs(5);

/// Speak on a stage: a sound file over WebRTC
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stage link of an event, as `event create` printed it
    stage_link: String,
    /// What to say: a WAV file, or Opus in Ogg
    file: PathBuf,
    /// Say it again and again until stopped
    #[arg(long = "loop")]
    again: bool,
    /// End with one line of JSON on standard output
    #[arg(long)]
    json: bool,
    /// The name shown on stage [default: the file's]
    #[arg(long)]
    name: Option<String>,
    /// Send the sound over TCP, as from behind a firewall that lets no UDP through
    #[arg(long)]
    tcp: bool,
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub(crate) struct Report {
    /// Seconds of sound that were sent.
    seconds: f64,
    /// Packets of sound that were sent.
    packets: u64,
    /// How often the stage had to be called again.
    reconnections: u32,
    /// The last round trip to the stage that was measured.
    rtt_ms: Option<f64>,
}

/// What the threads tell each other.
#[derive(Debug)]
pub(crate) enum News {
    /// The control stream said something, or broke.
    Console(Heard),
    /// The call with this number can be heard.
    Connected(u32),
    /// The call with this number is over.
    Lost(u32),
    /// The sound is at its end, and all of it was sent.
    Finished,
    /// The file can't be read any further.
    Unreadable(anyhow::Error),
    /// Somebody pressed Ctrl-C.
    Interrupted,
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let sound = Sound::open(&args.file, args.again)?;
    let name = args.name.or_else(|| args.file.file_stem().map(|stem| stem.to_string_lossy().into_owned())).unwrap_or_default();
    let stage = Stage::find(&args.stage_link, &name, args.ca.as_deref())?;
    let (tell, news) = sync_channel(SPEAK_QUEUE_NEWS_MAX);
    let told = tell.clone();
    // Nobody is there any more when all has ended by itself.
    interrupt::listen(move || drop(told.send(News::Interrupted)))?;
    let report = Speaker::new(stage, sound, args.tcp, tell, news)?.speak()?;
    if args.json {
        #[expect(clippy::print_stdout, reason = "the answer of the command")]
        {
            println!("{}", serde_json::to_string(&report)?);
        }
    }
    Ok(())
}

/// One speaker from the first call to the goodbye.
struct Speaker {
    stage: Stage,
    news: Receiver<News>,
    line: Line,
    session: Option<Session>,
    /// The number of the latest call.
    call: u32,
    connected: bool,
    redial: bool,
    went_live: bool,
    phase: Option<console::State>,
    progress: Progress,
}

impl Speaker {
    fn new(stage: Stage, sound: Sound, tcp: bool, tell: SyncSender<News>, news: Receiver<News>) -> anyhow::Result<Self> {
        let progress = Progress::new(&stage.title, sound.seconds());
        console::follow(stage.clone(), tell.clone())?;
        let line = Line::start(sound, tcp, tell)?;
        let (session, phase) = (None, None);
        Ok(Self { stage, news, line, session, call: 0, connected: false, redial: false, went_live: false, phase, progress })
    }

    /// Speaks until the sound, the event or the patience of whoever started it is at its end.
    fn speak(mut self) -> anyhow::Result<Report> {
        // The stage knows by the control stream who acts; the offer need not wait for it, but going live does.
        self.dial(Duration::ZERO)?;
        let asked = Instant::now();
        let ended = loop {
            match self.news.recv_timeout(AGAIN_AFTER) {
                Ok(news) => match self.learn(news) {
                    Ok(true) => {}
                    Ok(false) => break Ok(()),
                    Err(error) => break Err(error),
                },
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break Err(anyhow::anyhow!("the sound's thread is gone")),
            }
            if let Err(error) = self.act(asked) {
                break Err(error);
            }
            self.progress.show(&self.line.status(), self.connected);
        };
        self.progress.clear();
        // Nobody takes news any more: a thread that waits to tell some would be waited for without end.
        drop(self.news);
        let status = self.line.hang_up();
        if let Some(session) = self.session.take() {
            // The stage notices a speaker that is gone by itself; a failed goodbye is no failure of the command.
            let _ = self.stage.delete(&session);
        }
        ended?;
        Ok(Report {
            seconds: status.packets as f64 * 0.02,
            packets: status.packets,
            reconnections: self.call.saturating_sub(1),
            rtt_ms: status.round_trip.map(|time| (time.as_secs_f64() * 10_000.0).round() / 10.0),
        })
    }

    /// Takes one piece of news; false when it is the end.
    fn learn(&mut self, news: News) -> anyhow::Result<bool> {
        match news {
            News::Console(Heard::State(state)) => {
                let over = state.phase == console::Phase::Ended;
                self.phase = Some(state);
                return Ok(!over);
            }
            // A broken stream is the first sign of a stage that was replaced: ICE would take seconds to notice.
            News::Console(Heard::Broken) => self.redial = true,
            News::Console(Heard::Ended) => return Ok(false),
            News::Console(Heard::Refused(why)) => bail!(why),
            News::Connected(call) if call == self.call => self.connected = true,
            News::Lost(call) if call == self.call => self.redial = true,
            News::Connected(_) | News::Lost(_) => {}
            News::Finished | News::Interrupted => return Ok(false),
            News::Unreadable(error) => return Err(error),
        }
        Ok(true)
    }

    /// Does what the news asks for, once all of it is known.
    fn act(&mut self, asked: Instant) -> anyhow::Result<()> {
        if self.redial {
            self.redial = false;
            self.connected = false;
            self.dial(GONE_MAX)?;
        }
        if !self.connected || self.went_live {
            return Ok(());
        }
        match &self.phase {
            Some(state) if !state.on_stage() => {}
            Some(state) if matches!(state.phase, console::Phase::Backstage | console::Phase::Doors) && self.stage.is_host() => {
                self.stage.go_live().context("the event could not go live")?;
                self.begin();
            }
            Some(state) if state.phase == console::Phase::Live => self.begin(),
            Some(_) => self.progress.say("waiting for the host to go live"),
            None if asked.elapsed() > STATE_MAX => bail!("the stage does not say whether the event is live"),
            None => {}
        }
        Ok(())
    }

    fn begin(&mut self) {
        self.went_live = true;
        self.line.order(Order::Begin);
    }

    /// Calls the stage, for as long as `patience` when it does not answer.
    fn dial(&mut self, patience: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            match self.stage.call() {
                Ok((session, call)) => {
                    self.call += 1;
                    self.session = Some(session);
                    self.line.order(Order::Dial(self.call, Box::new(call)));
                    return Ok(());
                }
                // Over while we were away: as good an end as any.
                Err(refused) if refused.is(base::FaultKind::EventEnded) && self.call > 0 => {
                    self.phase = None;
                    self.line.order(Order::Finish);
                    return Ok(());
                }
                Err(refused) if refused.is_final() || began.elapsed() >= patience => return Err(refused.into()),
                Err(_) => {}
            }
            self.progress.say("calling again");
            if self.news.recv_timeout(AGAIN_AFTER).is_ok_and(|news| matches!(news, News::Interrupted)) {
                self.line.order(Order::Finish);
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
