//! Events of a test's server, through the commands that a person types.

use super::{Server, until};
use rustix::process::Pid;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

/// What `event create --json` prints.
#[derive(Debug, Clone)]
pub struct Event {
    pub id: String,
    pub page: String,
    pub stage: String,
    pub whip: String,
    pub token: String,
    pub stream: String,
    pub hls: String,
}

impl Event {
    /// Where the replay will be.
    pub fn replay(&self) -> String {
        self.stream.replace("/live/", "/replay/").replace(".mp4", ".m4a")
    }
}

impl Server {
    /// Creates a public event.
    pub fn create_event(&self, title: &str) -> Event {
        self.create_event_with(title, &[])
    }

    /// Creates an event with more flags.
    pub fn create_event_with(&self, title: &str, more: &[&str]) -> Event {
        let printed = self.succeeds(&[&["event", "create", "--title", title, "--json"], more].concat());
        let json: serde_json::Value = serde_json::from_str(&printed).expect("JSON");
        let text = |pointer: &str| {
            json.pointer(pointer).and_then(|value| value.as_str()).unwrap_or_else(|| panic!("{pointer} in {printed}")).to_owned()
        };
        Event {
            id: text("/id"),
            page: text("/page"),
            stage: text("/stage"),
            whip: text("/whip/url"),
            token: text("/whip/token"),
            stream: text("/listen/stream"),
            hls: text("/listen/hls"),
        }
    }

    /// What the square answers the operator about an event, where it answers.
    pub fn operate(&self, event: &Event, method: &str, path: &str, body: &str) -> Option<(u16, serde_json::Value)> {
        let mut stream = UnixStream::connect(self.data().join("run").join("square.sock")).ok()?;
        let head = format!("{method} /api/townsquare/v1/events/{}/{path} HTTP/1.0\r\nHost: square\r\n", event.id);
        let about = format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        stream.write_all((head + &about).as_bytes()).ok()?;
        let mut text = String::new();
        stream.read_to_string(&mut text).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        Some((head.split(' ').nth(1)?.parse().ok()?, serde_json::from_str(body).ok()?))
    }

    /// Opens the programme and waits until listeners are let in, which they are from its first fragment on.
    pub fn go_live(&self, event: &Event) {
        self.succeeds(&["event", "go-live", &event.id]);
        until("the stream is there", || ureq::head(&event.stream).call().ok());
        until("the playlist has a part", || {
            let playlist = ureq::get(event.hls.replace("main.m3u8", "64.m3u8")).call().ok()?.body_mut().read_to_string().ok()?;
            playlist.contains("#EXT-X-PART:").then_some(())
        });
    }

    /// Ends the event.
    pub fn end(&self, event: &Event) {
        self.succeeds(&["event", "end", &event.id]);
    }

    /// Every role by name, and its process.
    pub fn roles(&self) -> Vec<(String, i32)> {
        let names = ["supervisor", "stage", "relay-0", "square"];
        names.into_iter().filter_map(|name| Some((name.to_owned(), self.pid(name).map(Pid::as_raw_nonzero)?.get()))).collect()
    }

    /// What a command prints that must succeed.
    pub fn succeeds(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}
