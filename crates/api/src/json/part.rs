//! What an audience takes part in, in JSON: reactions, hands, questions, polls, pins.

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::{Came, Guest, hand_id, read_hand};
use crate::json::account::Nothing;
use crate::request::Posted;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use base::FaultKind;
use serde::{Deserialize, Serialize};
use square::{hand, pin, poll, question, reaction};
use store::Hand;

/// Questions in one answer.
pub(crate) const QUESTIONS_LISTED_MAX: u32 = 50;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewReaction {
    kind: Kind,
    /// One client in so many sends, and stands for the others.
    #[serde(default)]
    of: Option<u32>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Kind {
    Number(usize),
    Name(String),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewHand {
    name: String,
    topic: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewQuestion {
    #[serde(default)]
    name: String,
    text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPoll {
    question: String,
    answers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewPin {
    text: String,
    #[serde(default)]
    url: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Chosen {
    answer: u8,
}

#[derive(Serialize)]
struct Raised {
    id: String,
    /// With this ticket they may come on stage once a host has admitted them.
    ticket: String,
    /// The page on which they do.
    stage: String,
    #[serde(flatten)]
    standing: Standing,
}

/// What became of a hand.
#[derive(Serialize)]
struct Standing {
    standing: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    place: Option<usize>,
}

#[derive(Serialize)]
struct Made {
    id: i64,
}

#[derive(Serialize)]
struct Board {
    hands: Vec<HandView>,
    pins: Vec<PinView>,
    poll: Option<PollView>,
    questions: Vec<QuestionView>,
}

#[derive(Serialize)]
struct HandView {
    id: String,
    name: String,
    topic: String,
    votes: u32,
    spoke: bool,
}

#[derive(Serialize)]
struct PinView {
    id: i64,
    text: String,
    url: String,
}

#[derive(Serialize)]
struct PollView {
    id: i64,
    question: String,
    answers: Vec<String>,
    votes: Vec<u32>,
    open: bool,
}

#[derive(Serialize)]
struct QuestionView {
    id: i64,
    name: String,
    text: String,
    votes: u32,
}

type Of = Path<String>;
type OfNumber = Path<(String, i64)>;
type OfHand = Path<(String, String)>;

pub(crate) async fn react(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewReaction>) -> Result<Response, Fault> {
    let NewReaction { kind, of } = posted.body;
    let kind = match kind {
        Kind::Number(number) => number,
        Kind::Name(name) => reaction::kind(&name)?,
    };
    let guest = Guest::find(&app, &posted.caller, &came, &id, "").await?;
    hand::is_time(&guest.event)?;
    app.assembly().react(guest.event.id, guest.who(), kind, of.unwrap_or(1), app.now())?;
    Ok(done())
}

/// Everything that hangs on the board, the raised hands with it.
pub(crate) async fn board(State(app): State<App>, Path(id): Of, came: Came, caller: Caller) -> Result<Response, Fault> {
    let guest = Guest::find(&app, &caller, &came, &id, "").await?;
    let (store, event) = (app.store(), guest.event.id);
    let hands = store.hands_waiting(event).await.map_err(square::Fault::from)?;
    let pins = store.pins(event).await.map_err(square::Fault::from)?;
    let poll = store.newest_poll(event).await.map_err(square::Fault::from)?;
    let questions = store.questions(event, QUESTIONS_LISTED_MAX).await.map_err(square::Fault::from)?;
    let board = Board {
        hands: hands.into_iter().map(hand_view).collect(),
        pins: pins.into_iter().map(|pin| PinView { id: pin.number, text: pin.text, url: pin.address }).collect(),
        poll: poll.map(|poll| PollView { id: poll.number, question: poll.text, answers: poll.answers, votes: poll.votes, open: poll.open }),
        questions: questions
            .into_iter()
            .map(|one| QuestionView { id: one.number, name: one.name, text: one.text, votes: one.votes })
            .collect(),
    };
    Ok(Json(board).into_response())
}

pub(crate) async fn raise(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewHand>) -> Result<Response, Fault> {
    let guest = Guest::act(&app, &posted.caller, &came, &id, "").await?;
    hand::raise(app.store(), &guest.event, guest.ticket, &posted.body.name, &posted.body.topic, app.now()).await?;
    guest.came_with(&app, guest.ticket).await;
    app.assembly().hands_changed(guest.event.id);
    let ticket = guest.own_ticket(&app);
    let stage = app.addresses().console_page(&ticket);
    let standing = stands(&app, &guest).await?;
    Ok(guest.keep(&app, Json(Raised { id: hand_id(guest.ticket), ticket, stage, standing }).into_response()))
}

pub(crate) async fn hand_standing(State(app): State<App>, Path((id, hand)): OfHand, came: Came, caller: Caller) -> Result<Response, Fault> {
    let guest = Guest::find(&app, &caller, &came, &id, "").await?;
    own(&guest, &hand)?;
    Ok(Json(stands(&app, &guest).await?).into_response())
}

pub(crate) async fn lower(
    State(app): State<App>,
    Path((id, hand)): OfHand,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::find(&app, &posted.caller, &came, &id, "").await?;
    own(&guest, &hand)?;
    hand::lower(app.store(), guest.event.id, guest.ticket).await?;
    app.assembly().hands_changed(guest.event.id);
    Ok(done())
}

pub(crate) async fn vote_for_hand(
    State(app): State<App>,
    Path((id, hand)): OfHand,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::act(&app, &posted.caller, &came, &id, "").await?;
    hand::vote(app.store(), &guest.event, read_hand(&hand)?, guest.ticket).await?;
    app.assembly().hands_changed(guest.event.id);
    Ok(guest.keep(&app, done()))
}

pub(crate) async fn ask(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewQuestion>) -> Result<Response, Fault> {
    let guest = Guest::act(&app, &posted.caller, &came, &id, "").await?;
    let id = question::ask(app.store(), &guest.event, guest.ticket, &posted.body.name, &posted.body.text, app.now()).await?;
    Ok(guest.keep(&app, made(&app, &guest, id)))
}

pub(crate) async fn vote_for_question(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::act(&app, &posted.caller, &came, &id, "").await?;
    question::vote(app.store(), &guest.event, number, guest.ticket).await?;
    Ok(guest.keep(&app, changed(&app, &guest)))
}

pub(crate) async fn settle_question(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::rule(&app, &posted.caller, &came, &id, "").await?;
    question::settle(app.store(), &guest.event, number).await?;
    Ok(changed(&app, &guest))
}

pub(crate) async fn open_poll(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewPoll>) -> Result<Response, Fault> {
    let guest = Guest::rule(&app, &posted.caller, &came, &id, "").await?;
    let id = poll::open(app.store(), &guest.event, &posted.body.question, &posted.body.answers, app.now()).await?;
    Ok(made(&app, &guest, id))
}

pub(crate) async fn close_poll(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::rule(&app, &posted.caller, &came, &id, "").await?;
    poll::close(app.store(), &guest.event, number).await?;
    Ok(changed(&app, &guest))
}

pub(crate) async fn vote_in_poll(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Chosen>,
) -> Result<Response, Fault> {
    let guest = Guest::act(&app, &posted.caller, &came, &id, "").await?;
    poll::vote(app.store(), &guest.event, number, posted.body.answer, guest.ticket).await?;
    Ok(guest.keep(&app, changed(&app, &guest)))
}

pub(crate) async fn pin(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewPin>) -> Result<Response, Fault> {
    let guest = Guest::rule(&app, &posted.caller, &came, &id, "").await?;
    let id = pin::hang(app.store(), &guest.event, &posted.body.text, &posted.body.url, app.now()).await?;
    Ok(made(&app, &guest, id))
}

pub(crate) async fn unpin(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let guest = Guest::rule(&app, &posted.caller, &came, &id, "").await?;
    pin::take(app.store(), &guest.event, number, app.now()).await?;
    Ok(changed(&app, &guest))
}

/// A hand is its owner's alone to ask about and to take down.
fn own(guest: &Guest, hand: &str) -> Result<(), FaultKind> {
    if read_hand(hand)? == guest.ticket { Ok(()) } else { Err(FaultKind::NotFound) }
}

async fn stands(app: &App, guest: &Guest) -> Result<Standing, Fault> {
    let (hand, place) = hand::standing(app.store(), guest.event.id, guest.ticket).await?;
    Ok(Standing { standing: hand.standing.name(), place })
}

fn hand_view(hand: Hand) -> HandView {
    HandView { id: hand_id(hand.ticket), name: hand.name, topic: hand.topic, votes: hand.votes, spoke: hand.spoke }
}

fn done() -> Response {
    StatusCode::NO_CONTENT.into_response()
}

fn changed(app: &App, guest: &Guest) -> Response {
    app.assembly().board_changed(guest.event.id);
    done()
}

fn made(app: &App, guest: &Guest, id: i64) -> Response {
    app.assembly().board_changed(guest.event.id);
    (StatusCode::CREATED, Json(Made { id })).into_response()
}
