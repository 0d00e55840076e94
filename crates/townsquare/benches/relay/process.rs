//! Processes: those that the benchmark starts and takes down again, and what any of them takes, from /proc.

use anyhow::Context as _;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Instant;

/// A child that is gone with the value.
pub(crate) struct Running(pub(crate) Child);

impl Running {
    /// Starts a command that reads nothing.
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        Ok(Self(command.stdin(Stdio::null()).spawn().with_context(|| format!("{name} can't be started"))?))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// This benchmark's own binary in another role.
pub(crate) fn own_role(role: &str) -> anyhow::Result<Command> {
    let mut command = Command::new(std::env::current_exe().context("this program can't find itself")?);
    command.args(["--role", role]);
    Ok(command)
}

/// A process and all that come from it.
pub(crate) fn family(root: u32) -> Vec<u32> {
    let mut members = vec![root];
    let mut at = 0;
    while let Some(&pid) = members.get(at) {
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        for thread in threads {
            let children = fs::read_to_string(thread.path().join("children")).unwrap_or_default();
            members.extend(children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()));
        }
        at += 1;
    }
    members
}

/// Processor time (user and system) of these processes in microseconds: the scheduler's nanoseconds, which no tick rounds.
pub(crate) fn cpu_micros(pids: &[u32]) -> f64 {
    let threads = pids.iter().flat_map(|pid| fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten());
    let nanos = |path: PathBuf| fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
    threads.filter_map(|thread| nanos(thread.path())).sum::<u64>() as f64 / 1_000.0
}

/// Memory of these processes' own (anonymous, proportionally where shared) in bytes.
pub(crate) fn own_bytes(pids: &[u32]) -> f64 {
    let one = |pid: &u32| kilobytes(&fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?, "Pss_Anon:");
    pids.iter().filter_map(one).sum::<f64>() * 1_024.0
}

/// Memory of the kernel for TCP: the buffers, and the slabs of sockets and what belongs to them. Of the whole machine, in bytes.
pub(crate) fn kernel_bytes() -> f64 {
    let sockets = fs::read_to_string("/proc/net/sockstat").unwrap_or_default();
    let line = sockets.lines().find_map(|line| line.strip_prefix("TCP: ")).unwrap_or_default();
    let pages: f64 = line.split_whitespace().skip_while(|word| *word != "mem").nth(1).and_then(|word| word.parse().ok()).unwrap_or(0.0);
    let slabs = fs::read_to_string("/proc/meminfo").ok().and_then(|text| kilobytes(&text, "Slab:")).unwrap_or(0.0);
    pages * 4_096.0 + slabs * 1_024.0
}

/// Memory that is left on the machine, in bytes.
pub(crate) fn available_bytes() -> f64 {
    fs::read_to_string("/proc/meminfo").ok().and_then(|text| kilobytes(&text, "MemAvailable:")).unwrap_or(0.0) * 1_024.0
}

fn kilobytes(text: &str, name: &str) -> Option<f64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// The machine's processor time since it started: all that was not idle, and all, in ticks over all cores.
fn machine_ticks() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> = line.split_whitespace().skip(1).take(8).filter_map(|word| word.parse().ok()).collect();
    let (all, idle) = (ticks.iter().sum::<f64>(), ticks.iter().skip(3).take(2).sum::<f64>());
    (all - idle, all)
}

/// What some processes, and the machine as a whole, took between two looks.
pub(crate) struct Meter {
    pids: Vec<u32>,
    began: Instant,
    cpu_us: f64,
    machine: (f64, f64),
}

/// What a meter has seen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Taken {
    pub(crate) seconds: f64,
    pub(crate) cpu_us: f64,
    /// Share of all cores that was not idle, in percent.
    pub(crate) machine_percent: f64,
}

impl Meter {
    pub(crate) fn start(pids: &[u32]) -> Self {
        Self { pids: pids.to_vec(), began: Instant::now(), cpu_us: cpu_micros(pids), machine: machine_ticks() }
    }

    pub(crate) fn read(&self) -> Taken {
        let (busy, all) = machine_ticks();
        Taken {
            seconds: self.began.elapsed().as_secs_f64(),
            cpu_us: cpu_micros(&self.pids) - self.cpu_us,
            machine_percent: (busy - self.machine.0) / (all - self.machine.1).max(1.0) * 100.0,
        }
    }
}

impl Taken {
    /// Share of one core, in percent.
    pub(crate) fn core_percent(self) -> f64 {
        self.cpu_us / self.seconds / 10_000.0
    }

    pub(crate) fn us_per(self, listeners: usize) -> f64 {
        self.cpu_us / self.seconds / listeners as f64
    }
}
