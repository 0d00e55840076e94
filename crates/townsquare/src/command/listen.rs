//! `townsquare listen`: a listener without a browser. It hears the endless stream as a player does, follows the fragments'
//! numbers, and goes on at the next one when the stream breaks.
//!
//! Two threads: one reads (HTTP), this one takes apart, decodes and keeps the account.

mod account;
mod demux;
mod sound;
pub(crate) mod source;

use crate::command::interrupt;
use account::{Account, Report};
use anyhow::{Context as _, bail};
use base::{FaultKind, FragmentNumber};
use demux::{Demux, Piece};
use indicatif::{ProgressBar, ProgressStyle};
use sound::Sound;
use source::{Ear, Found, News};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

/// How long a stream that broke is tried again.
const GONE_MAX: Duration = Duration::from_secs(60);

/// Pieces of the stream that wait to be decoded: the reader is stopped before memory fills.
const WAITING_MAX: usize = 64;

/// How often the line on the terminal is drawn.
const DRAW_EVERY: Duration = Duration::from_millis(200);

/// Hear an event as its listeners do: the live stream or the replay
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The stream, the event's page or the replay
    url: String,
    /// Write what is heard as a WAV file
    #[arg(long, value_name = "FILE.wav")]
    output: Option<PathBuf>,
    /// Stop after so many seconds of sound
    #[arg(long, value_name = "N", value_parser = seconds)]
    seconds: Option<f64>,
    /// End with one line of JSON on standard output
    #[arg(long)]
    json: bool,
    /// Trust these certificates (PEM) instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

fn seconds(text: &str) -> Result<f64, String> {
    text.parse().ok().filter(|seconds: &f64| *seconds > 0.0 && seconds.is_finite()).ok_or_else(|| "say a number above 0".to_owned())
}

pub(crate) fn run(args: Args) -> anyhow::Result<()> {
    let began = Instant::now();
    let mut ear = Ear::new(args.ca.as_deref())?;
    let found = ear.find(&args.url)?;
    let sound = Sound::new(args.output.as_deref(), args.seconds)?;
    let (tell, news) = mpsc::sync_channel(WAITING_MAX);
    let told = tell.clone();
    // Nobody is there any more when all has ended by itself.
    interrupt::listen(move || drop(told.send(News::Interrupted)))?;
    let report = Listener { ear, tell, news, sound, account: Account::new(began), line: Line::new() }.listen(found)?;
    #[expect(clippy::print_stdout, reason = "the answer of the command")]
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!("{report}");
    }
    Ok(())
}

/// How one connection came to its end.
enum End {
    /// All that was wanted is heard.
    Enough,
    /// It broke, or the event ended: the next connection tells.
    Broken,
}

struct Listener {
    ear: Ear,
    tell: SyncSender<News>,
    news: Receiver<News>,
    sound: Sound,
    account: Account,
    line: Line,
}

impl Listener {
    /// Listens until the end of the event or of the patience.
    fn listen(mut self, found: Found) -> anyhow::Result<Report> {
        let live = found.is_live();
        let mut next = Some(found);
        let mut silent_since = Instant::now();
        let mut tries = 0;
        let outcome = loop {
            let fragments = self.account.fragments();
            if let Some(found) = next.take() {
                match self.hear(found) {
                    Ok(End::Enough) => break Ok(()),
                    Ok(End::Broken) if !live => break Ok(()),
                    Ok(End::Broken) => {}
                    Err(error) => break Err(error),
                }
            }
            if self.account.fragments() > fragments {
                (silent_since, tries) = (Instant::now(), 0);
            }
            match self.ear.again(self.account.next(), self.account.ready()) {
                Ok(found) => next = Some(found),
                Err(refused) if refused.is(FaultKind::EventEnded) => break Ok(()),
                // An event that was heard a moment ago and is not live is being opened again.
                Err(refused) if (refused.is_final() && !refused.is(FaultKind::EventNotLive)) || silent_since.elapsed() > GONE_MAX => {
                    break Err(refused.into());
                }
                Err(_) => self.line.say("the stream is gone; trying again"),
            }
            // Thousands who lost the same relay must not come back in the same instant.
            tries += 1;
            if (next.is_none() || tries > 1) && self.is_interrupted_within(source::back_off(tries)) {
                break Ok(());
            }
        };
        self.line.clear();
        let heard = self.sound.finish();
        outcome?;
        heard?;
        if self.account.fragments() == 0 {
            bail!("there was nothing to hear");
        }
        Ok(self.account.report(self.sound.seconds()))
    }

    /// Hears one connection to its end.
    fn hear(&mut self, found: Found) -> anyhow::Result<End> {
        let connection = self.account.connected(Instant::now(), found.edge);
        found.read(connection, self.tell.clone())?;
        let mut demux = Demux::new();
        loop {
            match self.news.recv_timeout(DRAW_EVERY) {
                Ok(News::Bytes(from, at, bytes)) if from == connection => {
                    self.account.received(bytes.len());
                    demux.push(&bytes);
                    while let Some(piece) = demux.next().context("this is no stream of a town square")? {
                        if self.take(at, &piece)? {
                            return Ok(End::Enough);
                        }
                    }
                }
                Ok(News::Broken(from)) if from == connection => return Ok(End::Broken),
                // From a connection that was given up.
                Ok(News::Bytes(..) | News::Broken(_)) => {}
                Ok(News::Interrupted) | Err(RecvTimeoutError::Disconnected) => return Ok(End::Enough),
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.line.show(&self.account, &self.sound);
        }
    }

    /// Takes one piece of sound; true when it is enough.
    fn take(&mut self, at: Instant, piece: &Piece) -> anyhow::Result<bool> {
        let Some(place) = self.account.place(at, piece) else { return Ok(false) };
        let enough = self.sound.play(piece, place.missing_samples, place.known_samples)?;
        self.account.sounded();
        Ok(enough)
    }

    fn is_interrupted_within(&self, time: Duration) -> bool {
        let until = Instant::now() + time;
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            match self.news.recv_timeout(left) {
                Ok(News::Interrupted) => return true,
                Ok(News::Bytes(..) | News::Broken(_)) => {}
                Err(_) => return false,
            }
        }
        false
    }
}

/// The line on the terminal; invisible where there is none.
struct Line(ProgressBar);

impl Line {
    fn new() -> Self {
        let bar = ProgressBar::no_length();
        if let Ok(style) = ProgressStyle::with_template("{spinner}  {msg}") {
            bar.set_style(style);
        }
        bar.set_message("connecting");
        Self(bar)
    }

    fn show(&self, account: &Account, sound: &Sound) {
        self.0.tick();
        if account.fragments() > 0 {
            let behind = account.behind_ms();
            self.0.set_message(format!(
                "{:.1} s heard, {} gaps, {behind} ms behind, {:.0} dB",
                sound.seconds(),
                account.gaps(),
                sound.level_db()
            ));
        }
    }

    fn say(&self, what: &str) {
        self.0.set_message(what.to_owned());
    }

    fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// The number of the fragment that holds this sample.
fn number_at(sample: u64) -> FragmentNumber {
    FragmentNumber(sample / base::time::FRAGMENT_SAMPLES)
}

#[cfg(test)]
mod tests;
