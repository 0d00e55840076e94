//! A speaker without a browser: a real caller over UDP or TCP that speaks a tone in real time and keeps what it hears.

use super::world::{Role, post};
use audio::Frame;
use audio::opus::{Decoder, Encoder, PACKET_BYTES_MAX, PACKET_SAMPLES_MAX};
use base::limit::DATAGRAM_BYTES_MAX;
use base::time::SAMPLE_RATE_HZ;
use ingest::{Call, Caller, Candidate, Input, Output, Transmit, Transport, Wish, framing};
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

const TICK: Duration = Duration::from_millis(20);
const TICK_TIMESTAMPS: u32 = 960;
const CONNECT_MAX: Duration = Duration::from_secs(30);

enum Wire {
    Udp(UdpSocket),
    Tcp(TcpStream, framing::Decoder),
}

pub(super) struct Speaker {
    call: Call,
    wire: Wire,
    local: SocketAddr,
    remote: SocketAddr,
    hz: f32,
    sends: bool,
    sample: u32,
    encoder: Encoder,
    decoder: Decoder,
    heard: Vec<f32>,
    /// How many of a thousand datagrams are lost, either way.
    loss_permille: u32,
    /// What decides which.
    chance: u32,
}

impl Speaker {
    pub(super) fn call(role: &Role<'_>, class: &str, hz: f32, tcp: bool, wish: Wish) -> Self {
        Self::call_as(role, class, "?name=Ada", hz, tcp, wish)
    }

    pub(super) fn call_as(role: &Role<'_>, class: &str, query: &str, hz: f32, tcp: bool, wish: Wish) -> Self {
        let (caller, offer) = Caller::offer(Instant::now(), wish);
        let kind = if wish == Wish::Receive { "whep" } else { "whip" };
        let path = format!("/{kind}/{}{query}", role.world.event);
        let answer = post(role.address, &path, &role.world.ticket(class), "application/sdp", &offer);
        assert_eq!(answer.status, 201, "{}", answer.body);
        let mut call = caller.answered(Instant::now(), &answer.body).unwrap();
        let transport = if tcp { Transport::Tcp } else { Transport::Udp };
        let remote = call.remote_candidates().iter().find(|one| one.transport == transport).unwrap().address;
        let wire = if tcp {
            let stream = TcpStream::connect(remote).unwrap();
            stream.set_nodelay(true).unwrap();
            Wire::Tcp(stream, framing::Decoder::default())
        } else {
            Wire::Udp(UdpSocket::bind("127.0.0.1:0").unwrap())
        };
        let local = match &wire {
            Wire::Udp(socket) => socket.local_addr().unwrap(),
            Wire::Tcp(stream, _) => stream.local_addr().unwrap(),
        };
        call.add_candidate(Candidate { transport, address: local });
        let (encoder, decoder) = (Encoder::stage().unwrap(), Decoder::new().unwrap());
        let mut speaker = Self {
            call,
            wire,
            local,
            remote,
            hz,
            sends: wish != Wish::Receive,
            sample: 0,
            encoder,
            decoder,
            heard: Vec::new(),
            loss_permille: 0,
            chance: 1,
        };
        let give_up = Instant::now() + CONNECT_MAX;
        while !speaker.call.is_connected() {
            assert!(Instant::now() < give_up, "no connection");
            speaker.until(Instant::now() + TICK);
        }
        speaker
    }

    /// The same over a network that loses so many of a thousand datagrams, either way.
    pub(super) fn losing(self, permille: u32) -> Self {
        Self { loss_permille: permille, ..self }
    }

    fn loses(&mut self) -> bool {
        // Marsaglia's xorshift: seeded, so that the losses are always the same ones.
        self.chance ^= self.chance << 13;
        self.chance ^= self.chance >> 17;
        self.chance ^= self.chance << 5;
        self.chance % 1_000 < self.loss_permille
    }

    /// Speaks so many ticks in real time, hangs up, and gives what was heard.
    pub(super) fn speak(self, ticks: u32) -> Vec<f32> {
        let mut speaker = self.speak_on(ticks);
        let (call, now) = (speaker.call, Instant::now());
        let heard = std::mem::take(&mut speaker.heard);
        for output in call.close(now) {
            if let Output::Transmit(transmit) = output {
                send(&mut speaker.wire, &transmit);
            }
        }
        heard
    }

    /// Speaks so many ticks in real time.
    pub(super) fn speak_on(mut self, ticks: u32) -> Self {
        let start = Instant::now();
        for tick in 0..ticks {
            self.until(start + TICK * tick);
            if self.sends {
                let frame = self.tone();
                let mut packet = [0; PACKET_BYTES_MAX];
                let bytes = self.encoder.encode(&frame, &mut packet).unwrap();
                let timestamp = self.sample;
                self.sample = self.sample.wrapping_add(TICK_TIMESTAMPS);
                self.give(Input::Sound { payload: &packet[..bytes], timestamp, level: None });
            }
        }
        self.until(start + TICK * ticks);
        self
    }

    /// The next 20 ms of the tone; a whole number of its periods fits into a second.
    fn tone(&self) -> Frame {
        let step = std::f32::consts::TAU * self.hz / SAMPLE_RATE_HZ as f32;
        let start = (self.sample % SAMPLE_RATE_HZ) as f32;
        std::array::from_fn(|place| 0.3 * (step * (start + place as f32)).sin())
    }

    fn until(&mut self, at: Instant) {
        while Instant::now() < at {
            let due = self.call.deadline().map_or(at, |deadline| deadline.min(at));
            match self.receive(due.saturating_duration_since(Instant::now()).max(Duration::from_millis(1))) {
                Some(_) if self.loses() => {}
                Some(bytes) => {
                    let transport = if matches!(self.wire, Wire::Tcp(..)) { Transport::Tcp } else { Transport::Udp };
                    let (source, destination) = (self.remote, self.local);
                    self.give(Input::Datagram { transport, source, destination, bytes: &bytes });
                }
                None if self.call.deadline().is_some_and(|deadline| deadline <= Instant::now()) => self.give(Input::Tick),
                None => {}
            }
        }
    }

    fn receive(&mut self, wait: Duration) -> Option<Vec<u8>> {
        let mut bytes = [0; DATAGRAM_BYTES_MAX + 2];
        let patient = |error: &std::io::Error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut);
        match &mut self.wire {
            Wire::Udp(socket) => {
                socket.set_read_timeout(Some(wait)).unwrap();
                socket.recv(&mut bytes).ok().map(|length| bytes[..length].to_vec())
            }
            Wire::Tcp(stream, decoder) => {
                if let Some(frame) = decoder.next_frame().unwrap() {
                    return Some(frame.to_vec());
                }
                stream.set_read_timeout(Some(wait)).unwrap();
                match stream.read(&mut bytes) {
                    Ok(length) => decoder.push(&bytes[..length]),
                    Err(error) => assert!(patient(&error), "{error}"),
                }
                decoder.next_frame().unwrap().map(<[u8]>::to_vec)
            }
        }
    }

    fn give(&mut self, input: Input<'_>) {
        for output in self.call.handle(Instant::now(), input) {
            match output {
                Output::Transmit(_) if self.loses() => {}
                Output::Transmit(transmit) => send(&mut self.wire, &transmit),
                Output::Packet(packet) => {
                    let mut samples = [0.0; PACKET_SAMPLES_MAX];
                    let count = self.decoder.decode(&packet.payload, &mut samples).unwrap();
                    self.heard.extend_from_slice(&samples[..count]);
                }
                Output::Connected | Output::Closed(_) => {}
            }
        }
    }
}

fn send(wire: &mut Wire, transmit: &Transmit) {
    match wire {
        // A full buffer loses a datagram, as networks do.
        Wire::Udp(socket) => drop(socket.send_to(&transmit.bytes, transmit.destination)),
        Wire::Tcp(stream, _) => {
            let mut framed = Vec::new();
            framing::frame(&transmit.bytes, &mut framed).unwrap();
            let _ = stream.write_all(&framed);
        }
    }
}

/// How much of a sound's power one frequency has, 0 to 1; 0 for what is quieter than speech (Goertzel's algorithm).
pub(super) fn share_of(hz: f32, sound: &[f32]) -> f32 {
    let power: f32 = sound.iter().map(|sample| sample * sample).sum();
    if power / (sound.len() as f32) < 1e-5 {
        return 0.0;
    }
    let step = std::f32::consts::TAU * hz / SAMPLE_RATE_HZ as f32;
    let (mut real, mut imaginary) = (0.0f32, 0.0f32);
    for (place, sample) in sound.iter().enumerate() {
        real += sample * (step * place as f32).cos();
        imaginary += sample * (step * place as f32).sin();
    }
    2.0 * (real * real + imaginary * imaginary) / (sound.len() as f32 * power)
}
