//! Offers narrowed and answers widened, line by line.

use super::*;

const OFFER: &str = "v=0\r\no=- 1 1 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\na=group:BUNDLE a v\r\na=setup:actpass\r\n\
    a=ice-ufrag:uuuu\r\na=ice-pwd:pppppppppppppppppppppp\r\na=fingerprint:sha-256 AA:BB\r\n\
    m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=mid:v\r\na=sendonly\r\na=rtpmap:96 VP8/90000\r\n\
    m=audio 9 UDP/TLS/RTP/SAVPF 97 98\r\na=mid:a\r\na=sendonly\r\na=rtpmap:97 PCMU/8000\r\na=rtpmap:98 opus/48000/2\r\n";

#[test]
fn the_one_line_is_found() {
    let offer = Offer::read(OFFER, Purpose::Whip).unwrap();
    assert_eq!((offer.taken, offer.payload_type, offer.bundled), (1, 98, true));
    for part in ["a=ice-ufrag:uuuu\r\n", "m=audio 9 UDP/TLS/RTP/SAVPF 98\r\n", "a=sendonly\r\n", "a=fingerprint:sha-256 AA:BB\r\n"] {
        assert!(offer.narrowed().contains(part), "{part} in {}", offer.narrowed());
    }
}

#[test]
fn the_answer_has_every_line_in_its_place() {
    let offer = Offer::read(OFFER, Purpose::Whip).unwrap();
    let answer = offer.widen("v=0\r\na=group:BUNDLE 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:0\r\na=recvonly\r\n");
    assert_eq!(
        answer,
        "v=0\r\na=group:BUNDLE a\r\nm=video 0 UDP/TLS/RTP/SAVPF 0\r\nc=IN IP4 0.0.0.0\r\na=mid:v\r\na=inactive\r\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 98\r\na=mid:a\r\na=recvonly\r\n"
    );
}

#[test]
fn what_is_wrong_is_said() {
    let check = |text: &str, purpose, kind, cause: &str| {
        let refusal = Offer::read(text, purpose).unwrap_err();
        assert!(refusal.kind == kind && refusal.cause.contains(cause), "{refusal:?} for {text}");
    };
    use FaultKind::{BadSdp, BodyTooLarge, NoCommonCodec};
    check("", Purpose::Whip, BadSdp, "v=0");
    check("hello", Purpose::Whip, BadSdp, "v=0");
    check("v=0\r\n", Purpose::Whip, BadSdp, "no audio line");
    check("v=0\r\nm=\r\n", Purpose::Whip, BadSdp, "not whole");
    check("v=0\r\nm=audio\r\n", Purpose::Whip, BadSdp, "not whole");
    check("v=0\r\nnonsense\r\n", Purpose::Whip, BadSdp, "x=…");
    check(OFFER, Purpose::Whep, BadSdp, "a=sendonly, and a=recvonly");
    check(&OFFER.replace("opus", "speex"), Purpose::Whip, NoCommonCodec, "no opus");
    check(&OFFER.replace("m=audio", "m=video"), Purpose::Whip, NoCommonCodec, "no audio");
    check(&OFFER.replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"), Purpose::Whip, BadSdp, "no audio line");
    check(&OFFER.replace("a=ice-pwd", "a=ice-xxx"), Purpose::Whip, BadSdp, "a=ice-pwd");
    check(&OFFER.replace("a=fingerprint", "a=finger"), Purpose::Whip, BadSdp, "a=fingerprint");
    check(&OFFER.replace("t=0 0", "a=ice-lite"), Purpose::Whip, BadSdp, "ICE-lite");
    check(&format!("{OFFER}{}", "m=video 9 X 1\r\n".repeat(LINES_MAX)), Purpose::Whip, BadSdp, "too many");
    check(&format!("{OFFER}{}", "a=x\r\n".repeat(SDP_BYTES_MAX / 5)), Purpose::Whip, BodyTooLarge, "bytes");
}

#[test]
fn the_audio_level_may_have_a_direction() {
    let uri = AUDIO_LEVEL;
    assert_eq!(audio_level(&format!("14 {uri}")), Some(14));
    assert_eq!(audio_level(&format!("2/sendonly {uri} vad=on")), Some(2));
    assert_eq!(audio_level(&format!("15 {uri}")), None);
    assert_eq!(audio_level(&format!("x {uri}")), None);
    assert_eq!(audio_level("3 urn:ietf:params:rtp-hdrext:sdes:mid"), None);
}

#[test]
fn host_candidates_are_read() {
    let text = "a=candidate:1 1 udp 2130706175 192.0.2.1 10000 typ host\r\n\
        a=candidate:1 1 udp 2130706175 192.0.2.1 10000 typ host\r\n\
        a=candidate:2 2 udp 1 192.0.2.1 10001 typ host\r\n\
        a=candidate:3 1 tcp 1 2001:db8::1 10000 typ host tcptype passive\r\n\
        a=candidate:4 1 tcp 1 192.0.2.1 9 typ host tcptype active\r\n\
        a=candidate:5 1 udp 1 some.local 10000 typ host\r\na=candidate:6\r\n";
    let found = [(Transport::Udp, "192.0.2.1:10000"), (Transport::Tcp, "[2001:db8::1]:10000")];
    assert_eq!(candidates(text), found.map(|(transport, address)| Candidate { transport, address: address.parse().unwrap() }));
}
