use super::*;
use std::fs::File;
use std::os::unix::fs::FileExt as _;

const BLOCK: usize = 64 * 1024;

fn memory(bytes: &[u8]) -> File {
    let file = File::from(rustix::fs::memfd_create("media", rustix::fs::MemfdFlags::CLOEXEC).unwrap());
    file.write_all_at(bytes, 0).unwrap();
    file
}

#[test]
fn a_read_ends_where_bytes_are_not_here() {
    let have = memory(&[3, 2, 5, 1]);
    let bytes: Vec<u8> = (0..4 * BLOCK + 10).map(|at| u8::try_from(at / BLOCK).unwrap()).collect();
    let media = Media::new(Rung::R32, memory(&bytes).into(), Some(have.try_clone().unwrap().into()));
    let read = |offset: usize, most: usize| {
        let mut into = Vec::new();
        media.read(offset as u64, most, &mut into).map(|()| into.len()).map_err(|error| Absent::of(&error).unwrap().block)
    };
    let rows = [
        ((0, 100), Ok(100)),
        ((BLOCK - 10, 100), Ok(10)),
        ((BLOCK, 100), Err(1)),
        ((2 * BLOCK + 7, 2 * BLOCK), Ok(2 * BLOCK - 7)),
        // The map does not know it yet.
        ((4 * BLOCK, 10), Err(4)),
    ];
    for ((offset, most), expected) in rows {
        assert_eq!(read(offset, most), expected, "{offset} {most}");
    }
    assert_eq!(Absent::of(&media.unreached(BLOCK as u64)), Some(Absent { rung: Rung::R32, block: 1 }));
    have.write_all_at(&[5], 1).unwrap();
    assert!(media.has(1));
    assert_eq!(read(BLOCK - 10, 100), Ok(100));
    assert_eq!(media.unreached(5 * BLOCK as u64 - 1).kind(), io::ErrorKind::Other);
}

#[test]
fn a_recording_is_here_wholly() {
    let media = Media::new(Rung::R64, memory(&[1; 100]).into(), None);
    let mut into = Vec::new();
    media.read(50, 100, &mut into).unwrap();
    assert_eq!(into.len(), 50);
    assert_eq!(media.unreached(100).kind(), io::ErrorKind::UnexpectedEof);
}
