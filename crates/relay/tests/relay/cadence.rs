//! How often listeners are sent to, on virtual time: a slot passes when the test says so.

use crate::world::{Client, Piece, Stage, World, pieces};
use base::{Cadence, Rung};
use std::time::Duration;

/// A listener, and at which slot it was sent what.
struct Ear {
    client: Client,
    /// Bytes of the body that were heard.
    heard: usize,
    sends: Vec<(u64, Vec<Piece>)>,
}

impl Ear {
    /// A listener whose burst has come.
    fn new(world: &mut World, stage: &Stage, query: &str) -> Self {
        let client = world.ask("GET", &stage.path(&format!(".mp4{query}")), "");
        let mut ear = Self { client, heard: 0, sends: Vec::new() };
        world.until("the burst", |_| {
            ear.listen(0);
            (!ear.sends.is_empty()).then_some(())
        });
        ear
    }

    /// Notes what has come by this slot.
    fn listen(&mut self, slot: u64) {
        let (pieces, heard) = pieces(self.client.body(), self.heard);
        if !pieces.is_empty() {
            self.sends.push((slot, pieces));
            self.heard = heard;
        }
    }

    fn numbers(&self) -> Vec<u64> {
        let all = self.sends.iter().flat_map(|(_, pieces)| pieces);
        all.filter_map(|piece| if let Piece::Fragment(number) = piece { Some(*number) } else { None }).collect()
    }

    /// What was announced, and at which slot.
    fn announced(&self) -> Vec<(u64, u64)> {
        let said = |slot: u64, piece: &Piece| if let Piece::Cadence(millis) = piece { Some((slot, *millis)) } else { None };
        self.sends.iter().flat_map(|(slot, pieces)| pieces.iter().filter_map(|piece| said(*slot, piece))).collect()
    }

    /// Every fragment up to, not including, `end` came once and in order.
    fn has_all(&self, end: u64, what: &str) {
        let numbers = self.numbers();
        assert_eq!(numbers, (numbers[0]..end).collect::<Vec<_>>(), "{what}");
    }
}

/// Lets slots pass; the listeners note what each brings.
fn run(world: &mut World, stage: &mut Stage, ears: &mut [Ear], slots: std::ops::Range<u64>) {
    for slot in slots {
        world.slot(stage, &[Rung::R64]);
        ears.iter_mut().for_each(|ear| ear.listen(slot));
    }
}

fn fixed(cadence: Cadence) -> World {
    let mut world = World::new();
    world.worker.set_cadence(Some(cadence));
    world
}

#[test]
fn every_fragment_comes_once_at_every_cadence() {
    for cadence in Cadence::ALL {
        let (mut world, slots) = (fixed(cadence), cadence.slots());
        let mut stage = world.live(200);
        let mut ears = vec![Ear::new(&mut world, &stage, "?from=-1"), Ear::new(&mut world, &stage, "?from=live")];
        let sends = world.metric("sends_total");
        run(&mut world, &mut stage, &mut ears, 1..3 * slots + 1);
        assert_eq!(world.metric("sends_total") - sends, 6, "{cadence}: one send for a listener and turn");
        for ear in &ears {
            let last = ear.numbers().last().copied().unwrap() + 1;
            assert!(last + slots > 200 + 3 * slots, "{cadence}: {last}");
            ear.has_all(last, "nothing is missing");
            let turns: Vec<u64> = ear.sends[1..].windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
            assert!(turns.iter().all(|&apart| apart == slots), "{cadence}: {turns:?}");
            let said = if cadence == Cadence::QUICKEST { vec![] } else { vec![(0, cadence.millis())] };
            assert_eq!(ear.announced(), said, "the opening says it");
        }
        let first = ears[0].numbers()[0];
        assert_eq!(first, if cadence == Cadence::QUICKEST { 195 } else { 195 - slots }, "a second besides the cadence is in store");
        assert!(ears[1].numbers()[0] < first);
    }
}

#[test]
fn a_raise_is_announced_before_a_player_needs_to_be_ready() {
    let mut world = World::new();
    let mut stage = world.live(200);
    let mut ears: Vec<Ear> = (0..3).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
    run(&mut world, &mut stage, &mut ears, 1..10);
    world.worker.set_cadence(Some(Cadence::SLOWEST));
    run(&mut world, &mut stage, &mut ears, 10..1_600);
    for ear in &ears {
        ear.has_all(ear.numbers().last().unwrap() + 1, "nothing is missing");
        let announced = ear.announced();
        assert_eq!(announced.iter().map(|(_, millis)| *millis).collect::<Vec<_>>(), [1_000, 2_000, 4_000, 8_000, 16_000]);
        // A player that slows to 0.92 as soon as it is told never runs dry, and has a quarter of the time and 2 s to spare.
        let said = |millis: u64| announced.iter().find(|(_, said)| *said == millis).unwrap().0;
        let mut cadence = Cadence::QUICKEST;
        for pair in ear.sends[1..].windows(2) {
            let ((before, _), (at, _)) = (&pair[0], &pair[1]);
            while at - before > cadence.slots() {
                let slower = cadence.slower();
                let given = (before - said(slower.millis())) * 200;
                let needed = (slower.millis() - cadence.millis()) as f64 / 0.08;
                assert!(given as f64 >= needed * 1.25 + 2_000.0, "{slower} ms holds {given} ms after it was said");
                cadence = slower;
            }
        }
        assert_eq!(cadence, Cadence::SLOWEST);
    }
    assert_eq!(world.worker.load().by_cadence, [0, 0, 0, 0, 0, 3]);
}

#[test]
fn a_fall_holds_at_once() {
    let mut world = fixed(Cadence::SLOWEST);
    let mut stage = world.live(200);
    let mut ears: Vec<Ear> = (0..40).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
    run(&mut world, &mut stage, &mut ears, 1..100);
    world.worker.set_cadence(Some(Cadence::QUICKEST));
    run(&mut world, &mut stage, &mut ears, 100..200);
    for ear in &ears {
        ear.has_all(399, "up to the newest");
        let (said, _) = ear.announced()[1];
        assert_eq!(ear.announced()[1].1, 200);
        let after: Vec<u64> = ear.sends.iter().map(|(slot, _)| *slot).filter(|slot| *slot >= said).collect();
        assert_eq!(after, (said..200).collect::<Vec<_>>(), "from then on in every slot");
    }
}

#[test]
fn turns_are_spread_evenly() {
    let mut world = fixed(Cadence::ALL[3]);
    let mut stage = world.live(200);
    let mut ears: Vec<Ear> = (0..100).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
    for slot in 1..60 {
        let sends = world.metric("sends_total");
        run(&mut world, &mut stage, &mut ears, slot..slot + 1);
        assert_eq!(world.metric("sends_total") - sends, 5, "slot {slot}");
    }
    assert_eq!(world.worker.load().by_cadence, [0, 0, 0, 100, 0, 0]);
}

#[test]
fn a_late_worker_leaves_nobody_out() {
    for jump in [2, 3, 37, 81, 140] {
        let mut world = fixed(Cadence::ALL[3]);
        let mut stage = world.live(200);
        let mut ears: Vec<Ear> = (0..40).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
        run(&mut world, &mut stage, &mut ears, 1..30);
        stage.seal(&[Rung::R64], jump);
        world.settle();
        ears.iter_mut().for_each(|ear| ear.listen(29 + jump));
        run(&mut world, &mut stage, &mut ears, 30 + jump..30 + jump + 20);
        for ear in &ears {
            ear.has_all(ear.numbers().last().unwrap() + 1, "nothing is missing");
            let longest = ear.sends[1..].windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
            assert!(longest < 20 + jump, "{longest} slots between two sends");
        }
    }
}

#[test]
fn the_end_reaches_everybody_before_their_store_runs_out() {
    let mut world = fixed(Cadence::SLOWEST);
    let mut stage = world.live(200);
    let mut ears: Vec<Ear> = (0..80).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
    run(&mut world, &mut stage, &mut ears, 1..40);
    stage.end();
    world.settle();
    let mut over = Vec::new();
    for _ in 0..80 {
        world.skipped += Duration::from_millis(200);
        world.turn();
        ears.iter_mut().for_each(|ear| ear.listen(0));
        over.push(ears.iter().filter(|ear| ear.client.closed).count());
    }
    assert_eq!(over.last(), Some(&80));
    let steps: Vec<usize> = over.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(steps.iter().all(|&step| step <= 3), "no burst: {over:?}");
    ears.iter().for_each(|ear| ear.has_all(239, "to the end"));
    let load = world.worker.load();
    assert_eq!((load.streams, load.by_cadence), (0, [0; 6]));
}

#[test]
fn who_rewinds_waits_for_no_turn() {
    let mut world = fixed(Cadence::SLOWEST);
    let mut stage = world.live(1_000);
    let mut ear = Ear::new(&mut world, &stage, "?from=0");
    world.until("everything but the last cadence", |_| {
        ear.listen(0);
        (ear.numbers().len() >= 920).then_some(())
    });
    run(&mut world, &mut stage, std::slice::from_mut(&mut ear), 1..81);
    ear.has_all(ear.numbers().last().unwrap() + 1, "nothing is missing");
    assert!(ear.numbers().len() >= 1_000 && world.metric("skips_total") == 0);
}

#[test]
fn who_reads_slowly_is_moved_on_at_a_boundary_at_the_slowest_too() {
    let mut world = fixed(Cadence::SLOWEST);
    let mut stage = world.live(200);
    let mut client = world.ask("GET", &stage.path(".mp4?from=-1"), "");
    world.until("the init segment", |_| (!client.body().is_empty()).then_some(()));
    let mut sealed = 200;
    while world.metric("skips_total") == 0 {
        for _ in 0..100 {
            world.slot(&mut stage, &[Rung::R64]);
        }
        sealed += 100;
        assert!(sealed < 100_000);
        let mut some = [0; 4096];
        for _ in 0..16 {
            if let Ok(count) = std::io::Read::read(&mut client.stream, &mut some) {
                client.received.extend_from_slice(&some[..count]);
            }
        }
        world.turn();
    }
    for _ in 0..160 {
        world.slot(&mut stage, &[Rung::R64]);
        client.read();
    }
    let numbers: Vec<u64> = crate::world::fragments(client.body()).iter().map(|(number, _)| *number).collect();
    let jumps: Vec<_> = numbers.windows(2).filter(|pair| pair[1] != pair[0] + 1).collect();
    assert!(!jumps.is_empty() && jumps.iter().all(|pair| pair[1] > pair[0] + 150), "{jumps:?}");
    assert!(numbers.last().unwrap() + 81 > sealed + 160);
}

#[test]
fn who_goes_on_at_a_fragment_is_ready_for_what_it_has() {
    let mut world = fixed(Cadence::SLOWEST);
    let mut stage = world.live(400);
    // What was asked, and the cadence that the stream begins with.
    let rows = [
        ("?from=399", 200),
        ("?from=391", 200),
        ("?from=390", 1_000),
        ("?from=300", 16_000),
        ("?from=399&ready=4000", 4_000),
        ("?from=390&ready=16000", 16_000),
    ];
    let mut ears = Vec::new();
    let mut expected = [0; 6];
    for (query, millis) in rows {
        let ear = Ear::new(&mut world, &stage, query);
        assert!(query.starts_with(&format!("?from={}", ear.numbers()[0])), "it begins where it is asked to");
        expected[Cadence::from_millis(millis).unwrap().place()] += 1;
        assert_eq!(world.worker.load().by_cadence, expected, "{query}");
        ears.push(ear);
    }
    run(&mut world, &mut stage, &mut ears, 1..1_700);
    assert_eq!(world.worker.load().by_cadence, [0, 0, 0, 0, 0, 6]);
    ears.iter().for_each(|ear| ear.has_all(ear.numbers().last().unwrap() + 1, "nothing is missing"));
    assert_eq!(world.get(&stage.path(".mp4?ready=17")).problem(), (400, "bad-request".to_owned()));
}

#[test]
fn a_worker_that_lags_sends_more_seldom_and_recovers() {
    let mut world = World::new();
    let mut stage = world.live(200);
    let mut ears: Vec<Ear> = (0..10).map(|_| Ear::new(&mut world, &stage, "?from=-1")).collect();
    run(&mut world, &mut stage, &mut ears, 1..10);
    assert_eq!((world.metric("cadence_millis"), world.metric("cadence_fixed")), (200, 0));
    world.took = Duration::from_millis(190);
    run(&mut world, &mut stage, &mut ears, 10..20);
    world.took = Duration::ZERO;
    assert_eq!(world.metric("cadence_millis"), 1_000);
    assert!(world.metric("lag_micros_max") >= 190_000);
    assert_eq!(Ear::new(&mut world, &stage, "?from=-1").announced(), [(0, 1_000)], "who comes has it from the start");
    run(&mut world, &mut stage, &mut ears, 20..300);
    assert_eq!(world.metric("cadence_millis"), 200);
    for ear in &ears {
        ear.has_all(499, "nothing is missing");
        assert_eq!(ear.announced().iter().map(|(_, millis)| *millis).collect::<Vec<_>>(), [1_000, 200]);
    }
}

#[test]
fn the_saver_rung_is_sent_once_a_second() {
    let mut world = World::new();
    let mut stage = world.announce(programme::announcement::Visibility::Public, programme::announcement::Delay::None);
    stage.seal(&[Rung::R64, Rung::R16], 100);
    let mut ears: Vec<Ear> = (0..10).map(|_| Ear::new(&mut world, &stage, "?rung=16&from=-1")).collect();
    for slot in 1..21 {
        let sends = world.metric("sends_total");
        world.slot(&mut stage, &[Rung::R64, Rung::R16]);
        // Before the next second is whole nobody can be sent any of it.
        assert_eq!(world.metric("sends_total") - sends, if slot < 5 { 0 } else { 2 }, "slot {slot}");
        ears.iter_mut().for_each(|ear| ear.listen(slot));
    }
    for ear in &ears {
        assert_eq!(ear.announced(), [(0, 1_000)]);
        assert_eq!(ear.numbers()[0], 85, "a second besides");
        assert!(ear.numbers().windows(2).all(|pair| pair[1] == pair[0] + 5));
    }
}
