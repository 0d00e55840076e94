//! A full stage in front of a crowd: sixteen people, four of whom talk at any time, and a thousand who listen.

use crate::cost::Cost;
use crate::support::people::Running;
use crate::support::voice::{Speak, Voice};
use crate::support::{Server, townsquare};
use base::limit::SPEAKERS_PER_EVENT_MAX;
use std::f32::consts::TAU;
use std::process::Stdio;
use std::time::Duration;

/// Of one core, for the stage.
pub(crate) const BUDGET_STAGE_PERCENT: f64 = 40.0;

const TALKING: u32 = 4;
const LISTENERS: u64 = 1_000;
const JOINS_PER_SECOND: u64 = 250;

/// For how long four talk before the next four do: 3 s.
const TURN_TICKS: u32 = 150;

/// What everybody took, and how many of the crowd heard all of it.
pub(crate) struct Full {
    pub(crate) cost: Cost,
    pub(crate) hearing: u64,
}

pub(crate) fn measure(server: &Server, seconds: u64) -> Full {
    let event = server.create_event("Full");
    server.go_live(&event);
    // Hosts: the last place is none of a speaker's while no host is there.
    let ticket = event.stage.rsplit('/').next().expect("a ticket");
    let voices: Vec<_> = (0..SPEAKERS_PER_EVENT_MAX as u32)
        .map(|number| Voice::call(&event.whip, ticket, &format!("Speaker{number}"), talk(number), Box::new(|_, _| {})))
        .collect();
    let joining = LISTENERS / JOINS_PER_SECOND + 2;
    let mut command = townsquare();
    command.args(["rehearse", &event.stream, "--json"]).args(["--listeners", &LISTENERS.to_string()]);
    command.args(["--joins-per-second", &JOINS_PER_SECOND.to_string(), "--seconds", &(seconds + 2 * joining).to_string()]);
    let mut crowd = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a crowd"));
    std::thread::sleep(Duration::from_secs(joining));
    let cost = Cost::over(server.roles(), Duration::from_secs(seconds));
    let result = std::io::read_to_string(crowd.0.stdout.take().expect("its output")).unwrap_or_default();
    let result: serde_json::Value = result.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
    drop(voices);
    server.end(&event);
    Full { cost, hearing: result["listeners"]["hearing_at_end"].as_u64().unwrap_or(0) }
}

impl Full {
    pub(crate) fn print(&self, seconds: u64) {
        println!(
            "\n{SPEAKERS_PER_EVENT_MAX} on stage, {TALKING} of them talking, {LISTENERS} listeners, {seconds} s, all on the same machine\n"
        );
        println!("| figure | measured | to reach |\n|---|---|---|");
        println!("| stage, % of one core | {:.1} | < {BUDGET_STAGE_PERCENT:.0} |", self.cost.core_percent("stage"));
        println!("| hearing at the end | {} | {LISTENERS} |", self.hearing);
        println!("\n{}", self.cost.table());
    }
}

/// A voice-like sound while it is this one's turn: harmonics in syllables, which cost an encoder what speech does.
fn talk(number: u32) -> Speak {
    let pitch = 100.0 + 12.0 * number as f32;
    let mut tick = 0u32;
    Box::new(move |_, frame| {
        let turn = tick / TURN_TICKS * TALKING % SPEAKERS_PER_EVENT_MAX as u32;
        if (turn..turn + TALKING).contains(&number) {
            for (place, sample) in frame.iter_mut().enumerate() {
                let seconds = (tick % 5_000) as f32 * 0.02 + place as f32 / 48_000.0;
                let syllable = 0.6 - 0.4 * (TAU * 4.0 * seconds).cos();
                let harmonics = (1..12u8).map(|harmonic| (TAU * pitch * f32::from(harmonic) * seconds).sin() / f32::from(harmonic));
                *sample = 0.1 * syllable * harmonics.sum::<f32>();
            }
        }
        tick += 1;
    })
}
