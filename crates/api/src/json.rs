//! The JSON API, under `/api/townsquare/v1/`. `web/openapi.json` describes it; a test holds the two together.

pub(crate) mod account;
pub(crate) mod event;
pub(crate) mod invite;
pub(crate) mod part;
pub(crate) mod rehearsal;

use crate::app::App;
use axum::http::header;
use axum::response::IntoResponse;
use axum::routing::{MethodRouter, delete, get, post};

/// The description that is served.
pub(crate) const DESCRIPTION: &str = include_str!("../../../web/openapi.json");

pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/api/townsquare/v1/events", get(event::list).post(event::create)),
        ("/api/townsquare/v1/events/{event}", get(event::show).patch(event::edit).delete(event::delete)),
        ("/api/townsquare/v1/events/{event}/go-live", post(event::go_live)),
        ("/api/townsquare/v1/events/{event}/end", post(event::end)),
        ("/api/townsquare/v1/events/{event}/rehearsal", get(rehearsal::show).post(rehearsal::start).delete(rehearsal::end)),
        ("/api/townsquare/v1/events/{event}/invites", get(invite::list).post(invite::create)),
        ("/api/townsquare/v1/events/{event}/invites/{invite}", delete(invite::delete)),
        ("/api/townsquare/v1/events/{event}/board", get(part::board)),
        ("/api/townsquare/v1/events/{event}/reactions", post(part::react)),
        ("/api/townsquare/v1/events/{event}/hand", post(part::raise)),
        ("/api/townsquare/v1/events/{event}/hand/{hand}", get(part::hand_standing).delete(part::lower)),
        ("/api/townsquare/v1/events/{event}/hand/{hand}/vote", post(part::vote_for_hand)),
        ("/api/townsquare/v1/events/{event}/questions", post(part::ask)),
        ("/api/townsquare/v1/events/{event}/questions/{number}", delete(part::settle_question)),
        ("/api/townsquare/v1/events/{event}/questions/{number}/vote", post(part::vote_for_question)),
        ("/api/townsquare/v1/events/{event}/polls", post(part::open_poll)),
        ("/api/townsquare/v1/events/{event}/polls/{number}/vote", post(part::vote_in_poll)),
        ("/api/townsquare/v1/events/{event}/polls/{number}/close", post(part::close_poll)),
        ("/api/townsquare/v1/events/{event}/pins", post(part::pin)),
        ("/api/townsquare/v1/events/{event}/pins/{number}", delete(part::unpin)),
        ("/api/townsquare/v1/accounts", post(account::create)),
        ("/api/townsquare/v1/accounts/{name}/links", post(account::link)),
        ("/api/townsquare/v1/operator/first-link", post(account::first_link)),
    ]
}

/// `GET /openapi.json`.
pub(crate) async fn description() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/openapi+json;version=3.1"), (header::CACHE_CONTROL, "public, max-age=300")], DESCRIPTION)
}

#[cfg(test)]
mod tests;
