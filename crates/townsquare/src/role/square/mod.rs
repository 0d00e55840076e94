//! The square role: the database, pages and APIs on the public address and on the server's own socket.

mod after;
mod assembly;
pub(crate) mod client;
mod outside;
mod picture;
mod record;
mod rehearsal;
mod stage;
mod tracks;

use crate::certificate::{self, Certificate};
use crate::data;
use crate::link::{FromSupervisor, Link, RoleName};
use crate::serve;
use crate::settings::Settings;
use crate::visitors::Visitors;
use anyhow::Context as _;
use api::{Addresses, App, Config, Door};
use base::UnixMillis;
use base::fact::Fact;
use base::limit::{SQUARE_CONNECTIONS_MAX, SQUARE_STOP_MILLIS_MAX};
use outside::Outside;
use square::event::Policy;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::sync::{Arc, mpsc as blocking};
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use store::Store;
use tokio::sync::{mpsc, watch};
use tokio::time::MissedTickBehavior;

/// How often the role's loop goes round at least.
const BEAT: Duration = Duration::from_millis(100);

/// How often it is looked whether a rehearsal is still to be put away.
const TIDYING: Duration = Duration::from_secs(5);

/// How often the square looks after what may have been missed, and forgets what is old.
const HOUSEKEEPING: Duration = Duration::from_secs(60);

/// How often live events are looked at for their end: the replay is on its page within five seconds of it.
const LOOK: Duration = Duration::from_secs(2);

/// How often the stage is told what audiences do: never more often, however many they are.
const SECOND: Duration = Duration::from_secs(1);

/// Words from the supervisor that wait for the loop.
const WORDS_MAX: usize = 64;

/// Serves the square until the supervisor says stop.
pub(crate) fn run(settings: &Settings, index: u32, sockets: Vec<OwnedFd>) -> anyhow::Result<()> {
    let listener = sockets.first().context("the square needs its listening socket")?.try_clone()?;
    let (link, words) = Link::open(settings, RoleName::Square, index, sockets);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let result = runtime.block_on(keep(settings, TcpListener::from(listener), &link, words));
    runtime.shutdown_timeout(Duration::from_millis(SQUARE_STOP_MILLIS_MAX));
    result
}

/// Opens the database, brings it up to date and closes it: what is wrong with it is said before any role runs.
pub(crate) async fn check(settings: &Settings) -> anyhow::Result<()> {
    let store = Store::open(&settings.database).await?;
    store.close().await;
    Ok(())
}

/// The square over its database, with everything that it reaches outside.
pub(crate) async fn open(settings: &Settings) -> anyhow::Result<(App, Arc<Outside>)> {
    let store = Store::open(&settings.database).await?;
    let keys = data::read_keys(&settings.ticket_keys())?;
    let outside = Arc::new(Outside::new(settings.clone(), store.clone(), keys.clone()));
    let app = App::new(Config {
        store,
        keys,
        addresses: Addresses::new(&settings.public_url, &settings.relay_public_url, &settings.stage_public_url),
        now,
        chance,
        policy: Policy { members_open: settings.members_open_events },
        shell: Arc::clone(&outside) as Arc<dyn api::Shell>,
        assembly: outside.shared_assembly(),
    });
    Ok((app, outside))
}

async fn keep(settings: &Settings, listener: TcpListener, link: &Link, words: blocking::Receiver<FromSupervisor>) -> anyhow::Result<()> {
    let (app, outside) = open(settings).await?;
    outside.connect(link);
    outside.catch_up().await?;
    assembly::tell_again(&outside).await?;
    let certificate = Certificate::open_or_kept(settings)?;
    let tls = certificate.as_ref().map(|certificate| certificate.acceptor(&[b"h2", b"http/1.1"]));
    if let Some(certificate) = certificate.clone() {
        tokio::spawn(certificate::keep_looking(certificate));
    }
    let (stop, stopped) = watch::channel(false);
    let own = serve::bind_own(&settings.run_dir().join("square.sock"))?;
    listener.set_nonblocking(true)?;
    let listener = tokio::net::TcpListener::from_std(listener)?;
    let visitors = Visitors::new("square", SQUARE_CONNECTIONS_MAX);
    let router = api::router(app.clone(), Door::Public);
    let public = tokio::spawn(serve::public(listener, tls, router, Arc::clone(&visitors), stopped.clone()));
    let commands = Visitors::new("square_own", SQUARE_CONNECTIONS_MAX);
    let operator = tokio::spawn(serve::own(own, api::router(app.clone(), Door::Operator), commands, stopped));
    // The beat comes from the threads that answer requests: when they stand still, so does it.
    let beating = tokio::spawn(beat(link.clone()));
    let tidying = tokio::spawn(tidy(Arc::clone(&outside)));
    let after = tokio::spawn({
        let outside = Arc::clone(&outside);
        async move { outside.after().work(now).await }
    });
    listen_to(&app, &outside, &visitors, certificate.as_ref(), link, forward(words)).await;
    outside.rehearsals().stop().await;
    let _ = stop.send(true);
    let _ = tokio::time::timeout(Duration::from_millis(SQUARE_STOP_MILLIS_MAX), async { (public.await, operator.await) }).await;
    tidying.abort();
    after.abort();
    beating.abort();
    outside.store().close().await;
    Ok(())
}

async fn beat(link: Link) {
    let mut ticks = tokio::time::interval(BEAT);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        ticks.tick().await;
        link.beat();
    }
}

/// Until the supervisor says stop, or is gone for good.
async fn listen_to(
    app: &App,
    outside: &Arc<Outside>,
    visitors: &Visitors,
    certificate: Option<&Arc<Certificate>>,
    link: &Link,
    mut words: mpsc::Receiver<FromSupervisor>,
) {
    let mut housekeeping = tokio::time::interval(HOUSEKEEPING);
    housekeeping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut second = tokio::time::interval(SECOND);
    second.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut look = tokio::time::interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            word = words.recv() => match word {
                Some(FromSupervisor::Fact(fact)) => note(outside, fact).await,
                Some(FromSupervisor::Ask { id, path }) => {
                    let (status, body) = inform(app, outside, visitors, certificate, &path).await;
                    link.answer(id, status, body);
                }
                Some(FromSupervisor::Stop) | None => return,
            },
            _ = second.tick() => assembly::tell(outside, link).await,
            _ = look.tick() => {
                if let Err(error) = outside.find_ends().await {
                    // Housekeeping meets the same error, and says it less often.
                    tracing::debug!(error = format!("{error:#}"), "live events could not be looked at");
                }
            }
            _ = housekeeping.tick() => {
                let swept = square::account::forget(outside.store(), now()).await.map_err(anyhow::Error::from);
                if let Err(error) = swept.and(outside.catch_up().await) {
                    tracing::error!(error = format!("{error:#}"), "the square could not look after its rows");
                }
            }
        }
    }
}

/// Puts away, now and then, a rehearsal that was cut off or whose stage did not answer.
async fn tidy(outside: Arc<Outside>) {
    let mut tick = tokio::time::interval(TIDYING);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        if let Err(error) = outside.rehearsals().tidy().await {
            tracing::warn!(error = format!("{error:#}"), "a rehearsal is not put away yet");
        }
    }
}

/// Keeps what the stage said in the rows. What is lost here is found again in the event's journal.
async fn note(outside: &Outside, fact: Fact) {
    let noted = match fact {
        Fact::Live { event, since, begun: false, .. } => outside.store().mark_doors(event, since).await,
        Fact::Live { event, since, .. } => outside.store().mark_live(event, since).await,
        Fact::Ended { event, at, end } => {
            outside.assembly().end(event);
            outside.store().mark_ended(event, at, end).await
        }
        Fact::Listening { event, by_rung } => {
            assembly::listening(outside, event, &by_rung);
            Ok(())
        }
        Fact::Barred { event, tickets } => outside.ban(event, &tickets).await,
        Fact::Seats { event, admitted, declined, .. } => assembly::seats(outside, event, &admitted, &declined).await,
        Fact::Wanted { .. }
        | Fact::Missing { .. }
        | Fact::Copied { .. }
        | Fact::Announced { .. }
        | Fact::Reacted { .. }
        | Fact::Hands { .. }
        | Fact::Board { .. }
        | Fact::Bar { .. } => Ok(()),
    };
    if let Err(error) = noted {
        tracing::error!(%error, "a fact could not be kept");
    }
}

async fn inform(app: &App, outside: &Outside, visitors: &Visitors, certificate: Option<&Arc<Certificate>>, path: &str) -> (u16, String) {
    match path {
        "/healthz" => (200, "ok\n".to_owned()),
        "/readyz" => match outside.store().ping().await {
            Ok(()) => (200, "ok\n".to_owned()),
            Err(error) => (503, format!("{error}\n")),
        },
        "/metrics" => (200, metrics(app) + &visitors.metrics() + &certificate::metrics(certificate)),
        _ => (404, String::new()),
    }
}

fn metrics(app: &App) -> String {
    let mut text = String::from(
        "# HELP townsquare_square_answers_total Requests answered, by class of status.\n# TYPE townsquare_square_answers_total counter\n",
    );
    for (class, count) in (1..).zip(app.counts().by_class()) {
        text += &format!("townsquare_square_answers_total{{class=\"{class}xx\"}} {count}\n");
    }
    text += "# HELP townsquare_square_panics_total Requests whose handler panicked.\n# TYPE townsquare_square_panics_total counter\n";
    text += &format!("townsquare_square_panics_total {}\n", app.counts().panics());
    text
}

/// The link's words, from its thread to the runtime. The last one is stop: who waited for another would keep the runtime from ending.
fn forward(words: blocking::Receiver<FromSupervisor>) -> mpsc::Receiver<FromSupervisor> {
    let (sender, receiver) = mpsc::channel(WORDS_MAX);
    tokio::task::spawn_blocking(move || {
        for word in words {
            let last = matches!(word, FromSupervisor::Stop);
            if sender.blocking_send(word).is_err() || last {
                return;
            }
        }
    });
    receiver
}

/// The wall clock.
pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn chance() -> square::secret::Chance {
    let mut chance = square::secret::Chance::default();
    getrandom::fill(&mut chance).expect("the system gives randomness");
    chance
}

#[cfg(test)]
mod tests;
