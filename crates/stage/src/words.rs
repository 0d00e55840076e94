//! What goes into a stage and what comes out of it.

use crate::kept::Phase;
use base::fact::{Fact, Hand, LevelDb, LiveFact, Pin, Poll, Question};
use base::journal::{Clock, ClockMode, Entry, MutedBy, Role};
use base::limit::HOST_LATE_MILLIS_MAX;
use base::{Epoch, FaultKind, FragmentNumber, ParticipantId, UnixMillis};
use std::time::Instant;

/// The present, as the shell reads it: one clock that never jumps, and the wall clock that people read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Decides.
    pub instant: Instant,
    /// Is written down.
    pub wall: UnixMillis,
}

/// One connection to the stage. The shell draws it at random, for it stands in addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// Which way a media session's sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MediaUse {
    /// To the stage alone.
    Sends,
    /// Both ways: everybody else comes back.
    SendsAndReceives,
}

/// What a session is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SessionKind {
    /// A microphone.
    Media(MediaUse),
    /// Hears the whole mix, is nobody on stage.
    Monitor,
    /// A control stream.
    Console,
}

/// Who asks, as their ticket and address say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Who {
    /// The client's own name across reconnections; without one nobody can come back to their place.
    pub key: Option<String>,
    /// The name to show; kept as it was when there is none.
    pub name: Option<String>,
    /// What the ticket allows.
    pub role: Role,
    /// The ticket's number; 0 when it has none.
    pub ticket: u64,
    /// Whether it is a listener's ticket: good for the stage only once their raised hand was taken.
    pub by_hand: bool,
    /// Whether they come to wait behind the stage.
    pub backstage: bool,
}

/// What the announcement says that the stage goes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// When the event is to begin.
    pub start_at: Option<UnixMillis>,
    /// Milliseconds before that at which the doors open.
    pub doors_ms: u64,
    /// Milliseconds with nobody on stage after which the event ends by itself.
    pub empty_ms: u64,
    /// Whether listeners may raise a hand.
    pub hands: bool,
}

impl Schedule {
    /// When the doors open.
    #[must_use]
    pub fn doors_at(&self) -> Option<UnixMillis> {
        let before = i64::try_from(self.doors_ms).unwrap_or(i64::MAX);
        self.start_at.map(|at| UnixMillis(at.0.saturating_sub(before)))
    }

    /// Until when a host is waited for.
    #[must_use]
    pub fn gives_up_at(&self) -> Option<UnixMillis> {
        let patience = i64::try_from(HOST_LATE_MILLIS_MAX).unwrap_or(i64::MAX);
        self.start_at.map(|at| UnixMillis(at.0.saturating_add(patience)))
    }
}

/// What somebody wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Begin.
    GoLive {
        /// Though no microphone was heard.
        yes: bool,
    },
    /// Say that the event may begin at its time.
    Ready {
        /// Whether it may.
        ready: bool,
        /// Though one's microphone was not heard.
        yes: bool,
    },
    /// Go on stage or behind it.
    Step {
        /// Who; oneself when nobody is named.
        participant: Option<ParticipantId>,
        /// Whether it is behind.
        backstage: bool,
    },
    /// Mute everybody who does not run the event.
    MuteAll,
    /// Let nobody else on stage, or let them again.
    Lock {
        /// Whether it is locked.
        locked: bool,
    },
    /// Remove somebody and bar their ticket.
    Ban {
        /// Whom.
        participant: ParticipantId,
    },
    /// Let nobody in who comes with this ticket; whoever did leaves. What becomes of an invite that is taken back.
    Bar {
        /// The ticket's number.
        ticket: u64,
    },
    /// Make somebody a co-host, or a speaker again.
    Promote {
        /// Whom.
        participant: ParticipantId,
        /// What they become.
        role: Role,
    },
    /// Put somebody in charge.
    HandOver {
        /// Whom.
        participant: ParticipantId,
    },
    /// Say who is in charge when the hosts are gone.
    Succession {
        /// The first one first.
        order: Vec<ParticipantId>,
    },
    /// Let who raised a hand on stage.
    Admit {
        /// Whose hand.
        hand: u64,
    },
    /// Tell who raised a hand no.
    Decline {
        /// Whose hand.
        hand: u64,
    },
    /// Set the debate clock, or put it away.
    Clock {
        /// What has a budget; none puts it away.
        mode: Option<ClockMode>,
        /// Seconds of a budget.
        seconds: u64,
        /// The sides, for a clock by sides.
        sides: Vec<Side>,
    },
    /// Let somebody's time run, or nobody's.
    Turn {
        /// Whose.
        participant: Option<ParticipantId>,
    },
    /// Silence what was said last.
    Cut {
        /// How much of it.
        seconds: u64,
    },
    /// Close it for ever.
    End,
    /// Mute or unmute.
    Mute {
        /// Whom.
        participant: ParticipantId,
        /// Whether nobody shall hear them.
        muted: bool,
    },
    /// Show another name for oneself.
    Rename {
        /// The name.
        name: String,
    },
    /// Give up one's place.
    Leave,
    /// Take somebody's place away for good.
    Remove {
        /// Whose.
        participant: ParticipantId,
    },
}

/// One side of a debate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Side {
    /// Its name.
    pub name: String,
    /// Who speaks for it.
    pub who: Vec<ParticipantId>,
}

/// How loud somebody was lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loudness {
    /// Who.
    pub participant: ParticipantId,
    /// How loud at most, muted or not.
    pub level: LevelDb,
    /// Whether they talked and were heard.
    pub talking: bool,
    /// Whether they talked while they were muted.
    pub talking_muted: bool,
}

/// Over what a session's media travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    /// As they should.
    Udp,
    /// Where a firewall lets nothing else through.
    Tcp,
}

/// What a session's connection was like lately.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Connection {
    /// There and back, in milliseconds; unknown for who does not receive.
    pub rtt_ms: Option<u32>,
    /// Of a thousand packets to the stage, how many were lost.
    pub loss_up_permille: u16,
    /// Of a thousand packets from the stage, how many were lost.
    pub loss_down_permille: u16,
    /// How unevenly packets came, in milliseconds; the worse of both ways.
    pub jitter_ms: u32,
    /// Over what.
    pub by: By,
}

/// What happens to a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A session asks to come in.
    Open {
        /// Its name.
        session: SessionId,
        /// Who.
        who: Who,
        /// What for.
        kind: SessionKind,
    },
    /// A session's media are connected: from here on a microphone is heard, and who speaks into it has a place.
    Connected(SessionId),
    /// A session is gone, whoever closed it.
    Closed(SessionId),
    /// Somebody wants something done.
    Act {
        /// Who.
        who: Who,
        /// What.
        action: Action,
    },
    /// How loud everybody was lately; ten times a second.
    Levels(Vec<Loudness>),
    /// How many listen.
    Listeners(u32),
    /// What a session's connection is like; once a second.
    Connection {
        /// Whose.
        session: SessionId,
        /// What it is like.
        connection: Connection,
        /// When anything last came over it.
        heard: Instant,
    },
    /// Those who talk on after the end are to leave.
    Disperse,
    /// The announcement says something else.
    Announced(Schedule),
    /// Every raised hand.
    Hands(Vec<Hand>),
    /// Tickets of somebody who was banned, besides the one that was.
    Bar(Vec<u64>),
    /// What listeners sent in the last second, by kind.
    Reacted(Vec<(u8, u32)>),
    /// What is held up, asked and voted on.
    Board {
        /// The newest first.
        pins: Vec<Pin>,
        /// The poll that is on, or the last one.
        poll: Option<Poll>,
        /// The most wanted first.
        questions: Vec<Question>,
    },
    /// Where the event itself begins, as [`Output::Begin`] asked.
    Begun {
        /// The fragment that is being filled.
        first: FragmentNumber,
    },
    /// Where the hold sound began, as [`Output::Hold`] asked.
    Held {
        /// The fragment that is being filled.
        first: FragmentNumber,
    },
    /// The programme is open, as [`Output::OpenProgramme`] or a restart asked.
    ProgrammeOpened {
        /// The epoch that begins.
        epoch: Epoch,
        /// Its first fragment.
        first: FragmentNumber,
        /// The machine's boot.
        boot: String,
    },
    /// What follows is not kept on disk.
    RecordingStopped {
        /// The first fragment that is not kept.
        first_lost: FragmentNumber,
    },
    /// The programme is closed and synced, as [`Output::CloseProgramme`] asked.
    ProgrammeClosed {
        /// The number after its last fragment.
        end: FragmentNumber,
    },
    /// The deadline has come.
    Tick,
}

/// What the audio desk is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mix {
    /// A microphone opens.
    Open {
        /// The session.
        session: SessionId,
        /// Whose.
        participant: ParticipantId,
        /// Which way its sound goes.
        media: MediaUse,
        /// Whether nobody hears it.
        muted: bool,
    },
    /// A microphone closes.
    Close {
        /// The session.
        session: SessionId,
    },
    /// A participant's microphone is muted or unmuted.
    Mute {
        /// The session.
        session: SessionId,
        /// Whether nobody hears it.
        muted: bool,
    },
    /// A microphone goes on the air, where listeners and the others on the air hear it, or behind the stage, where only those behind
    /// hear it. One that opens is behind until this says otherwise; before the event begins everybody is behind, and all hear all.
    OnAir {
        /// The session.
        session: SessionId,
        /// Whether it is on the air.
        on: bool,
    },
    /// Listeners hear the hold sound, as from the beginning, or what is on the air.
    Hold(bool),
    /// A microphone fades to silence within two seconds and is muted then.
    Fade {
        /// The session.
        session: SessionId,
    },
    /// The chime of the debate clock, for everybody.
    Chime,
}

/// What a stage wants done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Write and sync this before anything is answered.
    Journal(Entry),
    /// The request is refused and nothing has changed; without this it is granted.
    Refused(FaultKind),
    /// Open the programme; [`Input::ProgrammeOpened`] follows.
    OpenProgramme,
    /// The event itself begins in the open programme; [`Input::Begun`] follows.
    Begin,
    /// Everybody has left and the hold sound begins; [`Input::Held`] follows.
    Hold,
    /// Silence the last seconds of the programme.
    Cut {
        /// How many.
        seconds: u64,
    },
    /// Tell somebody that they talk and nobody hears them.
    TalkingMuted(ParticipantId),
    /// Seal, sync and close it; [`Input::ProgrammeClosed`] follows.
    CloseProgramme,
    /// Close this session; no [`Input::Closed`] is needed.
    CloseSession(SessionId),
    /// For the audio desk.
    Mix(Mix),
    /// For the listeners.
    Listeners(LiveFact),
    /// For the other roles, but for the event's name.
    Tell(Fact),
    /// Every console gets [`Stage::view`](crate::Stage::view) anew.
    StateChanged,
    /// Every console gets these levels.
    Levels(Vec<Loudness>),
}

/// Something the people on stage must know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// The sound goes on, but it is not kept.
    RecordingStopped,
}

/// Somebody who holds a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Who.
    pub id: ParticipantId,
    /// The name shown.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// Who muted them; none when they are heard. The clock only for as long as their time is spent.
    pub muted: Option<MutedBy>,
    /// Whether their microphone is connected.
    pub here: bool,
    /// Whether they wait behind the stage.
    pub backstage: bool,
    /// Whether they said that the event may begin.
    pub ready: bool,
    /// What the connection of their microphone is like.
    pub connection: Option<Connection>,
}

/// Whom a session belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct You {
    /// Their place, once they have one.
    pub place: Option<ParticipantId>,
    /// What they may do.
    pub role: Role,
    /// Whether they may do now what hosts do.
    pub rules: bool,
    /// Whether they said without a microphone that the event may begin.
    pub ready: bool,
}

/// The debate clock as the people on stage see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClockView {
    /// The clock, with what is left now and a name for each budget.
    pub clock: Clock,
    /// Whether the time that runs is counted: it is not while its speaker's connection is lost.
    pub counts: bool,
}

/// How long one person has spoken, under however many numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// The first number that they had.
    pub person: ParticipantId,
    /// The name they showed last.
    pub name: String,
    /// For how long.
    pub millis: u64,
}

/// The stage as its people see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// Where the event is.
    pub phase: Phase,
    /// Since when, on the wall clock.
    pub since: UnixMillis,
    /// Everybody who holds a place, in the order of arrival.
    pub stage: Vec<Person>,
    /// How many listen.
    pub listeners: u32,
    /// What must be known.
    pub alarms: Vec<Alarm>,
    /// When it is to begin.
    pub start_at: Option<UnixMillis>,
    /// Whether nobody else may come on stage.
    pub locked: bool,
    /// Who is in charge, among those who have a place.
    pub in_charge: Option<ParticipantId>,
    /// Who is when the hosts are gone.
    pub succession: Vec<ParticipantId>,
    /// The raised hands, in the order in which to take them.
    pub hands: Vec<Hand>,
    /// Whether hands may be raised.
    pub hands_open: bool,
    /// The debate clock.
    pub clock: Option<ClockView>,
    /// Who has spoken how long, whether they are still there or not; who spoke longest comes first.
    pub spoken: Vec<Spoken>,
}
