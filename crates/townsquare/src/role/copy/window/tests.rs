use super::*;

fn block(number: u64) -> Block {
    (EventId::FIRST, Rung::R64, number)
}

#[test]
fn who_came_first_goes_first() {
    let window = Window::new(3 * BLOCK_BYTES, Path::new("/nowhere"));
    assert_eq!(window.admit((0..3).map(block)), []);
    assert_eq!(window.admit([block(3), block(4)]), [block(0), block(1)]);
    window.keep(vec![block(0)]);
    assert_eq!(window.bytes(), (4 * BLOCK_BYTES, 3 * BLOCK_BYTES));
    assert_eq!(window.admit([]), [block(2)], "what could not go comes last");
    window.forget(EventId::FIRST);
    assert_eq!(window.bytes().0, 0);
}

#[test]
fn a_full_disk_makes_it_smaller() {
    let window = Window::new(100 * BLOCK_BYTES, Path::new("/nowhere"));
    assert!(!window.shrink(), "nothing can be given");
    assert_eq!(window.bytes().1, 100 * BLOCK_BYTES);
    let window = Window::new(100 * BLOCK_BYTES, Path::new("/nowhere"));
    window.admit((0..16).map(block));
    assert!(window.shrink());
    assert_eq!(window.admit([]), [block(0), block(1)]);
    assert_eq!(window.admit([block(16)]), [block(2)]);
}
