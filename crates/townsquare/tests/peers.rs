//! Programs that nobody here wrote: one speaks, the others listen.

#![allow(clippy::print_stdout, clippy::cast_possible_truncation, reason = "a test says what it did, with numbers it made itself")]

mod support;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use support::Server;
use support::event::Event;
use support::sound::{RATE, from_s16le, share_with};

const TONE_HZ: f32 = 440.0;

/// A program that is killed when the test is over, however it ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A library that stands for libgupnp-igd (port mapping on home routers, unused here). Debian 12's brings libsoup 3 into whip-client, which
/// itself uses libsoup 2, and libsoup ends a process that has both.
fn without_port_mapping(directory: &Path) -> PathBuf {
    let source = directory.join("igd.c");
    let stubs = "void *gupnp_simple_igd_thread_new(void) { return 0; }\nunsigned long gupnp_simple_igd_get_type(void) { return 0; }\n\
                 void gupnp_simple_igd_add_port(void) {}\nvoid gupnp_simple_igd_remove_port_local(void) {}\n";
    std::fs::write(&source, stubs).expect("a file");
    let library = directory.join("libgupnp-igd-1.0.so.4");
    let status = Command::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]).status().expect("a C compiler");
    assert!(status.success(), "the stand-in compiles");
    directory.to_owned()
}

/// Debian's simple-whip-client speaks a tone.
fn whip_client(event: &Event, directory: &Path) -> Running {
    let tone = format!(
        "audiotestsrc is-live=true wave=sine freq={TONE_HZ} volume=0.5 ! audioconvert ! audioresample ! queue ! opusenc ! \
         rtpopuspay pt=111 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=111"
    );
    let child = Command::new("whip-client")
        .env("LD_LIBRARY_PATH", without_port_mapping(directory))
        .args(["--url", &format!("{}?name=Encoder", event.whip), "--token", &event.token, "--audio", &tone, "--log-level", "2"])
        .stdout(Stdio::null())
        .spawn()
        .expect("simple-whip-client is installed");
    Running(child)
}

/// Waits until an address has the tone: the encoder takes its time to connect, and a player of HLS begins some seconds back.
fn wait_for_tone(url: &str) {
    let end = Instant::now() + Duration::from_secs(60);
    while share_with(&ffmpeg(url, 1), TONE_HZ, 0.1) < 0.95 {
        assert!(Instant::now() < end, "{url}: the encoder is never heard");
    }
}

/// Some seconds of an address as Debian's ffmpeg decodes it.
fn ffmpeg(url: &str, seconds: u32) -> Vec<f32> {
    // Left to itself ffmpeg begins a live playlist three segments back, where nobody spoke yet.
    let newest: &[&str] = if url.ends_with(".m3u8") { &["-live_start_index", "-1"] } else { &[] };
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-loglevel", "error"])
        .args(newest)
        .args(["-i", url, "-t", &seconds.to_string(), "-ac", "1", "-ar", "48000", "-f", "s16le", "-"])
        .stderr(Stdio::inherit())
        .output()
        .expect("ffmpeg is installed");
    from_s16le(&output.stdout)
}

/// Some seconds of an address as Debian's mpv plays it. It counts `--length` from a stream's time zero, so a clock ends it instead.
fn mpv(url: &str, seconds: u32, directory: &Path) -> Vec<f32> {
    let file = directory.join("mpv.pcm");
    let newest: &[&str] = if url.ends_with(".m3u8") { &["--demuxer-lavf-o=live_start_index=-1"] } else { &[] };
    let status = Command::new("timeout")
        .args(["--signal=INT", &seconds.to_string(), "mpv", "--no-config", "--no-video", "--really-quiet", "--ao=pcm"])
        .args(["--ao-pcm-waveheader=no", "--audio-format=s16", "--audio-samplerate=48000", "--audio-channels=mono"])
        .args(newest)
        .args([&format!("--ao-pcm-file={}", file.display()), url])
        .status();
    status.expect("mpv is installed");
    from_s16le(&std::fs::read(file).expect("mpv wrote its sound"))
}

/// Most of the seconds asked for are the tone, for a player may leave out some of the beginning while it finds its place.
fn is_the_tone(what: &str, sound: &[f32], seconds: u32) {
    let share = share_with(sound, TONE_HZ, 0.1);
    let heard = sound.len() as f32 / RATE as f32;
    assert!(share * heard >= seconds as f32 * 0.8, "{what}: {:.1} s of the tone in {heard:.1} s", share * heard);
    // mpv fills with silence while it waits for the next segment; what ffmpeg decodes is the programme alone.
    assert!(what.starts_with("mpv") || share > 0.98, "{what}: the tone is in {:.1} % of the sound", share * 100.0);
}

#[test]
fn an_encoder_speaks_and_players_listen() {
    let server = Server::start();
    let event = server.create_event("Peers");
    server.go_live(&event);
    let speaking = whip_client(&event, &server.data());
    wait_for_tone(&event.stream);
    is_the_tone("ffmpeg, stream", &ffmpeg(&event.stream, 5), 5);
    is_the_tone("ffmpeg, saver rung", &ffmpeg(&format!("{}?rung=16&from=-3", event.stream), 5), 5);
    wait_for_tone(&event.hls);
    is_the_tone("ffmpeg, HLS", &ffmpeg(&event.hls, 5), 5);
    is_the_tone("mpv, stream", &mpv(&event.stream, 6, &server.data()), 4);
    is_the_tone("mpv, HLS", &mpv(&event.hls, 10, &server.data()), 4);
    drop(speaking);
    server.end(&event);
    let replay = event.replay();
    let heard = ffmpeg(&replay, 600);
    assert!(share_with(&heard, TONE_HZ, 0.1) > 0.3, "the replay has the tone");
    assert!(share_with(&mpv(&replay, 60, &server.data()), TONE_HZ, 0.1) > 0.3, "mpv plays the replay");
}
