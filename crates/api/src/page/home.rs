//! The square itself: what is on, what comes, what was.

use super::{Frame, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::ticket;
use crate::when::When;
use askama::Template;
use axum::extract::State;
use axum::response::Response;
use base::Visibility;
use square::event;
use store::{Event, Phase};

/// Events of one phase on the page: what fits in 14 kB compressed with the longest titles.
pub(crate) const EVENTS_SHOWN_MAX: u32 = 50;

#[derive(Template)]
#[template(path = "home.html")]
struct Home {
    frame: Frame,
    may_open: bool,
    live: Vec<Card>,
    announced: Vec<Card>,
    replays: Vec<Card>,
    /// Over, and nothing of it can be heard.
    unheard: Vec<Card>,
}

struct Card {
    title: String,
    path: String,
    when: Option<When>,
    /// A word for what is not public.
    visibility: Option<&'static str>,
}

pub(crate) async fn show(State(app): State<App>, caller: Caller) -> Result<Response, Fault> {
    let list = |phase| event::list(app.store(), &caller.actor, phase, None, EVENTS_SHOWN_MAX);
    let cards = |events: Vec<Event>| events.iter().map(|event| card(&app, event)).collect();
    let withheld = app.store().withheld_replays(EVENTS_SHOWN_MAX).await.map_err(square::Fault::from)?;
    let is_heard = |event: &Event| event.has_replay() && !withheld.contains(&event.id);
    let (replays, unheard) = list(Phase::Ended).await?.into_iter().partition(is_heard);
    Ok(render(&Home {
        frame: Frame::new(&caller),
        may_open: event::may_open(&caller.actor, app.policy()).is_ok(),
        live: cards(list(Phase::Live).await?),
        announced: cards(list(Phase::Announced).await?),
        replays: cards(replays),
        unheard: cards(unheard),
    }))
}

fn card(app: &App, event: &Event) -> Card {
    let when = match event.phase() {
        Phase::Announced => event.start_at,
        Phase::Live => event.live_at,
        Phase::Ended => event.ended_at,
    };
    Card {
        title: event.title.clone(),
        path: page_path(event.id, ticket::for_listeners(app, event).as_deref()),
        when: when.map(When::new),
        visibility: (event.visibility != Visibility::Public).then(|| event.visibility.name()),
    }
}
