//! The stage's page: the console, for who has a stage link.

use super::{Frame, render};
use crate::address::page_path;
use crate::app::App;
use crate::caller::Caller;
use crate::fault::{Fault, wants_json};
use crate::guest::{Came, Guest};
use crate::ticket as tickets;
use askama::Template;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use base::FaultKind;
use gate::ticket::{Claims, Class, sign, verify};
use serde::Serialize;
use square::{event, invite};
use store::Phase;

/// What a speaker's program needs, out of one link.
#[derive(Serialize)]
struct View {
    event: String,
    title: String,
    role: &'static str,
    token: String,
    whip: String,
    console: String,
    page: String,
}

#[derive(Template)]
#[template(path = "stage.html")]
struct StagePage {
    frame: Frame,
    view: View,
    path: String,
    name: String,
    /// Where five seconds are recorded and sent back.
    check: String,
    microphone: bool,
    over: bool,
    replay: bool,
    /// Whether every speaker is recorded apart.
    record_tracks: bool,
}

pub(crate) async fn show(
    State(app): State<App>,
    Path(ticket): Path<String>,
    headers: HeaderMap,
    came: Came,
    caller: Caller,
) -> Result<Response, Fault> {
    let claims = verify(app.keys(), &ticket, app.now()).map_err(FaultKind::from)?;
    let role = match claims.class {
        Class::Host => "host",
        Class::CoHost => "co-host",
        Class::Speaker => "speaker",
        // A raised hand: whether it was admitted the stage knows.
        Class::Listener => "guest",
        Class::Relay => return Err(FaultKind::Forbidden.into()),
    };
    let invite = invite::of_ticket(app.store(), claims.id).await?;
    let event = event::find(app.store(), &caller.actor, claims.event, true).await?;
    let guest = Guest::with(&app, &caller, &came, event, Some(&claims)).await?;
    if guest.barred {
        return Err(FaultKind::Barred.into());
    }
    let event = &guest.event;
    // Who comes by a link that many have gets a ticket of their own, so that a ban is one of them alone.
    let is_shared = claims.class == Class::Speaker && tickets::is_shared(event.id, claims.id);
    let own = if is_shared { Claims { id: guest.ticket, ..claims } } else { claims };
    let ticket = if is_shared { sign(app.keys(), &own) } else { ticket };
    // An invite was given to somebody. Any other ticket is of who has its number: whoever else opens its page is not meant by its ban.
    let is_theirs = invite.is_some() || guest.has_number(own.id);
    if is_theirs && event::may_run(&caller.actor, event).is_err() && claims.class != Class::Host {
        guest.came_with(&app, own.id).await;
    }
    let listener = tickets::for_listeners(&app, event);
    let addresses = app.addresses();
    let view = View {
        event: event.id.to_string(),
        title: event.title.clone(),
        role,
        token: ticket,
        whip: addresses.whip(event.id),
        console: addresses.console(event.id),
        page: addresses.page(event.id, listener.as_deref()),
    };
    if wants_json(&headers) {
        return Ok(guest.keep(&app, Json(view).into_response()));
    }
    // Who raised a hand said their name with it, and who was invited was named.
    let raised = app.store().hand(event.id, claims.id).await.map_err(square::Fault::from)?;
    let said = invite.map(|invite| invite.name).or(raised.map(|hand| hand.name));
    let name = said.or_else(|| caller.actor.account().map(|account| account.name.clone())).unwrap_or_default();
    let page = render(&StagePage {
        frame: Frame::new(&caller),
        view,
        path: page_path(event.id, listener.as_deref()),
        name,
        check: addresses.check(event.id),
        microphone: addresses.microphone(),
        over: event.phase() == Phase::Ended,
        record_tracks: event.plan.record_tracks,
        replay: event.has_replay(),
    });
    Ok(guest.keep(&app, page))
}
