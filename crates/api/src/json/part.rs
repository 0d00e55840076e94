//! What an audience takes part in, in JSON: reactions, hands, questions, polls, pins.

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::{Came, Guest, hand_id, read_hand};
use crate::json::account::Nothing;
use crate::once::once;
use crate::part::{self, Asked, Done, Part};
use crate::request::Posted;
use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::RETRY_AFTER;
use axum::response::{IntoResponse as _, Response};
use base::FaultKind;
use serde::{Deserialize, Serialize};
use square::{hand, reaction};
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
    let counted = app.assembly().react(guest.event.id, guest.who(), kind, of.unwrap_or(1), app.now());
    match counted {
        Ok(()) => Ok(guest.keep(&app, done())),
        // They are counted by the second.
        Err(kind @ FaultKind::TooManyRequests) => Ok(([(RETRY_AFTER, "1")], Fault::from(kind)).into_response()),
        Err(kind) => Err(kind.into()),
    }
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
    Ok(guest.keep(&app, Json(board).into_response()))
}

pub(crate) async fn raise(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewHand>) -> Result<Response, Fault> {
    let NewHand { name, topic } = posted.body;
    let asked = Asked { caller: posted.caller, came, event: id, ticket: String::new() };
    once(&app.clone(), posted.once, async move {
        let guest = part::take(&app, &asked, Part::Raise { name, topic }).await?.guest;
        let ticket = guest.own_ticket(&app);
        let stage = app.addresses().console_page(&ticket);
        let standing = stands(&app, &guest).await?;
        Ok(guest.keep(&app, Json(Raised { id: hand_id(guest.ticket), ticket, stage, standing }).into_response()))
    })
    .await
}

pub(crate) async fn hand_standing(State(app): State<App>, Path((id, hand)): OfHand, came: Came, caller: Caller) -> Result<Response, Fault> {
    let guest = Guest::find(&app, &caller, &came, &id, "").await?;
    if read_hand(&hand)? != guest.ticket {
        return Err(FaultKind::NotFound.into());
    }
    Ok(Json(stands(&app, &guest).await?).into_response())
}

pub(crate) async fn lower(
    State(app): State<App>,
    Path((id, hand)): OfHand,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let hand = read_hand(&hand)?;
    act(app, id, came, posted, |_| Part::Lower(Some(hand))).await
}

pub(crate) async fn vote_for_hand(
    State(app): State<App>,
    Path((id, hand)): OfHand,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    let hand = read_hand(&hand)?;
    act(app, id, came, posted, |_| Part::VoteForHand(hand)).await
}

pub(crate) async fn ask(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewQuestion>) -> Result<Response, Fault> {
    act(app, id, came, posted, |NewQuestion { name, text }| Part::Ask { name, text }).await
}

pub(crate) async fn vote_for_question(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    act(app, id, came, posted, |_| Part::VoteForQuestion(number)).await
}

pub(crate) async fn settle_question(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    act(app, id, came, posted, |_| Part::Settle(number)).await
}

pub(crate) async fn open_poll(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewPoll>) -> Result<Response, Fault> {
    act(app, id, came, posted, |NewPoll { question, answers }| Part::OpenPoll { question, answers }).await
}

pub(crate) async fn close_poll(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    act(app, id, came, posted, |_| Part::ClosePoll(number)).await
}

pub(crate) async fn vote_in_poll(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Chosen>,
) -> Result<Response, Fault> {
    act(app, id, came, posted, |Chosen { answer }| Part::VoteInPoll(number, answer)).await
}

pub(crate) async fn pin(State(app): State<App>, Path(id): Of, came: Came, posted: Posted<NewPin>) -> Result<Response, Fault> {
    act(app, id, came, posted, |NewPin { text, url }| Part::Pin { text, url }).await
}

pub(crate) async fn unpin(
    State(app): State<App>,
    Path((id, number)): OfNumber,
    came: Came,
    posted: Posted<Nothing>,
) -> Result<Response, Fault> {
    act(app, id, came, posted, |_| Part::Unpin(number)).await
}

/// Does it, once; answers with the number of what was made.
async fn act<T>(app: App, event: String, came: Came, posted: Posted<T>, part: impl FnOnce(T) -> Part) -> Result<Response, Fault> {
    let asked = Asked { caller: posted.caller, came, event, ticket: String::new() };
    let part = part(posted.body);
    once(&app.clone(), posted.once, async move {
        let Done { guest, number } = part::take(&app, &asked, part).await?;
        let answer = number.map_or_else(done, |id| (StatusCode::CREATED, Json(Made { id })).into_response());
        Ok(guest.keep(&app, answer))
    })
    .await
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
