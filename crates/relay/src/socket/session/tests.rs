//! The record layer against rustls as the peer.

use super::super::handshake::Handshake;
use super::*;
use crate::tls::Tls;
use proptest::prelude::*;
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConfig, ClientConnection, RootCertStore, SupportedProtocolVersion};
use std::io::{ErrorKind, Read as _, Write as _};
use std::sync::{Arc, LazyLock};

/// A server's configuration and who trusts it.
static SERVER: LazyLock<(Tls, RootCertStore)> = LazyLock::new(|| {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let pair = CertifiedKey::from_der(vec![made.cert.der().clone()], key, &aws_lc_rs::default_provider()).unwrap();
    (Tls::without_kernel(Arc::new(SingleCertAndKey::from(pair))).unwrap(), roots)
});

const VERSIONS: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

/// One connection in memory.
struct Pair {
    session: Session,
    client: ClientConnection,
    /// What has been sent to the client and not been read yet.
    wire: Vec<u8>,
    room: Vec<u8>,
}

impl Pair {
    /// Shakes hands with the `cipher`th cipher of a version, in pieces of so many bytes.
    fn new(version: &'static SupportedProtocolVersion, cipher: usize, piece: usize) -> Self {
        let mut provider: CryptoProvider = aws_lc_rs::default_provider();
        let mut ciphers = provider.cipher_suites.iter().filter(|suite| suite.version().version == version.version);
        let one = *ciphers.nth(cipher % 3).unwrap();
        provider.cipher_suites = vec![one];
        let config = ClientConfig::builder_with_provider(Arc::new(provider))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(SERVER.1.clone())
            .with_no_client_auth();
        let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
        let mut handshake = Handshake::new(&SERVER.0).unwrap();
        loop {
            let mut said = Vec::new();
            while client.wants_write() {
                client.write_tls(&mut said).unwrap();
            }
            let mut done = false;
            for piece in said.chunks(piece) {
                done = done || handshake.take(piece).unwrap();
            }
            if done {
                let mut pair = Self { session: handshake.into_session().unwrap(), client, wire: Vec::new(), room: Vec::new() };
                pair.flush();
                pair.heard();
                return pair;
            }
            feed(&mut client, &std::mem::take(&mut handshake.outgoing));
        }
    }

    /// Writes with a wire that takes `takes` bytes at each call, and then nothing; 0 is a full one. How many bytes went.
    fn write(&mut self, bytes: &[u8], mut takes: impl Iterator<Item = usize>) -> usize {
        let wire = &mut self.wire;
        let sent = self.session.write(bytes, &mut self.room, |bytes| send(wire, bytes, takes.next().unwrap_or(0)));
        match sent {
            Ok(count) => count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                0
            }
        }
    }

    fn flush(&mut self) {
        let wire = &mut self.wire;
        self.session.flush(|bytes| send(wire, bytes, usize::MAX)).unwrap();
    }

    /// What the client reads.
    fn heard(&mut self) -> Vec<u8> {
        feed(&mut self.client, &std::mem::take(&mut self.wire))
    }

    /// Gives the session what the client has to say; what it reads, or the error.
    fn hear(&mut self) -> io::Result<Vec<u8>> {
        let mut said = Vec::new();
        while self.client.wants_write() {
            self.client.write_tls(&mut said).unwrap();
        }
        self.take(&said)
    }

    fn take(&mut self, mut said: &[u8]) -> io::Result<Vec<u8>> {
        let mut read = Vec::new();
        let mut bytes = [0; 1000];
        loop {
            let receive = |into: &mut [u8]| if said.is_empty() { Err(ErrorKind::WouldBlock.into()) } else { said.read(into) };
            match self.session.read(&mut bytes, receive) {
                Ok(0) => return Ok(read),
                Ok(count) => read.extend_from_slice(&bytes[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(read),
                Err(error) => return Err(error),
            }
        }
    }
}

fn send(wire: &mut Vec<u8>, bytes: &[u8], takes: usize) -> io::Result<usize> {
    let count = bytes.len().min(takes);
    wire.extend_from_slice(&bytes[..count]);
    if count == 0 { Err(ErrorKind::WouldBlock.into()) } else { Ok(count) }
}

fn feed(client: &mut ClientConnection, mut bytes: &[u8]) -> Vec<u8> {
    let mut read = Vec::new();
    while !bytes.is_empty() {
        client.read_tls(&mut bytes).unwrap();
        client.process_new_packets().unwrap();
        match client.reader().read_to_end(&mut read) {
            Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
            _ => {}
        }
    }
    read
}

/// Bytes that are not alike.
fn sound(length: usize) -> Vec<u8> {
    (0..length).map(|at| (at * 31 + at / 251).to_le_bytes()[0]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn whatever_the_wire_takes_the_same_bytes_arrive(
        (version, cipher, piece) in (0..2usize, 0..3usize, prop_oneof![Just(1usize), 2..700usize, Just(usize::MAX)]),
        steps in prop::collection::vec((
            prop_oneof![1..4_000usize, 16_380..16_390usize, 1..120_000usize],
            prop::collection::vec(prop_oneof![Just(0usize), 1..40usize, 1..200_000usize, Just(usize::MAX)], 0..4),
            any::<bool>(),
        ), 1..40),
    ) {
        let mut pair = Pair::new(VERSIONS[version], cipher, piece);
        // TLS 1.2 has but the keys it begins with, which wear out soon here.
        let mut records_left = if version == 0 { u64::MAX } else { RECORDS_MAX - 2 };
        let whole = sound(steps.iter().map(|(length, ..)| length).sum());
        let (mut given, mut heard) = (0, Vec::new());
        for (length, takes, asks) in steps {
            let records = length.div_ceil(PLAIN_BYTES_MAX) as u64;
            if records_left < records {
                break;
            }
            records_left -= records;
            if asks && version == 0 {
                pair.client.refresh_traffic_keys().unwrap();
                pair.hear().unwrap();
            }
            given += pair.write(&whole[given..given + length], takes.into_iter());
            if given % 3 == 0 {
                heard.extend(pair.heard());
            }
            prop_assert!(pair.session.unsent.len() <= PLAIN_BYTES_MAX + 64);
        }
        pair.flush();
        heard.extend(pair.heard());
        prop_assert!(heard == whole[..given]);
        prop_assert_eq!(pair.session.unsent.capacity(), 0);
    }

    #[test]
    fn whatever_the_peer_sends_arrives(
        (version, cipher) in (0..2usize, 0..3usize),
        lengths in prop::collection::vec(0..40_000usize, 0..6),
    ) {
        let mut pair = Pair::new(VERSIONS[version], cipher, usize::MAX);
        for length in lengths {
            let said = sound(length);
            pair.client.set_buffer_limit(None);
            pair.client.writer().write_all(&said).unwrap();
            prop_assert!(pair.hear().unwrap() == said);
            prop_assert_eq!(pair.session.incoming.capacity() + pair.session.heard.capacity(), 0);
        }
        pair.client.send_close_notify();
        prop_assert_eq!(pair.hear().unwrap(), b"");
        prop_assert!(pair.session.is_closed);
    }

    #[test]
    fn whatever_is_garbage_is_refused(garbage in prop::collection::vec(any::<u8>(), 5..600), version in 0..2usize) {
        let mut pair = Pair::new(VERSIONS[version], 0, usize::MAX);
        match pair.take(&garbage) {
            Ok(read) => prop_assert!(read.is_empty(), "nothing is believed"),
            Err(error) => prop_assert_eq!(error.kind(), ErrorKind::InvalidData),
        }
    }
}

/// A record of the client's, sealed with its keys.
fn forged(pair: &Pair, kind: u8, what: &[u8]) -> Vec<u8> {
    let keys = &pair.session.receiving;
    let mut inner = what.to_vec();
    inner.push(kind);
    let length = u16::try_from(inner.len() + 16).unwrap().to_be_bytes();
    let header = [23, 3, 3, length[0], length[1]];
    let nonce = aws_lc_rs_nonce(keys);
    keys.aead().seal_in_place_append_tag(nonce, ::aws_lc_rs::aead::Aad::from(header), &mut inner).unwrap();
    [&header[..], &inner].concat()
}

fn aws_lc_rs_nonce(keys: &Keys) -> ::aws_lc_rs::aead::Nonce {
    ::aws_lc_rs::aead::Nonce::assume_unique_for_key(keys.nonce())
}

#[test]
fn what_a_peer_may_not_say_ends_the_connection_with_the_right_alert() {
    let update = |request: u8| [&KEY_UPDATE[..], &[request]].concat();
    let rows: [(&str, u8, Vec<u8>, Alert); 10] = [
        ("a key update of an unknown kind", 22, update(2), Alert::IllegalParameter),
        ("a key update and something behind it", 22, [update(0), update(0)].concat(), Alert::UnexpectedMessage),
        ("half a key update", 22, KEY_UPDATE.to_vec(), Alert::UnexpectedMessage),
        ("a client hello", 22, vec![1, 0, 0, 0], Alert::UnexpectedMessage),
        ("an empty message of the handshake", 22, vec![], Alert::UnexpectedMessage),
        ("an alert cut short", 21, vec![2], Alert::DecodeError),
        ("another alert", 21, vec![2, 40], Alert::CloseNotify),
        ("a change of ciphers", 20, vec![1], Alert::UnexpectedMessage),
        ("no kind at all", 0, vec![0; 20], Alert::UnexpectedMessage),
        ("more than a record carries", 23, vec![7; PLAIN_BYTES_MAX + 1], Alert::RecordOverflow),
    ];
    for (what, kind, said, alert) in rows {
        let mut pair = Pair::new(VERSIONS[0], 0, usize::MAX);
        let record = forged(&pair, kind, &said);
        check(&mut pair, what, &record, alert);
    }
    let rows: [(&str, &[u8], Alert); 4] = [
        (
            "bytes that nobody sealed",
            &[23, 3, 3, 0, 20, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20],
            Alert::BadRecordMac,
        ),
        ("less than a tag", &[23, 3, 3, 0, 1, 9], Alert::BadRecordMac),
        ("a length that no record has", &[23, 3, 3, 0x41, 1], Alert::RecordOverflow),
        ("plain HTTP", b"GET / HTTP/1.1\r\n\r\n", Alert::UnexpectedMessage),
    ];
    for (what, said, alert) in rows {
        check(&mut Pair::new(VERSIONS[0], 0, usize::MAX), what, said, alert);
    }
    // A renegotiation, which TLS 1.2 had.
    let mut pair = Pair::new(VERSIONS[1], 0, usize::MAX);
    let Session { version, receiving, .. } = &mut pair.session;
    let (aead, mut record) = (receiving.aead(), vec![0; record::sealed_bytes(*version, receiving, 4)]);
    record::seal(*version, receiving, &aead, Kind::Handshake, &[1, 0, 0, 0], &mut record);
    receiving.sequence -= 1;
    check(&mut pair, "a renegotiation", &record, Alert::UnexpectedMessage);
}

/// The session refuses `said`, and the client hears why.
fn check(pair: &mut Pair, what: &str, said: &[u8], alert: Alert) {
    assert_eq!(pair.take(said).unwrap_err().kind(), ErrorKind::InvalidData, "{what}");
    let wire = &mut pair.wire;
    pair.session.flush(|bytes| send(wire, bytes, usize::MAX)).unwrap();
    let mut wire = &pair.wire[..];
    pair.client.read_tls(&mut wire).unwrap();
    let heard = pair.client.process_new_packets();
    if alert == Alert::CloseNotify {
        assert!(heard.unwrap().peer_has_closed(), "{what}");
    } else {
        assert_eq!(heard.unwrap_err(), rustls::Error::AlertReceived((alert as u8).into()), "{what}");
    }
}

#[test]
fn padding_means_nothing() {
    let mut pair = Pair::new(VERSIONS[0], 0, usize::MAX);
    let mut padded = b"hello".to_vec();
    padded.push(23);
    padded.extend([0; 99]);
    // The last zero stands where the kind does otherwise.
    let record = forged(&pair, 0, &padded);
    assert_eq!(pair.take(&record).unwrap(), b"hello");
}

#[test]
fn new_keys_are_given_however_often_they_are_asked_for_but_not_for_ever() {
    let mut pair = Pair::new(VERSIONS[0], 0, usize::MAX);
    // The wire is full: one answer is owed, not five.
    for _ in 0..5 {
        pair.client.refresh_traffic_keys().unwrap();
        assert_eq!(pair.hear().unwrap(), b"");
    }
    let sequence = pair.session.sending.sequence;
    assert!(sequence > 0 && pair.session.unsent.len() < 2_000);
    pair.flush();
    assert_eq!(pair.session.sending.sequence, 0, "the keys are new");
    assert_eq!(pair.write(b"on it goes", std::iter::repeat(usize::MAX)), 10);
    assert_eq!(pair.heard(), b"on it goes");
    let refused = (6..).find(|_| {
        pair.client.refresh_traffic_keys().unwrap();
        pair.hear().is_err()
    });
    assert_eq!(refused, Some(limit::TLS_KEY_UPDATES_MAX + 1));
}

#[test]
fn what_stands_behind_the_handshake_is_not_lost() {
    // The request, a key update and half of another record come in the same bytes as the end of the handshake.
    let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(SERVER.1.clone())
        .with_no_client_auth();
    let mut client = ClientConnection::new(Arc::new(config), ServerName::try_from("localhost").unwrap()).unwrap();
    let mut handshake = Handshake::new(&SERVER.0).unwrap();
    let mut said = Vec::new();
    client.write_tls(&mut said).unwrap();
    assert!(!handshake.take(&said).unwrap());
    feed(&mut client, &std::mem::take(&mut handshake.outgoing));
    client.writer().write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
    client.refresh_traffic_keys().unwrap();
    client.writer().write_all(b"more").unwrap();
    let mut said = Vec::new();
    while client.wants_write() {
        client.write_tls(&mut said).unwrap();
    }
    let (now, later) = said.split_at(said.len() - 7);
    assert!(handshake.take(now).unwrap());
    let mut pair = Pair { session: handshake.into_session().unwrap(), client, wire: Vec::new(), room: Vec::new() };
    assert_eq!(pair.take(b"").unwrap(), b"GET / HTTP/1.1\r\n\r\n");
    assert_eq!(pair.take(later).unwrap(), b"more");
    pair.flush();
    pair.write(b"HTTP/1.1 200 OK\r\n\r\n", std::iter::repeat(usize::MAX));
    assert_eq!(pair.heard(), b"HTTP/1.1 200 OK\r\n\r\n");
}
