use super::*;
use crate::words::MediaUse;
use base::Epoch;
use base::fact::LevelDb;
use proptest::prelude::*;

/// A stage and the journal a shell would have written for it.
struct World {
    stage: Stage,
    journal: Vec<Entry>,
    start: Instant,
    millis: u64,
}

const CREATED: UnixMillis = UnixMillis(1_000);

impl World {
    fn new() -> Self {
        let start = Instant::now();
        let now = Now { instant: start, wall: CREATED };
        Self { stage: Stage::restore(now, EventId::from_random(1), CREATED, &[]), journal: Vec::new(), start, millis: 0 }
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
                Output::Admitted(_)
                | Output::Refused(_)
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
}

fn who(key: &str, role: Role) -> Who {
    Who { key: Some(key.to_owned()).filter(|key| !key.is_empty()), name: Some(format!("  N{key}\n")), role }
}

fn media(session: u64, key: &str) -> Input {
    let role = if key == "host" { Role::Host } else { Role::Speaker };
    Input::Open { session: SessionId(session), who: who(key, role), kind: SessionKind::Media(MediaUse::SendsAndReceives) }
}

fn act(key: &str, action: Action) -> Input {
    let role = if key == "host" { Role::Host } else { Role::Speaker };
    Input::Act { who: who(key, role), action }
}

fn mute(key: &str, participant: u16, muted: bool) -> Input {
    act(key, Action::Mute { participant: ParticipantId(participant), muted })
}

/// Plays `inputs` on a new stage; the last one's outputs in short words must be `want`.
#[track_caller]
fn check(inputs: Vec<Input>, want: &str) {
    let mut world = World::new();
    let mut last = Vec::new();
    for input in inputs {
        last = world.give(input);
    }
    let words: Vec<String> = last.iter().filter_map(word).collect();
    assert_eq!(words.join(" "), want);
}

fn word(output: &Output) -> Option<String> {
    Some(match output {
        Output::Journal(entry) => match &entry.what {
            What::Joined { participant, name, role, .. } => format!("joined:{participant}:{name}:{role:?}"),
            What::Renamed { participant, name } => format!("renamed:{participant}:{name}"),
            What::Muted { participant, muted } => format!("muted:{participant}:{muted}"),
            What::Left { participant } => format!("left:{participant}"),
            What::Removed { participant } => format!("removed:{participant}"),
            What::EpochOpened { epoch, .. } => format!("epoch:{epoch}"),
            What::RecordingStopped { first_lost } => format!("stopped:{first_lost}"),
            What::Ended { end } => format!("ended:{end}"),
        },
        Output::Admitted(participant) => participant.map_or("in".to_owned(), |id| format!("in:{id}")),
        Output::Refused(fault) => fault.code().to_owned(),
        Output::OpenProgramme => "open".to_owned(),
        Output::CloseProgramme => "close".to_owned(),
        Output::CloseSession(session) => format!("bye:{}", session.0),
        Output::Mix(Mix::Open { session, muted, .. }) => format!("mix+{}:{muted}", session.0),
        Output::Mix(Mix::Close { session }) => format!("mix-{}", session.0),
        Output::Mix(Mix::Mute { session, muted }) => format!("mix={}:{muted}", session.0),
        Output::Listeners(LiveFact::Stage(stage)) => format!("s{}", stage.len()),
        Output::Listeners(LiveFact::Levels(levels)) => format!("v{}", levels.len()),
        Output::Listeners(LiveFact::Listeners(count)) => format!("n{count}"),
        Output::Listeners(LiveFact::RecordingStopped) => "r0".to_owned(),
        Output::Tell(Fact::Live { .. }) => "live".to_owned(),
        Output::Tell(Fact::Ended { .. }) => "over".to_owned(),
        Output::Tell(other) => unreachable!("a stage has no such fact: {other:?}"),
        Output::StateChanged | Output::Levels(_) => return None,
    })
}

#[test]
fn people_come_and_go() {
    let monitor = Input::Open { session: SessionId(9), who: who("", Role::Speaker), kind: SessionKind::Monitor };
    let console = Input::Open { session: SessionId(8), who: who("a", Role::Speaker), kind: SessionKind::Console };
    check(vec![media(1, "a")], "joined:1:Na:Speaker in:1 mix+1:false s1");
    check(vec![media(1, "a"), media(2, "b")], "joined:2:Nb:Speaker in:2 mix+2:false s2");
    check(vec![media(1, "a"), media(2, "a")], "mix-1 bye:1 in:1 mix+2:false");
    check(vec![media(1, "a"), Input::Closed(SessionId(1))], "mix-1");
    check(vec![media(1, "a"), Input::Closed(SessionId(1)), media(2, "a")], "in:1 mix+2:false");
    check(vec![media(1, ""), Input::Closed(SessionId(1))], "mix-1 left:1 s0");
    check(vec![media(1, ""), Input::Closed(SessionId(1)), media(2, "")], "joined:2:N:Speaker in:2 mix+2:false s1");
    check(vec![Input::Closed(SessionId(5))], "");
    check(vec![monitor], "in");
    check(vec![console.clone()], "joined:1:Na:Speaker in:1");
    check(vec![console, media(1, "a")], "in:1 mix+1:false s1");
    check(vec![media(1, "a"), act("a", Action::Leave)], "left:1 mix-1 bye:1 s0");
    check(vec![media(1, "a"), act("a", Action::Leave), media(2, "a")], "joined:1:Na:Speaker in:1 mix+2:false s1");
}

#[test]
fn who_may_do_what() {
    let remove = |key| act(key, Action::Remove { participant: ParticipantId(1) });
    let rename = |name: &str| act("a", Action::Rename { name: name.to_owned() });
    let long = "x".repeat(limit::STAGE_NAME_CHARS_MAX + 5);
    check(vec![media(1, "a"), mute("a", 1, true)], "muted:1:true mix=1:true s1");
    check(vec![media(1, "a"), mute("a", 1, false)], "");
    check(vec![media(1, "a"), mute("b", 1, true)], "forbidden");
    check(vec![media(1, "a"), mute("host", 1, true)], "muted:1:true mix=1:true s1");
    check(vec![media(1, "a"), mute("host", 1, true), mute("host", 1, false)], "forbidden");
    check(vec![media(1, "a"), mute("a", 1, true), mute("a", 1, false)], "muted:1:false mix=1:false s1");
    check(vec![media(1, "a"), mute("host", 7, true)], "not-found");
    check(vec![media(1, "a"), mute("a", 1, true), Input::Closed(SessionId(1)), media(2, "a")], "in:1 mix+2:true");
    check(vec![media(1, "a"), rename(" Ada\u{7} ")], "renamed:1:Ada s1");
    check(vec![media(1, "a"), rename(" \n")], "bad-request");
    check(vec![media(1, "a"), rename(&long)], &format!("renamed:1:{} s1", "x".repeat(limit::STAGE_NAME_CHARS_MAX)));
    check(vec![rename("Ada")], "forbidden");
    check(vec![media(1, "a"), remove("b")], "forbidden");
    check(vec![media(1, "a"), remove("host")], "removed:1 mix-1 bye:1 s0");
    check(vec![media(1, "a"), remove("host"), media(2, "a")], "forbidden");
    check(vec![act("a", Action::GoLive)], "forbidden");
    check(vec![act("a", Action::End)], "forbidden");
    check(vec![act("a", Action::Leave)], "forbidden");
}

#[test]
fn an_event_goes_live_and_ends() {
    let live = || act("host", Action::GoLive);
    let end = || act("host", Action::End);
    check(vec![live()], "open epoch:1 live");
    check(vec![live(), live()], "");
    check(vec![live(), media(1, "a"), end()], "close ended:7 over mix-1 bye:1 s0");
    check(vec![end()], "ended:0 over");
    check(vec![live(), end(), end()], "");
    check(vec![live(), end(), live()], "event-ended");
    check(vec![live(), end(), media(1, "a")], "event-ended");
    check(vec![live(), Input::RecordingStopped { first_lost: FragmentNumber(3) }], "stopped:3 r0");
    let stopped = Input::RecordingStopped { first_lost: FragmentNumber(3) };
    check(vec![live(), stopped.clone(), stopped], "");
}

#[test]
fn a_full_stage_gives_the_longest_absent_place_away() {
    let mut world = World::new();
    for key in 0..limit::SPEAKERS_PER_EVENT_MAX as u64 {
        world.give(media(key, &format!("k{key}")));
    }
    let refused = vec![Output::Refused(FaultKind::StageFull)];
    assert_eq!(world.give(media(99, "late")), refused);
    world.give(Input::Closed(SessionId(3)));
    world.millis += limit::PLACE_HELD_MILLIS_MAX - 1;
    assert!(world.give(media(99, "late")).contains(&refused[0]));
    world.millis += 1;
    let words: Vec<_> = world.give(media(99, "late")).iter().filter_map(word).collect();
    assert_eq!(words[..3], ["left:4", "joined:17:Nlate:Speaker", "in:17"]);
}

#[test]
fn monitors_are_limited_too() {
    let mut world = World::new();
    let monitor = |session| Input::Open { session: SessionId(session), who: who("", Role::Speaker), kind: SessionKind::Monitor };
    for session in 0..limit::SESSIONS_PER_EVENT_MAX as u64 {
        world.give(monitor(session));
    }
    assert_eq!(world.give(monitor(99)), vec![Output::Refused(FaultKind::StageFull)]);
}

#[test]
fn listeners_are_told_no_more_often_than_promised() {
    let mut world = World::new();
    world.give(media(1, "a"));
    let (mut levels, mut counts) = (0, 0);
    for step in 0..100u8 {
        let spoken = Input::Levels(vec![Loudness { participant: ParticipantId(1), level: LevelDb(20 + step % 7), talking: true }]);
        let mut out = world.give(spoken);
        out.extend(world.give(Input::Listeners(u32::from(step))));
        levels += out.iter().filter(|o| matches!(o, Output::Listeners(LiveFact::Levels(_)))).count();
        counts += out.iter().filter(|o| matches!(o, Output::Listeners(LiveFact::Listeners(_)))).count();
        world.millis += 100;
    }
    assert_eq!((levels, counts), (20, 10));
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
    world.give(media(1, "a"));
    world.give(Input::Closed(SessionId(1)));
    assert!(!world.stage.view().stage[0].here);
    world.millis += 9_999;
    assert_eq!(world.give(Input::Tick), vec![]);
    world.millis += 1;
    assert_eq!(world.give(Input::Tick), vec![Output::Listeners(LiveFact::Stage(vec![]))]);
    assert_eq!(world.stage.deadline(), None);
}

#[test]
fn who_had_no_key_is_gone_after_a_restart() {
    let mut world = World::new();
    world.give(media(1, ""));
    world.give(media(2, "a"));
    world.stage = Stage::restore(world.now(), EventId::from_random(1), CREATED, &world.journal);
    assert_eq!(world.stage.view().stage.len(), 2);
    world.give(Input::Tick);
    let view = world.stage.view();
    assert_eq!(view.stage.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["Na"]);
}

fn any_input() -> impl Strategy<Value = Input> {
    let key = prop::sample::select(vec!["", "host", "a", "b", "c"]);
    let participant = (0u16..6).prop_map(ParticipantId);
    let action = prop_oneof![
        4 => Just(Action::GoLive),
        1 => Just(Action::End),
        8 => (participant.clone(), any::<bool>()).prop_map(|(participant, muted)| Action::Mute { participant, muted }),
        4 => "[a-z ]{0,3}".prop_map(|name| Action::Rename { name }),
        2 => Just(Action::Leave),
        2 => participant.prop_map(|participant| Action::Remove { participant }),
    ];
    let kind = prop::sample::select(vec![SessionKind::Media(MediaUse::Sends), SessionKind::Monitor, SessionKind::Console]);
    let role = |key: &str| if key == "host" { Role::Host } else { Role::Speaker };
    prop_oneof![
        4 => (0u64..8, key.clone(), kind).prop_map(move |(session, key, kind)| Input::Open { session: SessionId(session), who: who(key, role(key)), kind }),
        2 => (0u64..8).prop_map(|session| Input::Closed(SessionId(session))),
        6 => (key, action).prop_map(|(key, action)| act(key, action)),
        1 => (0u64..9).prop_map(|n| Input::RecordingStopped { first_lost: FragmentNumber(n) }),
        1 => Just(Input::Tick),
    ]
}

proptest! {
    #[test]
    fn the_journal_brings_back_what_was(inputs in prop::collection::vec(any_input(), 0..60)) {
        let mut world = World::new();
        for input in inputs {
            world.millis += 7;
            world.give(input);
        }
        let again = Stage::restore(world.now(), EventId::from_random(1), CREATED, &world.journal);
        prop_assert_eq!(again.kept(), world.stage.kept());
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
