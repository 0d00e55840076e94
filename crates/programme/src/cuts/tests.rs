//! Cuts: what they touch, and a torn end.

use super::*;

#[test]
fn are_read_back_up_to_a_torn_end() {
    let cuts = [Cut { from: FragmentNumber(10), to: FragmentNumber(12) }, Cut { from: FragmentNumber(0), to: FragmentNumber(1) }];
    let bytes: Vec<u8> = cuts.into_iter().flat_map(Cuts::record).collect();
    assert_eq!(Cuts::read(&bytes).revision(), 2);
    assert_eq!(Cuts::read(&bytes[..bytes.len() - 1]).revision(), 1);
    assert_eq!(Cuts::read(b"junk").revision(), 0);
}

#[test]
fn touch_what_they_overlap() {
    let cuts = Cuts::read(&Cuts::record(Cut { from: FragmentNumber(10), to: FragmentNumber(12) }));
    for (number, slots, touched) in
        [(9, 1, false), (10, 1, true), (11, 1, true), (12, 1, false), (5, 5, false), (10, 5, true), (8, 3, true)]
    {
        assert_eq!(cuts.touch(FragmentNumber(number), slots), touched, "{number} and {slots} slots");
    }
}
