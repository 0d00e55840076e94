//! Who is on the air and who is heard: the desk's buses, the hold sound, who talks though muted, who has spoken how long.

use super::{Stage, Turn, millis};
use crate::kept::Phase;
use crate::words::{Loudness, Mix, Output, SessionId, Spoken};
use base::fact::{LevelDb, Spoke};
use base::journal::What;
use base::limit::{HEARD_AFTER_LEAVING_MILLIS, HOLD_AFTER_MILLIS, SPOKEN_NOTED_MILLIS, SPOKEN_SHOWN_MAX, SPOKEN_TOLD_MAX};
use base::{FragmentNumber, ParticipantId};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

/// From this level on a microphone is no silent one.
const HEARD: LevelDb = LevelDb(50);

/// So many reports in a row, ten a second, make it talking rather than a cough.
const TALKING_REPORTS: u8 = 3;

/// Between two words to the same person that nobody hears them.
const TOLD_EVERY: Duration = Duration::from_secs(5);

/// Between two states that are shown for nothing but numbers.
pub(super) const SHOWN_EVERY: Duration = Duration::from_secs(3);

/// Longer than between two reports of levels; what lies further apart was not heard.
const REPORT_MAX: Duration = Duration::from_millis(250);

/// What is known of how one microphone sounds.
#[derive(Debug, Default)]
pub(super) struct Voice {
    /// Reports in a row in which they talked while muted.
    loud: u8,
    told: Option<Instant>,
}

/// What the desk and the listeners were told, and who has spoken how long.
#[derive(Debug)]
pub(super) struct Air {
    /// Whether the desk plays the hold sound, as it does from the beginning.
    hold: bool,
    /// Since when nobody is on the air though the event is live.
    empty: Option<Instant>,
    /// Whether the shell was asked where the hold sound began.
    asked: bool,
    levels_at: Option<Instant>,
    spoken: BTreeMap<ParticipantId, u64>,
    /// When how long everybody has spoken is to be noted.
    note_at: Option<Instant>,
    /// When numbers were shown last.
    pub(super) shown_at: Instant,
}

impl Air {
    pub(super) fn new(spoken: BTreeMap<ParticipantId, u64>, now: Instant) -> Self {
        Self { hold: true, empty: None, asked: false, levels_at: None, spoken, note_at: None, shown_at: now }
    }

    pub(super) fn spoken_by(&self, participant: ParticipantId) -> u64 {
        self.spoken.get(&participant).copied().unwrap_or(0)
    }
}

impl Stage {
    /// Whether listeners hear this participant, if they speak.
    pub(super) fn is_on_air(&self, participant: ParticipantId) -> bool {
        self.kept.phase == Phase::Live && self.placed(participant).is_ok_and(|person| !person.backstage)
    }

    /// Tells the desk who is on the air by now.
    pub(super) fn settle_buses(&mut self, turn: &mut Turn) {
        let wanted = |session: &super::Session| session.speaker.map(|speaker| self.is_on_air(speaker));
        let changes =
            self.sessions.iter().filter_map(|(id, session)| Some((*id, wanted(session)?)).filter(|(_, on)| *on != session.on_air));
        for (session, on) in changes.collect::<Vec<(SessionId, bool)>>() {
            if let Some(session) = self.sessions.get_mut(&session) {
                session.on_air = on;
            }
            turn.out.push(Output::Mix(Mix::OnAir { session, on }));
        }
    }

    /// Tells the desk what has changed, and ends an event that everybody has left.
    pub(super) fn settle_air(&mut self, turn: &mut Turn) {
        self.settle_buses(turn);
        let now = turn.now.instant;
        let is_empty = self.kept.phase == Phase::Live && !self.sessions.values().any(|session| session.on_air);
        self.air.empty = if is_empty { self.air.empty.or(Some(now)) } else { None };
        let empty_for = self.air.empty.map(|since| now.saturating_duration_since(since));
        let hold = self.kept.phase != Phase::Live || empty_for.is_some_and(|empty| empty >= millis(HOLD_AFTER_MILLIS));
        if hold != self.air.hold {
            self.air.hold = hold;
            turn.out.push(Output::Mix(Mix::Hold(hold)));
        }
        self.note_hold(turn, is_empty);
        if empty_for.is_some_and(|empty| empty >= millis(self.schedule.empty_ms)) && !self.ending {
            self.finish(turn);
        } else if self.air.note_at.is_some_and(|at| at <= now) {
            self.note_spoken(turn);
        }
    }

    /// Writes down where the hold sound of an event that is live began, and that it is over.
    fn note_hold(&mut self, turn: &mut Turn, is_empty: bool) {
        if !is_empty && self.kept.held.is_some() {
            self.journal(turn, What::Held { from: None });
        } else if is_empty && self.air.hold && self.kept.held.is_none() && !self.air.asked {
            self.air.asked = true;
            turn.out.push(Output::Hold);
        }
    }

    pub(super) fn held(&mut self, turn: &mut Turn, first: FragmentNumber) {
        self.air.asked = false;
        if self.air.hold && self.kept.phase == Phase::Live && self.kept.held.is_none() {
            self.journal(turn, What::Held { from: Some(first) });
        }
    }

    /// Where the replay ends, when nobody was on stage any more: a moment after the last left, which is before the hold sound began.
    pub(super) fn heard_end(&self) -> Option<FragmentNumber> {
        const SLOT_MILLIS: u64 = 200;
        let before = (HOLD_AFTER_MILLIS - HEARD_AFTER_LEAVING_MILLIS) / SLOT_MILLIS;
        self.kept.held.map(|from| FragmentNumber(from.0.saturating_sub(before)))
    }

    pub(super) fn air_deadline(&self) -> Option<Instant> {
        let hold = self.air.empty.filter(|_| !self.air.hold).map(|since| since + millis(HOLD_AFTER_MILLIS));
        let over = self.air.empty.filter(|_| !self.ending).map(|since| since + millis(self.schedule.empty_ms));
        [hold, over, self.air.note_at].into_iter().flatten().min()
    }

    /// Whether any microphone was heard since it is connected.
    pub(super) fn is_anybody_heard(&self) -> bool {
        self.sessions.values().any(|session| session.speaker.is_some() && session.heard)
    }

    /// Whether this participant's microphone was.
    pub(super) fn is_heard(&self, participant: ParticipantId) -> bool {
        self.sessions.values().any(|session| session.speaker == Some(participant) && session.heard)
    }

    pub(super) fn levels(&mut self, turn: &mut Turn, levels: Vec<Loudness>) {
        let now = turn.now.instant;
        let passed = self.air.levels_at.replace(now).map_or(Duration::ZERO, |at| now.saturating_duration_since(at)).min(REPORT_MAX);
        for one in &levels {
            self.listen_to(turn, *one);
            if one.talking && self.is_on_air(one.participant) {
                *self.air.spoken.entry(one.participant).or_default() += u64::try_from(passed.as_millis()).unwrap_or(0);
                self.air.note_at.get_or_insert(now + millis(SPOKEN_NOTED_MILLIS));
            }
        }
        let heard = levels.iter().filter(|one| one.talking && self.kept.phase != Phase::Doors && self.is_shown_talking(one.participant));
        self.listeners.set_levels(heard.map(|one| (one.participant, one.level)).collect());
        if self.air.note_at.is_some() && now >= self.air.shown_at + SHOWN_EVERY {
            self.air.shown_at = now;
            turn.out.push(Output::StateChanged);
        }
        turn.out.push(Output::Levels(levels));
    }

    fn is_shown_talking(&self, participant: ParticipantId) -> bool {
        self.placed(participant).is_ok_and(|person| !person.backstage)
    }

    /// Whether a microphone works, and whether who speaks into it knows that nobody hears them.
    fn listen_to(&mut self, turn: &mut Turn, one: Loudness) {
        let Some(session) = self.microphone(one.participant).and_then(|id| self.sessions.get_mut(&id)) else { return };
        session.heard |= one.level <= HEARD;
        let voice = &mut session.voice;
        voice.loud = if one.talking_muted { voice.loud.saturating_add(1) } else { 0 };
        let told = voice.told.is_some_and(|at| turn.now.instant < at + TOLD_EVERY);
        if voice.loud >= TALKING_REPORTS && !told {
            voice.told = Some(turn.now.instant);
            turn.out.push(Output::TalkingMuted(one.participant));
        }
    }

    /// How long everybody has spoken, those who have left too; one row a person.
    pub(super) fn who_has_spoken(&self) -> Vec<Spoken> {
        let mut sums: BTreeMap<ParticipantId, u64> = BTreeMap::new();
        for (id, millis) in &self.air.spoken {
            *sums.entry(self.kept.people.person(*id)).or_default() += millis;
        }
        let row = |(person, millis)| Spoken { person, name: self.kept.people.name(person).to_owned(), millis };
        let mut rows: Vec<Spoken> = sums.into_iter().map(row).collect();
        rows.sort_by_key(|row| (Reverse(row.millis), row.person));
        rows.truncate(SPOKEN_SHOWN_MAX);
        rows
    }

    /// What listeners are told of that: while there is a debate clock, for it is a debate that is to be fair.
    pub(super) fn spoken_told(&self) -> Vec<Spoke> {
        if self.kept.clock.is_none() {
            return Vec::new();
        }
        let rows = self.who_has_spoken().into_iter().map(|row| Spoke { name: row.name, seconds: row.millis / 1_000 });
        rows.filter(|row| row.seconds > 0).take(SPOKEN_TOLD_MAX).collect()
    }

    /// Writes down how long everybody has spoken, where it has changed.
    pub(super) fn note_spoken(&mut self, turn: &mut Turn) {
        self.air.note_at = None;
        let new = |(id, millis): &(&ParticipantId, &u64)| self.kept.spoken.get(id) != Some(millis);
        let totals: Vec<_> = self.air.spoken.iter().filter(new).map(|(id, millis)| (*id, *millis)).collect();
        if !totals.is_empty() {
            self.journal(turn, What::Spoken { totals });
        }
    }
}
