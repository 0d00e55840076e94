//! The control stream's lines (docs/formats.md, "HTTP of the stage").

use super::words::ConsoleLine;
use ::stage::{Alarm, Loudness, Phase, View, You};
use base::journal::Role;
use serde_json::{Value, json};

/// The stage as one console sees it.
pub(super) fn state(view: &View, title: &str, you: Option<You>) -> ConsoleLine {
    let stage: Vec<Value> = view
        .stage
        .iter()
        .map(|one| json!({"id": one.id.0, "name": one.name, "role": role(one.role), "muted": one.muted, "here": one.here}))
        .collect();
    let you = you.map(|you| match you.place {
        Some(place) => json!({"id": place.0, "role": role(you.role)}),
        None => json!({"role": role(you.role)}),
    });
    let alarms: Vec<_> = view.alarms.iter().map(|alarm| name(*alarm)).collect();
    line(&json!({"state": {
        "phase": phase(view.phase),
        "since": view.since.0,
        "title": title,
        "you": you,
        "stage": stage,
        "listeners": view.listeners,
        "alarms": alarms,
    }}))
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

const fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Backstage => "backstage",
        Phase::Live => "live",
        Phase::Ended => "ended",
    }
}

const fn name(alarm: Alarm) -> &'static str {
    match alarm {
        Alarm::RecordingStopped => "recording-stopped",
    }
}
