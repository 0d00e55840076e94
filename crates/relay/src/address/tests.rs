use super::*;
use base::{Epoch, FragmentNumber, Place};
use programme::view::hls::{Address as Piece, Kind};
use proptest::prelude::*;

const ID: &str = "0123456789ab";

fn what(target: &str) -> What {
    parse(&target.replace("EVENT", ID)).unwrap().what
}

const fn stream(rung: Rung, from: From, ready: Option<Cadence>) -> What {
    What::Stream(Wish { rung, from, ready, wait: false })
}

fn replay(of: Replayed, cuts: Option<u64>, download: Option<&str>) -> What {
    What::Replay { of, cuts, download: download.map(str::to_owned) }
}

#[test]
fn a_replay_s_address_has_one_form() {
    for target in [
        "/replay/EVENT",
        "/replay/EVENT.mp4",
        "/replay/EVENT/t/x",
        "/replay/EVENT/clip/5-5.m4a",
        "/replay/EVENT/clip/9-5.m4a",
        "/replay/EVENT/clip/05-9.m4a",
        "/replay/EVENT/clip/5-9.mp3",
        "/replay/EVENT/clip/5-9",
        "/replay/EVENT/clip/-9.m4a",
        "/replay/EVENT/clip/5-99999999999999.m4a",
        "/replay/EVENT/clip/5-9.m4a/x",
        "/replay/EVENT.m4a/clip/5-9.m4a",
        "/replay/EVENT/t/x/clip/5-9.m4a/y",
        "/replay/EVENT/t/x/cut/5-9.m4a",
    ] {
        assert!(parse(&target.replace("EVENT", ID)).is_err(), "{target}");
    }
}

#[test]
fn addresses_name_things() {
    let number = FragmentNumber;
    let rows = [
        ("/live/EVENT.mp4", stream(Rung::R64, From::Live, None)),
        ("/live/EVENT.mp4?rung=16&from=-60", stream(Rung::R16, From::SecondsBack(60), None)),
        ("/live/EVENT.mp4?from=77&x=y", stream(Rung::R64, From::Fragment(number(77)), None)),
        ("/live/EVENT.mp4?from=77&ready=4000", stream(Rung::R64, From::Fragment(number(77)), Some(Cadence::ALL[3]))),
        ("/live/EVENT/t/AbC_-.mp4?from=live", stream(Rung::R64, From::Live, None)),
        ("/live/EVENT/main.m3u8", What::Main),
        ("/live/EVENT/t/x/main.m3u8", What::Main),
        ("/live/EVENT/init.mp4", What::Init),
        ("/live/EVENT/32.m3u8", What::Playlist { rung: Rung::R32, until: None, skip: false }),
        (
            "/live/EVENT/64.m3u8?_HLS_msn=3&_HLS_part=2&_HLS_skip=YES",
            What::Playlist { rung: Rung::R64, until: Some(Until { msn: 3, part: Some(2) }), skip: true },
        ),
        (
            "/live/EVENT/64/s2.60.m4s",
            What::Piece {
                rung: Rung::R64,
                address: Piece { kind: Kind::Segment, place: Place { epoch: Epoch(2), number: number(60) }, revision: 0 },
            },
        ),
        (
            "/live/EVENT/t/x/16/p1.5.3.m4s",
            What::Piece {
                rung: Rung::R16,
                address: Piece { kind: Kind::Part, place: Place { epoch: Epoch(1), number: number(5) }, revision: 3 },
            },
        ),
        ("/replay/EVENT.m4a", replay(Replayed::Whole, None, None)),
        ("/replay/EVENT.m4a?cuts=3", replay(Replayed::Whole, Some(3), None)),
        ("/replay/EVENT/t/x.m4a?download=a%2Fb%22c", replay(Replayed::Whole, None, Some("a_b_c.m4a"))),
        ("/replay/EVENT.m4a?download", replay(Replayed::Whole, None, Some("replay.m4a"))),
        ("/replay/EVENT.mp3?download=Town.mp3", replay(Replayed::Mp3, None, Some("Town.mp3"))),
        ("/replay/EVENT/t/x.mp3", replay(Replayed::Mp3, None, None)),
        ("/replay/EVENT/clip/5-70.m4a?cuts=1", replay(Replayed::Clip(number(5)..number(70)), Some(1), None)),
        ("/replay/EVENT/t/x/clip/0-9.m4a", replay(Replayed::Clip(number(0)..number(9)), None, None)),
    ];
    for (target, expected) in rows {
        assert_eq!(what(target), expected, "{target}");
    }
}

#[test]
fn tickets_ride_in_the_path() {
    for target in [
        "/live/EVENT/t/TICKET.mp4",
        "/live/EVENT/t/TICKET/main.m3u8",
        "/live/EVENT/t/TICKET/64/s1.30.m4s",
        "/replay/EVENT/t/TICKET.m4a",
        "/replay/EVENT/t/TICKET/clip/1-9.m4a",
    ] {
        assert_eq!(parse(&target.replace("EVENT", ID)).unwrap().ticket.as_deref(), Some("TICKET"), "{target}");
    }
}

#[test]
fn what_is_not_there_is_said() {
    let rows = [
        ("/", FaultKind::NotFound),
        ("/live", FaultKind::NotFound),
        ("/live/EVENT", FaultKind::NotFound),
        ("/live/EVENT/", FaultKind::NotFound),
        ("/live/EVENT/t", FaultKind::NotFound),
        ("/live/EVENT/t/x", FaultKind::NotFound),
        ("/live/EVENT/65.m3u8", FaultKind::NotFound),
        ("/live/EVENT/64/s1.m4s", FaultKind::NotFound),
        ("/live/EVENT/64/s1..m4s", FaultKind::NotFound),
        ("/live/EVENT/64/s1.2.3.4.m4s", FaultKind::NotFound),
        ("/live/EVENT/64/é.m4s", FaultKind::NotFound),
        ("/live/EVENT/64/s1.30.m4s/x", FaultKind::NotFound),
        ("/live/nobody.mp4", FaultKind::EventUnknown),
        ("/replay/EVENT.mp4", FaultKind::NotFound),
        ("/live/EVENT.mp4?from=later", FaultKind::BadRequest),
        ("/live/EVENT.mp4?from=-", FaultKind::BadRequest),
        ("/live/EVENT.mp4?rung=128", FaultKind::BadRequest),
        ("/live/EVENT/64.m3u8?_HLS_part=1", FaultKind::BadRequest),
        ("/live/EVENT/64.m3u8?_HLS_msn=18446744073709551615", FaultKind::BadRequest),
        ("*", FaultKind::BadRequest),
    ];
    for (target, fault) in rows {
        assert_eq!(parse(&target.replace("EVENT", ID)), Err(fault), "{target}");
    }
}

proptest! {
    #[test]
    fn arbitrary_targets_never_panic(target in "\\PC{0,80}") {
        let _ = parse(&target);
        let _ = parse(&format!("/live/{ID}/{target}"));
        let _ = parse(&format!("/replay/{ID}.m4a?download={target}"));
    }

    #[test]
    fn a_download_is_named_safely(name in "\\PC{0,200}") {
        let name = file_name(name, "m4a");
        prop_assert!(name.ends_with(".m4a") && !name.contains(['/', '\\', '"', '\r', '\n']) && !name.starts_with('.'));
    }
}
