//! Rehearsals from an event's page: a crowd is sent to a stage of its own, which is like the event's and which nobody finds.
//!
//! The stage of a rehearsal is an announcement without a row: stage and relays know it, pages and lists don't. A child process
//! (`townsquare rehearse-event`) plays the test sound there and conducts the crowd, which comes the way listeners come. Afterwards the
//! stage is closed and its directory goes; what stays is a verdict and a report.

mod child;
mod files;

use super::stage;
use crate::command::rehearse::attended::{Line, Wish};
use crate::command::speak::Ticket;
use crate::settings::Settings;
use api::{Addresses, Doing, End, Last, Order, Rehearsal, Running};
use base::limit::{REHEARSAL_EXTRA_SECONDS_MAX, REHEARSALS_MAX, SQUARE_STOP_MILLIS_MAX};
use base::{EventId, FaultKind, UnixMillis, Visibility};
use files::{Files, Underway};
use gate::Keys;
use gate::ticket::{Claims, Class, sign};
use programme::Announcement;

use square::rehearsal::Crowd;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// What the place below is for: one.
const _: () = assert!(REHEARSALS_MAX == 1);

/// How long a crowd that is called back may take to leave.
const LEAVE_MAX: Duration = Duration::from_secs(20);

/// Seconds that the tickets of a rehearsal are good for, and by how many the machine's clock may go back meanwhile.
const TICKET_SECONDS: i64 = 3_600;

/// The rehearsals of this server.
#[derive(Debug)]
pub(super) struct Rehearsals {
    settings: Settings,
    keys: Keys,
    files: Files,
    place: Mutex<Option<Place>>,
    /// To put away.
    turn: tokio::sync::Mutex<()>,
}

/// The one that is on.
#[derive(Debug)]
struct Place {
    event: EventId,
    running: Running,
    /// Said true, the crowd is called back; closed by the conductor once all is put away.
    end: watch::Sender<bool>,
}

/// Holds the place, and gives it back however the rehearsal ends; whoever waits for the end sees the sender go.
struct Taken(Arc<Rehearsals>);

impl Drop for Taken {
    fn drop(&mut self) {
        self.0.place().take();
    }
}

impl Rehearsals {
    pub(super) fn new(settings: Settings, keys: Keys) -> Self {
        let files = Files::new(settings.data.join("rehearsals"));
        Self { settings, keys, files, place: Mutex::default(), turn: tokio::sync::Mutex::default() }
    }

    fn place(&self) -> MutexGuard<'_, Option<Place>> {
        // What is behind the lock is whole after every step.
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a crowd; it is on its way when this returns.
    pub(super) fn start(self: &Arc<Self>, event: EventId, crowd: Crowd) -> Result<(), FaultKind> {
        let (end, ended) = watch::channel(false);
        let mut place = self.place();
        if place.is_some() {
            return Err(FaultKind::RehearsalRunning);
        }
        *place = Some(Place { event, running: Running { crowd, ..Running::default() }, end });
        drop(place);
        let taken = Taken(Arc::clone(self));
        tokio::spawn(async move { taken.0.rehearse(event, crowd, ended).await });
        Ok(())
    }

    /// Calls an event's crowd back.
    pub(super) fn call_back(&self, event: EventId) {
        if let Some(place) = self.place().as_mut().filter(|place| place.event == event) {
            place.running.ending = true;
            let _ = place.end.send(true);
        }
    }

    /// Calls back whoever is there, and waits for a moment until they are gone.
    pub(super) async fn stop(&self) {
        let ended = self.place().as_mut().map(|place| {
            let _ = place.end.send(true);
            place.end.subscribe()
        });
        let Some(mut ended) = ended else { return };
        let gone = async { while ended.changed().await.is_ok() {} };
        // What is not put away by then is at the next start.
        let _ = tokio::time::timeout(Duration::from_millis(SQUARE_STOP_MILLIS_MAX), gone).await;
    }

    /// How an event's rehearsals stand.
    pub(super) async fn standing(&self, event: EventId) -> Rehearsal {
        let (running, elsewhere) = match &*self.place() {
            Some(place) if place.event == event => (Some(place.running), false),
            other => (None, other.is_some()),
        };
        Rehearsal { running, last: self.files.last(event).await, elsewhere }
    }

    pub(super) async fn report(&self, event: EventId) -> Result<Vec<u8>, FaultKind> {
        let is_there = matches!(self.files.last(event).await, Some(Last { end: End::Verdict(_), .. }));
        if is_there { self.files.report(event).await.ok_or(FaultKind::NotFound) } else { Err(FaultKind::NotFound) }
    }

    /// Puts away what a rehearsal left behind whose square was killed.
    pub(super) async fn tidy(&self) -> anyhow::Result<()> {
        if self.place().is_some() {
            return Ok(());
        }
        let Some(Underway { event, hidden, crowd, began }) = self.files.underway().await else { return Ok(()) };
        if self.files.last(event).await.is_none_or(|last| last.at < began) {
            let end = End::Failed("The server was started again meanwhile.".to_owned());
            self.files.note(event, &Last { crowd, at: super::now(), end }).await?;
        }
        self.put_away(hidden).await
    }

    /// From the first who comes to the last thing that is put away.
    async fn rehearse(&self, event: EventId, crowd: Crowd, ended: watch::Receiver<bool>) {
        let hidden = EventId::from_random(u64::from_be_bytes(super::chance()[..8].try_into().unwrap_or_default()));
        let end = match self.perform(event, hidden, crowd, ended).await {
            Ok(end) => end,
            Err(error) => {
                tracing::error!(%event, error = format!("{error:#}"), "a rehearsal could not be held");
                End::Failed(FaultKind::Internal.text().to_owned())
            }
        };
        let noted = self.files.note(event, &Last { crowd, at: super::now(), end }).await;
        if let Err(error) = noted.and(self.put_away(hidden).await) {
            tracing::warn!(%event, error = format!("{error:#}"), "a rehearsal is not put away yet");
        }
    }

    async fn perform(&self, event: EventId, hidden: EventId, crowd: Crowd, ended: watch::Receiver<bool>) -> anyhow::Result<End> {
        // One that was never put away first: its name is the only one that is kept.
        if let Some(before) = self.files.underway().await {
            self.put_away(before.hidden).await?;
        }
        let now = super::now();
        self.files.begin(&Underway { event, hidden, crowd, began: now }).await?;
        let announcement = Announcement::new(hidden, "Rehearsal", Visibility::Private, now);
        let dir = self.settings.event_dir(hidden);
        tokio::task::spawn_blocking(move || super::outside::write_announcement(&dir, &announcement.text(), true)).await??;
        let wish = self.wish(event, hidden, crowd);
        let patience = Duration::from_secs(u64::from(crowd.seconds + REHEARSAL_EXTRA_SECONDS_MAX));
        child::conduct(&wish, patience, LEAVE_MAX, ended, |line| self.learn(&line)).await
    }

    /// What the child process is asked for.
    fn wish(&self, event: EventId, hidden: EventId, crowd: Crowd) -> Wish {
        let settings = &self.settings;
        let addresses = Addresses::new(&settings.public_url, &settings.relay_public_url, &settings.stage_public_url);
        Wish {
            stage: Ticket {
                title: "Rehearsal".to_owned(),
                role: "host".to_owned(),
                token: self.ticket(hidden, Class::Host),
                whip: addresses.whip(hidden),
                console: addresses.console(hidden),
            },
            stream: addresses.stream(hidden, Some(&self.ticket(hidden, Class::Listener))),
            listeners: crowd.listeners,
            seconds: crowd.seconds,
            report: self.files.report_path(event),
            data: settings.data.clone(),
            ca: settings.tls().map(|(chain, _)| chain.to_owned()),
        }
    }

    fn ticket(&self, hidden: EventId, class: Class) -> String {
        let second = |at: i64| u32::try_from(at.clamp(0, i64::from(u32::MAX))).unwrap_or(u32::MAX);
        let UnixMillis(now) = super::now();
        let now = now.div_euclid(1_000);
        let (not_before, not_after) = (second(now - TICKET_SECONDS), second(now + TICKET_SECONDS));
        sign(&self.keys, &Claims { event: hidden, class, id: hidden.to_i64().cast_unsigned() << 2, not_before, not_after })
    }

    fn learn(&self, line: &Line) {
        let Line::Moment { joined, hearing, faults, left_seconds } = line else { return };
        if let Some(place) = self.place().as_mut() {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a few seconds; casts saturate")]
            let left_seconds = left_seconds.map(|left| left.ceil() as u32);
            place.running = Running { joined: *joined, hearing: *hearing, faults: *faults, left_seconds, ..place.running };
        }
    }

    /// Closes the hidden stage and removes what it recorded.
    async fn put_away(&self, hidden: EventId) -> anyhow::Result<()> {
        // One at a time: what another has put away is not put away again under a new one's name.
        let _turn = self.turn.lock().await;
        if self.files.underway().await.is_none_or(|underway| underway.hidden != hidden) {
            return Ok(());
        }
        let ticket = self.ticket(hidden, Class::Host);
        let socket = self.settings.run_dir().join("stage.sock");
        // Whatever else it answers, nobody is on that stage any more.
        if let Err(fault @ (FaultKind::RoleDown | FaultKind::Internal)) = stage::order(&socket, hidden, &ticket, Order::End).await {
            anyhow::bail!("the stage of the rehearsal is still open: {}", fault.code());
        }
        let dir = self.settings.event_dir(hidden);
        tokio::task::spawn_blocking(move || remove(&dir)).await??;
        self.files.finish().await
    }
}

/// Removes a directory that may be gone already.
fn remove(dir: &Path) -> std::io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// What `api` asks for, over the rehearsals that all its requests share.
pub(super) fn doing<'a, T: Send + 'a>(future: impl Future<Output = Result<T, FaultKind>> + Send + 'a) -> Doing<'a, T> {
    Box::pin(future)
}

#[cfg(test)]
mod tests;
