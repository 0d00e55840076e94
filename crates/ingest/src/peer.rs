//! What both sides share: str0m, fed and drained.

use crate::reception::Reception;
use crate::wire::{Candidate, Closing, Input, Output, Packet, Stats, Transmit, Transport};
use base::fact::LevelDb;
use base::limit::{DATAGRAM_BYTES_MAX, PACKETS_PER_SECOND_MAX, SESSION_SILENT_MILLIS_MAX};
use base::time::SAMPLE_RATE_HZ;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use str0m::media::{Mid, Pt};
use str0m::net::{Receive, TcpType};
use str0m::rtp::{Extension, ExtensionMap, ExtensionValues, RtpPacket, RtpWrite};
use str0m::{Event, IceConnectionState, Rtc, RtcConfig, RtcError};

/// Streams that one peer may have had. A browser changes its stream when it changes the microphone.
const STREAMS_MAX: usize = 64;

/// Opus alone, packets as they come (no reordering inside), statistics every second.
pub(crate) fn config() -> RtcConfig {
    let mut extensions = ExtensionMap::empty();
    extensions.set(1, Extension::AudioLevel);
    RtcConfig::new()
        .clear_codecs()
        .enable_opus(true, false)
        .set_extension_map(extensions)
        .set_rtp_mode(true)
        .set_stats_interval(Some(Duration::from_secs(1)))
}

/// Names the candidates to str0m; those it can't use (link-local IPv4, wildcards) are left out.
pub(crate) fn add_candidates(rtc: &mut Rtc, candidates: &[Candidate]) -> Vec<Candidate> {
    candidates.iter().copied().filter(|candidate| add_candidate(rtc, *candidate, TcpType::Passive)).collect()
}

fn add_candidate(rtc: &mut Rtc, candidate: Candidate, tcp: TcpType) -> bool {
    let builder = str0m::Candidate::builder();
    let made = match candidate.transport {
        Transport::Udp => builder.udp().host(candidate.address).build(),
        Transport::Tcp => builder.tcp().host(candidate.address).tcptype(tcp).build(),
    };
    made.ok().and_then(|made| rtc.add_local_candidate(made).map(|_| ())).is_some()
}

pub(crate) struct Peer {
    rtc: Rtc,
    ufrag: String,
    locals: Vec<Candidate>,
    mid: Mid,
    payload_type: Pt,
    /// What str0m asked for last.
    timeout: Instant,
    /// When the peer was heard last.
    heard: Instant,
    /// The current second of the packet limit, and what came in it.
    second: (Instant, u32),
    streams: Vec<u32>,
    next_sequence: u64,
    reception: Reception,
    stats: Stats,
    closed: bool,
}

impl Peer {
    pub(crate) fn new(now: Instant, mut rtc: Rtc, locals: Vec<Candidate>, mid: Mid, payload_type: Pt) -> Self {
        let ufrag = rtc.direct_api().local_ice_credentials().ufrag;
        Self {
            rtc,
            ufrag,
            locals,
            mid,
            payload_type,
            timeout: now,
            heard: now,
            second: (now, 0),
            streams: Vec::new(),
            next_sequence: 1,
            reception: Reception::default(),
            stats: Stats::default(),
            closed: false,
        }
    }

    pub(crate) fn local_ufrag(&self) -> &str {
        &self.ufrag
    }

    pub(crate) fn add_candidate(&mut self, candidate: Candidate) {
        let candidate = Candidate { address: canonical(candidate.address), ..candidate };
        if add_candidate(&mut self.rtc, candidate, TcpType::Active) {
            self.locals.push(candidate);
        }
    }

    pub(crate) fn is_connected(&self) -> bool {
        !self.closed && self.rtc.is_connected()
    }

    pub(crate) fn stats(&self) -> Stats {
        self.stats
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        (!self.closed).then(|| self.timeout.min(self.heard + silence()))
    }

    pub(crate) fn accepts(&self, now: Instant, transport: Transport, source: SocketAddr, destination: SocketAddr, bytes: &[u8]) -> bool {
        let receive = self.receive(transport, source, destination, bytes);
        !self.closed && receive.is_some_and(|receive| self.rtc.accepts(&str0m::Input::Receive(now, receive)))
    }

    pub(crate) fn handle(&mut self, now: Instant, input: Input<'_>) -> Vec<Output> {
        let mut outputs = Vec::new();
        if self.closed {
            return outputs;
        }
        let done = match input {
            Input::Tick => self.rtc.handle_input(str0m::Input::Timeout(now)),
            Input::Datagram { transport, source, destination, bytes } => self.datagram(now, transport, source, destination, bytes),
            Input::Sound { payload, timestamp, level } => self.sound(now, payload, timestamp, level, &mut outputs),
        };
        let done = done.and_then(|()| self.drain(&mut outputs));
        if done.is_err() {
            self.shut(Closing::Failed, &mut outputs);
        } else if !self.closed && now.saturating_duration_since(self.heard) >= silence() {
            self.shut(Closing::Silent, &mut outputs);
        }
        outputs
    }

    pub(crate) fn close(mut self, now: Instant) -> Vec<Output> {
        let mut outputs = Vec::new();
        if !self.closed {
            // A goodbye that fails is as good as one that is lost: the other side notices the silence.
            let _ = self.rtc.handle_input(str0m::Input::Timeout(now)).and_then(|()| self.drain(&mut outputs));
            let _ = self.rtc.close().and_then(|()| self.drain(&mut outputs));
        }
        outputs.retain(|output| matches!(output, Output::Transmit(_)));
        outputs
    }

    fn shut(&mut self, why: Closing, outputs: &mut Vec<Output>) {
        self.rtc.disconnect();
        self.closed = true;
        outputs.push(Output::Closed(why));
    }

    fn datagram(
        &mut self,
        now: Instant,
        transport: Transport,
        source: SocketAddr,
        destination: SocketAddr,
        bytes: &[u8],
    ) -> Result<(), RtcError> {
        if now.saturating_duration_since(self.second.0) >= Duration::from_secs(1) {
            self.second = (now, 0);
        }
        self.second.1 = self.second.1.saturating_add(1);
        if bytes.len() > DATAGRAM_BYTES_MAX || self.second.1 > PACKETS_PER_SECOND_MAX {
            self.stats.dropped += 1;
            return Ok(());
        }
        self.expect_stream(bytes);
        let Some(receive) = self.receive(transport, source, destination, bytes) else {
            self.stats.dropped += 1;
            return Ok(());
        };
        self.heard = now;
        self.stats.transport = Some(transport);
        self.stats.heard = Some(now);
        self.rtc.handle_input(str0m::Input::Receive(now, receive))
    }

    /// There is one audio line and one payload type, so an RTP packet of that type is its sound whatever its SSRC: not every sender
    /// names its SSRC in the offer or its line in each packet. SRTP still decides whether it is genuine.
    fn expect_stream(&mut self, bytes: &[u8]) {
        let [first, second, _, _, _, _, _, _, a, b, c, d, ..] = *bytes else { return };
        let is_sound = first >> 6 == 2 && second & 0x7f == *self.payload_type;
        let ssrc = u32::from_be_bytes([a, b, c, d]);
        if is_sound && ssrc != 0 && self.streams.len() < STREAMS_MAX && !self.streams.contains(&ssrc) {
            self.streams.push(ssrc);
            self.rtc.direct_api().expect_stream_rx(ssrc.into(), None, self.mid, None);
        }
    }

    fn receive<'a>(&self, transport: Transport, source: SocketAddr, destination: SocketAddr, bytes: &'a [u8]) -> Option<Receive<'a>> {
        let source = canonical(source);
        let destination = self.candidate_for(transport, canonical(destination), source)?;
        Receive::new(transport.protocol(), source, destination, bytes).ok()
    }

    /// str0m drops what comes to an address that is no candidate. A socket bound to all addresses, and a machine whose public address
    /// is mapped to a private one, see another: that is the candidate's all the same. The sender's address tells the family, for a
    /// dual-stack socket's own is always IPv6.
    fn candidate_for(&self, transport: Transport, destination: SocketAddr, source: SocketAddr) -> Option<SocketAddr> {
        let mut fitting = self.locals.iter().filter(|local| local.transport == transport);
        let exact = fitting.clone().find(|local| local.address == destination);
        exact.or_else(|| fitting.find(|local| local.address.is_ipv4() == source.is_ipv4())).map(|local| local.address)
    }

    fn sound(
        &mut self,
        now: Instant,
        payload: &[u8],
        timestamp: u32,
        level: Option<LevelDb>,
        outputs: &mut Vec<Output>,
    ) -> Result<(), RtcError> {
        let may_send = self.rtc.is_connected() && self.rtc.media(self.mid).is_some_and(|media| media.direction().is_sending());
        let mut api = self.rtc.direct_api();
        if let (true, Some(stream)) = (may_send, api.stream_tx_by_mid(self.mid, None)) {
            let audio_level = level.map(|level| -level.0.min(127).cast_signed());
            let extensions = ExtensionValues { audio_level, voice_activity: level.map(|level| level.0 < 60), ..Default::default() };
            let sequence = self.next_sequence.into();
            stream.write_rtp(RtpWrite::new(self.payload_type, sequence, timestamp, now, payload).ext_vals(extensions));
            self.next_sequence += 1;
            self.stats.packets_out += 1;
        }
        // str0m wants to be drained after every change, and sends what was written at the next timeout.
        self.drain(outputs)?;
        self.rtc.handle_input(str0m::Input::Timeout(now))
    }

    fn drain(&mut self, outputs: &mut Vec<Output>) -> Result<(), RtcError> {
        while !self.closed {
            match self.rtc.poll_output()? {
                str0m::Output::Timeout(at) => {
                    self.timeout = at;
                    break;
                }
                str0m::Output::Transmit(transmit) => {
                    if let Some(transport) = Transport::from_protocol(transmit.proto) {
                        let (source, destination) = (transmit.source, transmit.destination);
                        outputs.push(Output::Transmit(Transmit { transport, source, destination, bytes: transmit.contents.into() }));
                    }
                }
                str0m::Output::Event(event) => self.event(event, outputs),
            }
        }
        Ok(())
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the enum is open, and what is not named is of no use here")]
    fn event(&mut self, event: Event, outputs: &mut Vec<Output>) {
        match event {
            Event::Connected => outputs.push(Output::Connected),
            Event::IceConnectionStateChange(IceConnectionState::Disconnected) => self.shut(Closing::Failed, outputs),
            Event::Closed => self.left(outputs),
            Event::RtpPacket(packet) => self.packet(packet, outputs),
            Event::PeerStats(peer) => {
                let by_ice = peer.selected_candidate_pair.and_then(|pair| pair.current_round_trip_time);
                self.stats.round_trip = by_ice.or(self.stats.round_trip);
                self.reception.second();
                (self.stats.lost_in, self.stats.jitter_in) = (self.reception.lost(), self.reception.jitter());
            }
            Event::MediaEgressStats(sent) => {
                self.stats.round_trip = sent.rtt.or(self.stats.round_trip);
                self.stats.lost_out = sent.loss.or(self.stats.lost_out);
                let jitter = sent.remote.map(|remote| f64::from(remote.jitter) / f64::from(SAMPLE_RATE_HZ));
                self.stats.jitter_out = jitter.map(Duration::from_secs_f64).or(self.stats.jitter_out);
            }
            Event::MediaIngressStats(heard) => self.stats.round_trip = heard.rtt.or(self.stats.round_trip),
            _ => {}
        }
    }

    /// The peer said goodbye; str0m has a last word for it.
    fn left(&mut self, outputs: &mut Vec<Output>) {
        while let Ok(str0m::Output::Transmit(transmit)) = self.rtc.poll_output() {
            if let Some(transport) = Transport::from_protocol(transmit.proto) {
                let (source, destination) = (transmit.source, transmit.destination);
                outputs.push(Output::Transmit(Transmit { transport, source, destination, bytes: transmit.contents.into() }));
            }
        }
        self.shut(Closing::Left, outputs);
    }

    fn packet(&mut self, packet: RtpPacket, outputs: &mut Vec<Output>) {
        if packet.header.payload_type != self.payload_type {
            return;
        }
        self.reception.hear(packet.timestamp, *packet.header.ssrc, packet.header.sequence_number, packet.header.timestamp);
        if packet.payload.is_empty() {
            return;
        }
        self.stats.packets_in += 1;
        outputs.push(Output::Packet(Packet {
            arrival: packet.timestamp,
            ssrc: *packet.header.ssrc,
            sequence: packet.header.sequence_number,
            timestamp: packet.header.timestamp,
            level: packet.header.ext_vals.audio_level.map(|level| LevelDb(level.unsigned_abs().min(127))),
            payload: packet.payload,
        }));
    }
}

const fn silence() -> Duration {
    Duration::from_millis(SESSION_SILENT_MILLIS_MAX)
}

/// A dual-stack socket gives IPv4 peers as `::ffff:a.b.c.d`; candidates and answers know them as IPv4.
fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
