use super::*;
use proptest::prelude::*;
use std::io::Write as _;

/// A file in memory, without a name.
fn file(bytes: &[u8]) -> Rc<Media> {
    let fd = rustix::fs::memfd_create("body", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes).unwrap();
    Rc::new(Media::new(base::Rung::R64, file.into(), None))
}

fn read_all(runs: &Runs, range: Range<u64>) -> Vec<u8> {
    let (mut span, mut all) = (Vec::new(), Vec::new());
    let mut at = range.start;
    while at < range.end {
        let before = all.len();
        runs.read(at..range.end, &mut span, &mut all).unwrap();
        assert!(all.len() > before && all.len() - before <= SEND_BYTES);
        at += (all.len() - before) as u64;
    }
    all
}

#[test]
fn a_run_that_continues_is_one_run() {
    let file = file(&[7; 300]);
    let mut runs = Runs::default();
    for offset in [0, 100, 250] {
        runs.push(Run::File { file: Rc::clone(&file), offset, length: if offset == 250 { 50 } else { 100 } });
    }
    assert_eq!((runs.runs.len(), runs.length()), (2, 250));
}

#[test]
fn a_file_that_ends_too_early_is_an_error() {
    let mut runs = Runs::default();
    runs.push(Run::File { file: file(&[1; 10]), offset: 0, length: 11 });
    let (mut span, mut into) = (Vec::new(), Vec::new());
    assert!(runs.read(0..11, &mut span, &mut into).is_err());
}

proptest! {
    #[test]
    fn any_range_is_the_whole_s_part(
        parts in proptest::collection::vec((any::<bool>(), 0u64..150_000, 1u64..3_000), 1..60), from in 0u64..200_000, length in 1u64..200_000,
    ) {
        let bytes: Vec<u8> = (0..160_000u32).map(|n| n.to_le_bytes()[n as usize % 3]).collect();
        let file = file(&bytes);
        let (mut runs, mut whole) = (Runs::default(), Vec::new());
        for (memory, offset, length) in parts {
            let part = &bytes[index_of(offset)..index_of(offset + length)];
            whole.extend_from_slice(part);
            runs.push(if memory { Run::Bytes(part.into()) } else { Run::File { file: Rc::clone(&file), offset, length } });
        }
        prop_assert_eq!(runs.length(), whole.len() as u64);
        let end = (from + length).min(runs.length());
        let from = from.min(end);
        prop_assert_eq!(read_all(&runs, from..end), &whole[index_of(from)..index_of(end)]);
    }
}
