//! The square itself: what is on, what comes, what was.

use super::{Frame, beside, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ticket;
use crate::when::When;
use askama::Template;
use axum::extract::{Query, State};
use axum::response::Response;
use base::limit::REMINDER_MINUTES;
use base::{EventId, FaultKind, UnixMillis, Visibility};
use serde::Deserialize;
use square::event;
use store::{After, Event, Phase};

/// Events of one phase on the page: what fits in 14 kB compressed with the longest words, on one with replays besides.
pub(crate) const EVENTS_SHOWN_MAX: u32 = 30;

/// Events that are over, on one page.
const OVER_SHOWN_MAX: u32 = 20;

/// Characters of an event's description beside its title.
const EXCERPT_CHARS_MAX: usize = 120;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    may_open: bool,
    /// The server's clock.
    now: i64,
    /// What whoever is signed in wanted to be reminded of.
    reminders: Vec<Card>,
    live: Vec<Card>,
    announced: Vec<Card>,
    replays: Vec<Card>,
    /// Over, and nothing of it can be heard.
    unheard: Vec<Card>,
    /// This page begins with older events.
    is_further: bool,
    /// Where the next page is.
    earlier: Option<String>,
}

pub(crate) struct Card {
    pub(crate) title: String,
    pub(crate) excerpt: String,
    pub(crate) picture: Option<String>,
    pub(crate) path: String,
    pub(crate) when: Option<When>,
    /// It has not begun, and it is known when it does.
    pub(crate) counts_down: bool,
    /// It was to have begun by now.
    pub(crate) is_late: bool,
    /// A word for what is not public.
    pub(crate) visibility: Option<&'static str>,
}

/// Where the list of what is over goes on.
#[derive(Deserialize)]
pub(crate) struct Further {
    before: Option<String>,
}

pub(crate) async fn show(State(app): State<App>, Query(further): Query<Further>, caller: Caller) -> Result<Response, Fault> {
    let after = further.before.as_deref().map(|text| read(text).ok_or(FaultKind::BadRequest)).transpose()?;
    let cards = |events: Vec<Event>| events.iter().map(|event| card(&app, event)).collect();
    let live = match after {
        None => event::list(app.store(), &caller.actor, Phase::Live, None, EVENTS_SHOWN_MAX).await?,
        Some(_) => Vec::new(),
    };
    let announced = match after {
        None => event::to_come(app.store(), &caller.actor, EVENTS_SHOWN_MAX).await?,
        Some(_) => Vec::new(),
    };
    let over = event::list(app.store(), &caller.actor, Phase::Ended, after, OVER_SHOWN_MAX).await?;
    let is_full = over.len() == usize::try_from(OVER_SHOWN_MAX).unwrap_or(usize::MAX);
    let earlier = over.last().filter(|_| is_full).and_then(|last| Some(format!("/?before={}-{}", last.ended_at?.0, last.id)));
    let withheld = app.store().withheld_replays(EVENTS_SHOWN_MAX).await.map_err(square::Fault::from)?;
    let is_heard = |event: &Event| event.has_replay() && !withheld.contains(&event.id);
    let (replays, unheard) = over.into_iter().partition(is_heard);
    Ok(render(&Home {
        frame: Frame::new(&caller),
        may_open: event::may_open(&caller.actor, app.policy()).is_ok(),
        now: app.now().0,
        reminders: cards(event::reminders(app.store(), &caller.actor, app.now(), REMINDER_MINUTES).await?),
        live: cards(live),
        announced: cards(announced),
        replays: cards(replays),
        unheard: cards(unheard),
        is_further: after.is_some(),
        earlier,
    }))
}

/// A place in the list of what is over, as an address has it: when the last one ended, and which it was.
fn read(text: &str) -> Option<After> {
    let (at, id) = text.split_once('-')?;
    Some((UnixMillis(at.parse().ok()?), id.parse::<EventId>().ok()?))
}

pub(crate) fn card(app: &App, event: &Event) -> Card {
    let when = match event.phase() {
        Phase::Announced => event.start_at,
        Phase::Live => event.live_at,
        Phase::Ended => event.ended_at,
    };
    let (ticket, is_announced) = (ticket::for_listeners(app, event), event.phase() == Phase::Announced);
    Card {
        title: event.title.clone(),
        excerpt: excerpt(&event.description, EXCERPT_CHARS_MAX),
        picture: beside::picture_path(event, ticket.as_deref()),
        path: page_path(event.id, ticket.as_deref()),
        when: when.map(When::new),
        counts_down: is_announced && event.start_at.is_some_and(|at| at > app.now()),
        is_late: is_announced && event.start_at.is_some_and(|at| at <= app.now()),
        visibility: (event.visibility != Visibility::Public).then(|| event.visibility.name()),
    }
}

/// The beginning of a description as one line, cut between words.
pub(crate) fn excerpt(text: &str, chars_max: usize) -> String {
    let mut line = String::new();
    for word in text.split_whitespace() {
        if line.chars().count() + word.chars().count() + 1 > chars_max {
            return format!("{}…", if line.is_empty() { word.chars().take(chars_max).collect() } else { line });
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    line
}
