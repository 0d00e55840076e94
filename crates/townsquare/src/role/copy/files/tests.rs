use super::*;
use base::{Epoch, FragmentNumber};
use programme::{fragment, silence};

fn scratch() -> PathBuf {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).unwrap();
    let directory = std::env::temp_dir().join(format!("ts-copy-{:016x}", u64::from_le_bytes(random)));
    std::fs::create_dir(&directory).unwrap();
    directory
}

fn sealed(number: u64) -> Vec<u8> {
    fragment::seal(Rung::R64, FragmentNumber(number), None, &silence::frames(Rung::R64, 10))
}

fn place(number: u64) -> Place {
    Place { epoch: Epoch(1), number: FragmentNumber(number) }
}

fn read(directory: &Path, entry: &Entry) -> Vec<u8> {
    let mut bytes = vec![0; entry.length as usize];
    File::open(path(directory, Rung::R64, "mp4")).unwrap().read_exact_at(&mut bytes, entry.offset).unwrap();
    bytes
}

#[test]
fn blocks_go_and_come_again() {
    let directory = scratch();
    let mut files = Files::open(&directory, Rung::R64).unwrap();
    let fresh: Vec<u64> = (0..100).flat_map(|number| files.append(place(number), Sound::Here(&sealed(number))).unwrap()).collect();
    assert_eq!(fresh, [0, 1, 2]);
    assert!(!files.evict(2).unwrap(), "the copy goes on there");
    assert!(files.evict(1).unwrap());
    assert_eq!(blocks(&directory, Rung::R64), [0, 2]);
    let entries = files.entries().unwrap();
    let inside = entries.iter().find(|entry| entry.offset > BLOCK_BYTES).unwrap();
    assert!(read(&directory, inside).iter().all(|byte| *byte == 0), "punched out");
    let before = mark_of(&files.have, 1).unwrap();
    let fragments: Vec<_> = programme::copy::in_block(&entries, 1).iter().map(|entry| (*entry, sealed(entry.number.0))).collect();
    assert!(files.fill(1, &fragments).unwrap());
    assert!(!files.fill(1, &fragments).unwrap(), "once");
    assert_ne!(mark_of(&files.have, 1).unwrap() & !1, before & !1, "who reads meanwhile can tell");
    for entry in &entries {
        assert!(read(&directory, entry) == sealed(entry.number.0), "{}", entry.number);
    }
    files.end(place(100)).unwrap();
    assert!(files.evict(2).unwrap());
    std::fs::remove_dir_all(directory).unwrap();
}

#[test]
fn a_killed_copier_leaves_nothing_that_is_not_so() {
    let directory = scratch();
    let mut files = Files::open(&directory, Rung::R64).unwrap();
    for number in 0..50 {
        files.append(place(number), Sound::Here(&sealed(number))).unwrap();
    }
    let ends = files.track.media_bytes();
    // Media and mark of the next fragment, half of its record.
    files.have.write_all_at(&[1], ends / BLOCK_BYTES + 1).unwrap();
    files.index.write_all_at(&[7; 10], files.track.index_bytes()).unwrap();
    let mut again = Files::open(&directory, Rung::R64).unwrap();
    assert_eq!(again.track().last(), Some(place(49)));
    assert_eq!(blocks(&directory, Rung::R64), [0, 1]);
    assert_eq!(again.append(place(50), Sound::Elsewhere(1_692)).unwrap(), [0u64; 0], "only named");
    assert_eq!(again.append(place(51), Sound::Here(&sealed(51))).unwrap(), [3]);
    let entries = again.entries().unwrap();
    assert_eq!(entries.len(), 52);
    assert_eq!(entries[50].offset, 2 * BLOCK_BYTES);
    assert_eq!(entries[51].offset, 3 * BLOCK_BYTES);
    std::fs::remove_dir_all(directory).unwrap();
}
