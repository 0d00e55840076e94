//! Which address leads where, and the layers around all of them.

use crate::app::App;
use crate::caller::Door;
use crate::fault::{self, Fault};
use crate::{asset, header, json, page};
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get, post};
use axum::{Extension, Router};
use base::FaultKind;
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate as _};

/// Everything the square answers to somebody who came through this door.
pub fn router(app: App, door: Door) -> Router {
    let all = pages().into_iter().chain(page::part::routes()).chain(json::routes());
    let panicking = app.clone();
    all.fold(Router::new(), |router, (path, method)| router.route(path, method))
        .fallback(async || Fault::from(FaultKind::NotFound))
        .method_not_allowed_fallback(async || Fault::from(FaultKind::MethodNotAllowed))
        .layer(CatchPanicLayer::custom(move |_| fault::panicked(&panicking)))
        .layer(from_fn_with_state(app.clone(), fault::render))
        .layer(from_fn_with_state(app.clone(), header::add))
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(NotForContentType::const_new("audio/"))))
        .layer(Extension(door))
        .with_state(app)
}

fn pages() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/", get(page::home::show)),
        ("/events", post(page::announce::create)),
        ("/events/new", get(page::announce::new)),
        ("/events/{event}", get(page::event::show)),
        ("/events/{event}/t/{ticket}", get(page::event::show_with_ticket)),
        ("/events/{event}/calendar.ics", get(page::beside::calendar)),
        ("/events/{event}/t/{ticket}/calendar.ics", get(page::beside::calendar)),
        ("/events/{event}/picture", get(page::beside::picture)),
        ("/events/{event}/t/{ticket}/picture", get(page::beside::picture)),
        ("/events/{event}/card.png", get(page::beside::card)),
        ("/events/{event}/t/{ticket}/card.png", get(page::beside::card)),
        ("/events/{event}/reminder", post(page::event::remind)),
        ("/events/{event}/t/{ticket}/reminder", post(page::event::remind)),
        ("/events/{event}/edit", get(page::announce::edit).post(page::announce::change)),
        ("/events/{event}/delete", post(page::announce::delete)),
        ("/events/{event}/passphrase", post(page::locked::unlock)),
        ("/events/{event}/end", post(page::event::end)),
        ("/events/{event}/moments.json", get(page::replay::show_moments)),
        ("/events/{event}/t/{ticket}/moments.json", get(page::replay::show_moments)),
        ("/events/{event}/replay.mp3", get(page::replay::mp3)),
        ("/events/{event}/chapters.json", get(page::feed::chapters)),
        ("/events/{event}/report", get(page::report::show)),
        ("/events/{event}/report.json", get(page::report::json)),
        ("/events/{event}/report.csv", get(page::report::csv)),
        ("/events/{event}/tracks/{file}", get(page::track::save)),
        ("/feeds/events.xml", get(page::feed::of_square)),
        ("/accounts/{name}/events.xml", get(page::feed::of_account)),
        ("/events/{event}/clips", post(page::clip::create)),
        ("/clips/{clip}", get(page::clip::show)),
        ("/clips/{clip}/t/{ticket}", get(page::clip::show)),
        ("/clips/{clip}/delete", post(page::clip::delete)),
        ("/events/{event}/replay/trim", post(page::replay::trim)),
        ("/events/{event}/replay/hide", post(page::replay::hide)),
        ("/events/{event}/replay/delete", post(page::replay::delete)),
        ("/events/{event}/rehearsal", get(page::rehearsal::show).post(page::rehearsal::start)),
        ("/events/{event}/rehearsal/end", post(page::rehearsal::end)),
        ("/events/{event}/rehearsal/report", get(page::rehearsal::report)),
        ("/events/{event}/invites", get(page::invite::show).post(page::invite::create)),
        ("/events/{event}/invites/{invite}/revoke", post(page::invite::revoke)),
        ("/help/{guide}", get(page::help::show)),
        ("/series/{series}", get(page::series::show)),
        ("/series/{series}/calendar.ics", get(page::series::calendar)),
        ("/calendar.ics", get(page::beside::square_calendar)),
        ("/oembed", get(page::beside::oembed)),
        ("/stage/{ticket}", get(page::stage::show)),
        ("/sign-in", get(page::sign_in::explain)),
        ("/sign-in/{token}", get(page::sign_in::ask).post(page::sign_in::spend)),
        ("/sign-out", post(page::sign_in::sign_out)),
        ("/openapi.json", get(json::description)),
        ("/assets/{version}/{*path}", get(asset::get)),
    ]
}
