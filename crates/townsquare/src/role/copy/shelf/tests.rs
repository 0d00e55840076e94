use super::*;

#[test]
fn copies_of_another_boot_are_thrown_away() {
    let mut random = [0u8; 8];
    getrandom::fill(&mut random).unwrap();
    let directory = std::env::temp_dir().join(format!("ts-shelf-{:016x}", u64::from_le_bytes(random)));
    let (mark, events) = (directory.join("copies"), directory.join("events"));
    let id = EventId::from_random(7);
    let fill = || std::fs::create_dir_all(events.join(id.to_string())).unwrap();
    let is_there = || copies(&events).contains_key(&id);
    fill();
    prepare(&mark, &events, "one").unwrap();
    assert!(!is_there(), "made nobody knows when");
    fill();
    prepare(&mark, &events, "one").unwrap();
    assert!(is_there());
    prepare(&mark, &events, "two").unwrap();
    assert!(!is_there());
    fill();
    assert_eq!(tidy(&events, |_| false), [], "there are not too many");
    std::fs::remove_dir_all(directory).unwrap();
}
