//! A speaker for tests and benchmarks: a real call over UDP whose sound comes from a function and whose returned sound goes to another.

use audio::opus::{Decoder, Encoder};
use base::time::TICK_SAMPLES;
use ingest::{Call, Caller, Candidate, Input, Output, Transport, Wish};
use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// 20 ms of mono sound at 48 kHz.
pub type Tick = [f32; TICK_SAMPLES];

/// Fills the frame that is spoken at this instant.
pub type Speak = Box<dyn FnMut(Instant, &mut Tick) + Send>;

/// Hears samples that came back, and when they arrived.
pub type Hear = Box<dyn FnMut(Instant, &[f32]) + Send>;

/// A call that is up until it is dropped.
pub struct Voice {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Voice {
    /// Posts an offer to a WHIP address and speaks from then on.
    ///
    /// # Panics
    /// When the stage refuses the offer.
    pub fn call(whip: &str, token: &str, name: &str, speak: Speak, hear: Hear) -> Self {
        let (caller, offer) = Caller::offer(Instant::now(), Wish::Both);
        let url = format!("{whip}?name={name}");
        let answer = ureq::post(&url)
            .header("Authorization", &format!("Bearer {token}"))
            .header("Content-Type", "application/sdp")
            .send(offer)
            .expect("the stage takes the offer")
            .body_mut()
            .read_to_string()
            .expect("an answer");
        let mut call = caller.answered(Instant::now(), &answer).expect("the answer is SDP");
        let stage = call
            .remote_candidates()
            .iter()
            .find(|candidate| candidate.transport == Transport::Udp && candidate.address.ip().is_loopback() && candidate.address.is_ipv4())
            .expect("the stage announces loopback")
            .address;
        let socket = UdpSocket::bind("127.0.0.1:0").expect("a socket");
        let own = socket.local_addr().expect("an address");
        call.add_candidate(Candidate { transport: Transport::Udp, address: own });
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let line = Line {
            call,
            socket,
            own,
            stage,
            speak,
            hear,
            encoder: Encoder::stage().expect("an encoder"),
            decoder: Decoder::new().expect("a decoder"),
        };
        let thread = std::thread::spawn(move || line.run(&stopped));
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Voice {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

struct Line {
    call: Call,
    socket: UdpSocket,
    own: std::net::SocketAddr,
    stage: std::net::SocketAddr,
    speak: Speak,
    hear: Hear,
    encoder: Encoder,
    decoder: Decoder,
}

impl Line {
    fn run(mut self, stopped: &AtomicBool) {
        let started = Instant::now();
        let mut ticks = 0u32;
        let mut bytes = [0u8; 2_000];
        let outputs = self.call.handle(started, Input::Tick);
        self.perform(outputs);
        while !stopped.load(Ordering::Relaxed) {
            let due = started + Duration::from_millis(20) * ticks;
            let wake = self.call.deadline().map_or(due, |deadline| deadline.min(due));
            let wait = wake.saturating_duration_since(Instant::now()).max(Duration::from_micros(200));
            self.socket.set_read_timeout(Some(wait)).expect("a timeout");
            let came = self.socket.recv_from(&mut bytes);
            let now = Instant::now();
            let outputs = match came {
                Ok((length, source)) => {
                    let datagram = Input::Datagram { transport: Transport::Udp, source, destination: self.own, bytes: &bytes[..length] };
                    self.call.handle(now, datagram)
                }
                Err(_) => self.call.handle(now, Input::Tick),
            };
            self.perform(outputs);
            if now >= due {
                self.say(now, ticks);
                ticks += 1;
            }
        }
        let outputs = self.call.close(Instant::now());
        for output in outputs {
            if let Output::Transmit(transmit) = output {
                let _ = self.socket.send_to(&transmit.bytes, self.stage);
            }
        }
    }

    fn say(&mut self, now: Instant, ticks: u32) {
        let mut frame: Tick = [0.0; TICK_SAMPLES];
        (self.speak)(now, &mut frame);
        let mut packet = [0u8; 1_275];
        let length = self.encoder.encode(&frame, &mut packet).expect("a frame encodes");
        let timestamp = ticks.wrapping_mul(TICK_SAMPLES as u32);
        let outputs = self.call.handle(now, Input::Sound { payload: &packet[..length], timestamp, level: None });
        self.perform(outputs);
    }

    fn perform(&mut self, outputs: Vec<Output>) {
        for output in outputs {
            match output {
                Output::Transmit(transmit) => {
                    // What a full socket buffer drops, the network could have dropped.
                    let _ = self.socket.send_to(&transmit.bytes, self.stage);
                }
                Output::Packet(packet) => {
                    let mut sound = [0.0; 5_760];
                    if let Ok(samples) = self.decoder.decode(&packet.payload, &mut sound) {
                        (self.hear)(packet.arrival, &sound[..samples]);
                    }
                }
                Output::Connected | Output::Closed(_) => {}
            }
        }
    }
}
