//! The control stream's lines (docs/formats.md, "HTTP of the stage").

use super::words::ConsoleLine;
use ::stage::{Alarm, By, ClockView, Connection, Loudness, Person, Phase, View, You};
use base::fact::Hand;
use base::journal::{ClockMode, MutedBy, Role};
use base::limit::CLOCK_CHIME_MILLIS;
use serde_json::{Value, json};

/// The stage as one console sees it; `port` is where media go, for who can't reach it.
pub(super) fn state(view: &View, title: &str, you: Option<You>, port: u16) -> ConsoleLine {
    let rules = you.is_some_and(|you| you.rules);
    let people: Vec<Value> = view.stage.iter().map(|one| person(one, rules, port)).collect();
    line(&json!({"state": {
        "phase": phase(view.phase),
        "since": view.since.0,
        "start_at": view.start_at.map(|at| at.0),
        "title": title,
        "you": you.map(|you| yourself(you, view, port)),
        "stage": people,
        "locked": view.locked,
        "in_charge": view.in_charge.map(|one| one.0),
        "succession": view.succession.iter().map(|one| one.0).collect::<Vec<_>>(),
        "hands": view.hands.iter().map(hand).collect::<Vec<_>>(),
        "hands_open": view.hands_open,
        "clock": view.clock.as_ref().map(clock),
        "spoken": view.spoken.iter().map(|one| (one.person.0, one.millis, &one.name)).collect::<Vec<_>>(),
        "listeners": view.listeners,
        "alarms": view.alarms.iter().map(|alarm| name(*alarm)).collect::<Vec<_>>(),
    }}))
}

/// Who runs the event sees everybody's connection.
fn person(one: &Person, rules: bool, port: u16) -> Value {
    let mut said = json!({
        "id": one.id.0,
        "name": one.name,
        "role": role(one.role),
        "muted": one.muted.is_some(),
        "muted_by": one.muted.map(muted_by),
        "here": one.here,
        "backstage": one.backstage,
        "ready": one.ready,
    });
    if let Some(way) = one.connection.filter(|_| rules) {
        said["connection"] = connection(&way, port);
    }
    said
}

fn yourself(you: You, view: &View, port: u16) -> Value {
    let mut said = json!({"role": role(you.role), "rules": you.rules, "host": you.role == Role::Host, "ready": you.ready});
    if let Some(place) = you.place {
        said["id"] = json!(place.0);
        let way = view.stage.iter().find(|one| one.id == place).and_then(|one| one.connection);
        if let Some(way) = way {
            said["connection"] = connection(&way, port);
        }
    }
    said
}

fn connection(way: &Connection, port: u16) -> Value {
    let verdict = way.verdict(port);
    json!({
        "verdict": verdict.grade.name(),
        "words": verdict.words,
        "rtt_ms": way.rtt_ms,
        "loss_percent": f64::from(way.loss_up_permille.max(way.loss_down_permille)) / 10.0,
        "jitter_ms": way.jitter_ms,
        "by": match way.by {
            By::Udp => "udp",
            By::Tcp => "tcp",
        },
    })
}

fn hand(hand: &Hand) -> Value {
    let id = format!("{:016x}", hand.id);
    json!({"id": id, "name": hand.name, "topic": hand.topic, "votes": hand.votes, "spoke": hand.spoke, "since": hand.since.0})
}

fn clock(view: &ClockView) -> Value {
    let budgets = view.clock.budgets.iter().map(|budget| {
        let who: Vec<u16> = budget.who.iter().map(|one| one.0).collect();
        json!({"who": who, "name": budget.name, "left_ms": budget.left_ms})
    });
    json!({
        "mode": match view.clock.mode {
            ClockMode::Speaker => "speaker",
            ClockMode::Side => "side",
            ClockMode::Turn => "turn",
        },
        "running": view.clock.running.map(|one| one.0),
        "counts": view.counts,
        "seconds": view.clock.budget_ms / 1_000,
        "budgets": budgets.collect::<Vec<_>>(),
        "chime_ms": CLOCK_CHIME_MILLIS,
    })
}

/// Nobody hears you.
pub(super) fn talking_muted() -> ConsoleLine {
    ConsoleLine::from_static(b"{\"talking_muted\":1}\n")
}

/// How loud everybody is.
pub(super) fn levels(levels: &[Loudness]) -> ConsoleLine {
    let pairs: Vec<_> = levels.iter().map(|one| (one.participant.0, one.level.0)).collect();
    line(&json!({ "levels": pairs }))
}

/// The stage is there.
pub(super) fn beat() -> ConsoleLine {
    ConsoleLine::from_static(b"{\"beat\":0}\n")
}

fn line(value: &Value) -> ConsoleLine {
    format!("{value}\n").into()
}

const fn role(role: Role) -> &'static str {
    match role {
        Role::Host => "host",
        Role::CoHost => "co-host",
        Role::Speaker => "speaker",
    }
}

const fn muted_by(by: MutedBy) -> &'static str {
    match by {
        MutedBy::Themselves => "self",
        MutedBy::Host => "host",
        MutedBy::Clock => "clock",
    }
}

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Backstage => "backstage",
        Phase::Doors => "doors",
        Phase::Live => "live",
        Phase::Ended => "ended",
    }
}

const fn name(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::RecordingStopped => "recording-stopped",
    }
}
