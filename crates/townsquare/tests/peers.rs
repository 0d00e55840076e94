//! Programs that nobody here wrote: one speaks, the others listen.

#![allow(clippy::print_stdout, clippy::cast_possible_truncation, reason = "a test says what it did, with numbers it made itself")]

mod support;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Server;
use support::event::Event;
use support::sound::{from_s16le, share_with};

const TONE_HZ: f32 = 440.0;

/// A program that is killed when the test is over, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Debian's simple-whip-client speaks a tone.
fn whip_client(event: &Event) -> Running {
    let tone = format!(
        "audiotestsrc is-live=true wave=sine freq={TONE_HZ} volume=0.5 ! audioconvert ! audioresample ! queue ! opusenc ! \
         rtpopuspay pt=111 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111"
    );
    let child = Command::new("whip-client")
        .args(["--url", &format!("{}?name=Encoder", event.whip), "--token", &event.token, "--audio", &tone, "--log-level", "2"])
        .stdout(Stdio::null())
        .spawn()
        .expect("simple-whip-client is installed");
    Running(child)
}

/// Waits until the stream has sound, for the client takes its time to connect.
fn wait_for_tone(event: &Event) {
    let end = Instant::now() + Duration::from_secs(30);
    while share_with(&ffmpeg(&event.stream, 1), TONE_HZ, 0.1) < 0.9 {
        assert!(Instant::now() < end, "the encoder is never heard");
    }
}

/// Some seconds of an address as Debian's ffmpeg decodes it.
fn ffmpeg(url: &str, seconds: u32) -> Vec<f32> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error", "-i", url, "-t", &seconds.to_string(), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    from_s16le(&output.stdout)
}

/// Some seconds of an address as Debian's mpv plays it.
fn mpv(url: &str, seconds: u32, directory: &Path) -> Vec<f32> {
    let file = directory.join("mpv.pcm");
    let status = Command::new("mpv")
        .args(["--no-config", "--no-video", "--really-quiet", "--ao=pcm", "--ao-pcm-waveheader=no", "--audio-format=s16"])
        .args([
            "--audio-samplerate=48000",
            "--audio-channels=mono",
            &format!("--length={seconds}"),
            &format!("--ao-pcm-file={}", file.display()),
            url,
        ])
        .status()
        .expect("mpv is installed");
    assert!(status.success(), "mpv plays {url}");
    from_s16le(&std::fs::read(file).expect("mpv wrote its sound"))
}

fn is_the_tone(what: &str, sound: &[f32], seconds: u32) {
    // A player may leave out some of the beginning while it finds its place.
    let least = support::sound::RATE * seconds as usize * 8 / 10;
    assert!(sound.len() >= least, "{what}: {} samples of {least}", sound.len());
    let share = share_with(sound, TONE_HZ, 0.1);
    assert!(share > 0.98, "{what}: the tone is in {:.1} % of the sound", share * 100.0);
}

#[test]
fn an_encoder_speaks_and_players_listen() {
    let server = Server::start();
    let event = server.create_event("Peers");
    server.go_live(&event);
    let speaking = whip_client(&event);
    wait_for_tone(&event);
    is_the_tone("ffmpeg, stream", &ffmpeg(&event.stream, 5), 5);
    is_the_tone("ffmpeg, saver rung", &ffmpeg(&format!("{}?rung=16&from=-3", event.stream), 5), 5);
    is_the_tone("ffmpeg, HLS", &ffmpeg(&event.hls, 5), 5);
    is_the_tone("mpv, stream", &mpv(&event.stream, 5, &server.data()), 5);
    is_the_tone("mpv, HLS", &mpv(&event.hls, 5, &server.data()), 5);
    drop(speaking);
    server.end(&event);
    let replay = event.replay();
    let heard = ffmpeg(&replay, 600);
    assert!(share_with(&heard, TONE_HZ, 0.1) > 0.3, "the replay has the tone");
    assert!(share_with(&mpv(&replay, 600, &server.data()), TONE_HZ, 0.1) > 0.3, "mpv plays the replay");
}
