//! Invites on an event's page, for who runs it.

use super::{Frame, event::path_of, render};
use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::json;
use crate::once::{self, once};
use crate::request::Submitted;
use crate::when::When;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use base::FaultKind;
use square::invite::{self, Wanted};
use store::{Event, Guest, Phase};

/// One invite in the list.
pub(crate) struct Row {
    id: String,
    name: String,
    co_host: bool,
    note: String,
    made: When,
    /// Absent once it was taken back.
    link: Option<String>,
    revoked: Option<When>,
}

#[derive(Template)]
#[template(path = "invites.html")]
struct InvitesPage {
    frame: Frame,
    title: String,
    path: String,
    invites_path: String,
    open: bool,
    /// The token of the form.
    once: String,
    invites: Vec<Row>,
    wanted: Wanted,
    fault: Option<&'static str>,
}

pub(crate) async fn show(State(app): State<App>, Path(id): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let event = invite::of_event(app.store(), &caller.actor, json::event::read_id(&id)?).await?;
    page(&app, &caller, &event, Wanted::default(), None).await
}

pub(crate) async fn create(State(app): State<App>, Path(id): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let wanted = Wanted { name: form.text("name"), role: form.text("role"), note: form.text("note") };
    once(&app.clone(), form.once, async move {
        match json::invite::make(&app, &form.caller.actor, &id, &wanted).await {
            Ok((event, _)) => Ok(Redirect::to(&path(&event)).into_response()),
            // What was typed is kept, and what is wrong with it said beside it.
            Err(fault) if fault.kind() == FaultKind::InviteUnusable => {
                let event = invite::of_event(app.store(), &form.caller.actor, json::event::read_id(&id)?).await?;
                let page = page(&app, &form.caller, &event, wanted, Some(FaultKind::InviteUnusable.text())).await?;
                Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
            }
            Err(fault) => Err(fault),
        }
    })
    .await
}

pub(crate) async fn revoke(State(app): State<App>, Path((id, invite)): Path<(String, String)>, form: Submitted) -> Result<Response, Fault> {
    let (event, _) = json::invite::revoke(&app, &form.caller.actor, &id, &invite).await?;
    Ok(Redirect::to(&path(&event)).into_response())
}

/// Where an event's invites are.
pub(crate) fn path(event: &Event) -> String {
    format!("/events/{}/invites", event.id)
}

async fn page(app: &App, caller: &Caller, event: &Event, wanted: Wanted, fault: Option<&'static str>) -> Result<Response, Fault> {
    let invites = app.store().invites(event.id).await.map_err(square::Fault::from)?;
    let row = |invite: store::Invite| Row {
        id: format!("{:016x}", invite.id),
        co_host: invite.guest == Guest::CoHost,
        link: json::invite::link(app, event, &invite),
        name: invite.name,
        note: invite.note,
        made: When::new(invite.created_at),
        revoked: invite.revoked_at.map(When::new),
    };
    Ok(render(&InvitesPage {
        frame: Frame::new(caller),
        title: event.title.clone(),
        path: path_of(app, event),
        invites_path: path(event),
        open: event.phase() != Phase::Ended,
        once: once::token(app),
        invites: invites.into_iter().map(row).collect(),
        wanted,
        fault,
    }))
}
