//! A relay on what would be another machine: `townsquare relay` in a directory of its own.

use super::{Server, address, get, host, read_pid, runs, scratch, townsquare, until};
use rustix::process::{Pid, Signal, kill_process};
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Child;

/// A running relay.
pub struct Relay {
    scratch: PathBuf,
    listen: SocketAddr,
    internal: SocketAddr,
    words: Vec<String>,
    supervisor: Option<Child>,
}

impl Relay {
    /// Starts one below these upstreams and waits until it is ready.
    pub fn start(upstreams: &[&str], more: &[&str]) -> Self {
        let mut relay = Self::prepared(upstreams, more);
        relay.start_supervisor();
        relay.wait_ready();
        relay
    }

    /// A relay's place and addresses, not started yet.
    pub fn prepared(upstreams: &[&str], more: &[&str]) -> Self {
        let host = host();
        let (scratch, listen, internal) = (scratch(), address(host), address(host));
        let data = scratch.join("data").display().to_string();
        let (at, inside, upstreams) = (listen.to_string(), internal.to_string(), upstreams.join(","));
        let words =
            ["relay", "--upstream", &upstreams, "--listen", &at, "--internal-listen", &inside, "--data", &data, "--relay-workers", "1"];
        let words = words.iter().chain(more).map(|&word| word.to_owned()).collect();
        Self { scratch, listen, internal, words, supervisor: None }
    }

    /// Starts the supervisor, for the first time or again.
    pub fn start_supervisor(&mut self) {
        let file = |name: &str| File::options().create(true).append(true).open(self.scratch.join(name)).expect("a file");
        let child = townsquare().args(&self.words).stdout(file("out")).stderr(file("log")).spawn();
        self.supervisor = Some(child.expect("the supervisor starts"));
    }

    /// Waits until every role is ready.
    pub fn wait_ready(&mut self) {
        until("the relay is ready", || {
            if let Some(status) = self.supervisor.as_mut().and_then(|child| child.try_wait().ok()?) {
                panic!("the relay ended: {status}\n{}", self.log());
            }
            get(self.internal, "/readyz").filter(|(status, _)| *status == 200)
        });
    }

    /// Where its listeners go, and the relays below it.
    pub fn url(&self) -> String {
        format!("http://{}", self.listen)
    }

    /// An address of the stage's relay, here.
    pub fn here(&self, server: &Server, url: &str) -> String {
        url.replace(&server.relay_url(), &self.url())
    }

    /// The data directory.
    pub fn data(&self) -> PathBuf {
        self.scratch.join("data")
    }

    /// One value of the metrics of all roles, added up.
    pub fn metric(&self, name: &str) -> u64 {
        self.metric_where(|rest| rest.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
    }

    /// Troubles of a kind with upstreams.
    pub fn troubles(&self, kind: &str) -> u64 {
        let label = format!("kind=\"{kind}\"");
        self.metric_where(|line| line.starts_with("townsquare_copy_troubles_total{") && line.contains(&label))
    }

    fn metric_where(&self, is_meant: impl Fn(&str) -> bool) -> u64 {
        let (_, text) = until("metrics", || get(self.internal, "/metrics").filter(|(status, _)| *status == 200));
        sum(&text, is_meant)
    }

    /// The process of `copy` or `relay-INDEX`.
    pub fn pid(&self, name: &str) -> Option<Pid> {
        read_pid(&self.data().join("run").join(format!("{name}.pid")))
    }

    /// Every role by name, and its process.
    pub fn roles(&self) -> Vec<(String, i32)> {
        let supervisor = self.supervisor.as_ref().map(Pid::from_child);
        let roles = ["copy", "relay-0"].map(|name| (name, self.pid(name)));
        let all = [("supervisor", supervisor)].into_iter().chain(roles);
        all.filter_map(|(name, pid)| Some((name.to_owned(), pid?.as_raw_nonzero().get()))).collect()
    }

    /// Kills a role and waits until it is replaced.
    pub fn kill(&mut self, name: &str) {
        let old = until(&format!("{name} runs"), || self.pid(name));
        kill_process(old, Signal::KILL).expect("it runs");
        until(&format!("{name} is replaced"), || self.pid(name).filter(|pid| *pid != old));
        self.wait_ready();
    }

    /// Ends it at once with all its roles, as a machine whose line is cut.
    pub fn cut(&mut self) {
        let left = self.processes();
        if let Some(mut child) = self.supervisor.take() {
            let _ = child.kill().and_then(|()| child.wait());
        }
        let left: Vec<_> = left.into_iter().chain(self.processes()).collect();
        for pid in &left {
            let _ = kill_process(*pid, Signal::KILL);
        }
        until("its processes are gone", || (!left.iter().any(|pid| runs(*pid))).then_some(()));
        // A thread that is still on its way out keeps the sockets open.
        until("its addresses are free", || [self.listen, self.internal].iter().all(|at| TcpListener::bind(at).is_ok()).then_some(()));
    }

    /// What it logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.scratch.join("log")).unwrap_or_default()
    }

    fn processes(&self) -> Vec<Pid> {
        let files = std::fs::read_dir(self.data().join("run")).into_iter().flatten().flatten();
        files.filter(|file| file.path().extension().is_some_and(|end| end == "pid")).filter_map(|file| read_pid(&file.path())).collect()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- what the relay {} logged:\n{}", self.listen, self.log());
        }
        self.cut();
        let _ = std::fs::remove_dir_all(&self.scratch);
    }
}

/// One value in Prometheus text, added up over all roles.
pub fn metric_in(text: &str, name: &str) -> u64 {
    sum(text, |line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(['{', ' '])))
}

fn sum(text: &str, is_meant: impl Fn(&str) -> bool) -> u64 {
    text.lines().filter(|line| is_meant(line)).filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}
