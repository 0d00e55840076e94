//! Debian's nginx serving LL-HLS in parts of a second: files in memory, as cheap as nginx can have it. Whoever plays asks for the
//! playlist and then for the part that it names, each second, on a kept connection.

use crate::patience;
use crate::process::{Running, family};
use crate::support::scratch;
use crate::town::free_address;
use anyhow::Context as _;
use std::collections::VecDeque;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Parts that a playlist names: three segments of six seconds, as RFC 8216bis asks for at least.
const PARTS_LISTED: usize = 18;

/// Parts that stay on disk.
const PARTS_KEPT: usize = 40;

/// A server and who writes its parts.
pub(crate) struct Nginx {
    stop: Arc<AtomicBool>,
    writer: Option<JoinHandle<()>>,
    server: Running,
    pub(crate) address: SocketAddr,
    directory: PathBuf,
}

impl Nginx {
    /// Serves the programme that grows in a file.
    pub(crate) fn start(programme: &Path) -> anyhow::Result<Self> {
        let (address, directory) = (free_address(), scratch());
        std::fs::create_dir(directory.join("live"))?;
        std::fs::write(directory.join("nginx.conf"), configuration(address, &directory))?;
        let mut command = Command::new("nginx");
        command.arg("-p").arg(&directory).args(["-e", "error.log", "-c", "nginx.conf"]).stderr(Stdio::null());
        let server = Running::start(&mut command)?;
        let stop = Arc::new(AtomicBool::new(false));
        let writer = Writer::new(programme, directory.join("live"))?;
        let stopped = Arc::clone(&stop);
        let writer = std::thread::Builder::new().name("parts".into()).spawn(move || writer.run(&stopped))?;
        let nginx = Self { stop, writer: Some(writer), server, address, directory };
        patience::until("nginx listens", Duration::from_secs(20), || TcpStream::connect(address).ok())?;
        let playlist = nginx.directory.join("live/64.m3u8");
        patience::until("parts are written", Duration::from_secs(20), || playlist.exists().then_some(()))?;
        Ok(nginx)
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        family(self.server.id())
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
        // A master that is killed leaves its worker behind; asked to quit it takes the worker with it.
        if let Some(pid) = i32::try_from(self.server.id()).ok().and_then(rustix::process::Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
            let _ = self.server.0.wait();
        }
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn configuration(address: SocketAddr, directory: &Path) -> String {
    let user = if rustix::process::geteuid().is_root() { "user root;" } else { "" };
    let directory = directory.display();
    format!(
        "{user} daemon off; pid {directory}/nginx.pid; worker_processes 1; worker_rlimit_nofile 20000; error_log {directory}/error.log crit;\n\
         events {{ worker_connections 19900; }}\n\
         http {{\n\
           access_log off; sendfile on; tcp_nodelay on; keepalive_timeout 300s; keepalive_requests 1000000;\n\
           open_file_cache max=200 inactive=60s; open_file_cache_valid 1s;\n\
           client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy; fastcgi_temp_path {directory}/fastcgi;\n\
           uwsgi_temp_path {directory}/uwsgi; scgi_temp_path {directory}/scgi;\n\
           types {{ application/vnd.apple.mpegurl m3u8; audio/mp4 m4s mp4; }}\n\
           server {{ listen {address} backlog=4096; root {directory}; }}\n\
         }}\n"
    )
}

/// Cuts a growing programme into parts of a second.
struct Writer {
    programme: File,
    at: u64,
    directory: PathBuf,
    /// Numbers of the parts that are there.
    parts: VecDeque<u64>,
}

impl Writer {
    fn new(programme: &Path, directory: PathBuf) -> anyhow::Result<Self> {
        let mut programme = File::open(programme).context("the programme can't be read")?;
        let at = programme.seek(SeekFrom::End(0))?;
        Ok(Self { programme, at, directory, parts: VecDeque::new() })
    }

    fn run(mut self, stopped: &AtomicBool) {
        let began = Instant::now();
        for number in 0u32.. {
            let due = began + Duration::from_secs(1) * number;
            while Instant::now() < due {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                std::thread::sleep(Duration::from_millis(10));
            }
            if let Err(error) = self.write(u64::from(number)) {
                eprintln!("parts for nginx can't be written: {error}");
                return;
            }
        }
    }

    fn write(&mut self, number: u64) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        self.programme.seek(SeekFrom::Start(self.at))?;
        self.at += self.programme.read_to_end(&mut bytes)? as u64;
        std::fs::write(self.directory.join(name(number)), bytes)?;
        self.parts.push_back(number);
        if self.parts.len() > PARTS_KEPT
            && let Some(oldest) = self.parts.pop_front()
        {
            std::fs::remove_file(self.directory.join(name(oldest)))?;
        }
        let fresh = self.directory.join("64.m3u8.new");
        std::fs::write(&fresh, self.playlist())?;
        std::fs::rename(fresh, self.directory.join("64.m3u8"))
    }

    fn playlist(&self) -> String {
        let listed = self.parts.iter().skip(self.parts.len().saturating_sub(PARTS_LISTED));
        let first = listed.clone().next().copied().unwrap_or_default();
        let mut text = format!(
            "#EXTM3U\n#EXT-X-VERSION:9\n#EXT-X-TARGETDURATION:6\n#EXT-X-PART-INF:PART-TARGET=1.0\n\
             #EXT-X-SERVER-CONTROL:PART-HOLD-BACK=3.0\n#EXT-X-MEDIA-SEQUENCE:{first}\n#EXT-X-MAP:URI=\"init.mp4\"\n"
        );
        for part in listed {
            // Writing to a String can't fail.
            let _ = writeln!(text, "#EXT-X-PART:DURATION=1.0,INDEPENDENT=YES,URI=\"{}\"", name(*part));
        }
        text
    }
}

fn name(number: u64) -> String {
    format!("p{number}.m4s")
}
