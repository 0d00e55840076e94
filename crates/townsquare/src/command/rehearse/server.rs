//! The server as this machine's `/proc` shows it: what the relay's processes take, and what the kernel takes for their sockets.

use rehearsal::verdict::Machine;
use std::fs;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

/// Bytes in one page of the kernel's count of TCP memory.
const PAGE_BYTES: u64 = 4_096;

/// What a look at the server saw.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sight {
    /// Processor time since each process began, in microseconds.
    pub(super) cpu_us: u64,
    /// Memory of the processes' own.
    pub(super) user_bytes: u64,
    /// Memory of TCP's buffers and of the kernel's objects, both ends of a connection when the crowd is on the same machine.
    pub(super) kernel_bytes: u64,
}

/// Which processes are the relay.
pub(super) struct Watch {
    data: Option<PathBuf>,
    server: SocketAddr,
}

impl Watch {
    pub(super) fn new(data: Option<&Path>, server: SocketAddr) -> Self {
        Self { data: data.map(Path::to_owned), server }
    }

    /// Looks; `None` when the server is not on this machine.
    pub(super) fn look(&self) -> Option<Sight> {
        let pids = self.pids();
        if pids.is_empty() {
            return None;
        }
        let cpu_us = pids.iter().filter_map(|pid| cpu_micros(*pid)).sum();
        let user_bytes = pids.iter().filter_map(|pid| user_bytes(*pid)).sum();
        Some(Sight { cpu_us, user_bytes, kernel_bytes: kernel_bytes() })
    }

    /// The relay's processes: those that the data directory names, else those that listen at the address.
    fn pids(&self) -> Vec<u32> {
        if let Some(data) = &self.data {
            let files = fs::read_dir(data.join("run")).into_iter().flatten().flatten();
            let relays = files.filter(|file| {
                let name = file.file_name();
                let name = name.to_string_lossy();
                name.starts_with("relay-") && name.ends_with(".pid")
            });
            return relays.filter_map(|file| fs::read_to_string(file.path()).ok()?.trim().parse().ok()).collect();
        }
        let holders = holders(&inodes(self.server));
        // The supervisor holds the relay's socket too, and serves nobody.
        let relays: Vec<u32> = holders.iter().copied().filter(|pid| is_relay(*pid)).collect();
        if relays.is_empty() { holders } else { relays }
    }
}

/// The machine's cores and memory.
pub(super) fn machine() -> Option<Machine> {
    let cores = u32::try_from(std::thread::available_parallelism().ok()?.get()).ok()?;
    let memory_bytes = number(&fs::read_to_string("/proc/meminfo").ok()?, "MemTotal:")? * 1_024;
    Some(Machine { cores, memory_bytes })
}

/// Processor time of all threads of a process in microseconds: the scheduler's own nanoseconds, which no tick rounds.
pub(super) fn cpu_micros(pid: u32) -> Option<u64> {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).ok()?.flatten();
    let nanos = |path: PathBuf| fs::read_to_string(path.join("schedstat")).ok()?.split(' ').next()?.parse::<u64>().ok();
    Some(threads.filter_map(|thread| nanos(thread.path())).sum::<u64>() / 1_000)
}

fn user_bytes(pid: u32) -> Option<u64> {
    Some(number(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "RssAnon:")? * 1_024)
}

fn kernel_bytes() -> u64 {
    let buffers = fs::read_to_string("/proc/net/sockstat").ok().and_then(|text| tcp_pages(&text)).unwrap_or_default() * PAGE_BYTES;
    let objects = fs::read_to_string("/proc/meminfo").ok().and_then(|text| number(&text, "Slab:")).unwrap_or_default() * 1_024;
    buffers + objects
}

/// Pages of TCP's buffers in `/proc/net/sockstat`.
fn tcp_pages(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("TCP: "))?;
    line.split_whitespace().skip_while(|word| *word != "mem").nth(1)?.parse().ok()
}

/// The number behind a name at the beginning of a line.
fn number(text: &str, name: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix(name))?.split_whitespace().next()?.parse().ok()
}

/// Inodes of the sockets that listen at an address, or at every address with its port.
fn inodes(server: SocketAddr) -> Vec<u64> {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    listening(&read("/proc/net/tcp"), server).chain(listening(&read("/proc/net/tcp6"), server)).collect::<Vec<_>>()
}

/// Inodes of listening sockets in a table of the kernel's.
fn listening(table: &str, server: SocketAddr) -> std::vec::IntoIter<u64> {
    let rows = table.lines().skip(1).filter_map(|row| {
        let words: Vec<&str> = row.split_whitespace().collect();
        let (address, port) = words.get(1)?.split_once(':')?;
        let is_ours = u16::from_str_radix(port, 16).ok()? == server.port() && words.get(3) == Some(&"0A");
        let is_everybodys = address.bytes().all(|byte| byte == b'0');
        (is_ours && (is_everybodys || names(address, server.ip()))).then(|| words.get(9)?.parse().ok())?
    });
    rows.collect::<Vec<u64>>().into_iter()
}

/// Whether the kernel's hexadecimal (each 32 bits in the machine's order) is this address.
fn names(text: &str, address: IpAddr) -> bool {
    let hex = |bytes: &[u8]| -> String {
        let words = bytes.chunks_exact(4).filter_map(|word| word.first_chunk::<4>());
        words.map(|word| format!("{:08X}", u32::from_ne_bytes(*word))).collect()
    };
    match address {
        IpAddr::V4(v4) => text == hex(&v4.octets()) || text == hex(&v4.to_ipv6_mapped().octets()),
        IpAddr::V6(v6) => text == hex(&v6.octets()),
    }
}

/// Processes that hold one of these sockets, as far as this user may look.
fn holders(inodes: &[u64]) -> Vec<u32> {
    if inodes.is_empty() {
        return Vec::new();
    }
    let wanted: Vec<String> = inodes.iter().map(|inode| format!("socket:[{inode}]")).collect();
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    pids.filter(|pid| {
        let descriptors = fs::read_dir(format!("/proc/{pid}/fd")).into_iter().flatten().flatten();
        let mut links = descriptors.filter_map(|entry| fs::read_link(entry.path()).ok());
        links.any(|link| wanted.iter().any(|socket| link.as_os_str() == socket.as_str()))
    })
    .collect()
}

fn is_relay(pid: u32) -> bool {
    let line = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let mut words = line.split(|byte| *byte == 0);
    words.any(|word| word == b"role") && words.next() == Some(b"relay")
}

#[cfg(test)]
mod tests;
