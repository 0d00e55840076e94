//! An HTTP cache as a relay for HLS: Debian's nginx and varnish in front of a live event, with the files that docs/operators.md gives.
//! However many play, each object is asked for once.

mod support;

use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;
use support::event::Event;
use support::people::Running;
use support::{Server, address, host, scratch, townsquare, until};

/// Players, and those who ask for one object in the same moment.
const PLAYERS: &str = "60";
const TOGETHER: usize = 40;

/// Where the files say that the relay is.
const RELAY_IN_FILES: &str = "127.0.0.1";

/// What a cache asks for, in its order.
type Asked = Arc<Mutex<Vec<(Instant, String)>>>;

/// A door before the relay that writes down what goes through.
struct Tap {
    address: SocketAddr,
    asked: Asked,
}

impl Tap {
    fn before(relay: SocketAddr) -> Self {
        let listener = TcpListener::bind((host(), 0)).expect("a free port");
        let tap = Self { address: listener.local_addr().expect("an address"), asked: Asked::default() };
        let asked = Arc::clone(&tap.asked);
        std::thread::spawn(move || {
            for from in listener.incoming().map_while(Result::ok) {
                let asked = Arc::clone(&asked);
                std::thread::spawn(move || drop(pass_on(&from, relay, &asked)));
            }
        });
        tap
    }

    /// When each address was asked for.
    fn asked(&self) -> BTreeMap<String, Vec<Instant>> {
        let mut asked: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
        for (at, what) in &*self.asked.lock().expect("what was asked") {
            asked.entry(what.clone()).or_default().push(*at);
        }
        asked
    }
}

/// Lets requests through head by head, for none has a body, and answers as they come.
fn pass_on(from: &TcpStream, relay: SocketAddr, asked: &Asked) -> std::io::Result<()> {
    let to = TcpStream::connect(relay)?;
    let (mut answers, mut back) = (to.try_clone()?, from.try_clone()?);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut lines = BufReader::new(from);
    let mut head = String::new();
    while lines.read_line(&mut head)? > 0 {
        if head.ends_with("\r\n\r\n") {
            let target = head.split(' ').nth(1).unwrap_or_default().to_owned();
            asked.lock().expect("what was asked").push((Instant::now(), target));
            (&to).write_all(head.as_bytes())?;
            head.clear();
        }
    }
    to.shutdown(Shutdown::Write)
}

/// A cache that runs.
struct Cache {
    running: Running,
    address: SocketAddr,
    directory: PathBuf,
}

impl Drop for Cache {
    fn drop(&mut self) {
        // A master that is killed leaves its children behind; asked to end it takes them with it.
        let pid = rustix::process::Pid::from_child(&self.running.0);
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        let _ = self.running.0.wait();
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

impl Cache {
    fn start(directory: PathBuf, address: SocketAddr, command: &mut Command) -> Self {
        let log = std::fs::File::create(directory.join("log")).expect("a log");
        let running = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().expect("the cache is installed");
        let mut cache = Self { running: Running(running), address, directory };
        until("the cache listens", || {
            let ended = cache.running.0.try_wait().expect("a child");
            let log = || std::fs::read_to_string(cache.directory.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "the cache has ended: {}", log());
            TcpStream::connect(address).ok()
        });
        cache
    }
}

/// A file of `packaging/` with what is different here.
fn file(name: &str, here: &[(&str, String)]) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packaging").join(name);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    here.iter().fold(text, |text, (there, here)| {
        assert!(text.contains(there), "{name} says {there}");
        text.replace(there, here)
    })
}

fn nginx(relay: SocketAddr) -> Cache {
    let (directory, address) = (scratch(), address(host()));
    let at = directory.display();
    let here = [
        (&*format!("{RELAY_IN_FILES}:8081"), relay.to_string()),
        ("listen 80;", format!("listen {address};")),
        ("/var/cache/nginx/townsquare", directory.join("cache").display().to_string()),
    ];
    std::fs::write(directory.join("cache.conf"), file("nginx-cache.conf", &here)).expect("a file");
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let temporary: String =
        ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].iter().map(|what| format!("{what}_temp_path {at}/{what};")).collect();
    let whole = format!(
        "{user} daemon off; pid {at}/pid; error_log stderr; worker_processes 1; events {{ worker_connections 2000; }}\n\
         http {{ access_log off; {temporary} include {at}/cache.conf; }}\n"
    );
    std::fs::write(directory.join("nginx.conf"), whole).expect("a file");
    let mut command = Command::new("nginx");
    command.arg("-p").arg(&directory).args(["-e", "stderr", "-c", "nginx.conf"]);
    Cache::start(directory, address, &mut command)
}

fn varnish(relay: SocketAddr) -> Cache {
    let (directory, address) = (scratch(), address(host()));
    let here = [(RELAY_IN_FILES, relay.ip().to_string()), ("\"8081\"", format!("\"{}\"", relay.port()))];
    let vcl = directory.join("varnish.vcl");
    std::fs::write(&vcl, file("varnish.vcl", &here)).expect("a file");
    let mut command = Command::new("varnishd");
    command.args(["-F", "-j", "none", "-s", "malloc,64m", "-T", "none", "-a", &address.to_string()]);
    command.arg("-n").arg(directory.join("work")).arg("-f").arg(vcl);
    Cache::start(directory, address, &mut command)
}

/// What many get who ask for one address in the same moment.
fn together(url: &str) -> Vec<Vec<u8>> {
    let ask = || {
        let answer = ureq::get(url).call().unwrap_or_else(|error| panic!("{url}: {error}"));
        let mut bytes = Vec::new();
        answer.into_body().into_reader().read_to_end(&mut bytes).expect("a body");
        bytes
    };
    std::thread::scope(|scope| {
        let askers: Vec<_> = (0..TOGETHER).map(|_| scope.spawn(ask)).collect();
        askers.into_iter().map(|asker| asker.join().expect("an answer")).collect()
    })
}

/// Everybody gets the same, which is something.
fn all_get_the_same(url: &str) {
    let bodies = together(url);
    assert!(!bodies[0].is_empty() && bodies.iter().all(|body| *body == bodies[0]), "{url}: different answers");
}

/// What a line of a playlist names.
fn named(playlist: &str, line: &str) -> String {
    let row = playlist.lines().rfind(|row| row.starts_with(line)).unwrap_or_else(|| panic!("{line} in {playlist}"));
    row.split_once("URI=\"").and_then(|(_, rest)| rest.split('"').next()).expect("an address").to_owned()
}

/// A whole segment that a live playlist names.
fn segment(directory: &str) -> String {
    until("a segment is whole", || {
        let playlist = ureq::get(format!("{directory}/64.m3u8")).call().ok()?.into_body().read_to_string().ok()?;
        playlist.lines().find(|line| line.starts_with("64/s")).map(str::to_owned)
    })
}

fn crowd(url: &str) -> Value {
    let words = ["rehearse", url, "--json", "--mix", "hls", "--listeners", PLAYERS, "--joins-per-second", PLAYERS, "--seconds", "6"];
    let output = townsquare().args(words).output().expect("a crowd");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).expect("a result")
}

/// Many listen through a cache: everybody hears everything, and the relay is asked for each object once while it is good.
fn one_request_an_object(start: fn(SocketAddr) -> Cache) {
    let server = Server::start();
    let event: Event = server.create_event("Through a cache");
    server.go_live(&event);
    let tap = Tap::before(server.relay_url().trim_start_matches("http://").parse().expect("an address"));
    let cache = start(tap.address);
    let directory = format!("http://{}/live/{}", cache.address, event.id);
    all_get_the_same(&format!("{directory}/init.mp4"));
    // It is not sealed yet: the relay holds one request for it, the cache all others.
    let playlist = ureq::get(format!("{directory}/64.m3u8")).call().expect("a playlist").into_body().read_to_string().expect("text");
    all_get_the_same(&format!("{directory}/{}", named(&playlist, "#EXT-X-PRELOAD-HINT")));
    let heard = crowd(&format!("{directory}.mp4"));
    let players: u64 = PLAYERS.parse().expect("a number");
    assert_eq!(heard["listeners"]["hearing_at_end"], players, "{heard}");
    for fault in ["gaps", "repeats", "disconnects"] {
        assert_eq!(heard[fault], 0, "{fault}: {heard}");
    }
    all_get_the_same(&format!("{directory}/{}", segment(&directory)));
    let asked = tap.asked();
    let (mut parts, mut held) = (0, 0);
    for (what, times) in &asked {
        let seconds = times.last().map_or(0, |last| (*last - times[0]).as_secs());
        // A cache gives a playlist out for as many seconds as the relay says, here noted a moment early or late.
        let most = match what {
            _ if what.contains("_HLS_msn") => seconds / 5 + 1,
            _ if what.ends_with(".m3u8") => seconds + 2,
            _ => 1,
        };
        assert!(times.len() as u64 <= most, "{what} was asked for more than once while it was good: {times:?}");
        parts += usize::from(what.contains("/64/p"));
        held += usize::from(what.contains("_HLS_msn"));
    }
    assert!(parts >= 5 && held >= 5, "{:?}", asked.keys());
    assert_eq!(asked.keys().filter(|what| what.contains("init.mp4") || what.contains("/64/s")).count(), 2, "{:?}", asked.keys());
}

#[test]
fn nginx_asks_once_for_each_object() {
    one_request_an_object(nginx);
}

#[test]
fn varnish_asks_once_for_each_object() {
    one_request_an_object(varnish);
}

/// Past the cache: the endless stream flows, and a private event's answers are nobody else's.
fn streams_and_tickets_pass(start: fn(SocketAddr) -> Cache) {
    let server = Server::start();
    let event = server.create_event_with("Behind a ticket", &["--visibility", "private"]);
    server.go_live(&event);
    let tap = Tap::before(server.relay_url().trim_start_matches("http://").parse().expect("an address"));
    let cache = start(tap.address);
    let through = |url: &str| url.replace(&server.relay_url(), &format!("http://{}", cache.address));
    let playlist = through(&event.hls).replace("main.m3u8", "64.m3u8");
    together(&playlist);
    let mut stream = ureq::get(through(&event.stream)).call().expect("the stream").into_body().into_reader();
    // More than the burst has: it grows while it is listened to.
    let mut bytes = vec![0; 80 * 1024];
    stream.read_exact(&mut bytes).expect("the stream goes on");
    let asked = tap.asked();
    let count = |part: &str| asked.iter().filter(|(what, _)| what.contains(part)).map(|(_, times)| times.len()).sum::<usize>();
    assert_eq!((count("64.m3u8"), count(".mp4")), (TOGETHER, 1), "{:?}", asked.keys());
}

#[test]
fn nginx_lets_streams_and_tickets_pass() {
    streams_and_tickets_pass(nginx);
}

#[test]
fn varnish_lets_streams_and_tickets_pass() {
    streams_and_tickets_pass(varnish);
}
