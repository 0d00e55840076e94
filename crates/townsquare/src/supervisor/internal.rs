//! The internal address: `/healthz`, `/readyz` and `/metrics` of every role, asked for through the role link.

use super::roster::RoleId;
use super::{Event, metrics};
use crate::link::RoleName;
use crate::visitors::Visitors;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use base::limit::{ASK_MILLIS_MAX, INTERNAL_CONNECTIONS_MAX};
use std::time::Duration;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;

/// What a role answered: status and body.
pub(crate) type Answer = (u16, String);

/// Asks the supervisor's loop, which holds the links.
#[derive(Debug, Clone)]
pub(crate) struct Asker {
    pub(crate) events: mpsc::Sender<Event>,
}

impl Asker {
    /// Every role: whether it runs, and how often it has died.
    pub(crate) async fn roles(&self) -> Vec<(RoleId, bool, u64)> {
        let (reply, answer) = oneshot::channel();
        let _ = self.events.send(Event::Roles { reply }).await;
        answer.await.unwrap_or_default()
    }

    /// One role's answer; `None` when there is none in time.
    pub(crate) async fn ask(&self, id: RoleId, path: String) -> Option<Answer> {
        let (reply, answer) = oneshot::channel();
        self.events.send(Event::Ask { id, path, reply }).await.ok()?;
        tokio::time::timeout(Duration::from_millis(ASK_MILLIS_MAX), answer).await.ok()?.ok()
    }

    /// The answers of several roles at once, in their order.
    pub(crate) async fn ask_all(&self, ids: Vec<RoleId>, path: &str) -> Vec<(RoleId, Option<Answer>)> {
        let mut asked = JoinSet::new();
        for id in ids {
            let (asker, path) = (self.clone(), path.to_owned());
            asked.spawn(async move { (id, asker.ask(id, path).await) });
        }
        let mut answers = asked.join_all().await;
        answers.sort_unstable_by_key(|(id, _)| *id);
        answers
    }
}

/// Serves the internal address.
pub(crate) async fn serve(listener: tokio::net::TcpListener, asker: Asker) {
    let router = Router::new().fallback(answer).with_state(asker);
    // Open for as long as the supervisor lives.
    let (_open, stopped) = watch::channel(false);
    crate::serve::public(listener, None, router, Visitors::new("internal", INTERNAL_CONNECTIONS_MAX), stopped).await;
}

async fn answer(State(asker): State<Asker>, uri: Uri) -> Response {
    let roles = asker.roles().await;
    let words: Vec<&str> = uri.path().trim_matches('/').split('/').collect();
    let (who, what) = match words.as_slice() {
        [what] => (None, *what),
        [role, what] => (Some((*role, None)), *what),
        [role, index, what] => (Some((*role, Some(*index))), *what),
        _ => return StatusCode::NOT_FOUND.into_response(),
    };
    if !matches!(what, "healthz" | "readyz" | "metrics") {
        return (StatusCode::NOT_FOUND, "/healthz, /readyz, /metrics, and the same below /stage, /relay, /relay/INDEX, /square, /copy\n")
            .into_response();
    }
    let meant =
        |id: &RoleId| who.is_none_or(|(role, index)| id.role.name() == role && index.is_none_or(|index| id.index.to_string() == index));
    let ids: Vec<RoleId> = roles.iter().map(|(id, ..)| *id).filter(meant).collect();
    if ids.is_empty() {
        return (StatusCode::NOT_FOUND, "there is no such role\n").into_response();
    }
    let one = matches!(who, Some((role, index)) if index.is_some() || role != RoleName::Relay.name());
    let mut answers = asker.ask_all(ids, &format!("/{what}")).await;
    if what == "readyz" {
        // Ready is who also goes round: a role that has not beaten yet does not count.
        let up = |id: &RoleId| roles.iter().any(|(other, up, _)| other == id && *up);
        answers.iter_mut().filter(|(id, _)| !up(id)).for_each(|(_, said)| *said = None);
    }
    match (what, one) {
        ("metrics", false) => {
            let texts: Vec<(RoleId, String)> = answers.into_iter().filter_map(|(id, said)| Some((id, said?.1))).collect();
            let own = if who.is_none() { metrics::roster(&roles) } else { String::new() };
            prometheus(StatusCode::OK, own + &metrics::join(&texts))
        }
        ("metrics", true) => single(answers).map_or_else(down, |(status, body)| prometheus(status, body)),
        (_, true) => single(answers).map_or_else(down, IntoResponse::into_response),
        (_, false) => together(&answers).into_response(),
    }
}

fn single(mut answers: Vec<(RoleId, Option<Answer>)>) -> Option<(StatusCode, String)> {
    let (status, body) = answers.pop()?.1?;
    Some((StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY), body))
}

fn down() -> Response {
    (StatusCode::SERVICE_UNAVAILABLE, "the role does not answer\n").into_response()
}

fn prometheus(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], body).into_response()
}

/// Well when everybody is; one line for each role.
fn together(answers: &[(RoleId, Option<Answer>)]) -> (StatusCode, String) {
    let well = |said: &Option<Answer>| said.as_ref().is_some_and(|(status, _)| *status == 200);
    let status = if answers.iter().all(|(_, said)| well(said)) { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let line = |(id, said): &(RoleId, Option<Answer>)| match said {
        Some((200, _)) => format!("{id}: ok\n"),
        Some((_, body)) => format!("{id}: {}\n", body.lines().next().unwrap_or("not ok")),
        None => format!("{id}: no answer\n"),
    };
    (status, answers.iter().map(line).collect())
}
