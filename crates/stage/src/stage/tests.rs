//! Rows through one `check`: what goes in, and the last step's outputs in short words.

mod after;
mod charge;
mod clock;
mod doors;
mod hands;
mod model;
mod people;

use super::*;
use crate::words::{Action, Loudness, MediaUse, Mix, Side};
use base::Epoch;
use base::fact::{Hand, LevelDb};
use base::journal::{Clock, ClockMode, Role};
use base::limit;
use proptest::prelude::*;

/// A stage and the journal a shell would have written for it.
struct World {
    stage: Stage,
    journal: Vec<Entry>,
    start: Instant,
    millis: u64,
}

const CREATED: UnixMillis = UnixMillis(1_000);

/// An event without a time.
const UNPLANNED: Schedule = Schedule { start_at: None, doors_ms: 900_000, empty_ms: 600_000, hands: true };

impl World {
    fn new() -> Self {
        let start = Instant::now();
        let now = Now { instant: start, wall: CREATED };
        Self { stage: Stage::restore(now, EventId::from_random(1), CREATED, UNPLANNED, &[]), journal: Vec::new(), start, millis: 0 }
    }

    /// An event with a plan, which a stage reads at the time it is now.
    fn planned(schedule: Schedule) -> Self {
        let mut world = Self::new();
        world.restart(schedule);
        world
    }

    /// The stage is killed, and another one takes its place.
    fn restart(&mut self, schedule: Schedule) {
        self.stage = Stage::restore(self.now(), EventId::from_random(1), CREATED, schedule, &self.journal);
    }

    /// Whenever something is due until then, it is done; what came of it in short words.
    fn until(&mut self, millis: u64) -> String {
        let mut words = Vec::new();
        loop {
            let due = self.stage.deadline().map(|due| u64::try_from(due.saturating_duration_since(self.start).as_millis()).unwrap());
            let due = due.filter(|due| *due <= millis);
            // A deadline lies ahead or is now, and what was due is done.
            self.millis = due.unwrap_or(millis).max(self.millis);
            words.push(self.all(vec![Input::Tick]));
            if due.is_none() {
                return words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
            }
            assert!(words.len() < 10_000, "it is always something due");
        }
    }

    fn now(&self) -> Now {
        let wall = UnixMillis(CREATED.0 + i64::try_from(self.millis).unwrap());
        Now { instant: self.start + Duration::from_millis(self.millis), wall }
    }

    fn give(&mut self, input: Input) -> Vec<Output> {
        let out = self.stage.handle(self.now(), input);
        let mut more = Vec::new();
        for output in &out {
            match output {
                Output::Journal(entry) => self.journal.push(entry.clone()),
                Output::OpenProgramme => more.push(Input::ProgrammeOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: "b".into() }),
                Output::CloseProgramme => more.push(Input::ProgrammeClosed { end: FragmentNumber(7) }),
                Output::Begin => more.push(Input::Begun { first: FragmentNumber(5) }),
                Output::Hold => more.push(Input::Held { first: FragmentNumber(self.millis / 200) }),
                Output::Refused(_)
                | Output::Cut { .. }
                | Output::TalkingMuted(_)
                | Output::CloseSession(_)
                | Output::Mix(_)
                | Output::Listeners(_)
                | Output::Tell(_)
                | Output::StateChanged
                | Output::Levels(_) => {}
            }
        }
        out.into_iter().chain(more.into_iter().flat_map(|input| self.give(input)).collect::<Vec<_>>()).collect()
    }

    /// Gives all of them; what came of it in short words.
    fn all(&mut self, inputs: Vec<Input>) -> String {
        let out: Vec<_> = inputs.into_iter().flat_map(|input| self.give(input)).collect();
        out.iter().filter_map(word).collect::<Vec<_>>().join(" ")
    }

    /// The names of those who hold a place.
    fn places(&self) -> Vec<String> {
        self.stage.view().stage.into_iter().map(|person| person.name).collect()
    }
}

fn who(key: &str, role: Role) -> Who {
    Who {
        key: Some(key.to_owned()).filter(|key| !key.is_empty()),
        name: Some(format!("  N{key}\n")),
        role,
        ticket: 0,
        by_hand: false,
        backstage: false,
    }
}

fn role(key: &str) -> Role {
    if key.starts_with("host") {
        Role::Host
    } else if key.starts_with("co") {
        Role::CoHost
    } else {
        Role::Speaker
    }
}

/// Somebody's voice, as the desk reports it.
fn voice(participant: u16, level: u8, talking: bool, talking_muted: bool) -> Vec<Input> {
    vec![Input::Levels(vec![Loudness { participant: ParticipantId(participant), level: LevelDb(level), talking, talking_muted }])]
}

/// The event begins, whoever is there.
fn go_live() -> Vec<Input> {
    act("host", Action::GoLive { yes: true })
}

/// Somebody with a ticket of this number.
fn with_ticket(mut inputs: Vec<Input>, number: u64, of_listener: bool) -> Vec<Input> {
    for input in &mut inputs {
        if let Input::Open { who, .. } | Input::Act { who, .. } = input {
            (who.ticket, who.by_hand) = (number, of_listener);
        }
    }
    inputs
}

/// Somebody who comes to wait behind the stage.
fn behind(session: u64, key: &str) -> Vec<Input> {
    let come = Input::Open {
        session: SessionId(session),
        who: Who { backstage: true, ..who(key, role(key)) },
        kind: SessionKind::Media(MediaUse::SendsAndReceives),
    };
    [vec![come], up(session)].concat()
}

fn open(session: u64, key: &str, kind: SessionKind) -> Vec<Input> {
    vec![Input::Open { session: SessionId(session), who: who(key, role(key)), kind }]
}

/// Somebody asks to speak, and no more.
fn call(session: u64, key: &str) -> Vec<Input> {
    open(session, key, SessionKind::Media(MediaUse::SendsAndReceives))
}

/// Somebody's microphone comes and is connected.
fn media(session: u64, key: &str) -> Vec<Input> {
    [call(session, key), up(session)].concat()
}

fn up(session: u64) -> Vec<Input> {
    vec![Input::Connected(SessionId(session))]
}

fn gone(session: u64) -> Vec<Input> {
    vec![Input::Closed(SessionId(session))]
}

fn act(key: &str, action: Action) -> Vec<Input> {
    vec![Input::Act { who: who(key, role(key)), action }]
}

fn mute(key: &str, participant: u16, muted: bool) -> Vec<Input> {
    act(key, Action::Mute { participant: ParticipantId(participant), muted })
}

/// Plays `steps` on a new stage; the last one's outputs in short words must be `want`.
#[track_caller]
fn check(steps: Vec<Vec<Input>>, want: &str) {
    let mut world = World::new();
    let words = steps.into_iter().map(|step| world.all(step)).last();
    assert_eq!(words.as_deref(), Some(want));
}

fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Journal(entry) => match &entry.what {
            What::Joined { participant, name, role, .. } => format!("joined:{participant}:{name}:{role:?}"),
            What::Renamed { participant, name } => format!("renamed:{participant}:{name}"),
            What::Muted { participant, by } => format!("muted:{participant}:{}", by.is_some()),
            What::Left { participant } => format!("left:{participant}"),
            What::Removed { participant } => format!("removed:{participant}"),
            What::EpochOpened { epoch, .. } => format!("epoch:{epoch}"),
            What::RecordingStopped { first_lost } => format!("stopped:{first_lost}"),
            What::Stepped { participant, backstage } => format!("stepped:{participant}:{backstage}"),
            What::Promoted { participant, role } => format!("promoted:{participant}:{role:?}"),
            What::Ready { participant, ready } => format!("ready:{participant}:{ready}"),
            What::Banned { ticket } => format!("banned:{ticket}"),
            What::Locked { locked } => format!("locked:{locked}"),
            What::InCharge { participant: Some(participant) } => format!("charge:{participant}"),
            What::InCharge { participant: None } => "charge:hosts".to_owned(),
            What::Succession { order } => format!("order:{}", order.len()),
            What::Admitted { ticket, name } => format!("admitted:{ticket}:{name}"),
            What::Declined { ticket } => format!("declined:{ticket}"),
            What::Clock { clock } => format!("clock:{}", clock.as_ref().map_or("off".to_owned(), clock_word)),
            What::Spoken { totals } => format!("spoken:{}", totals.len()),
            What::DoorsOpened => "doors".to_owned(),
            What::Begun { first } => format!("begun:{first}"),
            What::Held { from } => format!("held:{}", from.map_or("over".to_owned(), |from| from.to_string())),
            What::Ended { end, heard: None } => format!("ended:{end}"),
            What::Ended { end, heard: Some(heard) } => format!("ended:{end}:{heard}"),
        },
        Output::Refused(fault) => fault.code().to_owned(),
        Output::OpenProgramme => "open".to_owned(),
        Output::Begin => "begin".to_owned(),
        Output::Hold => "hold?".to_owned(),
        Output::Cut { seconds } => format!("cut:{seconds}"),
        Output::TalkingMuted(participant) => format!("muted?{participant}"),
        Output::CloseProgramme => "close".to_owned(),
        Output::CloseSession(session) => format!("bye:{}", session.0),
        Output::Mix(Mix::Open { session, muted, .. }) => format!("mix+{}:{muted}", session.0),
        Output::Mix(Mix::Close { session }) => format!("mix-{}", session.0),
        Output::Mix(Mix::Mute { session, muted }) => format!("mix={}:{muted}", session.0),
        Output::Listeners(LiveFact::Stage(stage)) => format!("s{}", stage.len()),
        Output::Listeners(LiveFact::Levels(levels)) => format!("v{}", levels.len()),
        Output::Listeners(LiveFact::Listeners(count)) => format!("n{count}"),
        Output::Listeners(LiveFact::RecordingStopped) => "r0".to_owned(),
        Output::Listeners(LiveFact::Begun(begun)) => format!("b{}", begun.map_or(0, |first| first.0.max(1))),
        Output::Listeners(LiveFact::Clock(clock)) => format!("k{}", clock.as_ref().map_or(0, |clock| clock.budgets.len())),
        Output::Listeners(LiveFact::Spoken(spoken)) => {
            spoken.iter().fold("t".to_owned(), |text, one| format!("{text}{}:{}", one.name, one.seconds))
        }
        Output::Listeners(LiveFact::Reactions(kinds)) => format!("x{}", kinds.len()),
        Output::Listeners(LiveFact::Share(share)) => format!("d{share}"),
        Output::Listeners(LiveFact::Pins(pins)) => format!("p{}", pins.len()),
        Output::Listeners(LiveFact::Poll(poll)) => format!("o{}", u8::from(poll.is_some())),
        Output::Listeners(LiveFact::Questions(questions)) => format!("q{}", questions.len()),
        Output::Mix(Mix::OnAir { session, on }) => format!("air{}:{on}", session.0),
        Output::Mix(Mix::Hold(on)) => format!("hold:{on}"),
        Output::Mix(Mix::Fade { session }) => format!("fade{}", session.0),
        Output::Mix(Mix::Chime) => "chime".to_owned(),
        Output::Tell(Fact::Live { begun, .. }) => if *begun { "live" } else { "doors-open" }.to_owned(),
        Output::Tell(Fact::Ended { .. }) => "over".to_owned(),
        Output::Tell(Fact::Barred { tickets, .. }) => format!("barred:{}", tickets.len()),
        Output::Tell(Fact::Seats { .. }) => return None,
        Output::Tell(other) => unreachable!("a stage has no such fact: {other:?}"),
        Output::StateChanged | Output::Levels(_) => return None,
    })
}

fn clock_word(clock: &Clock) -> String {
    let left: Vec<_> = clock.budgets.iter().map(|budget| budget.left_ms.to_string()).collect();
    left.join("/") + &clock.running.map(|one| format!("@{one}")).unwrap_or_default()
}

#[test]
fn people_come_and_go() {
    let monitor = open(9, "", SessionKind::Monitor);
    let console = open(8, "a", SessionKind::Console);
    check(vec![media(1, "a")], "joined:1:Na:Speaker mix+1:false s1");
    check(vec![media(1, "a"), media(2, "b")], "joined:2:Nb:Speaker mix+2:false s2");
    check(vec![media(1, "a"), media(2, "a")], "mix-1 bye:1 mix+2:false");
    check(vec![media(1, "a"), up(1)], "");
    check(vec![media(1, "a"), gone(1)], "mix-1");
    check(vec![media(1, "a"), gone(1), media(2, "a")], "mix+2:false");
    check(vec![media(1, ""), gone(1)], "mix-1 left:1 s0");
    check(vec![media(1, ""), gone(1), media(2, "")], "joined:2:N:Speaker mix+2:false s1");
    check(vec![gone(5)], "");
    check(vec![up(5)], "");
    check(vec![monitor.clone()], "");
    check(vec![monitor, up(9)], "");
    check(vec![console.clone(), media(1, "a")], "joined:1:Na:Speaker mix+1:false s1");
    check(vec![console.clone(), media(1, "a"), act("a", Action::Leave)], "left:1 mix-1 bye:1 bye:8 s0");
    check(vec![console.clone(), open(7, "a", SessionKind::Console)], "bye:8");
    check(vec![media(1, "a"), act("a", Action::Leave)], "left:1 mix-1 bye:1 s0");
    check(vec![media(1, "a"), act("a", Action::Leave), media(2, "a")], "joined:1:Na:Speaker mix+2:false s1");
}

#[test]
fn who_is_not_connected_has_no_place() {
    check(vec![call(1, "a")], "");
    check(vec![open(8, "a", SessionKind::Console)], "");
    check(vec![call(1, "a"), gone(1)], "");
    check(vec![call(1, "a"), call(2, "a")], "bye:1");
    check(vec![call(1, "a"), act("a", Action::Leave)], "forbidden");
    check(vec![call(1, "a"), act("host", Action::End), up(1)], "");
    let mut world = World::new();
    world.all([call(1, "a"), open(8, "a", SessionKind::Console), call(2, "")].concat());
    assert!(world.places().is_empty() && world.journal.is_empty());
    let you = |world: &World, session| world.stage.you(SessionId(session)).map(|you| (you.place, you.role));
    assert_eq!(you(&world, 8), Some((None, Role::Speaker)));
    world.all(up(1));
    assert_eq!(world.places(), ["Na"]);
    assert_eq!(you(&world, 8), Some((Some(ParticipantId(1)), Role::Speaker)), "an open console knows it");
    // Another offer under the same key takes nothing from who is heard until it is connected itself.
    assert_eq!(world.all(call(3, "a")), "");
    assert!(world.stage.view().stage[0].here);
    assert_eq!(world.all(up(3)), "mix-1 bye:1 mix+3:false");
    // Removed while an offer of theirs is on its way.
    world.all(call(4, "a"));
    assert_eq!(world.all(act("host", Action::Remove { participant: ParticipantId(1) })), "removed:1 mix-3 bye:3 bye:4 bye:8 s0");
    assert_eq!(world.all(up(4)), "");
}

#[test]
fn who_may_do_what() {
    let remove = |key: &str| act(key, Action::Remove { participant: ParticipantId(1) });
    let rename = |name: &str| act("a", Action::Rename { name: name.to_owned() });
    let long = "x".repeat(limit::STAGE_NAME_CHARS_MAX + 5);
    check(vec![media(1, "a"), mute("a", 1, true)], "muted:1:true mix=1:true s1");
    check(vec![media(1, "a"), mute("a", 1, false)], "");
    check(vec![media(1, "a"), mute("b", 1, true)], "forbidden");
    check(vec![media(1, "a"), mute("host", 1, true)], "muted:1:true mix=1:true s1");
    check(vec![media(1, "a"), mute("host", 1, true), mute("host", 1, false)], "forbidden");
    check(vec![media(1, "a"), mute("a", 1, true), mute("a", 1, false)], "muted:1:false mix=1:false s1");
    check(vec![media(1, "a"), mute("host", 7, true)], "not-found");
    check(vec![media(1, "a"), mute("a", 1, true), gone(1), media(2, "a")], "mix+2:true");
    check(vec![media(1, "a"), rename(" Ada\u{7} ")], "renamed:1:Ada s1");
    check(vec![media(1, "a"), rename("\u{202e}adA\u{2066} B")], "renamed:1:adA B s1");
    check(vec![media(1, "a"), rename(" \n")], "bad-request");
    check(vec![media(1, "a"), rename("\u{202e}\u{200b}")], "bad-request");
    check(vec![media(1, "a"), rename(&long)], &format!("renamed:1:{} s1", "x".repeat(limit::STAGE_NAME_CHARS_MAX)));
    check(vec![rename("Ada")], "forbidden");
    check(vec![media(1, "a"), remove("b")], "forbidden");
    check(vec![media(1, "a"), remove("host")], "removed:1 mix-1 bye:1 s0");
    check(vec![media(1, "a"), remove("host"), media(2, "a")], "forbidden");
    check(vec![act("a", Action::GoLive { yes: true })], "forbidden");
    check(vec![act("a", Action::End)], "forbidden");
    check(vec![act("a", Action::Leave)], "forbidden");
}

#[test]
fn an_event_goes_live_and_ends() {
    let live = || act("host", Action::GoLive { yes: true });
    let end = || act("host", Action::End);
    check(vec![live()], "open epoch:1 live hold:false b1");
    check(vec![live(), live()], "");
    check(vec![live(), media(1, "a"), end()], "close ended:7 over mix-1 bye:1");
    check(vec![end()], "ended:0 over");
    check(vec![live(), end(), end()], "");
    check(vec![live(), end(), live()], "event-ended");
    check(vec![live(), end(), media(1, "a")], "event-ended");
    let stopped = vec![Input::RecordingStopped { first_lost: FragmentNumber(3) }];
    check(vec![live(), stopped.clone()], "stopped:3 r0");
    check(vec![live(), stopped.clone(), stopped], "");
}

/// A stage with one host, in session 0, and no room.
fn full() -> World {
    let mut world = World::new();
    world.all(media(0, "host"));
    for session in 1..limit::SPEAKERS_PER_EVENT_MAX as u64 {
        world.all(media(session, &format!("k{session}")));
    }
    assert_eq!(world.places().len(), limit::SPEAKERS_PER_EVENT_MAX);
    world
}

#[test]
fn a_full_stage_gives_the_longest_absent_place_away() {
    let mut world = full();
    assert_eq!(world.all(call(99, "late")), "stage-full");
    world.all(gone(3));
    world.millis += limit::PLACE_HELD_MILLIS_MAX - 1;
    world.all(gone(5));
    assert_eq!(world.all(call(99, "late")), "stage-full");
    world.millis += 1;
    assert_eq!(world.all(media(99, "late")), "left:4 joined:17:Nlate:Speaker mix+99:false s16");
    assert_eq!(world.all(media(5, "k5")), "mix+5:false", "who is back in time has their place");
    assert_eq!(world.all(media(3, "k3")), "stage-full");
}

#[test]
fn a_host_always_gets_in() {
    // Whoever calls and never connects keeps nobody out.
    let mut world = World::new();
    for ghost in 0..2 * limit::SESSIONS_PER_EVENT_MAX as u64 {
        world.millis += 1;
        let key = format!("ghost{ghost}");
        world.all([call(1_000 + ghost, &key), open(2_000 + ghost, &key, SessionKind::Console)].concat());
    }
    assert!(world.places().is_empty());
    world.all([media(1, "host"), media(2, "a")].concat());
    assert_eq!(world.places(), ["Nhost", "Na"]);
    // The last place is a host's.
    let mut world = World::new();
    for session in 1..limit::SPEAKERS_PER_EVENT_MAX as u64 {
        world.all(media(session, &format!("k{session}")));
    }
    assert_eq!(world.all(call(98, "late")), "stage-full");
    assert_eq!(world.all(media(99, "host")), "joined:16:Nhost:Host mix+99:false s16");
    // The same person in another tab takes the place that was held for the first.
    world.all(gone(99));
    assert_eq!(world.all(media(100, "host again")), "left:16 joined:17:Nhost again:Host mix+100:false s16");
}

#[test]
fn the_last_place_goes_to_who_connects_first() {
    let mut world = full();
    world.all(act("k5", Action::Leave));
    assert_eq!(world.all([call(98, "one"), call(99, "other")].concat()), "");
    assert_eq!(world.all(up(99)), "joined:17:Nother:Speaker mix+99:false s16");
    assert_eq!(world.all(up(98)), "bye:98");
}

#[test]
fn sessions_are_limited() {
    let mut world = World::new();
    world.all(media(200, "a"));
    for session in 1..limit::SESSIONS_PER_EVENT_MAX as u64 {
        world.millis += 1;
        assert_eq!(world.all(open(session, "", SessionKind::Monitor)), "");
    }
    assert_eq!(world.all(open(99, "", SessionKind::Monitor)), "stage-full");
    // The oldest of those who are nobody gives way to who comes to speak.
    assert_eq!(world.all(media(100, "b")), "bye:1 joined:2:Nb:Speaker mix+100:false s2");
    assert_eq!(world.all(open(101, "host", SessionKind::Console)), "bye:2");
    assert_eq!(world.all(media(201, "a")), "bye:3 mix-200 bye:200 mix+201:false");
}

#[test]
fn listeners_are_told_no_more_often_than_promised() {
    let mut world = World::new();
    world.all(media(1, "a"));
    let (mut levels, mut counts) = (0, 0);
    for step in 0..100u8 {
        let spoken = Input::Levels(vec![Loudness {
            participant: ParticipantId(1),
            level: LevelDb(20 + step % 7),
            talking: true,
            talking_muted: false,
        }]);
        let mut out = world.give(spoken);
        out.extend(world.give(Input::Listeners(u32::from(step))));
        levels += out.iter().filter(|o| matches!(o, Output::Listeners(LiveFact::Levels(_)))).count();
        counts += out.iter().filter(|o| matches!(o, Output::Listeners(LiveFact::Listeners(_)))).count();
        world.millis += 100;
    }
    assert_eq!((levels, counts), (20, 25));
    // The last count stands in the view once what is due has been done.
    while let Some(due) = world.stage.deadline() {
        world.millis = u64::try_from(due.duration_since(world.start).as_millis()).unwrap();
        world.give(Input::Tick);
    }
    assert_eq!(world.stage.view().listeners, 99);
}

#[test]
fn the_lost_are_shown_for_a_while() {
    let mut world = World::new();
    world.all([media(1, "a"), gone(1)].concat());
    assert!(!world.stage.view().stage[0].here);
    world.millis += 9_999;
    assert_eq!(world.give(Input::Tick), vec![]);
    world.millis += 1;
    assert_eq!(world.give(Input::Tick), vec![Output::Listeners(LiveFact::Stage(vec![]))]);
    // The place is held longer than they are shown, and then it is free.
    world.millis = limit::PLACE_HELD_MILLIS_MAX;
    assert_eq!(world.all(vec![Input::Tick]), "left:1");
    assert_eq!(world.stage.deadline(), None);
    assert_eq!(world.all(media(2, "a")), "joined:1:Na:Speaker mix+2:false s1", "and they may come back");
}

#[test]
fn who_had_no_key_is_gone_after_a_restart() {
    let mut world = World::new();
    world.all([media(1, ""), media(2, "a")].concat());
    world.stage = Stage::restore(world.now(), EventId::from_random(1), CREATED, UNPLANNED, &world.journal);
    assert_eq!(world.stage.view().stage.len(), 2);
    world.give(Input::Tick);
    assert_eq!(world.places(), ["Na"]);
    // Who had a key is back at the same place, however full it is by now.
    assert_eq!(world.all(media(3, "a")), "mix+3:false");
}

fn any_clock() -> impl Strategy<Value = Option<ClockMode>> {
    prop::option::of(prop::sample::select(vec![ClockMode::Speaker, ClockMode::Side, ClockMode::Turn]))
}

fn any_hands() -> impl Strategy<Value = Input> {
    let hand = (0u64..4, 0i64..2_000).prop_map(|(id, since)| Hand {
        id,
        name: "H".into(),
        topic: "T".into(),
        votes: 0,
        spoke: false,
        since: UnixMillis(since),
    });
    prop::collection::vec(hand, 0..3).prop_map(Input::Hands)
}

fn any_input() -> impl Strategy<Value = Input> {
    let key = prop::sample::select(vec!["", "host", "co", "a", "b", "c"]);
    let participant = (0u16..6).prop_map(ParticipantId);
    let action = prop_oneof![
        4 => Just(Action::GoLive { yes: true }),
        1 => Just(Action::End),
        8 => (participant.clone(), any::<bool>()).prop_map(|(participant, muted)| Action::Mute { participant, muted }),
        4 => "[a-z ]{0,3}".prop_map(|name| Action::Rename { name }),
        2 => Just(Action::Leave),
        2 => participant.clone().prop_map(|participant| Action::Remove { participant }),
        2 => participant.clone().prop_map(|participant| Action::Ban { participant }),
        4 => (participant.clone(), any::<bool>()).prop_map(|(participant, backstage)| Action::Step { participant: Some(participant), backstage }),
        4 => any::<bool>().prop_map(|backstage| Action::Step { participant: None, backstage }),
        1 => any::<bool>().prop_map(|locked| Action::Lock { locked }),
        3 => (participant.clone(), prop::sample::select(vec![Role::Host, Role::CoHost, Role::Speaker]))
            .prop_map(|(participant, role)| Action::Promote { participant, role }),
        2 => participant.clone().prop_map(|participant| Action::HandOver { participant }),
        2 => prop::collection::vec(participant.clone(), 0..4).prop_map(|order| Action::Succession { order }),
        2 => (0u64..4).prop_map(|hand| Action::Admit { hand }),
        2 => (0u64..4).prop_map(|hand| Action::Decline { hand }),
        3 => (any_clock(), 0u64..60, prop::collection::vec(participant.clone(), 0..3)).prop_map(|(mode, seconds, who)| {
            Action::Clock { mode, seconds, sides: vec![Side { name: "For".into(), who }] }
        }),
        4 => prop::option::of(participant).prop_map(|participant| Action::Turn { participant }),
        2 => (any::<bool>(), any::<bool>()).prop_map(|(ready, yes)| Action::Ready { ready, yes }),
        1 => Just(Action::MuteAll),
    ];
    let kind = prop::sample::select(vec![SessionKind::Media(MediaUse::Sends), SessionKind::Monitor, SessionKind::Console]);
    prop_oneof![
        4 => (0u64..8, key.clone(), kind).prop_map(move |(session, key, kind)| Input::Open { session: SessionId(session), who: who(key, role(key)), kind }),
        4 => (0u64..8).prop_map(|session| Input::Connected(SessionId(session))),
        2 => (0u64..8).prop_map(|session| Input::Closed(SessionId(session))),
        6 => (key, action).prop_map(|(key, action)| Input::Act { who: who(key, role(key)), action }),
        1 => (0u64..9).prop_map(|n| Input::RecordingStopped { first_lost: FragmentNumber(n) }),
        2 => any_hands(),
        2 => (0u16..6, 20u8..90, any::<bool>()).prop_map(|(participant, level, talking)| voice(participant, level, talking, false).remove(0)),
        1 => Just(Input::Tick),
    ]
}

proptest! {
    #[test]
    fn the_journal_brings_back_what_was(inputs in prop::collection::vec(any_input(), 0..60)) {
        let mut world = World::new();
        let mut kept = world.stage.kept().clone();
        for input in inputs {
            world.millis += 700;
            let is_over = world.stage.phase() == Phase::Ended;
            world.give(input);
            // What those who talk on do among themselves is not written down.
            if !is_over {
                kept = world.stage.kept().clone();
            }
        }
        let again = Stage::restore(world.now(), EventId::from_random(1), CREATED, UNPLANNED, &world.journal);
        prop_assert_eq!(again.kept(), &kept);
    }

    #[test]
    fn a_refusal_changes_nothing(inputs in prop::collection::vec(any_input(), 0..60)) {
        let mut world = World::new();
        for input in inputs {
            let before = world.stage.kept().clone();
            let out = world.give(input);
            if out.iter().any(|output| matches!(output, Output::Refused(_))) {
                prop_assert_eq!(&before, world.stage.kept());
            }
        }
    }
}
