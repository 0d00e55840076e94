//! An event's invites in JSON.

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest;
use crate::json::account::Nothing;
use crate::json::event::read_id;
use crate::once::once;
use crate::request::Posted;
use crate::ticket;
use crate::when::rfc3339;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base::FaultKind;
use serde::{Deserialize, Serialize};
use square::Actor;
use square::invite::{self, Wanted};
use store::{Event, Invite};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewInvite {
    name: String,
    #[serde(default)]
    role: String,
    #[serde(default)]
    note: String,
}

/// An invite as programs read it.
#[derive(Serialize)]
pub(crate) struct View {
    /// 16 hex digits: the id of the link's ticket.
    id: String,
    name: String,
    role: &'static str,
    note: String,
    created_at: String,
    revoked_at: Option<String>,
    /// The link, unless it was taken back.
    link: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct List {
    invites: Vec<View>,
}

pub(crate) async fn list(State(app): State<App>, Path(event): Path<String>, caller: Caller) -> Result<Json<List>, Fault> {
    let event = invite::of_event(app.store(), &caller.actor, read_id(&event)?).await?;
    let invites = app.store().invites(event.id).await.map_err(square::Fault::from)?;
    Ok(Json(List { invites: invites.into_iter().map(|invite| view(&app, &event, invite)).collect() }))
}

pub(crate) async fn create(State(app): State<App>, Path(event): Path<String>, posted: Posted<NewInvite>) -> Result<Response, Fault> {
    let NewInvite { name, role, note } = posted.body;
    once(&app.clone(), posted.once, async move {
        let (event, invite) = make(&app, &posted.caller.actor, &event, &Wanted { name, role, note }).await?;
        Ok((StatusCode::CREATED, Json(view(&app, &event, invite))).into_response())
    })
    .await
}

pub(crate) async fn delete(
    State(app): State<App>,
    Path((event, invite)): Path<(String, String)>,
    posted: Posted<Nothing>,
) -> Result<Json<View>, Fault> {
    let (event, invite) = revoke(&app, &posted.caller.actor, &event, &invite).await?;
    Ok(Json(view(&app, &event, invite)))
}

/// Invites somebody.
pub(crate) async fn make(app: &App, actor: &Actor, event: &str, wanted: &Wanted) -> Result<(Event, Invite), Fault> {
    Ok(invite::make(app.store(), actor, read_id(event)?, wanted, app.now(), &app.chance()).await?)
}

/// Takes an invite back: first the stage lets its ticket in no more, then the row says so.
pub(crate) async fn revoke(app: &App, actor: &Actor, event: &str, id: &str) -> Result<(Event, Invite), Fault> {
    let id = u64::from_str_radix(id, 16).map_err(|_| FaultKind::NotFound)?;
    let (event, mut invite) = invite::find_to_revoke(app.store(), actor, read_id(event)?, id).await?;
    if invite.revoked_at.is_none() {
        let now = app.now();
        guest::bar(app, &event, id).await?;
        app.store().revoke_invite(id, now).await.map_err(square::Fault::from)?;
        invite.revoked_at = Some(now);
    }
    Ok((event, invite))
}

/// The link of an invite that was not taken back.
pub(crate) fn link(app: &App, event: &Event, invite: &Invite) -> Option<String> {
    invite.revoked_at.is_none().then(|| app.addresses().console_page(&ticket::for_invite(app, event, invite)))
}

fn view(app: &App, event: &Event, invite: Invite) -> View {
    View {
        id: format!("{:016x}", invite.id),
        role: invite.guest.name(),
        link: link(app, event, &invite),
        name: invite.name,
        note: invite.note,
        created_at: rfc3339(invite.created_at),
        revoked_at: invite.revoked_at.map(rfc3339),
    }
}
