//! Datagrams to a microphone's session: STUN, DTLS, RTP and RTCP, each input a length byte and so many bytes, again and again.
#![no_main]

use ingest::{Call, Caller, Candidate, Input, Output, Purpose, Session, Transport, Wish, stun};
use libfuzzer_sys::fuzz_target;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

const STAGE: &str = "192.0.2.9:7881";
const PEER: &str = "192.0.2.1:5000";

struct World {
    session: Session,
    call: Call,
    now: Instant,
}

fuzz_target!(|bytes: &[u8]| {
    let Some((first, mut rest)) = bytes.split_first() else { return };
    let mut world = World::new();
    // Half of the time over a connection that is up.
    if first & 1 == 1 {
        world.connect();
    }
    while let Some((length, tail)) = rest.split_first() {
        let (datagram, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        let _ = stun::username_ufrag(datagram);
        world.to_session(datagram);
        world.now += Duration::from_millis(20);
        rest = tail;
    }
});

impl World {
    fn new() -> Self {
        let now = Instant::now();
        let candidate = |address: &str| Candidate { transport: Transport::Udp, address: address.parse().expect("an address") };
        let (caller, offer) = Caller::offer(now, Wish::Both);
        let (session, answer) = Session::accept(now, Purpose::Whip, &offer, &[candidate(STAGE)], [7; 32]).expect("an answer");
        let mut call = caller.answered(now, &answer).expect("a call");
        call.add_candidate(candidate(PEER));
        Self { session, call, now }
    }

    fn connect(&mut self) {
        for _ in 0..2_000 {
            if self.session.is_connected() {
                return;
            }
            let said = self.call.handle(self.now, Input::Tick);
            self.carry(said, true);
            let said = self.session.handle(self.now, Input::Tick);
            self.carry(said, false);
            self.now += Duration::from_millis(10);
        }
    }

    /// What one side sends, and what the other answers to it, until both are silent.
    fn carry(&mut self, said: Vec<Output>, mut to_session: bool) {
        let mut said = said;
        while !said.is_empty() {
            let mut answers = Vec::new();
            for output in said {
                if let Output::Transmit(transmit) = output {
                    let (from, to) = if to_session { (PEER, STAGE) } else { (STAGE, PEER) };
                    let input = datagram(from, to, &transmit.bytes);
                    answers.extend(if to_session { self.session.handle(self.now, input) } else { self.call.handle(self.now, input) });
                }
            }
            said = answers;
            to_session = !to_session;
        }
    }

    fn to_session(&mut self, bytes: &[u8]) {
        let said = self.session.handle(self.now, datagram(PEER, STAGE, bytes));
        self.carry(said, false);
    }
}

fn datagram<'a>(from: &str, to: &str, bytes: &'a [u8]) -> Input<'a> {
    let address = |text: &str| text.parse::<SocketAddr>().expect("an address");
    Input::Datagram { transport: Transport::Udp, source: address(from), destination: address(to), bytes }
}
