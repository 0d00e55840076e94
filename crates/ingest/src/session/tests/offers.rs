//! Offers as real programs write them, and offers as nobody does.

use super::{Caller, Purpose, Session, Wish, answered, candidates};
use base::FaultKind;
use proptest::prelude::*;
use sim::network::Clock;

const CHROMIUM: &str = include_str!("../offers/chromium.sdp");
const FIREFOX: &str = include_str!("../offers/firefox.sdp");
const OBS: &str = include_str!("../offers/obs.sdp");
const GSTREAMER: &str = include_str!("../offers/gstreamer.sdp");
const WHEP: &str = include_str!("../offers/whep.sdp");

/// Lines that the answer must have, in this order, and lines that it must not have.
fn check(offer: &str, purpose: Purpose, wanted: &[&str], unwanted: &[&str]) {
    for offer in [offer.to_owned(), offer.replace('\n', "\r\n")] {
        let (session, answer) = answered(&offer, purpose, Clock::new().now());
        let mut rest = answer.lines();
        for line in wanted {
            assert!(rest.any(|found| found == *line), "{line} is missing, or not in its place, in\n{answer}");
        }
        for line in unwanted {
            assert!(!answer.contains(line), "{line} in\n{answer}");
        }
        let ufrag = format!("a=ice-ufrag:{}\r\n", session.local_ufrag());
        assert!(answer.contains(&ufrag), "{ufrag} in\n{answer}");
        let ours = answer.lines().filter(|line| line.starts_with("a=candidate:")).count();
        assert_eq!(ours, candidates().len(), "every candidate once in\n{answer}");
        assert!(answer.contains("tcptype passive"), "ICE over TCP in\n{answer}");
        assert!(answer.ends_with("\r\n") && answer.starts_with("v=0\r\n"));
        assert_eq!(answer.matches("\r\nm=").count(), offer.matches("\nm=").count(), "every line is answered in\n{answer}");
    }
}

#[test]
fn chromium_with_a_camera() {
    check(
        CHROMIUM,
        Purpose::Whip,
        &[
            "a=group:BUNDLE 0",
            "a=ice-lite",
            "m=audio 9 UDP/TLS/RTP/SAVPF 111",
            "a=mid:0",
            "a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level",
            "a=sendrecv",
            "a=rtcp-mux",
            "a=rtpmap:111 opus/48000/2",
            "a=fmtp:111 minptime=10;useinbandfec=1",
            "m=video 0 UDP/TLS/RTP/SAVPF 0",
            "a=mid:1",
            "a=inactive",
        ],
        &["VP8", "red", "transport-cc"],
    );
}

#[test]
fn firefox() {
    check(FIREFOX, Purpose::Whip, &["a=group:BUNDLE 0", "m=audio 9 UDP/TLS/RTP/SAVPF 109", "a=mid:0", "a=sendrecv"], &["PCMU"]);
}

#[test]
fn obs_with_its_video() {
    let wanted = [
        "a=group:BUNDLE 0",
        "m=audio 9 UDP/TLS/RTP/SAVPF 111",
        "a=mid:0",
        "a=recvonly",
        "m=video 0 UDP/TLS/RTP/SAVPF 0",
        "a=mid:1",
        "a=inactive",
    ];
    check(OBS, Purpose::Whip, &wanted, &["H264", "group:LS"]);
}

#[test]
fn gstreamer_without_a_bundle_and_video_first() {
    let wanted = [
        "m=video 0 UDP/TLS/RTP/SAVPF 0",
        "a=mid:video0",
        "a=inactive",
        "m=audio 9 UDP/TLS/RTP/SAVPF 100",
        "a=mid:audio1-with-a-name-longer-than-sixteen",
        "a=recvonly",
        "a=rtpmap:100 opus/48000/2",
    ];
    check(GSTREAMER, Purpose::Whip, &wanted, &["BUNDLE"]);
}

#[test]
fn an_ear_that_would_also_send_only_receives() {
    let wanted = [
        "a=group:BUNDLE audio",
        "m=audio 9 UDP/TLS/RTP/SAVPF 96",
        "a=mid:audio",
        "a=sendonly",
        "m=application 0 UDP/DTLS/SCTP webrtc-datachannel",
        "a=mid:data",
    ];
    check(WHEP, Purpose::Whep, &wanted, &["PCMU"]);
}

#[test]
fn our_own_caller() {
    let now = Clock::new().now();
    for (wish, purpose, direction) in [
        (Wish::Send, Purpose::Whip, "a=recvonly"),
        (Wish::Both, Purpose::Whip, "a=sendrecv"),
        (Wish::Receive, Purpose::Whep, "a=sendonly"),
        (Wish::Both, Purpose::Whep, "a=sendonly"),
    ] {
        let (_, offer) = Caller::offer(now, wish);
        check(&offer, purpose, &["a=ice-lite", direction], &[]);
    }
    let (_, offer) = Caller::offer(now, Wish::Receive);
    let Err(refusal) = Session::accept(now, Purpose::Whip, &offer, &candidates(), [7; 32]) else { panic!("an ear is no speaker") };
    assert_eq!(refusal.kind, FaultKind::BadSdp);
}

#[test]
fn an_answer_that_is_none_is_refused() {
    let now = Clock::new().now();
    for answer in ["", "v=0\r\n", "<html>", CHROMIUM, OBS] {
        let (caller, _) = Caller::offer(now, Wish::Send);
        assert!(caller.answered(now, answer).is_err(), "{answer}");
    }
}

/// An offer with lines lost, doubled, swapped, torn and filled with nonsense.
fn damaged() -> impl Strategy<Value = String> {
    let sources = prop::sample::select(vec![CHROMIUM, FIREFOX, OBS, GSTREAMER, WHEP]);
    let edits = proptest::collection::vec((any::<prop::sample::Index>(), 0..6_u8, any::<prop::sample::Index>(), ".{0,30}"), 1..12);
    (sources, edits).prop_map(|(source, edits)| {
        let mut lines: Vec<String> = source.lines().map(str::to_owned).collect();
        for (place, edit, other, nonsense) in edits {
            if lines.is_empty() {
                break;
            }
            let (place, other) = (place.index(lines.len()), other.index(lines.len()));
            match edit {
                0 => drop(lines.remove(place)),
                1 => lines.insert(other, lines[place].clone()),
                2 => lines.swap(place, other),
                3 => {
                    let end = lines[place].char_indices().nth(nonsense.len()).map_or(0, |(end, _)| end);
                    lines[place].truncate(end);
                }
                4 => lines[place] = nonsense,
                _ => {
                    let head = lines[place].split_inclusive([':', ' ']).next().unwrap_or_default().to_owned();
                    lines[place] = head + &nonsense;
                }
            }
        }
        lines.join("\r\n") + "\r\n"
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_damaged_offer_is_answered_or_refused(offer in damaged(), whep in any::<bool>()) {
        let purpose = if whep { Purpose::Whep } else { Purpose::Whip };
        match Session::accept(Clock::new().now(), purpose, &offer, &candidates(), [7; 32]) {
            Ok((_, answer)) => prop_assert!(answer.starts_with("v=0\r\n")),
            Err(refusal) => {
                let known = [FaultKind::BadSdp, FaultKind::NoCommonCodec, FaultKind::BodyTooLarge].contains(&refusal.kind);
                prop_assert!(known, "{refusal}");
                prop_assert!(!refusal.cause.contains("broke the parser"), "str0m panicked at\n{offer}");
            }
        }
    }
}
