//! Debian's icecast2, fed with Ogg Opus of the same bitrate in pages of a second, which are what it sends at a time.

use crate::crowd;
use crate::patience;
use crate::process::{Running, family};
use crate::support::scratch;
use crate::town::free_address;
use anyhow::Context as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PASSWORD: &str = "of-this-benchmark";

/// A server and its source.
pub(crate) struct Icecast {
    _source: Running,
    server: Running,
    address: SocketAddr,
    directory: PathBuf,
}

impl Icecast {
    pub(crate) fn start(speech: &Path) -> anyhow::Result<Self> {
        let (address, directory) = (free_address(), scratch());
        // Icecast refuses to be root; who it becomes must be able to write there.
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777))?;
        std::fs::write(directory.join("icecast.xml"), configuration(address, &directory))?;
        let mut command = Command::new("icecast2");
        command.arg("-c").arg(directory.join("icecast.xml")).stdout(Stdio::null()).stderr(Stdio::null());
        let server = Running::start(&mut command)?;
        patience::until("icecast2 listens", Duration::from_secs(20), || TcpStream::connect(address).ok())?;
        let mut command = Command::new("ffmpeg");
        command.args(["-nostdin", "-loglevel", "error", "-re", "-stream_loop", "-1", "-i"]).arg(speech);
        command.args(["-ac", "1", "-ar", "48000", "-c:a", "libopus", "-b:a", "64k", "-vbr", "off", "-frame_duration", "20"]);
        command.args(["-page_duration", "1000000", "-flush_packets", "1", "-content_type", "application/ogg", "-f", "ogg"]);
        command.arg(format!("icecast://source:{PASSWORD}@{address}/bench.opus")).stdout(Stdio::null()).stderr(Stdio::null());
        let icecast = Self { _source: Running::start(&mut command)?, server, address, directory };
        patience::until("icecast2 has the source", Duration::from_secs(30), || {
            icecast.hears().filter(|head| head.contains(" 200 ")).map(drop)
        })
        .context("icecast2 takes no source")?;
        // What a burst is made of must be there.
        patience::pause(Duration::from_secs(6))?;
        Ok(icecast)
    }

    /// The first line of the answer to a listener.
    fn hears(&self) -> Option<String> {
        use std::io::{BufRead as _, BufReader, Write as _};
        let mut stream = TcpStream::connect(self.address).ok()?;
        stream.set_read_timeout(Some(Duration::from_secs(2))).ok()?;
        stream.write_all(b"GET /bench.opus HTTP/1.0\r\n\r\n").ok()?;
        BufReader::new(stream).lines().next()?.ok()
    }

    pub(crate) fn pids(&self) -> Vec<u32> {
        family(self.server.id())
    }

    pub(crate) fn crowd(&self, listeners: usize, joins_per_second: f64) -> crowd::Wish {
        crowd::Wish {
            server: self.address,
            host: self.address.to_string(),
            target: "/bench.opus".to_owned(),
            trust: None,
            raw: true,
            listeners,
            joins_per_second,
        }
    }
}

impl Drop for Icecast {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.directory);
    }
}

fn configuration(address: SocketAddr, directory: &Path) -> String {
    let (ip, port, directory) = (address.ip(), address.port(), directory.display());
    let owner =
        if rustix::process::geteuid().is_root() { "<changeowner><user>nobody</user><group>nogroup</group></changeowner>" } else { "" };
    format!(
        "<icecast><limits><clients>20000</clients><sources>2</sources><queue-size>524288</queue-size><client-timeout>30</client-timeout>\
         <header-timeout>15</header-timeout><source-timeout>30</source-timeout><burst-size>65535</burst-size></limits>\
         <authentication><source-password>{PASSWORD}</source-password><admin-user>admin</admin-user>\
         <admin-password>{PASSWORD}</admin-password></authentication><hostname>localhost</hostname>\
         <listen-socket><port>{port}</port><bind-address>{ip}</bind-address></listen-socket><fileserve>0</fileserve>\
         <paths><basedir>{directory}</basedir><logdir>{directory}</logdir><webroot>{directory}</webroot><adminroot>{directory}</adminroot>\
         </paths><logging><accesslog>access.log</accesslog><errorlog>error.log</errorlog><loglevel>1</loglevel></logging>\
         <security><chroot>0</chroot>{owner}</security></icecast>"
    )
}
