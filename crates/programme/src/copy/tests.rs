use super::*;
use crate::silence;
use base::{FragmentNumber, UnixMillis};
use proptest::prelude::*;

fn place(epoch: u32, number: u64) -> Place {
    Place { epoch: Epoch(epoch), number: FragmentNumber(number) }
}

fn sealed(rung: Rung, number: u64) -> Vec<u8> {
    fragment::seal(rung, FragmentNumber(number), None, &silence::frames(rung, rung.frames_per_fragment()))
}

fn sent(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    frames.iter().for_each(|frame| frame.put(&mut bytes));
    bytes
}

/// What a reader makes of bytes that come in pieces of so many.
fn read(rung: Rung, last: Option<Place>, bytes: &[u8], pieces: usize) -> (Vec<Frame>, Option<Fault>) {
    let mut reader = Reader::new(rung, last);
    let mut frames = Vec::new();
    for piece in bytes.chunks(pieces) {
        reader.feed(piece);
        loop {
            match reader.frame() {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(fault) => return (frames, Some(fault)),
            }
        }
    }
    (frames, None)
}

fn journal() -> Vec<u8> {
    use base::journal::{Entry, What};
    let opened = What::EpochOpened { epoch: Epoch(1), first: FragmentNumber(0), boot: String::new() };
    crate::journal::record(&Entry { at: UnixMillis(5), what: opened })
}

fn whole() -> Vec<Frame> {
    vec![
        Frame::Cuts(Cuts::record(crate::cuts::Cut { from: FragmentNumber(1), to: FragmentNumber(2) })),
        Frame::Journal(journal()),
        Frame::Named(place(1, 3), 1_700),
        Frame::Fragment(place(1, 4), sealed(Rung::R64, 4)),
        Frame::Fragment(place(2, 15), sealed(Rung::R64, 15)),
        Frame::End(place(2, 16)),
    ]
}

#[test]
fn frames_come_whole_whatever_the_pieces() {
    for pieces in [1, 7, 36, 1_000, 1 << 20] {
        assert_eq!(read(Rung::R64, Some(place(1, 2)), &sent(&whole()), pieces), (whole(), None), "{pieces}");
    }
}

#[test]
fn what_can_not_be_is_named() {
    let fragment = |epoch, number| Frame::Fragment(place(epoch, number), sealed(Rung::R64, number));
    let changed = |frames: &[Frame], at: usize| {
        let mut bytes = sent(frames);
        bytes[at] ^= 1;
        bytes
    };
    let record = |kind: u32, length: u32| {
        let mut bytes = Vec::new();
        put_head(place(1, 9), length, kind, &[], &mut bytes);
        bytes
    };
    let rows = [
        ("a byte of the record", changed(&[fragment(1, 5)], 3), Fault::Record),
        ("a byte of the sound", changed(&[fragment(1, 5)], HEAD_BYTES + 200), Fault::Bytes),
        ("a length that is a lie", [&record(1, 100)[..], &[0; 200]].concat(), Fault::Bytes),
        ("silence that is none", sent(&[Frame::Fragment(place(1, 5), vec![0; 1_700])]), Fault::Fragment),
        ("another fragment", sent(&[Frame::Fragment(place(1, 6), sealed(Rung::R64, 5))]), Fault::Fragment),
        ("another rung", sent(&[Frame::Fragment(place(1, 5), sealed(Rung::R32, 5))]), Fault::Fragment),
        ("an unknown kind", record(6, 0), Fault::Kind),
        ("a fragment of a megabyte", record(1, 1 << 20), Fault::Length),
        ("a document without end", record(4, 1 << 30), Fault::Length),
        ("a number again", sent(&[fragment(1, 5), fragment(1, 5)]), Fault::Number),
        ("a number from before", sent(&[fragment(1, 2)]), Fault::Number),
        ("a number out of all bounds", sent(&[Frame::Named(place(1, 1 << 41), 10)]), Fault::Number),
        ("a number from far ahead", sent(&[fragment(1, 3 + COPY_NUMBER_GAP_MAX + 1)]), Fault::Number),
        ("an old epoch", sent(&[fragment(2, 5), fragment(1, 6)]), Fault::Epoch),
        ("a torn document", sent(&[Frame::Cuts(vec![1, 2, 3])]), Fault::Document),
        ("something behind the end", sent(&[Frame::End(place(1, 5)), fragment(1, 6)]), Fault::AfterEnd),
    ];
    for (what, bytes, fault) in rows {
        assert_eq!(read(Rung::R64, Some(place(1, 2)), &bytes, 50).1, Some(fault), "{what}");
    }
    assert_eq!(
        read(Rung::R16, None, &sent(&[Frame::Named(place(1, 3), 10)]), 50).1,
        Some(Fault::Number),
        "a slot without a fragment of 16"
    );
}

/// What a copy's files come to when appends are performed.
#[derive(Default)]
struct Copy {
    media: Vec<u8>,
    index: Vec<u8>,
    here: std::collections::BTreeSet<u64>,
}

impl Copy {
    fn perform(&mut self, append: &Append) {
        let end = usize::try_from(append.media_at).unwrap() + append.media.len();
        self.media.resize(self.media.len().max(end), 0);
        self.media[end - append.media.len()..end].copy_from_slice(&append.media);
        for block in append.blocks.clone() {
            if append.present {
                self.here.insert(block)
            } else {
                self.here.remove(&block)
            };
        }
        assert_eq!(append.record_at, self.index.len() as u64);
        self.index.extend_from_slice(&append.record);
    }
}

proptest! {
    /// Whatever is sent, nothing is taken that is no fragment, and nothing panics.
    #[test]
    fn damage_is_never_taken(cut in 0usize..6_000, at in 0usize..6_000, with in 1u8.., pieces in 1usize..3_000, noise in any::<bool>()) {
        let frames = whole();
        let mut bytes = sent(&frames);
        if noise {
            let at = at % bytes.len();
            bytes[at] ^= with;
        }
        bytes.truncate(cut);
        let (taken, _) = read(Rung::R64, Some(place(1, 2)), &bytes, pieces);
        prop_assert!(frames.starts_with(&taken));
    }

    /// Records that check, whatever they say: what is taken grows, and never waits for more than the limits.
    #[test]
    fn whatever_is_announced_is_bounded(
        words in proptest::collection::vec((0u64..20, 1u32..4, 0u32..8, prop_oneof![0u32..3_000, any::<u32>()]), 1..20),
    ) {
        let mut reader = Reader::new(Rung::R64, None);
        let mut last = None;
        for (number, epoch, kind, length) in words {
            let mut bytes = Vec::new();
            put_head(place(epoch, number), length, kind, &[], &mut bytes);
            reader.feed(&bytes);
            match reader.frame() {
                Ok(Some(Frame::Named(place, _))) => {
                    prop_assert!(last < Some(place.number));
                    last = Some(place.number);
                }
                Ok(Some(_)) => {}
                // It waits for the bytes; none come.
                Ok(None) => {
                    prop_assert!(length as usize <= COPY_DOCUMENT_BYTES_MAX);
                    break;
                }
                Err(_) => break,
            }
        }
    }

    #[test]
    fn noise_is_refused_or_waited_for(bytes in proptest::collection::vec(any::<u8>(), 0..400), pieces in 1usize..100) {
        let (taken, fault) = read(Rung::R64, None, &bytes, pieces);
        prop_assert_eq!(taken, vec![]);
        prop_assert_eq!(fault.is_some(), bytes.len() >= HEAD_BYTES);
    }

    /// A block holds only fragments whose bytes are here, or only such whose bytes are not; after a crash it goes on the same.
    #[test]
    fn blocks_are_here_wholly_or_not_at_all(runs in proptest::collection::vec((any::<bool>(), 1u64..90, any::<bool>()), 1..8)) {
        let (mut track, mut copy, mut number, mut here) = (Track::new(), Copy::default(), 0, std::collections::BTreeSet::new());
        for (present, count, crashes) in runs {
            for _ in 0..count {
                let bytes = sealed(Rung::R64, number);
                let sound = if present { Sound::Here(&bytes) } else { Sound::Elsewhere(u32::try_from(bytes.len()).unwrap()) };
                copy.perform(&track.fragment(place(1, number), sound));
                if present {
                    here.insert(number);
                }
                number += 1;
            }
            if crashes {
                let blocks = copy.here.clone();
                track = Track::resume(&copy.index, |block| blocks.contains(&block));
            }
        }
        copy.perform(&track.end(place(1, number)));
        let mut index = crate::Index::new(Rung::R64);
        index.feed(crate::index::Source::Disk, &copy.index);
        prop_assert_eq!(index.end(), Some(FragmentNumber(number)));
        prop_assert_eq!(index.recording().len() as u64, number);
        for entry in index.recording() {
            let mut blocks = entry.offset / BLOCK_BYTES..entry.end().div_ceil(BLOCK_BYTES);
            let is_here = blocks.clone().all(|block| copy.here.contains(&block));
            prop_assert_eq!(is_here, here.contains(&entry.number.0));
            prop_assert_eq!(blocks.any(|block| copy.here.contains(&block)), is_here);
            if is_here {
                let at = usize::try_from(entry.offset).unwrap();
                prop_assert!(copy.media[at..at + entry.length as usize] == sealed(Rung::R64, entry.number.0));
            }
        }
        for block in 0..track.media_bytes().div_ceil(BLOCK_BYTES) {
            for entry in in_block(index.recording(), block) {
                prop_assert!(entry.offset < (block + 1) * BLOCK_BYTES && entry.end() > block * BLOCK_BYTES);
            }
        }
    }
}
