//! The bare loop: the smallest program that sends what a relay sends. It accepts, and at every tick sends what the file has grown by to
//! every socket. It reads no request, knows no place, keeps nobody apart from anybody: what is above its cost is what a relay adds.

use crate::patience;
use crate::process::{Running, own_role};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::net::{SendFlags, send};
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::time::{Duration, Instant};

const HEAD: &[u8] = b"HTTP/1.0 200 OK\r\n\r\n";

/// Descriptors waiting to be accepted.
const BACKLOG: i32 = 4_096;

/// Starts it in a process of its own: it copies a file that grows to whoever connects, so often.
///
/// The sockets are served in so many groups, evenly over the cadence; one group is a burst at each tick.
pub(crate) fn start(listen: SocketAddr, file: &Path, cadence: Duration, groups: usize) -> anyhow::Result<Running> {
    let mut command = own_role("bare")?;
    command.arg(listen.to_string()).arg(file).arg(cadence.as_millis().to_string()).arg(groups.to_string());
    let running = Running::start(&mut command)?;
    patience::until("the bare loop listens", Duration::from_secs(10), || TcpStream::connect(listen).ok())?;
    Ok(running)
}

/// Plays the role until it is killed.
pub(crate) fn run(words: &[String]) -> anyhow::Result<()> {
    let [listen, file, cadence, groups] = words else { anyhow::bail!("bare LISTEN FILE CADENCE_MS GROUPS") };
    let listener = TcpListener::bind(listen.parse::<SocketAddr>()?)?;
    rustix::net::listen(&listener, BACKLOG)?;
    listener.set_nonblocking(true)?;
    let mut file = File::open(file)?;
    let groups: usize = groups.parse()?;
    let step = Duration::from_millis(cadence.parse()?) / u32::try_from(groups)?;
    let mut sockets: Vec<Vec<TcpStream>> = (0..groups).map(|_| Vec::new()).collect();
    let mut sent = vec![file.seek(SeekFrom::End(0))?; groups];
    let mut bytes = Vec::new();
    let mut due = Instant::now();
    for (turn, group) in (0..groups).cycle().enumerate() {
        due += step;
        accept_until(due, &listener, turn, &mut sockets)?;
        file.seek(SeekFrom::Start(sent[group]))?;
        bytes.clear();
        sent[group] += file.read_to_end(&mut bytes)? as u64;
        if !bytes.is_empty() {
            sockets[group].retain(|socket| send_to(socket, &bytes));
        }
    }
    Ok(())
}

fn accept_until(due: Instant, listener: &TcpListener, turn: usize, sockets: &mut [Vec<TcpStream>]) -> anyhow::Result<()> {
    while let Some(left) = due.checked_duration_since(Instant::now()) {
        let timeout = rustix::time::Timespec::try_from(left)?;
        if poll(&mut [PollFd::new(listener, PollFlags::IN)], Some(&timeout)).is_ok_and(|ready| ready == 0) {
            break;
        }
        while let Ok((mut socket, _)) = listener.accept() {
            socket.set_nonblocking(true)?;
            socket.set_nodelay(true)?;
            if socket.write_all(HEAD).is_ok() {
                let count = sockets.iter().map(Vec::len).sum::<usize>();
                sockets[(turn + count) % sockets.len()].push(socket);
            }
        }
    }
    Ok(())
}

/// One send; who takes nothing now misses it, who is gone is forgotten.
fn send_to(socket: &TcpStream, bytes: &[u8]) -> bool {
    !matches!(send(socket, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL), Err(error) if error != rustix::io::Errno::AGAIN)
}
