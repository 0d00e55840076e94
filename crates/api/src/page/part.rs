//! Taking part, as forms: a page without script does all that one with script does.

use super::Frame;
use crate::app::App;
use crate::fault::Fault;
use crate::guest::{Came, Guest, hand_id, read_hand};
use crate::once::{self, once};
use crate::part::{self, Asked, Part as Deed};
use crate::request::Submitted;
use askama::Template;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Redirect, Response};
use axum::routing::{MethodRouter, post};
use base::FaultKind;
use square::hand;
use store::{Ballot, Pin, Question, Standing};

/// Hands and questions that stand on the page; the rest is counted.
const SHOWN_MAX: usize = 20;

/// What an event's page shows of it.
#[derive(Template)]
#[template(path = "part.html")]
pub(crate) struct Part {
    /// The event.
    pub(crate) id: String,
    /// The session's word, for the forms.
    pub(crate) word: String,
    /// The token of forms that make something.
    pub(crate) once: String,
    /// Who is signed in; empty for nobody.
    pub(crate) account: String,
    /// A host has barred this visitor.
    pub(crate) barred: bool,
    /// Where the forms go.
    pub(crate) path: String,
    /// The ticket that they carry, for a private event.
    pub(crate) ticket: String,
    pub(crate) runs: bool,
    /// Whether hands are raised in this event.
    pub(crate) raises: bool,
    /// The visitor's own hand.
    pub(crate) hand: Option<OwnHand>,
    pub(crate) hands: Vec<HandRow>,
    pub(crate) more_hands: usize,
    pub(crate) pins: Vec<Pin>,
    pub(crate) poll: Option<PollRow>,
    pub(crate) questions: Vec<QuestionRow>,
}

pub(crate) struct OwnHand {
    pub(crate) id: String,
    pub(crate) waits: bool,
    pub(crate) admitted: bool,
    pub(crate) declined: bool,
    pub(crate) place: usize,
    /// The page on which they come on stage.
    pub(crate) stage: String,
}

pub(crate) struct HandRow {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) topic: String,
    pub(crate) votes: u32,
    pub(crate) voted: bool,
    pub(crate) own: bool,
}

pub(crate) struct PollRow {
    pub(crate) number: i64,
    pub(crate) text: String,
    pub(crate) open: bool,
    /// The answer that the visitor chose.
    pub(crate) chosen: Option<usize>,
    pub(crate) votes: u32,
    /// Answer, votes, share in percent.
    pub(crate) answers: Vec<(String, u32, u32)>,
}

impl PollRow {
    fn is_chosen(&self, answer: &usize) -> bool {
        self.chosen == Some(*answer)
    }
}

pub(crate) struct QuestionRow {
    pub(crate) of: Question,
    pub(crate) voted: bool,
}

/// What stands on the page for this visitor.
pub(crate) async fn of(app: &App, guest: &Guest, frame: &Frame) -> Result<Part, Fault> {
    let (store, event) = (app.store(), guest.event.id);
    let votes = store.votes_of(event, guest.ticket).await.map_err(square::Fault::from)?;
    let voted = |ballot| votes.iter().find(|(of, _)| *of == ballot).map(|(_, answer)| usize::from(*answer));
    let waiting = store.hands_waiting(event).await.map_err(square::Fault::from)?;
    let own = store.hand(event, guest.ticket).await.map_err(square::Fault::from)?;
    let place = waiting.iter().position(|hand| hand.ticket == guest.ticket).map_or(0, |place| place + 1);
    let row = |hand: &store::Hand| HandRow {
        id: hand_id(hand.ticket),
        name: hand.name.clone(),
        topic: hand.topic.clone(),
        votes: hand.votes,
        voted: voted(Ballot::Hand(hand.ticket)).is_some(),
        own: hand.ticket == guest.ticket,
    };
    let poll = store.newest_poll(event).await.map_err(square::Fault::from)?.map(|poll| {
        let all: u32 = poll.votes.iter().sum();
        let percent = |votes: u32| u32::try_from(u64::from(votes) * 100 / u64::from(all.max(1))).unwrap_or(100);
        let answers = poll.answers.into_iter().zip(poll.votes).map(|(answer, votes)| (answer, votes, percent(votes))).collect();
        PollRow { number: poll.number, text: poll.text, open: poll.open, chosen: voted(Ballot::Poll(poll.number)), votes: all, answers }
    });
    let most = u32::try_from(SHOWN_MAX).unwrap_or(u32::MAX);
    let questions = store.questions(event, most).await.map_err(square::Fault::from)?;
    Ok(Part {
        id: event.to_string(),
        word: frame.word.clone(),
        once: once::token(app),
        account: frame.account.clone().unwrap_or_default(),
        barred: guest.barred,
        path: format!("/events/{event}"),
        ticket: guest.shown.clone().unwrap_or_default(),
        runs: guest.runs,
        raises: hand::may_raise(&guest.event),
        hand: own.filter(|hand| hand.standing != Standing::Gone).map(|hand| OwnHand {
            id: hand_id(hand.ticket),
            waits: hand.standing == Standing::Waiting,
            admitted: hand.standing == Standing::Admitted,
            declined: hand.standing == Standing::Declined,
            place,
            stage: crate::address::console_path(&guest.own_ticket(app)),
        }),
        hands: waiting.iter().take(SHOWN_MAX).map(row).collect(),
        more_hands: waiting.len().saturating_sub(SHOWN_MAX),
        pins: store.pins(event).await.map_err(square::Fault::from)?,
        poll,
        questions: questions.into_iter().map(|of| QuestionRow { voted: voted(Ballot::Question(of.number)).is_some(), of }).collect(),
    })
}

/// The addresses that forms go to.
pub(crate) fn routes() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/events/{event}/hand", post(raise)),
        ("/events/{event}/hand/lower", post(lower)),
        ("/events/{event}/hand/{hand}/vote", post(vote_for_hand)),
        ("/events/{event}/questions", post(ask)),
        ("/events/{event}/questions/{number}/vote", post(vote_for_question)),
        ("/events/{event}/questions/{number}/settle", post(settle_question)),
        ("/events/{event}/polls", post(open_poll)),
        ("/events/{event}/polls/{number}/vote", post(vote_in_poll)),
        ("/events/{event}/polls/{number}/close", post(close_poll)),
        ("/events/{event}/pins", post(hang)),
        ("/events/{event}/pins/{number}/take", post(take)),
    ]
}

type Of = Path<String>;
type OfNumber = Path<(String, i64)>;

async fn raise(State(app): State<App>, Path(id): Of, came: Came, form: Submitted) -> Result<Response, Fault> {
    let deed = Deed::Raise { name: form.text("name"), topic: form.text("topic") };
    act(app, id, came, form, deed).await
}

async fn lower(State(app): State<App>, Path(id): Of, came: Came, form: Submitted) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::Lower(None)).await
}

async fn vote_for_hand(
    State(app): State<App>,
    Path((id, hand)): Path<(String, String)>,
    came: Came,
    form: Submitted,
) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::VoteForHand(read_hand(&hand)?)).await
}

async fn ask(State(app): State<App>, Path(id): Of, came: Came, form: Submitted) -> Result<Response, Fault> {
    let deed = Deed::Ask { name: form.text("name"), text: form.text("text") };
    act(app, id, came, form, deed).await
}

async fn vote_for_question(State(app): State<App>, Path((id, number)): OfNumber, came: Came, form: Submitted) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::VoteForQuestion(number)).await
}

async fn settle_question(State(app): State<App>, Path((id, number)): OfNumber, came: Came, form: Submitted) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::Settle(number)).await
}

async fn open_poll(State(app): State<App>, Path(id): Of, came: Came, form: Submitted) -> Result<Response, Fault> {
    let answers = form.field("answers").lines().map(str::to_owned).collect();
    let deed = Deed::OpenPoll { question: form.text("question"), answers };
    act(app, id, came, form, deed).await
}

async fn vote_in_poll(State(app): State<App>, Path((id, number)): OfNumber, came: Came, form: Submitted) -> Result<Response, Fault> {
    let answer = form.field("answer").parse().map_err(|_| FaultKind::BadRequest)?;
    act(app, id, came, form, Deed::VoteInPoll(number, answer)).await
}

async fn close_poll(State(app): State<App>, Path((id, number)): OfNumber, came: Came, form: Submitted) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::ClosePoll(number)).await
}

async fn hang(State(app): State<App>, Path(id): Of, came: Came, form: Submitted) -> Result<Response, Fault> {
    let deed = Deed::Pin { text: form.text("text"), url: form.text("url") };
    act(app, id, came, form, deed).await
}

async fn take(State(app): State<App>, Path((id, number)): OfNumber, came: Came, form: Submitted) -> Result<Response, Fault> {
    act(app, id, came, form, Deed::Unpin(number)).await
}

/// Does it, once, and leads back to the page.
async fn act(app: App, event: String, came: Came, form: Submitted, deed: Deed) -> Result<Response, Fault> {
    let ticket = form.text("ticket");
    let asked = Asked { caller: form.caller, came, event, ticket };
    once(&app.clone(), form.once, async move {
        let guest = part::take(&app, &asked, deed).await?.guest;
        Ok(guest.keep(&app, Redirect::to(&guest.page(&app)).into_response()))
    })
    .await
}
