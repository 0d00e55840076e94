//! A relay that does not tell the truth: it copies a true one for a while, then says what no relay says.

use super::host;
use base::{Epoch, FragmentNumber, Place, Rung};
use programme::copy::{Frame, Reader};
use programme::fragment;
use programme::index::{Entry, Record};
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What it says behind some fragments that are true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lie {
    /// A fragment shorter than its bytes.
    Short,
    /// A fragment longer than the limit.
    Long,
    /// A fragment whose sound is not what its CRC says.
    Damaged,
    /// Another fragment than it names.
    Another,
    /// The fragment before, once more.
    Again,
    /// The next fragment, of an epoch that is over.
    OldEpoch,
    /// Bytes by chance.
    Noise,
    /// Nothing any more.
    Stall,
    /// A byte now and then of a fragment that never comes.
    Dribble,
    /// Half a fragment and the end of the connection.
    Torn,
}

impl Lie {
    pub const ALL: [Self; 10] = [
        Self::Short,
        Self::Long,
        Self::Damaged,
        Self::Another,
        Self::Again,
        Self::OldEpoch,
        Self::Noise,
        Self::Stall,
        Self::Dribble,
        Self::Torn,
    ];

    /// What the metrics of who hears it call it.
    pub const fn trouble(self) -> &'static str {
        match self {
            Self::Short | Self::Damaged => "bytes",
            Self::Long => "length",
            Self::Another => "fragment",
            Self::Again => "number",
            Self::OldEpoch => "epoch",
            Self::Noise => "record",
            Self::Stall | Self::Dribble => "silent",
            Self::Torn => "broken",
        }
    }

    /// Tells it, once the fragment at `place` was told; then waits until the other has had enough.
    fn tell(self, place: Place, bytes: &[u8], to: &mut TcpStream) -> io::Result<()> {
        let next = Place { number: FragmentNumber(place.number.0 + 1), ..place };
        let sealed = fragment::seal(Rung::R64, next.number, None, &programme::silence::frames(Rung::R64, 10));
        let framed = |frame: Frame| {
            let mut bytes = Vec::new();
            frame.put(&mut bytes);
            bytes
        };
        let named = |length: u32| {
            let record = Record::Fragment(Entry { number: next.number, offset: 0, length, epoch: next.epoch });
            let honest = framed(Frame::Fragment(next, sealed.clone()));
            [&record.to_bytes()[..], &honest[record.to_bytes().len()..]].concat()
        };
        match self {
            Self::Short => to.write_all(&named(sealed.len() as u32 - 10))?,
            Self::Long => to.write_all(&named(u32::MAX))?,
            Self::Damaged => {
                let mut bytes = framed(Frame::Fragment(next, sealed));
                *bytes.last_mut().expect("sound") ^= 1;
                to.write_all(&bytes)?;
            }
            Self::Another => to.write_all(&framed(Frame::Fragment(next, bytes.to_vec())))?,
            Self::Again => to.write_all(&framed(Frame::Fragment(place, bytes.to_vec())))?,
            Self::OldEpoch => to.write_all(&framed(Frame::Fragment(Place { epoch: Epoch(0), ..next }, sealed)))?,
            Self::Noise => {
                let mut noise = [0; 4_000];
                getrandom::fill(&mut noise).expect("randomness");
                to.write_all(&noise)?;
            }
            Self::Stall => {}
            Self::Dribble => {
                for byte in framed(Frame::Fragment(next, sealed)).chunks(1).take(1_000) {
                    to.write_all(byte)?;
                    std::thread::sleep(Duration::from_millis(100));
                }
            }
            Self::Torn => {
                let bytes = framed(Frame::Fragment(next, sealed));
                return to.write_all(&bytes[..bytes.len() / 2]);
            }
        }
        // Until it is left.
        let _ = to.read(&mut [0; 1_000]);
        Ok(())
    }
}

/// Fragments that are true before a lie.
const TRUE_FRAGMENTS: usize = 3;

/// A relay that lies each time that the recording is asked for, a lie of the list after the other, and tells the truth in the end.
pub struct Liar {
    address: SocketAddr,
    stops: Arc<AtomicBool>,
    listening: Option<JoinHandle<()>>,
}

impl Liar {
    /// One in front of a true relay.
    pub fn start(truth: SocketAddr, lies: &'static [Lie]) -> Self {
        let socket = TcpListener::bind((host(), 0)).expect("a free port");
        let address = socket.local_addr().expect("an address");
        let (stops, told) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let stopped = Arc::clone(&stops);
        let listening = std::thread::spawn(move || {
            for client in socket.incoming().take_while(|_| !stopped.load(Ordering::Relaxed)) {
                let told = Arc::clone(&told);
                // Whoever leaves a liar breaks the connection.
                std::thread::spawn(move || drop(client.and_then(|client| serve(client, truth, lies, &told))));
            }
        });
        Self { address, stops, listening: Some(listening) }
    }

    /// Where it lies.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.stops.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect(self.address);
        if let Some(thread) = self.listening.take() {
            let _ = thread.join();
        }
    }
}

/// Passes one request on, and the answer as it pleases.
fn serve(mut client: TcpStream, truth: SocketAddr, lies: &[Lie], told: &AtomicUsize) -> io::Result<()> {
    let mut asked = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if asked.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let mut source = TcpStream::connect(truth)?;
    source.write_all(head.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n").as_bytes())?;
    let is_recording = head.split(' ').nth(1).is_some_and(|target| target.contains("/64?") && !target.contains("&to="));
    let lie = is_recording.then(|| lies.get(told.fetch_add(1, Ordering::Relaxed))).flatten();
    match lie {
        Some(lie) => mislead(*lie, BufReader::new(source), &mut client),
        None => io::copy(&mut source, &mut client).map(drop),
    }
}

fn mislead(lie: Lie, mut source: BufReader<TcpStream>, client: &mut TcpStream) -> io::Result<()> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        source.read_line(&mut line)?;
        client.write_all(line.as_bytes())?;
    }
    let (mut reader, mut bytes, mut count) = (Reader::new(Rung::R64, None), [0; 1_000], 0);
    loop {
        let length = source.read(&mut bytes)?;
        reader.feed(&bytes[..length]);
        while let Some(frame) = reader.frame().map_err(io::Error::other)? {
            let mut sent = Vec::new();
            frame.put(&mut sent);
            client.write_all(&sent)?;
            if let Frame::Fragment(place, bytes) = frame {
                count += 1;
                if count == TRUE_FRAGMENTS {
                    return lie.tell(place, &bytes, client);
                }
            }
        }
        if length == 0 {
            return Ok(());
        }
    }
}
