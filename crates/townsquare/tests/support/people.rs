//! People of a test's event: who speaks a tone, who listens, and programs that ask for things.

use super::event::Event;
use super::sound::{RATE, share_with, tone};
use super::{Server, scratch, townsquare, until};
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::Duration;

/// What people here speak.
pub const TONE_HZ: f32 = 440.0;

/// A child that is killed with the value, however the test ends.
pub struct Running(pub Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// One second of the tone as WAV; repeated it has no seam.
pub fn tone_file(directory: &Path) -> PathBuf {
    let path = directory.join("tone.wav");
    let spec = hound::WavSpec { channels: 1, sample_rate: RATE as u32, bits_per_sample: 16, sample_format: hound::SampleFormat::Int };
    let mut file = hound::WavWriter::create(&path, spec).expect("a file");
    for sample in tone(TONE_HZ, 0.4, RATE) {
        file.write_sample((sample * 32_767.0) as i16).expect("a sample");
    }
    file.finalize().expect("a whole file");
    path
}

/// Somebody speaks the tone until the value is gone; the event goes live by it.
pub fn speaks(server: &Server, event: &Event, more: &[&str]) -> Running {
    let file = tone_file(&server.data());
    let child = townsquare().args(["speak", &event.stage, "--loop"]).arg(file).args(more).stderr(Stdio::null()).spawn();
    Running(child.expect("a speaker"))
}

/// Waits until the tone is what listeners hear.
pub fn wait_for_tone(event: &Event, more: &[&str]) {
    until("the tone is heard", || {
        let listener = Listener::new(&format!("{}?from=-1", event.stream), &[&["--seconds", "1"], more].concat());
        let (success, _, sound) = listener.heard();
        (success && share_with(&sound, TONE_HZ, 0.1) > 0.95).then_some(())
    });
}

/// A `townsquare listen` that writes down what it hears.
pub struct Listener {
    child: Running,
    scratch: PathBuf,
}

impl Listener {
    /// Listens to an address.
    pub fn new(url: &str, more: &[&str]) -> Self {
        let scratch = scratch();
        let mut command = townsquare();
        command.args(["listen", url, "--json", "--output"]).arg(scratch.join("heard.wav")).args(more);
        let child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("a listener");
        Self { child: Running(child), scratch }
    }

    /// Waits for its end: whether all was well, its report, and what it heard.
    pub fn heard(mut self) -> (bool, serde_json::Value, Vec<f32>) {
        let mut text = String::new();
        self.child.0.stdout.take().expect("its output").read_to_string(&mut text).expect("text");
        let success = self.child.0.wait().expect("it ends").success();
        let report = text.lines().last().and_then(|line| serde_json::from_str(line).ok()).unwrap_or_default();
        let wav = hound::WavReader::open(self.scratch.join("heard.wav")).ok();
        let sound = wav.map(|wav| wav.into_samples::<i16>().filter_map(Result::ok).map(|one| f32::from(one) / 32_768.0).collect());
        (success, report, sound.unwrap_or_default())
    }

    /// Its end, after an event in which the tone was always there: nothing was left out and nothing else was heard.
    pub fn heard_only_the_tone(self) -> Vec<f32> {
        let (success, report, sound) = self.heard();
        assert!(success && report["gaps"] == 0, "{report}");
        // A decoder that comes in the midst of a sound takes some frames to find it, and silence fills an event's last fragment.
        let fragment = RATE / 5;
        assert!(sound.len() > 3 * fragment, "{report}");
        let windows: Vec<_> = sound[fragment..sound.len() - fragment].chunks_exact(RATE / 50).collect();
        let without: Vec<_> = (0..windows.len()).filter(|place| share_with(windows[*place], TONE_HZ, 0.1) == 0.0).collect();
        assert!(without.len() * 33 <= windows.len(), "without the tone: {without:?} of {} times 20 ms: {report}", windows.len());
        sound
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// An answer to a program.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub kind: String,
    pub text: String,
    /// The first cookie that it set, as a browser sends it back.
    pub cookie: String,
}

impl Answer {
    /// The body as JSON; null when it is none.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_default()
    }
}

fn agent() -> ureq::Agent {
    let patience = Some(Duration::from_secs(30));
    ureq::Agent::config_builder().http_status_as_error(false).max_redirects(0).timeout_per_read(patience).build().new_agent()
}

/// One request of a program.
pub fn ask(method: &str, url: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let mut request = ureq::http::Request::builder().method(method).uri(url).header("Accept", "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let mut answer = agent().run(request.body(body.to_vec()).expect("a request")).unwrap_or_else(|error| panic!("{method} {url}: {error}"));
    let field = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let (kind, cookie) = (field("content-type"), field("set-cookie").split(';').next().unwrap_or_default().to_owned());
    Answer { status: answer.status().as_u16(), kind, cookie, text: answer.body_mut().read_to_string().unwrap_or_default() }
}

/// A control stream of an event's host, line by line.
pub fn console(server: &Server, event: &Event) -> impl Iterator<Item = serde_json::Value> {
    let ticket = event.stage.rsplit('/').next().expect("a ticket");
    let url = format!("{}/console/{}", server.stage_url(), event.id);
    let answer = agent().get(&url).header("Authorization", &format!("Bearer {ticket}")).call().expect("the stage answers");
    assert_eq!(answer.status().as_u16(), 200);
    let lines = BufReader::new(answer.into_body().into_with_config().limit(u64::MAX).reader()).lines();
    lines.map_while(Result::ok).filter_map(|line| serde_json::from_str(&line).ok())
}
