//! A player against playlists as the programme renders them.

use super::*;

fn playlist(parts: std::ops::Range<u64>) -> String {
    let part = |number| format!("#EXT-X-PART:DURATION=0.6,URI=\"64/p1.{}.m4s\",INDEPENDENT=YES\n", number * 3);
    let parts: String = parts.map(part).collect();
    format!("#EXTM3U\n#EXT-X-VERSION:9\n{parts}#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"64/p1.900.m4s\"\n")
}

fn read(player: &mut Player, text: &str, is_first: bool, piece: usize) {
    text.as_bytes().chunks(piece).for_each(|piece| player.read(piece));
    player.read_all(is_first);
}

#[test]
fn a_player_begins_behind_the_edge_and_follows_it() {
    for piece in [1, 7, 4_096] {
        let mut player = Player::new(Rung::R64);
        assert_eq!(player.ask(), "64.m3u8");
        read(&mut player, &playlist(5..20), true, piece);
        let asked: Vec<String> = (0..4).map(|_| player.ask()).collect();
        assert_eq!(asked, ["64/p1.51.m4s", "64/p1.54.m4s", "64/p1.57.m4s", "64.m3u8?_HLS_msn=2&_HLS_part=0&_HLS_skip=YES"]);
        assert_eq!(player.asked, Asked::Playlist);
        read(&mut player, &playlist(15..21), false, piece);
        assert_eq!((player.ask(), player.asked), ("64/p1.60.m4s".to_owned(), Asked::Part));
        assert_eq!(player.ask(), "64.m3u8?_HLS_msn=2&_HLS_part=1&_HLS_skip=YES");
    }
}

#[test]
fn the_end_is_seen_and_a_lost_part_is_asked_for_no_more() {
    let mut player = Player::new(Rung::R16);
    player.read(b"#EXT-X-PART:DURATION=1.0,URI=\"16/p1.30.m4s\"\n");
    player.lost();
    assert_eq!(player.ask(), "16.m3u8?_HLS_msn=1&_HLS_part=1&_HLS_skip=YES");
    player.read(b"#EXT-X-ENDLIST\n");
    assert!(player.has_ended);
    for strange in [&b"#EXT-X-PART:URI=\"x\"\n"[..], b"#EXT-X-PART:URI=\"\n", b"\xff\xff\n", &[b'x'; 5_000]] {
        player.read(strange);
    }
    assert!(player.line.len() <= LINE_BYTES_MAX);
}
