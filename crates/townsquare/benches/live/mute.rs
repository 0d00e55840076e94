//! How long after a host's word somebody's voice is gone from the programme.

use crate::marks::{Spread, samples};
use crate::routes::each_fragment;
use crate::support::event::Event;
use crate::support::people::ask;
use crate::support::voice::{Speak, Voice};
use crate::support::{Server, until};
use audio::opus::{Decoder, LOOKAHEAD_SAMPLES};
use base::FragmentNumber;
use std::io::Read;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// What a host is promised, in milliseconds.
pub(crate) const BUDGET_MUTE_MILLIS: f64 = 150.0;

const KEY: &str = "who-is-muted-again-and-again";
const TIMES: u32 = 20;

/// A tone of half the full scale; this little of it is silence.
const SILENT: f32 = 0.01;

/// Longer than any gap in the tone.
const MOMENT: Duration = Duration::from_millis(60);

/// A fragment as it came, decoded.
pub(crate) struct Heard {
    pub(crate) at: Instant,
    pub(crate) number: FragmentNumber,
    pub(crate) sound: Vec<f32>,
}

/// Mutes a speaker's tone again and again, and finds in the stream where it stops.
pub(crate) fn measure(server: &Server) -> Spread {
    let event = server.create_event("Mute");
    server.go_live(&event);
    let _voice = Voice::call(&event.whip, &event.token, &format!("Ada&key={KEY}"), tone(), Box::new(|_, _| {}));
    let stream = listen(&event.stream);
    let mut heard = Vec::new();
    let mut muted = Vec::new();
    for _ in 0..TIMES {
        act(server, &event, false);
        until("the tone is heard", || {
            heard.extend(stream.try_iter());
            loud(heard.last()?).then_some(())
        });
        muted.push(Instant::now());
        act(server, &event, true);
        until("it is silent", || {
            heard.extend(stream.try_iter());
            (!loud(heard.last()?)).then_some(())
        });
    }
    server.end(&event);
    let clock = clock(&heard);
    let silent = |at: Instant| silence(&heard, clock, at).map(|silent| (silent - at).as_secs_f64() * 1_000.0);
    Spread::of(muted.into_iter().filter_map(silent).collect())
}

/// The host's word, or one's own.
fn act(server: &Server, event: &Event, muted: bool) {
    let key = if muted { String::new() } else { format!("?key={KEY}") };
    let url = format!("{}/console/{}{key}", server.stage_url(), event.id);
    let ticket = event.stage.rsplit('/').next().expect("a ticket");
    let bearer = format!("Bearer {ticket}");
    let body = format!(r#"{{"do":"mute","participant":1,"muted":{muted}}}"#);
    until("the stage has a microphone", || {
        (ask("POST", &url, &[("Authorization", &bearer), ("Content-Type", "application/json")], body.as_bytes()).status == 200)
            .then_some(())
    });
}

pub(crate) fn tone() -> Speak {
    let mut sample = 0u32;
    Box::new(move |_, frame| {
        for one in frame.iter_mut() {
            *one = 0.5 * (std::f32::consts::TAU * 1_000.0 * (sample % 48) as f32 / 48_000.0).sin();
            sample += 1;
        }
    })
}

fn loud(heard: &Heard) -> bool {
    heard.sound.iter().any(|sample| sample.abs() > SILENT)
}

/// When the programme's first 20 ms could be heard by who has no delay at all, at the latest: no fragment is there before its last 20 ms are
/// mixed, and they can be heard from then on.
fn clock(heard: &[Heard]) -> Instant {
    let begun = |one: &Heard| one.at + Duration::from_millis(20) - Duration::from_millis((one.number.0 + 1) * 200);
    heard.iter().map(begun).min().expect("the stream was heard")
}

/// When the programme falls silent after `after`, for a moment at least.
fn silence(heard: &[Heard], clock: Instant, after: Instant) -> Option<Instant> {
    let loud_until = heard.iter().flat_map(|one| {
        let begins = clock + Duration::from_millis(one.number.0 * 200);
        let loud = one.sound.iter().enumerate().filter(|(_, sample)| sample.abs() > SILENT);
        loud.map(move |(place, _)| begins + samples(place + 1) - samples(LOOKAHEAD_SAMPLES))
    });
    let mut silent = after;
    for until in loud_until.filter(|until| *until > after) {
        if until - silent > MOMENT {
            return Some(silent);
        }
        silent = until;
    }
    (silent > after).then_some(silent)
}

/// Reads the stream as long as somebody wants it.
pub(crate) fn listen(url: &str) -> Receiver<Heard> {
    let (told, stream) = channel();
    let url = format!("{url}?from=-1");
    std::thread::spawn(move || {
        let mut body = ureq::get(&url).call().expect("the stream is there").into_body().into_reader();
        let mut decoder = Decoder::new().expect("a decoder");
        let (mut bytes, mut chunk) = (Vec::new(), [0u8; 16 * 1024]);
        while let Ok(read @ 1..) = body.read(&mut chunk) {
            let at = Instant::now();
            bytes.extend_from_slice(&chunk[..read]);
            let mut is_wanted = true;
            each_fragment(&mut bytes, |number, frames| {
                let mut sound = Vec::new();
                for frame in frames {
                    let mut decoded = [0.0; 5_760];
                    let count = decoder.decode(frame, &mut decoded).expect("our own Opus decodes");
                    sound.extend_from_slice(&decoded[..count]);
                }
                is_wanted &= told.send(Heard { at, number: FragmentNumber(number), sound }).is_ok();
            });
            if !is_wanted {
                return;
            }
        }
    });
    stream
}
