//! The disk keeps what it promised and loses the rest.

use super::*;

#[test]
fn what_is_synced_survives_and_the_rest_is_a_prefix_or_zeros() {
    for seed in 0..200 {
        let mut disk = Disk::new(seed);
        disk.write("a", 0, &[1; 3_000]).unwrap();
        disk.sync("a");
        disk.write("a", 3_000, &[2; 2_000]).unwrap();
        disk.lose_power();
        let left = disk.read("a");
        assert!((3_000..=5_000).contains(&left.len()), "seed {seed}");
        assert!(left[..3_000].iter().all(|&byte| byte == 1), "seed {seed}");
        assert!(left[3_000..].iter().all(|&byte| byte == 2 || byte == 0), "seed {seed}");
    }
}

#[test]
fn a_full_disk_takes_what_fits() {
    let mut disk = Disk::new(0);
    disk.set_capacity(10);
    disk.write("a", 0, &[1; 8]).unwrap();
    assert_eq!(disk.write("b", 0, &[2; 8]), Err(Full { written: 2 }));
    assert_eq!(disk.read("b"), [2, 2]);
    assert_eq!(disk.write("a", 0, &[3; 8]), Ok(()), "what does not grow always fits");
    disk.truncate("b", 0);
    assert_eq!(disk.used_bytes(), 8);
}
