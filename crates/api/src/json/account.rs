//! Accounts in JSON: an operator or administrator makes them; their people sign in with a one-time link.

use crate::app::App;
use crate::fault::Fault;
use crate::request::Posted;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use base::FaultKind;
use serde::{Deserialize, Serialize};
use square::{Secret, account};
use store::{Account, Role};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewAccount {
    name: String,
    #[serde(default)]
    role: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Nothing {}

#[derive(Serialize)]
pub(crate) struct Linked {
    name: String,
    role: &'static str,
    link: String,
}

#[derive(Serialize)]
pub(crate) struct FirstLink {
    link: Option<String>,
}

pub(crate) async fn create(State(app): State<App>, posted: Posted<NewAccount>) -> Result<(StatusCode, Json<Linked>), Fault> {
    let role = match &posted.body.role {
        None => Role::Member,
        Some(word) => Role::parse(word).ok_or(FaultKind::BadRequest)?,
    };
    let caller = &posted.caller.actor;
    let made = account::create(app.store(), caller, &posted.body.name, role, app.now(), &app.chance()).await?;
    Ok((StatusCode::CREATED, Json(linked(&app, made))))
}

pub(crate) async fn link(
    State(app): State<App>,
    Path(name): Path<String>,
    posted: Posted<Nothing>,
) -> Result<(StatusCode, Json<Linked>), Fault> {
    let made = account::link_for(app.store(), &posted.caller.actor, &name, app.now(), &app.chance()).await?;
    Ok((StatusCode::CREATED, Json(linked(&app, made))))
}

pub(crate) async fn first_link(State(app): State<App>, posted: Posted<Nothing>) -> Result<Json<FirstLink>, Fault> {
    let secret = account::first_link(app.store(), &posted.caller.actor, app.now(), &app.chance()).await?;
    Ok(Json(FirstLink { link: secret.map(|secret| app.addresses().sign_in(&secret)) }))
}

fn linked(app: &App, (account, secret): (Account, Secret)) -> Linked {
    Linked { name: account.name, role: account.role.name(), link: app.addresses().sign_in(&secret) }
}
