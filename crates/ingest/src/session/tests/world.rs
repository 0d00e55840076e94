//! One caller, one session, one network, one clock.

use super::{Call, Closing, Input, Output, Purpose, Session, Transport, Wish, call, candidates};
use crate::{Candidate, Packet};
use base::fact::LevelDb;
use sim::network::{Clock, Datagram, Network, Weather};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

#[derive(Default)]
pub(super) struct Log {
    pub(super) connected: bool,
    pub(super) packets: Vec<Packet>,
    pub(super) closed: Option<Closing>,
    pub(super) transports: Vec<Transport>,
}

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) network: Network,
    pub(super) session: Session,
    pub(super) session_log: Log,
    pub(super) call: Call,
    pub(super) call_log: Log,
    /// Where the stage's socket says that datagrams arrive, when it is none of its candidates.
    pub(super) arrives_at: Option<SocketAddr>,
    transport: Transport,
    spoken: u32,
    /// When both clocks were last the same, while they go together.
    real_time: Option<(Instant, Instant)>,
}

/// What the `number`th frame of a test holds.
pub(super) fn frame(number: u32) -> Vec<u8> {
    (0..60_u32).map(|place| (number.wrapping_mul(31) + place).to_le_bytes()[0]).collect()
}

impl World {
    pub(super) fn new(seed: u64, weather: Weather, purpose: Purpose, wish: Wish) -> Self {
        Self::over(Transport::Udp, seed, weather, purpose, wish)
    }

    pub(super) fn over(transport: Transport, seed: u64, weather: Weather, purpose: Purpose, wish: Wish) -> Self {
        let clock = Clock::new();
        let (mut call, session) = call(wish, purpose, clock.now());
        assert_eq!(call.remote_candidates(), candidates(), "the answer names the stage's addresses");
        call.add_candidate(Candidate { transport, address: "192.0.2.1:5000".parse().unwrap() });
        let network = Network::new(seed, weather);
        let (session_log, call_log) = (Log::default(), Log::default());
        Self { clock, network, session, session_log, call, call_log, arrives_at: None, transport, spoken: 0, real_time: None }
    }

    /// The caller's address and the stage's.
    pub(super) fn addresses(&self) -> (SocketAddr, SocketAddr) {
        ("192.0.2.1:5000".parse().unwrap(), candidates()[0].address)
    }

    pub(super) fn until_connected(&mut self) {
        self.run_until(|world| world.session_log.connected && world.call_log.connected, Duration::from_secs(20));
        assert!(self.session.is_connected() && self.call.is_connected());
    }

    /// [`World::until_connected`] in which the clock goes with the world outside: the handshake's library repeats a lost flight by its own.
    pub(super) fn until_connected_in_real_time(&mut self) {
        self.real_time = Some((Instant::now(), self.clock.now()));
        self.until_connected();
        self.real_time = None;
    }

    /// Both sides say `frames` frames of 20 ms, and what is on its way arrives.
    pub(super) fn speak(&mut self, frames: u32) {
        for _ in 0..frames {
            let (payload, timestamp) = (frame(self.spoken), self.spoken * 960);
            let sound = Input::Sound { payload: &payload, timestamp, level: Some(LevelDb(30)) };
            self.spoken += 1;
            let now = self.clock.now();
            let outputs = self.call.handle(now, sound);
            self.perform(now, outputs, false);
            let outputs = self.session.handle(now, sound);
            self.perform(now, outputs, true);
            self.run_for(Duration::from_millis(20));
        }
        self.run_for(Duration::from_millis(500));
    }

    /// The caller says goodbye and is no more.
    pub(super) fn hang_up(&mut self) {
        let now = self.clock.now();
        let (other, _) = call(Wish::Both, Purpose::Whip, now);
        let outputs = std::mem::replace(&mut self.call, other).close(now);
        self.perform(now, outputs, false);
        for _ in 0..50 {
            self.clock.advance(Duration::from_millis(10));
            self.deliver();
        }
    }

    /// The caller's next connectivity check.
    pub(super) fn first_stun(&mut self) -> Vec<u8> {
        for _ in 0..1_000 {
            let now = self.clock.now();
            for output in self.call.handle(now, Input::Tick) {
                if let Output::Transmit(transmit) = output
                    && crate::stun::username_ufrag(&transmit.bytes).is_some()
                {
                    return transmit.bytes;
                }
            }
            self.clock.advance(Duration::from_millis(10));
        }
        panic!("the caller checks nothing");
    }

    pub(super) fn run_for(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        self.run(end, |_| false);
    }

    pub(super) fn run_until(&mut self, done: impl Fn(&Self) -> bool, most: Duration) {
        let end = self.clock.now() + most;
        self.run(end, &done);
        assert!(done(self), "it did not happen within {most:?}");
    }

    fn run(&mut self, end: Instant, done: impl Fn(&Self) -> bool) {
        while self.clock.now() < end {
            self.deliver();
            let now = self.clock.now();
            if self.call.deadline().is_some_and(|at| at <= now) {
                let outputs = self.call.handle(now, Input::Tick);
                self.perform(now, outputs, false);
            }
            if self.session.deadline().is_some_and(|at| at <= now) {
                let outputs = self.session.handle(now, Input::Tick);
                self.perform(now, outputs, true);
            }
            if done(self) {
                break;
            }
            let soonest = [self.call.deadline(), self.session.deadline(), self.network.deadline()].into_iter().flatten().min();
            // A deadline that does not move on by itself must not stop the clock.
            let next = soonest.unwrap_or(end).clamp(now + Duration::from_millis(1), end.max(now + Duration::from_millis(1)));
            if let Some((outside, inside)) = self.real_time {
                std::thread::sleep((outside + (next - inside)).saturating_duration_since(Instant::now()));
            }
            self.clock.advance_to(next);
        }
    }

    fn deliver(&mut self) {
        let now = self.clock.now();
        while let Some(Datagram { source, destination, bytes }) = self.network.receive(now) {
            let to_stage = destination.port() == 10_000;
            let destination = self.arrives_at.filter(|_| to_stage).unwrap_or(destination);
            let input = Input::Datagram { transport: self.transport, source, destination, bytes: &bytes };
            let outputs = if to_stage { self.session.handle(now, input) } else { self.call.handle(now, input) };
            self.perform(now, outputs, to_stage);
        }
    }

    fn perform(&mut self, now: Instant, outputs: Vec<Output>, by_stage: bool) {
        let log = if by_stage { &mut self.session_log } else { &mut self.call_log };
        for output in outputs {
            assert!(log.closed.is_none(), "nothing comes after the end");
            match output {
                Output::Transmit(sent) => {
                    if !log.transports.contains(&sent.transport) {
                        log.transports.push(sent.transport);
                    }
                    // What goes to an address that nobody has is lost.
                    let known = [5_000, 10_000].contains(&sent.destination.port()) && sent.destination.is_ipv4();
                    if known && sent.transport == self.transport {
                        let (source, destination) = (sent.source, sent.destination);
                        self.network.send(now, Datagram { source, destination, bytes: sent.bytes });
                    }
                }
                Output::Connected => log.connected = true,
                Output::Packet(packet) => log.packets.push(packet),
                Output::Closed(why) => log.closed = Some(why),
            }
        }
    }
}
