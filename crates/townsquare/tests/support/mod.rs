//! A real server for tests: the binary itself, in a directory of its own, on an address of its own, gone with the value.

#![allow(dead_code, unreachable_pub, clippy::cast_possible_truncation, reason = "each test file uses its part of numbers it made itself")]

pub mod disk;
pub mod event;
pub mod liar;
pub mod people;
pub mod recording;
pub mod relay;
pub mod sound;
pub mod voice;

use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use std::fs::File;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes on a busy machine; reached only by a failure.
const PATIENCE: Duration = Duration::from_secs(60);

/// Asks again and again until there is an answer; panics with `what` when there never is one.
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(begun.elapsed() < PATIENCE, "in vain: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A directory of one's own below the system's temporary one.
pub(crate) fn scratch() -> PathBuf {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).expect("randomness");
    let dir = std::env::temp_dir().join(format!("ts-{:016x}", u64::from_le_bytes(random)));
    std::fs::create_dir(&dir).expect("a scratch directory");
    dir
}

/// An address of the loopback network that no other test uses, with a free port.
pub(crate) fn address(host: Ipv4Addr) -> SocketAddr {
    TcpListener::bind((host, 0)).and_then(|socket| socket.local_addr()).expect("a free port")
}

/// A host of the loopback network picked by chance, so that tests beside each other do not meet.
pub(crate) fn host() -> Ipv4Addr {
    let mut random = [0u8; 3];
    getrandom::fill(&mut random).expect("randomness");
    Ipv4Addr::new(127, random[0], random[1], random[2] | 2)
}

/// The binary, in an environment that says nothing of the project.
pub(crate) fn townsquare() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_townsquare"));
    for (key, _) in std::env::vars().filter(|(key, _)| key.starts_with("TOWNSQUARE_")) {
        command.env_remove(key);
    }
    command.stdin(Stdio::null());
    command
}

/// Runs a command to its end.
pub(crate) fn output(words: &[&str]) -> Output {
    townsquare().args(words).output().expect("the binary runs")
}

/// A running server.
pub(crate) struct Server {
    scratch: PathBuf,
    square: SocketAddr,
    relay: SocketAddr,
    stage: SocketAddr,
    internal: SocketAddr,
    more: Vec<String>,
    supervisor: Option<Child>,
}

impl Server {
    /// Starts one and waits until every role is ready.
    pub(crate) fn start() -> Self {
        Self::start_with(&[])
    }

    /// Starts one with more flags and waits until every role is ready.
    pub(crate) fn start_with(more: &[&str]) -> Self {
        let mut server = Self::prepared(more);
        server.start_supervisor();
        server.wait_ready();
        server
    }

    /// A server's place and addresses, not started yet.
    pub(crate) fn prepared(more: &[&str]) -> Self {
        let host = host();
        let [square, relay, stage, internal] = [(); 4].map(|()| address(host));
        let more = more.iter().map(|&word| word.to_owned()).collect();
        Self { scratch: scratch(), square, relay, stage, internal, more, supervisor: None }
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    /// The whole command line of `serve`.
    pub(crate) fn words(&self) -> Vec<String> {
        let data = self.data().display().to_string();
        let mut words = vec!["serve".to_owned(), "--data".to_owned(), data];
        for (flag, address) in [
            ("--listen", self.square),
            ("--relay-listen", self.relay),
            ("--stage-listen", self.stage),
            ("--internal-listen", self.internal),
        ] {
            words.extend([flag.to_owned(), address.to_string()]);
        }
        if !self.more.iter().any(|word| word == "--relay-workers") {
            words.extend(["--relay-workers".to_owned(), "1".to_owned()]);
        }
        words.extend(self.more.iter().cloned());
        words
    }

    /// Starts the supervisor, for the first time or again.
    pub(crate) fn start_supervisor(&mut self) {
        let mut command = townsquare();
        command.args(self.words());
        self.start_as(&mut command);
    }

    /// Starts the supervisor with a command of one's own.
    pub(crate) fn start_as(&mut self, command: &mut Command) {
        let log = File::options().create(true).append(true).open(self.scratch.join("log")).expect("a log");
        let out = File::options().create(true).append(true).open(self.scratch.join("out")).expect("a file");
        self.supervisor = Some(command.stdout(out).stderr(log).spawn().expect("the supervisor starts"));
    }

    /// Waits until every role says that it is ready; fails at once when the supervisor has ended.
    pub(crate) fn wait_ready(&mut self) {
        until("the server is ready", || {
            if let Some(status) = self.supervisor.as_mut().and_then(|child| child.try_wait().ok()?) {
                panic!("the supervisor ended: {status}");
            }
            self.internal("/readyz").filter(|(status, _)| *status == 200)
        });
    }

    /// Asks the internal address; `None` while nobody answers.
    pub(crate) fn internal(&self, path: &str) -> Option<(u16, String)> {
        get(self.internal, path)
    }

    /// Where pages and APIs are.
    pub(crate) fn square_url(&self) -> String {
        format!("http://{}", self.square)
    }

    /// Where listeners are served.
    pub(crate) fn relay_url(&self) -> String {
        format!("http://{}", self.relay)
    }

    /// The same as an address of a socket.
    pub(crate) const fn relay_address(&self) -> SocketAddr {
        self.relay
    }

    /// Where speakers are served.
    pub(crate) fn stage_url(&self) -> String {
        format!("http://{}", self.stage)
    }

    /// What the server logged.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }

    /// What the server printed for people.
    pub(crate) fn printed(&self) -> String {
        std::fs::read_to_string(self.scratch.join("out")).unwrap_or_default()
    }

    /// Runs another command on this server's data directory.
    pub(crate) fn run(&self, words: &[&str]) -> Output {
        townsquare().args(words).arg("--data").arg(self.data()).output().expect("the binary runs")
    }

    /// The process of `supervisor`, `stage`, `square` or `relay-INDEX`; `None` while there is none.
    pub(crate) fn pid(&self, name: &str) -> Option<Pid> {
        if name == "supervisor" {
            return self.supervisor.as_ref().map(Pid::from_child);
        }
        read_pid(&self.data().join("run").join(format!("{name}.pid")))
    }

    /// Sends a signal to a process by its name; gives the process it was sent to.
    pub(crate) fn signal(&self, name: &str, signal: Signal) -> Pid {
        let pid = until(&format!("{name} runs"), || self.pid(name));
        kill_process(pid, signal).expect("it runs");
        pid
    }

    /// Waits until another process than `old` plays the role, and every role is ready.
    pub(crate) fn wait_replaced(&mut self, name: &str, old: Pid) -> Pid {
        let new = until(&format!("{name} is replaced"), || self.pid(name).filter(|pid| *pid != old));
        self.wait_ready();
        new
    }

    /// Kills the supervisor alone.
    pub(crate) fn kill_supervisor(&mut self) {
        if let Some(mut child) = self.supervisor.take() {
            child.kill().and_then(|()| child.wait()).expect("the supervisor ends");
        }
    }

    /// Asks the server to end, as Ctrl-C does, and waits for it.
    pub(crate) fn stop(&mut self) -> ExitStatus {
        self.signal("supervisor", Signal::INT);
        let mut child = self.supervisor.take().expect("a supervisor");
        until("the server ends", || child.try_wait().expect("a child"))
    }

    /// Every process that a file in `run/` names.
    pub(crate) fn processes(&self) -> Vec<Pid> {
        let files = std::fs::read_dir(self.data().join("run")).into_iter().flatten().flatten();
        files.filter(|file| file.path().extension().is_some_and(|end| end == "pid")).filter_map(|file| read_pid(&file.path())).collect()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the server logged:\n{}", self.log());
        }
        let left = self.processes();
        if let Some(mut child) = self.supervisor.take() {
            let _ = child.kill().and_then(|()| child.wait());
        }
        // The supervisor may have started one more before it ended; a role whose directory is gone ends by itself.
        for pid in left.into_iter().chain(self.processes()) {
            let _ = kill_process(pid, Signal::KILL);
        }
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

fn read_pid(path: &Path) -> Option<Pid> {
    Pid::from_raw(std::fs::read_to_string(path).ok()?.trim().parse().ok()?)
}

/// Whether a process still runs.
pub(crate) fn runs(pid: Pid) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).unwrap_or_default();
    test_kill_process(pid).is_ok() && !stat.rsplit(") ").next().is_some_and(|rest| rest.starts_with(['Z', 'X']))
}

/// One plain GET; `None` while nobody answers.
pub(crate) fn get(address: SocketAddr, path: &str) -> Option<(u16, String)> {
    let mut stream = TcpStream::connect_timeout(&address, Duration::from_secs(2)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n").as_bytes()).ok()?;
    let mut text = String::new();
    stream.read_to_string(&mut text).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    Some((head.split(' ').nth(1)?.parse().ok()?, body.to_owned()))
}
