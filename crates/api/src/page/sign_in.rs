//! Signing in and out. A link is never spent by looking at it: previews fetch links, people press buttons.

use super::{Frame, render};
use crate::app::App;
use crate::caller::{self, Caller};
use crate::fault::Fault;
use crate::request::Submitted;
use askama::Template;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Redirect, Response};
use base::FaultKind;
use square::{Secret, account};

#[derive(Template)]
#[template(path = "sign_in.html")]
struct Explanation {
    frame: Frame,
}

#[derive(Template)]
#[template(path = "sign_in_link.html")]
struct Question {
    frame: Frame,
    path: String,
    /// The link makes the first administrator, who needs a name.
    first: bool,
    name: String,
    name_fault: Option<&'static str>,
}

pub(crate) async fn explain(caller: Caller) -> Response {
    render(&Explanation { frame: Frame::new(&caller) })
}

pub(crate) async fn ask(State(app): State<App>, Path(token): Path<String>, caller: Caller) -> Result<Response, Fault> {
    let secret = Secret::read(&token).ok_or(FaultKind::LinkSpent)?;
    let link = account::look(app.store(), &secret, app.now()).await?;
    Ok(render(&question(&caller, &secret, link.account.is_none(), "", None)))
}

pub(crate) async fn spend(State(app): State<App>, Path(token): Path<String>, form: Submitted) -> Result<Response, Fault> {
    let secret = Secret::read(&token).ok_or(FaultKind::LinkSpent)?;
    let name = form.field("name");
    match account::sign_in(app.store(), &secret, name, app.now(), &app.chance()).await {
        Ok(session) => {
            Ok((AppendHeaders([(header::SET_COOKIE, caller::set_cookie(&app, Some(&session)))]), Redirect::to("/")).into_response())
        }
        Err(fault) if fault.kind == FaultKind::NameUnusable => {
            let page = render(&question(&form.caller, &secret, true, name, Some(fault.kind.text())));
            Ok((StatusCode::UNPROCESSABLE_ENTITY, page).into_response())
        }
        Err(fault) => Err(fault.into()),
    }
}

pub(crate) async fn sign_out(State(app): State<App>, form: Submitted) -> Result<Response, Fault> {
    if let Some(session) = &form.caller.session {
        account::sign_out(app.store(), session).await?;
    }
    Ok((AppendHeaders([(header::SET_COOKIE, caller::set_cookie(&app, None))]), Redirect::to("/")).into_response())
}

fn question(caller: &Caller, secret: &Secret, first: bool, name: &str, name_fault: Option<&'static str>) -> Question {
    Question { frame: Frame::new(caller), path: format!("/sign-in/{}", secret.text()), first, name: name.to_owned(), name_fault }
}
