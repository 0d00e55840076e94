//! Taking part in an event, whether by a form or as JSON: what an audience does, and who runs the event.

use crate::app::App;
use crate::caller::Caller;
use crate::fault::Fault;
use crate::guest::{Came, Guest};
use base::FaultKind;
use square::{hand, pin, poll, question};
use store::Standing;

/// Who asks, of which event, and with which ticket besides a bearer's.
pub(crate) struct Asked {
    pub(crate) caller: Caller,
    pub(crate) came: Came,
    pub(crate) event: String,
    pub(crate) ticket: String,
}

/// What they do.
pub(crate) enum Part {
    Raise {
        name: String,
        topic: String,
    },
    /// Takes their hand down, which is this one when they say which.
    Lower(Option<u64>),
    VoteForHand(u64),
    Ask {
        name: String,
        text: String,
    },
    VoteForQuestion(i64),
    VoteInPoll(i64, u8),
    Settle(i64),
    OpenPoll {
        question: String,
        answers: Vec<String>,
    },
    ClosePoll(i64),
    Pin {
        text: String,
        url: String,
    },
    Unpin(i64),
}

/// What came of it.
pub(crate) struct Done {
    pub(crate) guest: Guest,
    /// The number of what was made.
    pub(crate) number: Option<i64>,
}

/// Does it, and has the stage told of it.
///
/// # Errors
/// They may not, they do it too often, or it can't be done.
pub(crate) async fn take(app: &App, asked: &Asked, part: Part) -> Result<Done, Fault> {
    let Asked { caller, came, event, ticket } = asked;
    let guest = match &part {
        Part::Lower(_) => Guest::find(app, caller, came, event, ticket).await?,
        Part::Raise { .. } | Part::Ask { .. } => Guest::act(app, caller, came, event, ticket).await?,
        Part::VoteForHand(_) | Part::VoteForQuestion(_) | Part::VoteInPoll(..) => Guest::vote(app, caller, came, event, ticket).await?,
        Part::Settle(_) | Part::OpenPoll { .. } | Part::ClosePoll(_) | Part::Pin { .. } | Part::Unpin(_) => {
            Guest::rule(app, caller, came, event, ticket).await?
        }
    };
    let is_hand = matches!(part, Part::Raise { .. } | Part::Lower(_) | Part::VoteForHand(_));
    let number = perform(app, &guest, part).await?;
    let mut assembly = app.assembly();
    if is_hand {
        assembly.hands_changed(guest.event.id);
    } else {
        assembly.board_changed(guest.event.id);
    }
    drop(assembly);
    Ok(Done { guest, number })
}

async fn perform(app: &App, guest: &Guest, part: Part) -> Result<Option<i64>, Fault> {
    let (store, event, ticket, now) = (app.store(), &guest.event, guest.ticket, app.now());
    match part {
        Part::Raise { name, topic } => {
            let network = guest.network(app);
            let own = store.hand(event.id, ticket).await.map_err(square::Fault::from)?;
            if own.is_none_or(|own| own.standing != Standing::Waiting) {
                hand::has_room(store, event.id, network).await?;
                app.assembly().may_raise(guest.who(), now)?;
            }
            hand::raise(store, event, ticket, network, &name, &topic, now).await?;
            // Who shows somebody else's ticket does what they do in that one's name; the ban of it is not theirs.
            if guest.has_number(ticket) {
                guest.came_with(app, ticket).await;
            }
        }
        Part::Lower(hand) if hand.is_some_and(|hand| hand != ticket) => return Err(FaultKind::NotFound.into()),
        Part::Lower(_) => hand::lower(store, event.id, ticket).await?,
        Part::VoteForHand(hand) => hand::vote(store, event, hand, ticket).await?,
        Part::Ask { name, text } => return Ok(Some(question::ask(store, event, ticket, &name, &text, now).await?)),
        Part::VoteForQuestion(number) => question::vote(store, event, number, ticket).await?,
        Part::VoteInPoll(number, answer) => poll::vote(store, event, number, answer, ticket).await?,
        Part::Settle(number) => question::settle(store, event, number).await?,
        Part::OpenPoll { question, answers } => return Ok(Some(poll::open(store, event, &question, &answers, now).await?)),
        Part::ClosePoll(number) => poll::close(store, event, number).await?,
        Part::Pin { text, url } => return Ok(Some(pin::hang(store, event, &text, &url, now).await?)),
        Part::Unpin(number) => pin::take(store, event, number, now).await?,
    }
    Ok(None)
}
